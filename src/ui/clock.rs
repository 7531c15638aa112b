//! What time it is for the reader: the server's while the page is drawn, and on from there in the browser.
//!
//! The server writes its time on the document, so that the browser's first drawing says the same words. Then the time goes
//! on by itself and moments are told in the browser's zone.

use std::time::Duration;

use leptos::prelude::*;

use crate::base::{dates::Zone, time::Timestamp};

/// The attribute of the document in which the server tells its time.
pub const ATTRIBUTE: &str = "data-now";

/// How often words like "3 minutes ago" are looked at again.
const STEP: Duration = Duration::from_secs(20);

#[derive(Clone, Copy)]
pub struct Clock {
    started: Timestamp,
    now: RwSignal<Timestamp>,
    zone: RwSignal<Zone>,
}

impl Clock {
    /// A clock that starts at the server's time and stands still until it is told to go.
    pub fn starting(started: Timestamp) -> Self {
        Clock { started, now: RwSignal::new(started), zone: RwSignal::new(Zone::Utc) }
    }

    /// The time at which the page was begun.
    pub fn started(self) -> Timestamp {
        self.started
    }

    /// The time, at the latest step.
    pub fn now(self) -> Timestamp {
        if cfg!(feature = "ssr") { self.started } else { self.now.get() }
    }

    /// The zone in which moments are told.
    pub fn zone(self) -> Zone {
        if cfg!(feature = "ssr") { Zone::Utc } else { self.zone.get() }
    }

    /// Lets it go, in the browser's zone. A wrong clock of the device does no harm: only what passes on it counts.
    pub fn go(self) {
        let device = device_micros();
        self.zone.set(Zone::Browser);
        set_interval(move || self.now.set(Timestamp(self.started.0 + device_micros() - device)), STEP);
    }
}

/// The clock of this page.
pub fn clock() -> Clock {
    use_context::<Clock>().unwrap_or_else(|| Clock::starting(Timestamp(0)))
}

#[cfg(feature = "hydrate")]
fn device_micros() -> i64 {
    let millis = web_sys::js_sys::Date::now() as i64;
    millis * 1_000
}

#[cfg(not(feature = "hydrate"))]
fn device_micros() -> i64 {
    0
}
