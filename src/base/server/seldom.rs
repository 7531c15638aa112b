//! What happens for many requests and is told now and then.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long nothing more is told.
const PAUSE: Duration = Duration::from_secs(60);

/// When something was told last.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    pub const fn new() -> Self {
        Seldom(Mutex::new(None))
    }

    /// Whether it is told now: the first time, and after a pause.
    pub fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H5: what fails for every request is told once a minute, however long it goes on.
    #[test]
    fn it_is_told_again_after_a_pause() {
        let (seldom, start) = (Seldom::new(), Instant::now());
        assert!(seldom.is_due(start));
        assert!(!seldom.is_due(start + PAUSE / 2));
        assert!(seldom.is_due(start + PAUSE));
        assert!(!seldom.is_due(start + PAUSE + PAUSE / 2));
        assert!(seldom.is_due(start + PAUSE * 2));
    }
}
