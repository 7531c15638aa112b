//! Work that is done outside a request. A job is a row: it survives a kill, and one node at a time holds it.
//!
//! A table of our own instead of a crate's: it lies under the same row-level security and the same migrations as
//! everything else, a job is enqueued by the transaction that causes it, and what is needed of it is these few lines.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use crate::base::ids::TenantId;

/// A job that this node holds.
#[derive(Debug)]
pub struct Job {
    pub id: i64,
    pub payload: Value,
    /// How often it was taken, this time included.
    pub attempts: i32,
    /// It has a key of its own and comes again.
    pub is_recurring: bool,
}

/// How much work of a kind there is, by where it stands.
#[derive(Debug)]
pub struct Waiting {
    pub kind: String,
    /// To be done now, and held by nobody.
    pub due: i64,
    /// To be done at a later moment: also what comes again, and what failed and is tried again.
    pub later: i64,
    /// A node is at it.
    pub held: i64,
    /// Failed for good.
    pub failed: i64,
    /// For how many seconds the oldest that is due has been waiting.
    pub oldest: f64,
}

/// How long a node may hold a job before another takes it for dead.
const HOLD: TimeDelta = TimeDelta::minutes(5);

/// Adds a recurring job; one with the same unique key that is already there stays as it is.
pub async fn enqueue(
    connection: &mut PgConnection,
    kind: &str,
    unique_key: Option<&str>,
    run_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into jobs (kind, unique_key, run_at) values ($1, $2, $3) on conflict (unique_key) do nothing",
        kind,
        unique_key,
        run_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds a job of a tenant, in the transaction that causes it.
pub async fn enqueue_for(
    connection: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
    payload: &Value,
    run_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into jobs (tenant_id, kind, payload, run_at, created_at) values ($1, $2, $3, $4, $4)",
        tenant.0,
        kind,
        payload,
        run_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the next due job of a kind, if any. It may run twice: a node that dies gives it back after a while.
pub async fn claim(connection: &mut PgConnection, kind: &str, now: DateTime<Utc>) -> sqlx::Result<Option<Job>> {
    sqlx::query_as!(
        Job,
        r#"update jobs set locked_until = $3, attempts = attempts + 1
           where id = (
               select id from jobs
               where kind = $1 and dead_at is null and run_at <= $2 and (locked_until is null or locked_until <= $2)
               order by run_at, id limit 1 for update skip locked)
           returning id, payload, attempts, unique_key is not null as "is_recurring!""#,
        kind,
        now,
        now + HOLD,
    )
    .fetch_optional(connection)
    .await
}

/// Lets a recurring job go until its next time.
pub async fn reschedule(connection: &mut PgConnection, job: &Job, run_at: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs set locked_until = null, attempts = 0, last_error = null, run_at = $2 where id = $1",
        job.id,
        run_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The job is done.
pub async fn finish(connection: &mut PgConnection, job: &Job) -> sqlx::Result<()> {
    sqlx::query!("delete from jobs where id = $1", job.id).execute(connection).await?;
    Ok(())
}

/// The job failed and is tried again.
pub async fn retry(connection: &mut PgConnection, job: &Job, run_at: DateTime<Utc>, error: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs set locked_until = null, last_error = $3, run_at = $2 where id = $1",
        job.id,
        run_at,
        error,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The job failed for good. Its row stays for a while, to be seen.
pub async fn bury(connection: &mut PgConnection, job: &Job, now: DateTime<Utc>, error: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs set locked_until = null, last_error = $3, dead_at = $2 where id = $1",
        job.id,
        now,
        error,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Everything there is to do, by kind. Kinds are few: the program's own words.
pub async fn waiting(connection: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as!(
        Waiting,
        r#"select kind,
                  count(*) filter (where dead_at is null and not held and run_at <= $1) as "due!",
                  count(*) filter (where dead_at is null and not held and run_at > $1) as "later!",
                  count(*) filter (where dead_at is null and held) as "held!",
                  count(*) filter (where dead_at is not null) as "failed!",
                  coalesce(extract(epoch from max($1 - run_at)
                           filter (where dead_at is null and not held and run_at <= $1)), 0)::float8 as "oldest!"
           from (select kind, run_at, dead_at, coalesce(locked_until > $1, false) as held from jobs) j
           group by kind order by kind"#,
        now,
    )
    .fetch_all(connection)
    .await
}
