//! Callers that were found good a moment ago, so that a program that asks thousands of questions a second does not have its
//! key looked up for each.
//!
//! What is kept here is never older than [`LASTS`], counted from before it was read, and nothing outlives an act of this
//! node: after each commit that is more than a counter, a renewal, an answer that is kept or a step at the door everything is
//! forgotten, also what is being read just then. So a key that was deleted is refused by the next request on the node that
//! deleted it, and by the others within [`LASTS`] (I2). Within that it is refused also where nobody waited for the commit.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use crate::{access::server::PersonCaller, base::server::clock::Clock};

/// How long a key need not be looked up again. With this a change reaches every node well inside the half second that is
/// promised (I2).
pub const LASTS: Duration = Duration::from_millis(200);
/// So many are kept at most. Where there are more, all are looked up again.
const MOST: usize = 10_000;

/// A key that was found good, as its row was.
#[derive(Debug)]
pub struct KnownKey {
    pub caller: PersonCaller,
    /// It is good from these alone; from everywhere where there are none.
    pub networks: Vec<IpNet>,
    /// From then on what was shown is no good any more.
    pub until: Option<DateTime<Utc>>,
}

/// The keys that this node knows, by the digest of what was shown.
#[derive(Clone, Default)]
pub struct KnownKeys(Arc<RwLock<Kept>>);

#[derive(Default)]
struct Kept {
    keys: HashMap<Vec<u8>, (Duration, Arc<KnownKey>)>,
    /// How often everything was forgotten.
    epoch: u64,
}

/// Taken before a key is read: what is read is kept only if nothing was forgotten since.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    epoch: u64,
    at: Duration,
}

impl KnownKeys {
    /// The key of this digest, if it was read a moment ago.
    pub fn get(&self, digest: &[u8], clock: &Clock) -> Option<Arc<KnownKey>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (read_at, key) = kept.keys.get(digest)?;
        let is_fresh = clock.monotonic().saturating_sub(*read_at) < LASTS;
        let is_good = key.until.is_none_or(|until| clock.now() < until);
        (is_fresh && is_good).then(|| key.clone())
    }

    pub fn before(&self, clock: &Clock) -> Before {
        let epoch = self.0.read().unwrap_or_else(PoisonError::into_inner).epoch;
        Before { epoch, at: clock.monotonic() }
    }

    /// Keeps what was read since.
    pub fn keep(&self, before: Before, digest: Vec<u8>, key: KnownKey) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.epoch != before.epoch {
            return;
        }
        if kept.keys.len() >= MOST {
            kept.keys.clear();
        }
        kept.keys.insert(digest, (before.at, Arc::new(key)));
    }

    /// Everything is looked up again.
    fn forget(&self) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.epoch += 1;
        kept.keys.clear();
    }

    /// Forgets once this is dropped: also where whoever waits for a commit goes away. PostgreSQL may then still be at it, and
    /// what is read meanwhile lasts as on another node.
    pub fn forgetting(&self) -> Forgetting {
        Forgetting(self.clone())
    }
}

pub struct Forgetting(KnownKeys);

impl Drop for Forgetting {
    fn drop(&mut self) {
        self.0.forget();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        access::server::{Acting, KeyCaller},
        base::ids::{SessionId, TenantId, UserId},
    };

    const NOON: i64 = 1_800_000_000;

    fn clock() -> Clock {
        Clock::fixed(DateTime::from_timestamp(NOON, 0).expect("a moment"))
    }

    fn key(until: Option<i64>) -> KnownKey {
        let caller = PersonCaller {
            user: UserId(Uuid::nil()),
            name: String::new(),
            tenant: TenantId(Uuid::nil()),
            session: SessionId(Uuid::nil()),
            seen_version: 0,
            proved_at: DateTime::UNIX_EPOCH,
            has_second_factor: false,
            has_passkeys: false,
            assurance: 1,
            factor_roles: Vec::new(),
            owes_consent: false,
            acting: Acting::Key(KeyCaller { id: Uuid::nil(), name: String::new(), scopes: Vec::new() }),
            entered: None,
        };
        let until = until.map(|until| DateTime::from_timestamp(until, 0).expect("a moment"));
        KnownKey { caller, networks: Vec::new(), until }
    }

    /// D6, I2: what was read is good for a moment, and never beyond the key's own end.
    #[test]
    fn a_key_is_known_for_a_moment_and_not_beyond_its_end() {
        let (keys, clock) = (KnownKeys::default(), clock());
        let before = keys.before(&clock);
        // The time that reading takes counts.
        clock.advance(LASTS / 2);
        keys.keep(before, vec![1], key(None));
        assert!(keys.get(&[1], &clock).is_some() && keys.get(&[2], &clock).is_none());
        clock.advance(LASTS / 2);
        assert!(keys.get(&[1], &clock).is_none());
        keys.keep(keys.before(&clock), vec![3], key(Some(NOON)));
        assert!(keys.get(&[3], &clock).is_none());
    }

    /// D6, I2: an act of this node ends it at once.
    #[test]
    fn nothing_outlives_what_this_node_does_also_not_what_is_being_read() {
        let (keys, clock) = (KnownKeys::default(), clock());
        keys.keep(keys.before(&clock), vec![1], key(None));
        let (before, forgetting) = (keys.before(&clock), keys.forgetting());
        assert!(keys.get(&[1], &clock).is_some());
        drop(forgetting);
        keys.keep(before, vec![2], key(None));
        assert!(keys.get(&[1], &clock).is_none() && keys.get(&[2], &clock).is_none());
    }

    /// D6: however many keys are shown, the memory of them is bounded.
    #[test]
    fn no_more_are_kept_than_fit() {
        let (keys, clock) = (KnownKeys::default(), clock());
        for n in 0..=MOST {
            keys.keep(keys.before(&clock), n.to_le_bytes().to_vec(), key(None));
        }
        assert!(keys.get(&MOST.to_le_bytes(), &clock).is_some());
        assert!(keys.get(&0_usize.to_le_bytes(), &clock).is_none());
    }
}
