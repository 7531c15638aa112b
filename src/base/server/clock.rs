//! One clock: the database's.
//!
//! A node keeps monotonic time and the offset at which the database stands from it, so that a node with a wrong wall
//! clock lets nothing expire early or late. What a node writes down one after the other also stands in that order: small
//! corrections of the offset hold the clock still until time has caught up. Tests hold the clock still and move it by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use crate::base::time::Timestamp;

/// A correction by more than this is believed at once, also backwards: then the database's own clock was set anew.
const STEP: i64 = 10_000_000;

/// Tells the database's time without asking it.
#[derive(Clone)]
pub struct Clock(Arc<Kind>);

enum Kind {
    /// Microseconds to add to the monotonic time since `start`.
    Database {
        start: Instant,
        offset: AtomicI64,
        /// The latest moment that was told.
        told: AtomicI64,
    },
    Fixed(AtomicI64),
}

impl Clock {
    /// A clock that has been told the database's time now.
    pub fn of_database(now: DateTime<Utc>) -> Self {
        let now = now.timestamp_micros();
        Clock(Arc::new(Kind::Database {
            start: Instant::now(),
            offset: AtomicI64::new(now),
            told: AtomicI64::new(now),
        }))
    }

    /// A clock that moves only when told to.
    pub fn fixed(now: DateTime<Utc>) -> Self {
        Clock(Arc::new(Kind::Fixed(AtomicI64::new(now.timestamp_micros()))))
    }

    /// The database's time. Never earlier than what was told before, unless the database's clock was set back by more
    /// than [`STEP`].
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &*self.0 {
            Kind::Database { start, offset, told } => {
                let now = micros(start.elapsed()) + offset.load(Ordering::Relaxed);
                told.fetch_max(now, Ordering::Relaxed).max(now)
            }
            Kind::Fixed(now) => now.load(Ordering::Relaxed),
        };
        DateTime::from_timestamp_micros(micros).expect("the clock stays within the calendar")
    }

    /// Time that never goes back, for leases. Held still together with the rest in tests.
    pub fn monotonic(&self) -> Duration {
        match &*self.0 {
            Kind::Database { start, .. } => start.elapsed(),
            Kind::Fixed(now) => Duration::from_micros(u64::try_from(now.load(Ordering::Relaxed)).unwrap_or(0)),
        }
    }

    /// Takes over what the database said when it was asked at the monotonic time `asked` and had answered at `answered`.
    /// It is taken to have looked at its clock in the middle, so that the way there and back does not count (as in
    /// RFC 5905). A fixed clock stays.
    pub fn sample(&self, database: DateTime<Utc>, asked: Duration, answered: Duration) {
        if let Kind::Database { offset, told, .. } = &*self.0 {
            let database = database.timestamp_micros();
            let middle = i64::midpoint(micros(asked), micros(answered));
            offset.store(database - middle, Ordering::Relaxed);
            if told.load(Ordering::Relaxed) - database > STEP {
                told.store(database, Ordering::Relaxed);
            }
        }
    }

    /// Moves a fixed clock on; the database's cannot be moved.
    pub fn advance(&self, by: Duration) {
        if let Kind::Fixed(now) = &*self.0 {
            now.fetch_add(micros(by), Ordering::Relaxed);
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Timestamp(moment.timestamp_micros())
    }
}

impl From<Timestamp> for DateTime<Utc> {
    /// Moments outside chrono's calendar (±262,000 years) become its edge.
    fn from(moment: Timestamp) -> Self {
        DateTime::from_timestamp_micros(moment.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_800_000_000_000_000;

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(micros).expect("a moment")
    }

    fn clock() -> Clock {
        Clock::of_database(at(NOON))
    }

    /// Rows of the log that a node writes one after the other stand in that order (E1), however late an answer came.
    #[test]
    fn never_goes_back_by_little() {
        let clock = clock();
        let ahead = clock.now();
        let now = clock.monotonic();
        clock.sample(ahead - Duration::from_secs(2), now, now);
        assert!(clock.now() >= ahead);
    }

    #[test]
    fn goes_on_once_time_has_caught_up() {
        let clock = clock();
        let before = clock.now();
        let now = clock.monotonic();
        clock.sample(before + Duration::from_secs(3600), now, now);
        assert!(clock.now() >= before + Duration::from_secs(3600));
    }

    #[test]
    fn believes_a_database_whose_clock_was_set_back() {
        let clock = clock();
        let now = clock.monotonic();
        clock.sample(at(NOON + 3_600_000_000), now, now);
        let wrong = clock.now();
        clock.sample(at(NOON), now, now);
        assert!(clock.now() < wrong - Duration::from_secs(3000));
    }

    #[test]
    fn leaves_out_the_way_there_and_back() {
        let clock = clock();
        let now = clock.monotonic();
        // Asked now, answered in an hour: the database looked in half an hour.
        clock.sample(at(NOON + 7_200_000_000), now, now + Duration::from_secs(3600));
        let half_an_hour_ago = at(NOON + 7_200_000_000 - 1_800_000_000);
        assert!(clock.now() >= half_an_hour_ago);
        assert!(clock.now() < half_an_hour_ago + Duration::from_secs(600));
    }

    #[test]
    fn a_fixed_clock_does_not_ask() {
        let clock = Clock::fixed(at(NOON));
        clock.sample(at(0), Duration::ZERO, Duration::ZERO);
        assert_eq!(clock.now(), at(NOON));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), at(NOON + 1_000_000));
    }
}
