//! Mail: a letter is composed where its cause is, enqueued in the same transaction, and sent by a job.
//!
//! The queue keeps letters sealed, since they carry one-time links. A repeat (a node died between sending and noting it)
//! has the same Message-ID, by which mailboxes recognise it.

mod compose;
pub use compose::html;
pub mod transport;

use std::fmt;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::base::{
    ids::TenantId,
    server::{
        crypto::{Keys, SEALED_AT_ONCE, SealedAfter, SealedValue},
        jobs::{self, Job},
    },
    time::Timestamp,
};

/// The kind of the jobs that send.
pub const KIND: &str = "mail";
/// So often a letter is tried: with the waits between them for a day and more.
pub const ATTEMPTS: i32 = 20;

/// A letter, in words. Everything in it is plain text; names of people stand between isolating characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// What it is about, for whoever looks at letters that could not be sent: `confirm`, `reset`.
    pub about: String,
    pub to: String,
    /// `ar` or `en`.
    pub locale: String,
    pub subject: String,
    pub paragraphs: Vec<String>,
    /// A code that is typed once, drawn large and from left to right.
    #[serde(default)]
    pub code: Option<String>,
    /// The word on the button and where it leads.
    pub button: Option<(String, String)>,
    /// Below the button.
    pub notes: Vec<String>,
    /// After this it is of no use to anybody and no longer sent.
    pub until: Option<Timestamp>,
}

impl fmt::Debug for Letter {
    /// Codes and one-time links stand in it, and the address of a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("about", &self.about).finish_non_exhaustive()
    }
}

/// A letter as it waits: its own id, from which the Message-ID comes.
#[derive(Debug)]
pub struct Waiting {
    pub id: Uuid,
    pub letter: Letter,
}

/// Enqueues a letter.
pub async fn enqueue(
    connection: &mut PgConnection,
    keys: &Keys,
    tenant: TenantId,
    letter: &Letter,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let id = Uuid::now_v7();
    let sealed = keys.seal(&place(id), &serde_json::to_vec(letter)?);
    let payload = json!({"id": id, "about": letter.about, "sealed": hex::encode(sealed)});
    jobs::enqueue_for(connection, tenant, KIND, &payload, now).await.context("enqueue a letter")
}

/// Opens what `enqueue` has sealed.
pub fn open(keys: &Keys, payload: &Value) -> anyhow::Result<Waiting> {
    let id = payload["id"].as_str().and_then(|id| id.parse().ok()).context("a letter has an id")?;
    let sealed = hex::decode(payload["sealed"].as_str().unwrap_or_default()).context("a letter is sealed")?;
    let letter = serde_json::from_slice(&keys.open(&place(id), &sealed)?).context("read a letter")?;
    Ok(Waiting { id, letter })
}

/// The jobs of the letters to one of these addresses that wait or could not be sent.
pub async fn addressed_to(
    connection: &mut PgConnection,
    keys: &Keys,
    tenant: TenantId,
    addresses: &[String],
) -> anyhow::Result<Vec<i64>> {
    let rows = sqlx::query!("select id, payload from jobs where tenant_id = $1 and kind = $2", tenant.0, KIND)
        .fetch_all(connection)
        .await
        .context("read the letters that wait")?;
    let mut found = Vec::new();
    for row in rows {
        if addresses.contains(&open(keys, &row.payload)?.letter.to) {
            found.push(row.id);
        }
    }
    Ok(found)
}

/// The letters that wait or could not be sent, some at a time. In the scope `node`.
pub async fn sealed(connection: &mut PgConnection, after: SealedAfter) -> anyhow::Result<Vec<SealedValue>> {
    let rows = sqlx::query!(
        r#"select (payload ->> 'id')::uuid as "id!", payload ->> 'sealed' as "sealed!" from jobs
           where kind = $1 and (payload ->> 'id')::uuid > $2
             and ($3::text is null or substr(payload ->> 'sealed', 3, 8) <> $3)
           order by 1 limit $4"#,
        KIND,
        after.id,
        after.unless.map(hex::encode),
        SEALED_AT_ONCE,
    )
    .fetch_all(connection)
    .await
    .context("read the letters that wait")?;
    let sealed = |id, value: String| {
        let value = hex::decode(value).context("a letter is sealed")?;
        Ok(SealedValue { id, place: place(id), value })
    };
    rows.into_iter().map(|row| sealed(row.id, row.sealed)).collect()
}

/// Keeps a letter as it was sealed anew, unless it has gone.
pub async fn put_sealed(connection: &mut PgConnection, old: &SealedValue, new: &[u8]) -> anyhow::Result<()> {
    sqlx::query!(
        "update jobs set payload = jsonb_set(payload, '{sealed}', to_jsonb($3::text))
         where kind = $1 and payload ->> 'id' = $2",
        KIND,
        old.id.to_string(),
        hex::encode(new),
    )
    .execute(connection)
    .await
    .context("keep a letter that was sealed anew")?;
    Ok(())
}

fn place(id: Uuid) -> String {
    format!("jobs:mail:{id}")
}

/// When a letter that could not be sent is tried again: soon at first, then every few hours.
pub fn next_try(job: &Job, now: DateTime<Utc>) -> DateTime<Utc> {
    let exponent = u32::try_from(job.attempts.clamp(1, 11) - 1).unwrap_or(0);
    now + TimeDelta::seconds((10 * 2_i64.pow(exponent)).min(4 * 3_600))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A1: the first repeats come within minutes, and all of them cover more than a day of silence.
    #[test]
    fn a_letter_is_tried_for_more_than_a_day() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let mut at = start;
        for attempts in 1..ATTEMPTS {
            let next = next_try(&Job { id: 1, payload: Value::Null, attempts, is_recurring: false }, at);
            assert!(next > at);
            at = next;
        }
        assert!(at - start > TimeDelta::days(1), "{}", at - start);
        let first = next_try(&Job { id: 1, payload: Value::Null, attempts: 1, is_recurring: false }, start);
        assert_eq!(first - start, TimeDelta::seconds(10));
    }
}
