//! One call to the server at a time: whether it is under way, and what went wrong with the last one.

use std::future::Future;

use leptos::{prelude::*, task::spawn_local};

use crate::{
    base::errors::{AppError, Lost},
    ui::{browser, fields::FormError, is_live},
};

#[derive(Clone, Copy)]
pub struct Call {
    under_way: RwSignal<bool>,
    live: RwSignal<bool>,
    pub error: FormError,
}

impl Call {
    pub fn new() -> Self {
        Call { under_way: RwSignal::new(false), live: is_live(), error: RwSignal::new(None) }
    }

    /// Whether the button that starts it has to wait.
    pub fn waits(self) -> bool {
        !self.live.get() || self.under_way.get()
    }

    /// Makes the call unless one is under way. Without a network it is not begun, and what was typed stays. An error
    /// stays to be shown until the next call.
    pub fn run<T: 'static>(
        self,
        call: impl Future<Output = Result<T, AppError>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        if self.under_way.get_untracked() {
            return;
        }
        if browser::is_offline() {
            self.error.set(Some(AppError::Network(Lost::NotSent)));
            return;
        }
        self.under_way.set(true);
        self.error.set(None);
        spawn_local(async move {
            let answer = call.await;
            self.under_way.set(false);
            match answer {
                Ok(value) => then(value),
                Err(error) => self.error.set(Some(error)),
            }
        });
    }
}

impl Default for Call {
    fn default() -> Self {
        Self::new()
    }
}
