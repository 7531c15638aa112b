//! Reading the numbers of a tenant. What happened is counted when the log is sealed, so the log itself is never read.

pub mod rest;
pub mod standings;

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use crate::{
    access::{
        REPORTS_READ,
        server::{Cx, Tx, record::Action},
    },
    audit::server::{seal, verify},
    base::{
        errors::{AppError, FieldCode},
        server::input::Input,
    },
    reports::{Dashboard, DashboardQuery, DayEvents, LogState, RANGES, USUAL_RANGE},
};

/// The numbers of the last days (D5).
pub async fn dashboard(cx: &Cx, query: Input<DashboardQuery>) -> Result<Dashboard, AppError> {
    let mut tx = cx.read(REPORTS_READ).await?;
    // What was counted has no department or region: who may read reports in a scope only is told nothing.
    tx.decide(&Default::default())?;
    let days = query.read()?.days.unwrap_or(USUAL_RANGE);
    if !RANGES.contains(&days) {
        return Err(AppError::field("days", FieldCode::Unknown));
    }
    let today = tx.now().date_naive();
    let first = today - Days::new(u64::from(days) - 1);
    let events = events(&mut tx, first, today).await?;
    let standings = standings::since(&mut tx, first).await?;
    let chain = tx.tenant()?.0;
    let known = verify::of_chain(&mut tx, chain).await?;
    let log = LogState { verified_at: known.verified_at, intact: known.intact, waiting: known.unsealed };
    Ok(Dashboard { events, standings, log })
}

const COUNTED: [Action; 5] =
    [Action::Login, Action::LoginFailed, Action::Lockout, Action::Refresh, Action::RefreshReuse];

/// What happened on each of these days. What belongs to no tenant row-level security shows to super-admins alone.
async fn events(tx: &mut Tx, first: NaiveDate, last: NaiveDate) -> Result<Vec<DayEvents>, AppError> {
    let chains = [tx.tenant()?.0, seal::NOBODYS];
    let actions = COUNTED.map(|action| action.as_str().to_owned());
    let rows = sqlx::query!(
        r#"select day, action, sum(total)::bigint as "total!" from audit_daily
           where chain = any($1) and day between $2 and $3 and action = any($4) group by day, action"#,
        &chains,
        first,
        last,
        &actions,
    )
    .fetch_all(tx.conn())
    .await?;
    let totals = rows.into_iter().map(|row| ((row.day, row.action), row.total)).collect();
    Ok(each_day(first, last, &totals))
}

/// One line for each day, also for those on which nothing happened.
fn each_day(first: NaiveDate, last: NaiveDate, totals: &BTreeMap<(NaiveDate, String), i64>) -> Vec<DayEvents> {
    let line = |day: NaiveDate| {
        let of = |action: Action| totals.get(&(day, action.as_str().to_owned())).copied().unwrap_or_default();
        let [signed_in, failed, locked_out, rotations, reused] = COUNTED.map(of);
        DayEvents { day: day.to_string(), signed_in, failed, locked_out, rotations, reused }
    };
    first.iter_days().take_while(|day| *day <= last).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D5: every day has its line, in order, and what was counted stands on its own day.
    #[test]
    fn a_day_without_events_has_its_line() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let total = |on: &str, action: Action, total: i64| ((day(on), action.as_str().to_owned()), total);
        let totals = [
            total("2026-11-30", Action::Login, 4),
            total("2026-12-02", Action::RefreshReuse, 1),
            total("2026-12-02", Action::Lockout, 2),
        ];
        let lines = each_day(day("2026-11-30"), day("2026-12-02"), &totals.into());
        let line = |on: &str| DayEvents { day: on.to_owned(), ..DayEvents::default() };
        let expected = [
            DayEvents { signed_in: 4, ..line("2026-11-30") },
            line("2026-12-01"),
            DayEvents { locked_out: 2, reused: 1, ..line("2026-12-02") },
        ];
        assert_eq!(lines, expected);
    }
}
