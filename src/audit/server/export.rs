//! The log as a file: read page by page while it is written, so that memory stays the same however long it is.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use chrono::TimeDelta;
use futures_util::stream;
use serde_json::Value;

use super::{Filter, parse_cursor, select};
use crate::{
    access::{
        AUDIT_EXPORT,
        server::{
            Cx, Tx,
            record::{Action, Event},
        },
    },
    audit::{AuditEntry, AuditQuery},
    base::{errors::AppError, server::input::Input},
};

/// How many rows are read at a time.
const BATCH: u32 = 500;
/// Files that one person may have made within an hour: each reads as much as there is.
const MOST_AN_HOUR: i64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    /// One JSON object a line, each as `/schemas/audit-event.json` describes it.
    Lines,
}

impl Format {
    fn kind(self) -> (&'static str, &'static str) {
        match self {
            Format::Csv => ("text/csv; charset=utf-8", "csv"),
            Format::Lines => ("application/jsonl; charset=utf-8", "jsonl"),
        }
    }
}

/// What is left to be written.
struct Rest {
    cx: Cx,
    format: Format,
    filter: Filter,
    is_first: bool,
    is_last: bool,
}

/// The rows that a filter leaves, newest first. The export itself is in the log before its first row is read; whoever
/// closes the connection ends it, and whoever loses the permission meanwhile gets no further page.
pub async fn export(cx: &Cx, query: Input<AuditQuery>, format: Format) -> Result<Response, AppError> {
    let mut tx = cx.allow(AUDIT_EXPORT).await?;
    tx.decide(&Default::default())?;
    let query = AuditQuery { after: None, limit: None, ..query.read()? };
    let told = serde_json::to_value(&query).map_err(anyhow::Error::from)?;
    let mut filter = Filter::parse(query)?;
    check_often(&mut tx).await?;
    let now = tx.now();
    // Newest first: what is written while it runs is not in it. "The last day" does not move on.
    if let Some(last) = filter.last.take() {
        filter.from = Some(filter.from.map_or(now - last, |from| from.max(now - last)));
    }
    filter.limit = BATCH;
    let (kind, ending) = format.kind();
    let event = Event::done(Action::AuditExport).on("audit", "", "").meta("format", ending);
    tx.commit(given(&told).into_iter().fold(event, |event, (name, value)| event.meta(&name, value))).await?;
    let rest = Rest { cx: cx.clone(), format, filter, is_first: true, is_last: false };
    let body = Body::from_stream(stream::try_unfold(rest, next));
    let name = format!("attachment; filename=\"audit-{}.{ending}\"", now.format("%Y-%m-%d"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(anyhow::Error::from)?),
    ];
    Ok((headers, body).into_response())
}

/// Refuses whoever asks too often. Two at the same time are counted one after the other.
async fn check_often(tx: &mut Tx) -> Result<(), AppError> {
    let (tenant, now, user) = (tx.tenant()?, tx.now(), tx.cx().person()?.user);
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('audit.export:' || $1::text, 0))", user.to_string())
        .execute(tx.conn())
        .await?;
    let made = sqlx::query_scalar!(
        r#"select count(*) as "n!" from audit_logs
           where tenant_id = $1 and user_id = $2 and action = $3 and created_at > $4"#,
        tenant.0,
        user.0,
        Action::AuditExport.as_str(),
        now - TimeDelta::hours(1),
    );
    if made.fetch_one(tx.conn()).await? < MOST_AN_HOUR { Ok(()) } else { Err(AppError::TooMany { retry_after: 3_600 }) }
}

/// The filters that were given.
fn given(query: &Value) -> Vec<(String, Value)> {
    let fields = query.as_object().into_iter().flatten();
    fields.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect()
}

async fn next(mut rest: Rest) -> Result<Option<(Bytes, Rest)>, AppError> {
    if rest.is_last {
        return Ok(None);
    }
    // A transaction for each page: none stays open while a slow reader takes its time.
    let mut tx = rest.cx.read(AUDIT_EXPORT).await?;
    tx.decide(&Default::default())?;
    let page = select(&mut tx, &rest.filter).await?;
    drop(tx);
    let mut text = String::new();
    if rest.is_first && rest.format == Format::Csv {
        // Spreadsheets read UTF-8 only where this mark stands first.
        text.push('\u{FEFF}');
        text.push_str(&line(COLUMNS.iter().map(|name| (*name).to_owned())));
    }
    for entry in &page.items {
        match rest.format {
            Format::Csv => text.push_str(&line(cells(entry).into_iter())),
            Format::Lines => {
                text.push_str(&serde_json::to_string(entry).map_err(anyhow::Error::from)?);
                text.push('\n');
            }
        }
    }
    rest.is_first = false;
    rest.filter.after = page.next.as_deref().and_then(parse_cursor);
    rest.is_last = rest.filter.after.is_none();
    Ok(Some((Bytes::from(text), rest)))
}

const COLUMNS: &[&str] = &[
    "created_at",
    "id",
    "user_id",
    "user_name",
    "impersonator_id",
    "impersonator_name",
    "action",
    "outcome",
    "resource_type",
    "resource_id",
    "resource_name",
    "old_value",
    "new_value",
    "meta",
    "ip",
    "user_agent",
    "request_id",
];

fn cells(entry: &AuditEntry) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let json = |value: &Option<Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    vec![
        entry.created_at.to_string(),
        entry.id.to_string(),
        entry.user_id.map(|id| id.to_string()).unwrap_or_default(),
        text(&entry.user_name),
        entry.impersonator_id.map(|id| id.to_string()).unwrap_or_default(),
        text(&entry.impersonator_name),
        entry.action.clone(),
        entry.outcome.as_str().to_owned(),
        text(&entry.resource_type),
        text(&entry.resource_id),
        text(&entry.resource_name),
        json(&entry.old_value),
        json(&entry.new_value),
        entry.meta.to_string(),
        text(&entry.ip),
        text(&entry.user_agent),
        entry.request_id.map(|id| id.to_string()).unwrap_or_default(),
    ]
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.map(|text| cell(&text)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// One cell (RFC 4180). A text that a spreadsheet would take for a formula begins with an apostrophe (CWE-1236).
pub fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n', ';', '\t', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    /// E4, CWE-1236: nothing that somebody typed is a formula in a spreadsheet, nor another cell.
    #[test]
    fn cells_hold_text_and_nothing_else() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n", "＝"] {
            let written = cell(&format!("{start}1+1"));
            assert_eq!(written, format!("\"'{start}1+1\""));
        }
        assert_eq!(cell("سارة"), "سارة");
        assert_eq!(cell("a\"b,c"), "\"a\"\"b,c\"");
    }
}
