//! Reading the audit log. Writing it is the heart's: see `access::server::record`.

pub mod export;
pub mod own;
pub mod retention;
pub mod schema;
pub mod seal;
pub mod verify;

use axum::{
    Extension, Json,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Postgres, QueryBuilder, Row as _, postgres::PgRow};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    access::{
        AUDIT_READ,
        server::{Cx, Tx, record::Action},
    },
    audit::{
        After, AuditCounts, AuditEntry, AuditQuery, Checkpoint, Outcome, RECENT_HOURS, RetentionRule, Verification,
    },
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::UserId,
        paging::{self, Page},
        server::{
            cursor::Cursor,
            http::{Asked, Done, Sent},
            input::Input,
            search::{Words, filter_text},
        },
        time::Timestamp,
    },
};

/// A page of the log, newest first.
pub async fn list(cx: &Cx, query: Input<AuditQuery>) -> Result<Page<AuditEntry>, AppError> {
    let mut tx = cx.read(AUDIT_READ).await?;
    // The log has no department or region: who reads it in a scope only reads nothing.
    tx.decide(&Default::default())?;
    let filter = Filter::parse(query.read()?)?;
    select(&mut tx, &filter).await
}

/// How many rows of the last day are worth a look: those that the list with these filters shows.
pub async fn counts(cx: &Cx) -> Result<AuditCounts, AppError> {
    let mut tx = cx.read(AUDIT_READ).await?;
    tx.decide(&Default::default())?;
    let hours = Some(RECENT_HOURS.to_string());
    let failed = AuditQuery {
        action: Some(Action::LoginFailed.as_str().to_owned()),
        last_hours: hours.clone(),
        ..AuditQuery::default()
    };
    let refused =
        AuditQuery { outcome: Some(Outcome::Denied.as_str().to_owned()), last_hours: hours, ..AuditQuery::default() };
    let failed_sign_ins = count(&mut tx, &Filter::parse(failed)?).await?;
    let refusals = count(&mut tx, &Filter::parse(refused)?).await?;
    Ok(AuditCounts { failed_sign_ins, refusals })
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(list_rest))
        .routes(routes!(own_activity_rest))
        .routes(routes!(export_csv_rest))
        .routes(routes!(export_lines_rest))
        .routes(routes!(verification_rest, verify_rest))
        .routes(routes!(checkpoint_rest))
        .routes(routes!(retention_rest, set_retention_rest))
}

/// The audit log: `audit.read`
#[utoipa::path(get, path = "/admin/audit", operation_id = "list", tag = "audit", params(AuditQuery), responses((status = 200, body = inline(Page<AuditEntry>))))]
async fn list_rest(cx: Extension<Cx>, Asked(query): Asked<AuditQuery>) -> Result<Json<Page<AuditEntry>>, AppError> {
    list(&cx, query).await.map(Json)
}

/// What you have done, and what was done to your account
#[utoipa::path(get, path = "/auth/activity", operation_id = "own_activity", tag = "auth", params(After), responses((status = 200, body = inline(Page<AuditEntry>))))]
async fn own_activity_rest(cx: Extension<Cx>, Asked(query): Asked<After>) -> Result<Json<Page<AuditEntry>>, AppError> {
    own::activity(&cx, query).await.map(Json)
}

/// Everything that a filter leaves, as a table: `audit.export`
#[utoipa::path(get, path = "/admin/audit/export.csv", operation_id = "export_csv", tag = "audit", params(AuditQuery), responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_csv_rest(cx: Extension<Cx>, Asked(query): Asked<AuditQuery>) -> Result<Response, AppError> {
    export::export(&cx, query, export::Format::Csv).await
}

/// Everything that a filter leaves, one JSON object a line: `audit.export`
#[utoipa::path(get, path = "/admin/audit/export.jsonl", operation_id = "export_lines", tag = "audit", params(AuditQuery), responses((status = 200, body = String, content_type = "application/jsonl")))]
async fn export_lines_rest(cx: Extension<Cx>, Asked(query): Asked<AuditQuery>) -> Result<Response, AppError> {
    export::export(&cx, query, export::Format::Lines).await
}

/// Whether the log is as it was written: `audit.read`
#[utoipa::path(get, path = "/admin/audit/verification", operation_id = "verification", tag = "audit", responses((status = 200, body = Verification)))]
async fn verification_rest(cx: Extension<Cx>) -> Result<Json<Verification>, AppError> {
    verify::known(&cx).await.map(Json)
}

/// Have the whole log verified again soon: `audit.read`
#[utoipa::path(post, path = "/admin/audit/verification", operation_id = "verify", tag = "audit", responses((status = 200, body = Done)))]
async fn verify_rest(cx: Extension<Cx>) -> Result<Json<Done>, AppError> {
    verify::ask(&cx).await.map(|()| Json(Done::OK))
}

/// The newest signed head of the log, to be kept elsewhere: `audit.export`
#[utoipa::path(get, path = "/admin/audit/checkpoint", operation_id = "checkpoint", tag = "audit", responses((status = 200, body = Checkpoint)))]
async fn checkpoint_rest(cx: Extension<Cx>) -> Result<Response, AppError> {
    let checkpoint = verify::newest_checkpoint(&cx).await?;
    let name = format!("attachment; filename=\"checkpoint-{}.json\"", checkpoint.seq);
    let name = HeaderValue::from_str(&name).map_err(anyhow::Error::from)?;
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(checkpoint)).into_response())
}

/// How long the log is kept: `audit.read`
#[utoipa::path(get, path = "/admin/audit/retention", operation_id = "retention", tag = "audit", responses((status = 200, body = RetentionRule)))]
async fn retention_rest(cx: Extension<Cx>) -> Result<Json<RetentionRule>, AppError> {
    retention::get(&cx).await.map(Json)
}

/// Set how long the log is kept, or hold it: `settings.update`
#[utoipa::path(put, path = "/admin/audit/retention", operation_id = "set_retention", tag = "audit", request_body = RetentionRule, responses((status = 200, body = RetentionRule)))]
async fn set_retention_rest(
    cx: Extension<Cx>,
    Sent(body): Sent<RetentionRule>,
) -> Result<Json<RetentionRule>, AppError> {
    retention::set(&cx, body).await.map(Json)
}

/// The query, understood.
#[derive(Debug, Default)]
struct Filter {
    words: Words,
    actor: Option<Uuid>,
    impersonator: Option<Uuid>,
    about: Option<Uuid>,
    action: Option<String>,
    resource_type: Option<String>,
    resource_id: Option<String>,
    outcome: Option<Outcome>,
    ip: Option<std::net::IpAddr>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    last: Option<TimeDelta>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u32,
}

impl Filter {
    fn parse(query: AuditQuery) -> Result<Self, AppError> {
        let mut errors = FieldErrors::default();
        let words = errors.take("q", Words::parse(query.q)).unwrap_or_default();
        let mut text = |field: &str, value| errors.take(field, filter_text(value)).flatten();
        let action = text("action", query.action);
        let resource_type = text("resource_type", query.resource_type);
        let resource_id = text("resource_id", query.resource_id);
        let actor = text("actor", query.actor);
        let impersonator = text("impersonator", query.impersonator);
        let about = text("about", query.about);
        let outcome = text("outcome", query.outcome);
        let ip = text("ip", query.ip);
        let from = text("from", query.from);
        let to = text("to", query.to);
        let last = text("last_hours", query.last_hours);
        let after = text("after", query.after);
        let malformed = FieldCode::Malformed;
        let moment = |text: String| Timestamp::parse(&text).map(DateTime::from).ok_or(malformed);
        let mut id = |field: &str, text: Option<String>| {
            let id = text.map(|id| id.parse::<Uuid>().map_err(|_not_an_id| malformed));
            errors.take(field, id.transpose()).flatten()
        };
        let actor = id("actor", actor);
        let impersonator = id("impersonator", impersonator);
        let about = id("about", about);
        let outcome = outcome.map(|text| Outcome::parse(&text).ok_or(FieldCode::Unknown)).transpose();
        let outcome = errors.take("outcome", outcome).flatten();
        let ip = errors.take("ip", ip.map(|ip| ip.parse().map_err(|_| malformed)).transpose()).flatten();
        let from = errors.take("from", from.map(moment).transpose()).flatten();
        let to = errors.take("to", to.map(moment).transpose()).flatten();
        let last = last.map(|text| match text.parse() {
            Ok(hours @ 1..=8784) => Ok(TimeDelta::hours(hours)),
            _ => Err(malformed),
        });
        let last = errors.take("last_hours", last.transpose()).flatten();
        let after = errors.take("after", after.map(|text| parse_cursor(&text).ok_or(malformed)).transpose()).flatten();
        let limit = errors.take("limit", paging::size(query.limit)).unwrap_or_default();
        errors.check()?;
        Ok(Filter {
            words,
            actor,
            impersonator,
            about,
            action,
            resource_type,
            resource_id,
            outcome,
            ip,
            from,
            to,
            last,
            after,
            limit,
        })
    }
}

fn cursor(entry: &AuditEntry) -> String {
    Cursor { key: entry.created_at.to_string(), id: entry.id }.write()
}

fn parse_cursor(text: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let cursor = Cursor::after(Some(text.to_owned())).ok()??;
    Some((cursor.moment()?, cursor.id))
}

const COLUMNS: &str =
    "id, user_id, user_name, impersonator_id, impersonator_name, action, outcome, resource_type, resource_id,
    resource_name, old_value, new_value, meta, host(ip) as ip, user_agent, request_id, created_at";

/// The tenant's rows, and those that belong to no tenant (an unknown name at the door), which row-level security shows to
/// super-admins alone. Each half is read in the order of its index: one condition for both would sort the whole log.
async fn select(tx: &mut Tx, filter: &Filter) -> Result<Page<AuditEntry>, AppError> {
    let mut query = QueryBuilder::<Postgres>::new(format!("(select {COLUMNS} from audit_logs where tenant_id = "));
    let now = tx.now();
    query.push_bind(tx.tenant()?.0);
    push_filter(&mut query, filter, now);
    push_page(&mut query, filter);
    query.push(format!(") union all (select {COLUMNS} from audit_logs where tenant_id is null"));
    push_filter(&mut query, filter, now);
    push_page(&mut query, filter);
    query.push(")");
    push_order(&mut query, filter);
    let rows = query.build().persistent(filter.words.plan_is_kept()).fetch_all(tx.conn()).await?;
    let rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of(rows, filter.limit, cursor))
}

/// How many rows a filter leaves; each half by its index, as in `select`.
async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, AppError> {
    let now = tx.now();
    let mut query = QueryBuilder::<Postgres>::new("select (select count(*) from audit_logs where tenant_id = ");
    query.push_bind(tx.tenant()?.0);
    push_filter(&mut query, filter, now);
    query.push(") + (select count(*) from audit_logs where tenant_id is null");
    push_filter(&mut query, filter, now);
    query.push(")");
    Ok(query.build_query_scalar().persistent(filter.words.plan_is_kept()).fetch_one(tx.conn()).await?)
}

fn push_order(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    query.push(" order by created_at desc, id desc limit ").push_bind(i64::from(filter.limit) + 1);
}

/// What comes after the last row that was shown, as far as one page reaches.
fn push_page(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if let Some((at, id)) = filter.after {
        query.push(" and (created_at, id) < (").push_bind(at).push(", ").push_bind(id).push(")");
    }
    push_order(query, filter);
}

/// The rows that a filter leaves.
fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &Filter, now: DateTime<Utc>) {
    if let Some(actor) = filter.actor {
        query.push(" and user_id = ").push_bind(actor);
    }
    if let Some(impersonator) = filter.impersonator {
        query.push(" and impersonator_id = ").push_bind(impersonator);
    }
    if let Some(about) = filter.about {
        query.push(" and (user_id = ").push_bind(about).push(" or (resource_type = 'user' and resource_id = ");
        query.push_bind(about.to_string()).push("))");
    }
    if let Some(action) = &filter.action {
        if action.ends_with('.') {
            query.push(" and starts_with(action, ").push_bind(action).push(")");
        } else {
            query.push(" and action = ").push_bind(action);
        }
    }
    if let Some(kind) = &filter.resource_type {
        query.push(" and resource_type = ").push_bind(kind);
    }
    if let Some(id) = &filter.resource_id {
        query.push(" and resource_id = ").push_bind(id);
    }
    if let Some(outcome) = filter.outcome {
        query.push(" and outcome = ").push_bind(outcome.as_str());
    }
    if let Some(ip) = filter.ip {
        query.push(" and ip = ").push_bind(ip.to_string()).push("::inet");
    }
    if let Some(from) = filter.from {
        query.push(" and created_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" and created_at < ").push_bind(to);
    }
    if let Some(last) = filter.last {
        query.push(" and created_at >= ").push_bind(now - last);
    }
    filter.words.push(query, "search");
}

fn read(row: &PgRow) -> Result<AuditEntry, AppError> {
    let outcome: String = row.try_get("outcome")?;
    Ok(AuditEntry {
        id: row.try_get("id")?,
        user_id: row.try_get::<Option<Uuid>, _>("user_id")?.map(UserId),
        user_name: row.try_get("user_name")?,
        impersonator_id: row.try_get::<Option<Uuid>, _>("impersonator_id")?.map(UserId),
        impersonator_name: row.try_get("impersonator_name")?,
        action: row.try_get("action")?,
        outcome: Outcome::parse(&outcome)
            .ok_or_else(|| anyhow::anyhow!("the stored outcome {outcome:?} is unknown"))?,
        resource_type: row.try_get("resource_type")?,
        resource_id: row.try_get("resource_id")?,
        resource_name: row.try_get("resource_name")?,
        old_value: row.try_get("old_value")?,
        new_value: row.try_get("new_value")?,
        meta: row.try_get("meta")?,
        ip: row.try_get("ip")?,
        user_agent: row.try_get("user_agent")?,
        request_id: row.try_get("request_id")?,
        created_at: row.try_get::<DateTime<Utc>, _>("created_at")?.into(),
    })
}
