//! Slowing guesses down: attempts are counted by account and by address before they are judged, in a transaction of
//! their own, in the database that all nodes share.

use std::net::IpAddr;

use chrono::TimeDelta;

use super::puzzles;
use crate::{
    access::server::{Cx, Quiet, Tx},
    base::{
        errors::{AppError, Conflict},
        ids::UserId,
        search::fold,
        server::{crypto, settings},
    },
    sessions::rules::Limits,
};

/// Codes are short: guesses at them are remembered for longer.
const MEMORY_OF_CODES: TimeDelta = TimeDelta::hours(24);
/// So many attempts at an account may be bought with puzzles before it has to wait all the same (NIST SP 800-63B-4 §3.2.2).
const MOST_SOLVED: i32 = 90;

/// Whose attempts are counted together.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A person, by whatever name they were called (CVE-2025-24806).
    Account(UserId),
    /// A person's own browser, with guesses of its own.
    Device(UserId, Vec<u8>),
    /// A name that nobody has: counted the same, so that it tells nothing.
    Nobody(String),
    Address(IpAddr),
    /// Codes of a person's second factor, counted apart: who knows the password gets no more guesses by it.
    Codes(UserId),
    /// Letters that anybody may have sent to this mailbox, whether it is somebody's or not.
    Letters(String),
    /// Letters that an address may have sent to anybody.
    LettersFrom(IpAddr),
    /// Copies of all that is kept about a person.
    Exports(UserId),
    /// Tokens that opened nothing, shown by an address at whatever door.
    Tokens(IpAddr),
}

impl Subject {
    fn digest(&self) -> Vec<u8> {
        match self {
            Subject::Account(user) => crypto::token_digest("limit:account", &user.to_string()),
            Subject::Device(user, fingerprint) => {
                crypto::token_digest("limit:device", &format!("{user}:{}", hex::encode(fingerprint)))
            }
            Subject::Nobody(name) => crypto::token_digest("limit:nobody", &fold(name.trim())),
            Subject::Address(address) => crypto::token_digest("limit:address", &network(*address)),
            Subject::Codes(user) => crypto::token_digest("limit:codes", &user.to_string()),
            Subject::Letters(email) => crypto::token_digest("limit:letters", email),
            Subject::LettersFrom(address) => crypto::token_digest("limit:letters-from", &network(*address)),
            Subject::Exports(user) => crypto::token_digest("limit:exports", &user.to_string()),
            Subject::Tokens(address) => crypto::token_digest("limit:tokens", &network(*address)),
        }
    }

    fn free(&self, limits: &Limits) -> i32 {
        let free = match self {
            Subject::Account(_)
            | Subject::Device(..)
            | Subject::Nobody(_)
            | Subject::Codes(_)
            | Subject::Exports(_) => limits.free_by_account,
            Subject::Address(_) | Subject::LettersFrom(_) | Subject::Tokens(_) => limits.free_by_address,
            Subject::Letters(_) => limits.free_letters,
        };
        i32::try_from(free).unwrap_or(i32::MAX)
    }

    fn memory(&self, limits: &Limits) -> TimeDelta {
        if matches!(self, Subject::Codes(_)) { MEMORY_OF_CODES } else { TimeDelta::minutes(limits.memory_minutes) }
    }

    /// Whether a solved puzzle lets an attempt through while it waits.
    fn takes_puzzles(&self) -> bool {
        matches!(self, Subject::Account(_) | Subject::Nobody(_))
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

/// The installation's limits: an address knocks before anybody knows at whose tenant.
async fn limits(tx: &mut Tx) -> Result<Limits, AppError> {
    let tenant = super::first_tenant(tx).await?;
    Ok(settings::get::<Limits>(tx.conn(), tenant).await?)
}

/// Counts one attempt of each subject, or refuses while one of them has to wait.
pub async fn count(cx: &Cx, subjects: &[Subject]) -> Result<Counted, AppError> {
    count_solved(cx, subjects, None).await
}

/// The same; the solution of a puzzle lets one attempt at an account through that would have to wait.
pub async fn count_solved(cx: &Cx, subjects: &[Subject], solution: Option<&str>) -> Result<Counted, AppError> {
    let mut tx = cx.door().await?;
    let now = tx.now();
    let limits = limits(&mut tx).await?;
    let longest = i32::try_from(limits.longest_wait).unwrap_or(i32::MAX);
    let mut last_free = false;
    for subject in subjects {
        let (free, digest) = (subject.free(&limits), subject.digest());
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
            digest,
            now,
            now - subject.memory(&limits),
            free,
            longest,
        )
        .fetch_optional(tx.conn())
        .await?;
        if let Some(row) = row {
            last_free |= row.attempts >= free;
            continue;
        }
        let may_solve = limits.puzzles && subject.takes_puzzles();
        if let Some(solution) = solution.filter(|_| may_solve)
            && puzzles::spend(&mut tx, &digest, solution).await?
            && pass(&mut tx, &digest).await?
        {
            last_free = true;
            continue;
        }
        let waits = sqlx::query!("select attempts, blocked_until from limits where subject = $1", digest);
        let waits = waits.fetch_optional(tx.conn()).await?;
        let (attempts, until) = waits.map_or((0, None), |waits| (waits.attempts, waits.blocked_until));
        let seconds = (until.unwrap_or(now) - now).num_seconds() + 1;
        let retry_after = u32::try_from(seconds).unwrap_or(1).max(1);
        // What the subjects before this one have counted stays counted.
        tx.commit_quietly(Quiet::Counter).await?;
        if may_solve && attempts < MOST_SOLVED {
            let puzzle = puzzles::make(cx, &digest, limits.puzzle_size, attempts - free);
            return Err(AppError::Puzzle { retry_after, puzzle });
        }
        return Err(AppError::TooMany { retry_after });
    }
    tx.commit_quietly(Quiet::Counter).await?;
    Ok(if last_free { Counted::LastFree } else { Counted::Free })
}

/// Counts an attempt that was bought with a puzzle. The wait of everybody else stays as it is.
async fn pass(tx: &mut Tx, subject: &[u8]) -> Result<bool, AppError> {
    let now = tx.now();
    let passed = sqlx::query!(
        "update limits set attempts = attempts + 1, updated_at = $2 where subject = $1 and attempts < $3",
        subject,
        now,
        MOST_SOLVED,
    )
    .execute(tx.conn())
    .await?;
    Ok(passed.rows_affected() == 1)
}

/// Does what a token opens. One that opens nothing is counted for whoever shows it, in a transaction of its own; good ones
/// cost an address nothing, so that an office may come in all morning.
pub async fn by_token<T>(cx: &Cx, act: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let Some(ip) = cx.origin().ip else { return act.await };
    let subject = Subject::Tokens(ip);
    check(cx, &subject).await?;
    let result = act.await;
    let opens_nothing = matches!(&result, Err(AppError::SignedOut(_) | AppError::Conflict(Conflict::LinkSpent)));
    if opens_nothing {
        match count(cx, &[subject]).await {
            // Somebody else there has just used up the last one: this one is answered all the same.
            Ok(_) | Err(AppError::TooMany { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    result
}

/// Refuses while a subject has to wait, without counting anything.
async fn check(cx: &Cx, subject: &Subject) -> Result<(), AppError> {
    let mut tx = cx.door().await?;
    let now = tx.now();
    let waits = sqlx::query_scalar!(
        r#"select blocked_until as "blocked_until!" from limits where subject = $1 and blocked_until > $2"#,
        subject.digest(),
        now,
    );
    let Some(until) = waits.fetch_optional(tx.conn()).await? else { return Ok(()) };
    let seconds = (until - now).num_seconds() + 1;
    Err(AppError::TooMany { retry_after: u32::try_from(seconds).unwrap_or(1).max(1) })
}

/// Whoever proved themselves starts again. Their address gets back this one attempt only, so that an office may sign in
/// all morning while one good account there hides no guesses at others.
pub async fn forgive(cx: &Cx, subjects: &[Subject]) -> Result<(), AppError> {
    let mut tx = cx.door().await?;
    for subject in subjects {
        let digest = subject.digest();
        match subject {
            Subject::Account(_)
            | Subject::Device(..)
            | Subject::Nobody(_)
            | Subject::Codes(_)
            | Subject::Letters(_)
            | Subject::Exports(_) => {
                sqlx::query!("delete from limits where subject = $1", digest).execute(tx.conn()).await?;
            }
            Subject::Address(_) | Subject::LettersFrom(_) | Subject::Tokens(_) => {
                let free = subject.free(&limits(&mut tx).await?);
                sqlx::query!(
                    "update limits set attempts = greatest(attempts - 1, 0),
                         blocked_until = case when attempts - 1 < $2 then null else blocked_until end
                     where subject = $1",
                    digest,
                    free,
                )
                .execute(tx.conn())
                .await?;
            }
        }
    }
    tx.commit_quietly(Quiet::Counter).await
}

/// The same for somebody who has shown all that was asked of them: their password, their codes, and from where.
pub async fn forgive_all(cx: &Cx, user: UserId) -> Result<(), AppError> {
    let mut subjects = vec![Subject::Account(user), Subject::Codes(user)];
    subjects.extend(cx.origin().ip.map(Subject::Address));
    forgive(cx, &subjects).await
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
