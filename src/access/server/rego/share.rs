//! What of a node's time the modules of one tenant may take: whoever asks about everybody at once asks in one stretch, in
//! which nothing else of that thread goes on (C6).

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::base::ids::TenantId;

/// How much of each stretch a tenant's modules may take.
const SHARE: Duration = Duration::from_millis(500);
const STRETCH: Duration = Duration::from_secs(1);

/// The kinds of questions have a share each, so that none of a request fails because somebody asks about everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Whether somebody may do what they are about to do.
    Request,
    /// Any other: who can, what if, searches, ceilings, evaluations.
    Question,
}

/// What was spent since a moment.
#[derive(Clone, Copy, Debug)]
struct Spent {
    since: Instant,
    time: Duration,
}

impl Spent {
    fn at(self, now: Instant) -> Self {
        if now.saturating_duration_since(self.since) < STRETCH {
            self
        } else {
            Spent { since: now, time: Duration::ZERO }
        }
    }
}

static SPENT: LazyLock<Mutex<HashMap<(TenantId, Kind), Spent>>> = LazyLock::new(Mutex::default);

/// Whether a tenant has time left for a module.
pub(super) fn is_left(tenant: TenantId, kind: Kind, now: Instant) -> bool {
    let spent = SPENT.lock().unwrap_or_else(PoisonError::into_inner);
    spent.get(&(tenant, kind)).is_none_or(|spent| spent.at(now).time < SHARE)
}

/// Notes what one evaluation has taken that ended now.
pub(super) fn spend(tenant: TenantId, kind: Kind, took: Duration, now: Instant) {
    let mut spent = SPENT.lock().unwrap_or_else(PoisonError::into_inner);
    let of = spent.entry((tenant, kind)).or_insert(Spent { since: now, time: Duration::ZERO });
    *of = of.at(now);
    of.time = of.time.saturating_add(took);
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// C6: a tenant's modules take no more than their share, other tenants and other kinds of questions have theirs, and it
    /// comes back.
    #[test]
    fn a_share_is_spent_and_comes_back() {
        let (one, other) = (TenantId(Uuid::now_v7()), TenantId(Uuid::now_v7()));
        let start = Instant::now();
        assert!(is_left(one, Kind::Question, start));
        spend(one, Kind::Question, SHARE / 2, start);
        assert!(is_left(one, Kind::Question, start));
        spend(one, Kind::Question, SHARE / 2, start + STRETCH / 4);
        assert!(!is_left(one, Kind::Question, start + STRETCH / 2));
        assert!(is_left(one, Kind::Request, start + STRETCH / 2), "what is done waits for no question");
        assert!(is_left(other, Kind::Question, start + STRETCH / 2));
        assert!(is_left(one, Kind::Question, start + STRETCH));
    }
}
