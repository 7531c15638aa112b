//! What is swept away once an hour by one node: keys, links, counters and sessions that can no longer be used. And the
//! accounts whose people have asked that they be deleted, once they are due; and how the tenants stand is noted.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    access::server::{Cx, Heart, IDEMPOTENCY_LASTS, Quiet},
    accounts::server::leaving,
    base::{errors::AppError, server::jobs},
    reports::server::standings,
    roles::server::reminders,
    sessions::server::risk,
};

const KIND: &str = "housekeeping";
const EVERY: TimeDelta = TimeDelta::hours(1);
/// How often a node looks for due work.
const LOOK: Duration = Duration::from_secs(60);

/// Looks for due work until told to stop.
pub async fn run(heart: Heart, stop: CancellationToken) {
    let cx = Cx::for_job(heart, KIND);
    loop {
        match once(&cx).await {
            Ok(0) => {}
            Ok(rows) => info!(rows, "swept away {rows} rows that can no longer be used"),
            Err(error) => warn!(%error, "housekeeping did not finish"),
        }
        match leaving::carry_out(&cx).await {
            Ok(0) => {}
            Ok(accounts) => info!(accounts, "deleted {accounts} accounts whose people had asked for it"),
            Err(error) => warn!(%error, "the accounts that are due could not be deleted"),
        }
        if let Err(error) = standings::keep(&cx).await {
            warn!(%error, "how the tenants stand was not noted");
        }
        match reminders::once(&cx).await {
            Ok(0) => {}
            Ok(people) => info!(people, "reminded {people} people of what ends soon"),
            Err(error) => warn!(%error, "people could not be reminded of what ends soon"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Does the work if it is due and nobody else does it. Gives back how many rows went.
pub async fn once(cx: &Cx) -> Result<u64, AppError> {
    let mut tx = cx.node().await?;
    let now = tx.now();
    jobs::enqueue(tx.conn(), KIND, Some(KIND), now).await?;
    let Some(job) = jobs::claim(tx.conn(), KIND, now).await? else {
        tx.commit_quietly(Quiet::Job).await?;
        return Ok(0);
    };
    let mut rows = 0;
    rows += sqlx::query!("delete from idempotency_keys where created_at <= $1", now - IDEMPOTENCY_LASTS)
        .execute(tx.conn())
        .await?
        .rows_affected();
    rows += sqlx::query!("delete from links where expires_at < $1", now - TimeDelta::days(30))
        .execute(tx.conn())
        .await?
        .rows_affected();
    // They hold an address and a password's hash: kept no longer than they open.
    rows += sqlx::query!("delete from registrations where expires_at < $1 or used_at < $1", now)
        .execute(tx.conn())
        .await?
        .rows_affected();
    rows +=
        sqlx::query!("delete from sign_in_steps where expires_at < $1", now).execute(tx.conn()).await?.rows_affected();
    rows += sqlx::query!("delete from email_changes where cancel_until < $1", now)
        .execute(tx.conn())
        .await?
        .rows_affected();
    rows += sqlx::query!("delete from account_deletions where ended_at < $1", now - TimeDelta::days(30))
        .execute(tx.conn())
        .await?
        .rows_affected();
    rows += sqlx::query!("delete from passkey_challenges where expires_at < $1", now)
        .execute(tx.conn())
        .await?
        .rows_affected();
    rows += sqlx::query!(
        "delete from limits where updated_at < $1 and (blocked_until is null or blocked_until < $2)",
        now - TimeDelta::days(1),
        now,
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    rows +=
        sqlx::query!("delete from spent_puzzles where expires_at < $1", now).execute(tx.conn()).await?.rows_affected();
    rows += sqlx::query!("delete from known_places where last_seen_at < $1", now - risk::MEMORY)
        .execute(tx.conn())
        .await?
        .rows_affected();
    rows += sqlx::query!("delete from jobs where dead_at < $1", now - TimeDelta::days(30))
        .execute(tx.conn())
        .await?
        .rows_affected();
    rows += sqlx::query!("delete from grant_reminders where expires_at < $1", now - TimeDelta::days(30))
        .execute(tx.conn())
        .await?
        .rows_affected();
    // Their refresh tokens go with them.
    rows += sqlx::query!(
        "delete from sessions where expires_at < $1 or absolute_expires_at < $1 or ended_at < $1",
        now - TimeDelta::days(30),
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    jobs::reschedule(tx.conn(), &job, now + EVERY).await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(rows)
}
