//! Slowing guesses down: attempts are counted by account and by address before they are judged, in a transaction of
//! their own, in the database that all nodes share.

use std::net::IpAddr;

use chrono::TimeDelta;

use crate::{
    access::server::{Cx, Quiet},
    base::{errors::AppError, ids::UserId, server::crypto},
};

/// Attempts that cost nothing but themselves.
const FREE_BY_ACCOUNT: i32 = 5;
/// An address may stand for a whole office.
const FREE_BY_ADDRESS: i32 = 30;
/// Letters to one mailbox that somebody may ask for without waiting.
const FREE_LETTERS: i32 = 3;
/// After so long without an attempt the count starts again.
const MEMORY: TimeDelta = TimeDelta::hours(1);
/// Codes are short: guesses at them are remembered for longer.
const MEMORY_OF_CODES: TimeDelta = TimeDelta::hours(24);
/// The longest wait.
const LONGEST: i32 = 900;

/// Whose attempts are counted together.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A person, by whatever name they were called (CVE-2025-24806).
    Account(UserId),
    /// A name that nobody has: counted the same, so that it tells nothing.
    Nobody(String),
    Address(IpAddr),
    /// Codes of a person's second factor, counted apart: who knows the password gets no more guesses by it.
    Codes(UserId),
    /// Letters that anybody may have sent to this mailbox, whether it is somebody's or not.
    Letters(String),
    /// Letters that an address may have sent to anybody.
    LettersFrom(IpAddr),
}

impl Subject {
    fn digest(&self) -> Vec<u8> {
        match self {
            Subject::Account(user) => crypto::token_digest("limit:account", &user.to_string()),
            Subject::Nobody(name) => crypto::token_digest("limit:nobody", &name.trim().to_lowercase()),
            Subject::Address(address) => crypto::token_digest("limit:address", &network(*address)),
            Subject::Codes(user) => crypto::token_digest("limit:codes", &user.to_string()),
            Subject::Letters(email) => crypto::token_digest("limit:letters", email),
            Subject::LettersFrom(address) => crypto::token_digest("limit:letters-from", &network(*address)),
        }
    }

    fn free(&self) -> i32 {
        match self {
            Subject::Account(_) | Subject::Nobody(_) | Subject::Codes(_) => FREE_BY_ACCOUNT,
            Subject::Address(_) | Subject::LettersFrom(_) => FREE_BY_ADDRESS,
            Subject::Letters(_) => FREE_LETTERS,
        }
    }

    fn memory(&self) -> TimeDelta {
        if matches!(self, Subject::Codes(_)) { MEMORY_OF_CODES } else { MEMORY }
    }
}

/// An IPv6 host owns at least a /64: it counts as one.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments()[..4].iter().map(|part| format!("{part:x}:")).collect(),
    }
}

/// What counting an attempt gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Go on and judge it.
    Free,
    /// Go on; whoever fails now has to wait from here on.
    LastFree,
}

/// Counts one attempt of each subject, or refuses while one of them has to wait.
pub async fn count(cx: &Cx, subjects: &[Subject]) -> Result<Counted, AppError> {
    let mut tx = cx.door().await?;
    let now = tx.now();
    let mut last_free = false;
    for subject in subjects {
        let free = subject.free();
        // The wait doubles with each attempt beyond the free ones.
        let row = sqlx::query!(
            r#"insert into limits as l (subject, attempts, updated_at) values ($1, 1, $2)
               on conflict (subject) do update set
                   attempts = case when l.updated_at < $3 then 1 else l.attempts + 1 end,
                   blocked_until = case
                       when l.updated_at < $3 or l.attempts + 1 < $4 then null
                       else $2 + make_interval(secs => least($5::int, power(2, least(l.attempts + 1 - $4, 20))::int))
                   end,
                   updated_at = $2
               where l.blocked_until is null or l.blocked_until <= $2
               returning attempts"#,
            subject.digest(),
            now,
            now - subject.memory(),
            free,
            LONGEST,
        )
        .fetch_optional(tx.conn())
        .await?;
        match row {
            Some(row) => last_free |= row.attempts >= free,
            None => {
                let until =
                    sqlx::query_scalar!("select blocked_until from limits where subject = $1", subject.digest());
                let until = until.fetch_optional(tx.conn()).await?.flatten().unwrap_or(now);
                let seconds = (until - now).num_seconds() + 1;
                let retry_after = u32::try_from(seconds).unwrap_or(1).max(1);
                // What the subjects before this one have counted stays counted.
                tx.commit_quietly(Quiet::Counter).await?;
                return Err(AppError::TooMany { retry_after });
            }
        }
    }
    tx.commit_quietly(Quiet::Counter).await?;
    Ok(if last_free { Counted::LastFree } else { Counted::Free })
}

/// Whoever proved themselves starts again. Their address gets back this one attempt only, so that an office may sign in
/// all morning while one good account there hides no guesses at others.
pub async fn forgive(cx: &Cx, subjects: &[Subject]) -> Result<(), AppError> {
    let mut tx = cx.door().await?;
    for subject in subjects {
        let digest = subject.digest();
        match subject {
            Subject::Account(_) | Subject::Nobody(_) | Subject::Codes(_) | Subject::Letters(_) => {
                sqlx::query!("delete from limits where subject = $1", digest).execute(tx.conn()).await?;
            }
            Subject::Address(_) | Subject::LettersFrom(_) => {
                sqlx::query!(
                    "update limits set attempts = greatest(attempts - 1, 0),
                         blocked_until = case when attempts - 1 < $2 then null else blocked_until end
                     where subject = $1",
                    digest,
                    subject.free(),
                )
                .execute(tx.conn())
                .await?;
            }
        }
    }
    tx.commit_quietly(Quiet::Counter).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A8: one host cannot spread its attempts over the addresses it owns.
    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
