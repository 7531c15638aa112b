//! One clock: the database's.
//!
//! A node keeps monotonic time and the offset at which the database stands from it, so that a node with a wrong wall
//! clock lets nothing expire early or late. Tests hold the clock still and move it by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use crate::base::time::Timestamp;

/// Tells the database's time without asking it.
#[derive(Clone)]
pub struct Clock(Arc<Kind>);

enum Kind {
    /// Microseconds to add to the monotonic time since `start`.
    Database {
        start: Instant,
        offset: AtomicI64,
    },
    Fixed(AtomicI64),
}

impl Clock {
    /// A clock that has been told the database's time now.
    pub fn of_database(now: DateTime<Utc>) -> Self {
        Clock(Arc::new(Kind::Database { start: Instant::now(), offset: AtomicI64::new(now.timestamp_micros()) }))
    }

    /// A clock that moves only when told to.
    pub fn fixed(now: DateTime<Utc>) -> Self {
        Clock(Arc::new(Kind::Fixed(AtomicI64::new(now.timestamp_micros()))))
    }

    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &*self.0 {
            Kind::Database { start, offset } => micros(start.elapsed()) + offset.load(Ordering::Relaxed),
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

    /// Takes over what the database said at the monotonic time `at`. A fixed clock stays.
    pub fn sample(&self, database: DateTime<Utc>, at: Duration) {
        if let Kind::Database { offset, .. } = &*self.0 {
            offset.store(database.timestamp_micros() - micros(at), Ordering::Relaxed);
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
