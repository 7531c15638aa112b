//! The rows of the data keys: made, read by every node, retired, and sealed anew under another master key (E7).
//!
//! A new key is used from a moment on that all nodes have learned of it by. What was sealed with the one before is sealed
//! anew meanwhile; a day later, when no token and no kept answer of its time is good any more, it is retired. Retired keys
//! stay: the codes of the audit log and of backup codes are held against them.

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::crypto::Keys;

/// Nodes read the keys this often, in seconds.
pub const READ_EVERY: u64 = 5;
/// So long after it was made a key is used: each node has read it several times by then.
const USED_AFTER: TimeDelta = TimeDelta::seconds(30);
/// So long after its successor came into use a key still opens: longer than an access token, a puzzle, a mailed code or
/// the answer to a repeated request is good.
pub const OPENS_FOR: TimeDelta = TimeDelta::hours(25);

/// A key as an operator is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    pub number: i32,
    pub created_at: DateTime<Utc>,
    pub active_from: DateTime<Utc>,
    pub retired_at: Option<DateTime<Utc>>,
}

/// Takes over what the database holds. In the scope `node`. An error where the master key is not the one under which the
/// data keys were sealed; then nothing changes.
pub async fn read(connection: &mut PgConnection, keys: &Keys, now: DateTime<Utc>) -> anyhow::Result<Vec<KeyInfo>> {
    let rows =
        sqlx::query!("select number, sealed, created_at, active_from, retired_at from data_keys order by number desc")
            .fetch_all(connection)
            .await
            .context("read the data keys")?;
    let opened = rows
        .iter()
        .map(|row| keys.unwrap(row.number, row.sealed.as_deref(), row.retired_at.is_some()))
        .collect::<Result<Vec<_>, _>>()
        .context("open the data keys: the master key is not the one that this database's data is sealed with")?;
    if let Some(current) = rows.iter().find(|row| row.active_from <= now && row.retired_at.is_none()) {
        keys.adopt(opened, current.number);
    }
    let told = rows.into_iter().map(|row| KeyInfo {
        number: row.number,
        created_at: row.created_at,
        active_from: row.active_from,
        retired_at: row.retired_at,
    });
    Ok(told.collect())
}

/// Makes the next key. It is used from `active_from` on: at once where no other node can be at work. `None`: somebody else
/// makes one at the same moment.
pub async fn make(
    connection: &mut PgConnection,
    keys: &Keys,
    now: DateTime<Utc>,
    at_once: bool,
) -> anyhow::Result<Option<KeyInfo>> {
    let newest = sqlx::query_scalar!(r#"select max(number) as "newest!" from data_keys"#);
    let number = newest.fetch_one(&mut *connection).await.context("look for the newest key")? + 1;
    let (_, sealed) = keys.make_data_key(number);
    let active_from = if at_once { now } else { now + USED_AFTER };
    let made = sqlx::query!(
        "insert into data_keys (number, sealed, created_at, active_from) values ($1, $2, $3, $4)
         on conflict (number) do nothing",
        number,
        sealed,
        now,
        active_from,
    )
    .execute(connection)
    .await
    .context("keep the new key")?;
    let told = KeyInfo { number, created_at: now, active_from, retired_at: None };
    Ok((made.rows_affected() == 1).then_some(told))
}

/// Retires all keys before the one that has been in use for [`OPENS_FOR`]. Gives back their numbers.
pub async fn retire(connection: &mut PgConnection, now: DateTime<Utc>) -> anyhow::Result<Vec<i32>> {
    let retired = sqlx::query_scalar!(
        "update data_keys set retired_at = $1
         where retired_at is null and number < (select max(number) from data_keys where active_from <= $2)
         returning number",
        now,
        now - OPENS_FOR,
    );
    retired.fetch_all(connection).await.context("retire data keys")
}

/// Seals every data key under another master key. Whoever starts with the old one is refused from then on.
pub async fn rewrap(connection: &mut PgConnection, old: &Keys, new: &Keys) -> anyhow::Result<u64> {
    let rows = sqlx::query!("select number, sealed from data_keys order by number for update")
        .fetch_all(&mut *connection)
        .await
        .context("read the data keys")?;
    let mut done = 0;
    for row in rows {
        let key = old.unwrap(row.number, row.sealed.as_deref(), false).context("open the data keys")?;
        done += sqlx::query!("update data_keys set sealed = $2 where number = $1", row.number, new.wrap(&key))
            .execute(&mut *connection)
            .await
            .context("seal the data keys")?
            .rows_affected();
    }
    Ok(done)
}
