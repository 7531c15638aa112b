//! Panics are counted: the number has to stay zero, and a test and the health answer look at it.

use std::sync::{
    Once,
    atomic::{AtomicU64, Ordering},
};

use tracing::error;

// A panic hook belongs to the process, and so does its count.
static COUNT: AtomicU64 = AtomicU64::new(0);
static INSTALLED: Once = Once::new();

/// Whoever panics on purpose, or counts on nobody doing so, holds it meanwhile.
#[cfg(test)]
pub static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Counts and logs every panic from now on.
pub fn install() {
    INSTALLED.call_once(|| {
        #[cfg(test)]
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            COUNT.fetch_add(1, Ordering::Relaxed);
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let message = panic.payload_as_str().unwrap_or("no message");
            error!(%place, "panicked: {message}");
            // A failing test says why.
            #[cfg(test)]
            before(panic);
        }));
    });
}

/// How many there were.
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}
