//! Work that is done outside a request. A job is a row: it survives a kill, and one node at a time holds it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

/// A job that this node holds.
#[derive(Debug)]
pub struct Job {
    pub id: i64,
    pub kind: String,
}

/// How long a node may hold a job before another takes it for dead.
const HOLD: TimeDelta = TimeDelta::minutes(5);

/// Adds a job; one with the same unique key that is already there stays as it is.
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

/// Takes the next due job, if any. It may run twice: a node that dies gives it back after a while.
pub async fn claim(connection: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Option<Job>> {
    sqlx::query_as!(
        Job,
        "update jobs set locked_until = $2, attempts = attempts + 1
         where id = (
             select id from jobs where run_at <= $1 and (locked_until is null or locked_until <= $1)
             order by run_at limit 1 for update skip locked)
         returning id, kind",
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
