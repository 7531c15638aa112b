//! The server put together: state, router, layers, command line.

mod agreed;
mod audit_commands;
pub mod backup;
pub mod cli;
#[cfg(debug_assertions)]
pub mod design;
pub mod developers;
pub mod factors;
pub mod housekeeping;
pub mod idempotency;
pub mod install;
pub mod invariants;
pub mod key_rotation;
pub mod layers;
pub mod mailer;
pub mod metrics;
pub mod openapi;
pub mod oracle;
pub mod own_data;
pub mod panics;
pub mod plain;
pub mod preferences;
pub mod problem;
pub mod router;
pub mod sealed;
pub mod sealer;
#[cfg(test)]
pub mod test_app;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    access::server::Heart,
    base::{
        errors::AppError,
        server::config::{MetricsToken, Proxy},
    },
    sessions::server::{FailuresLast, forms::Draw},
};

/// What every request can reach.
#[derive(Clone)]
pub struct AppState {
    pub heart: Heart,
    pub options: LeptosOptions,
    pub draw: Draw,
    pub proxies: Arc<[Proxy]>,
    pub metrics_token: Option<MetricsToken>,
    pub failures_last: FailuresLast,
}

/// Does a node's own work again and again until told to stop; what fails is done again the next time. A step that is cut
/// short must be able to be.
async fn repeat<F: Future<Output = Result<(), AppError>>>(
    stop: CancellationToken,
    every: Duration,
    failed: &'static str,
    once: impl Fn() -> F,
) {
    loop {
        tokio::select! {
            done = once() => if let Err(error) = done {
                warn!(%error, "{failed}");
            },
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// A refused sign-in lasts this long: longer than a bcrypt comparison of cost 12.
pub const FAILURES_LAST: FailuresLast = FailuresLast(Duration::from_millis(450));

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

impl FromRef<AppState> for Draw {
    fn from_ref(state: &AppState) -> Self {
        state.draw.clone()
    }
}
