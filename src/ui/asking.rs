//! Questions to the server that follow what is typed or staged.

use std::{future::Future, time::Duration};

use leptos::{prelude::*, task::spawn_local};

use crate::base::errors::AppError;

/// Asks whenever what `ask` reads has changed and then rested for `pause`. Of several answers only the one to the last
/// question is heard; `None` is heard where there is nothing to ask. Gives back whether an answer is awaited.
pub fn follow<T, F>(
    pause: Duration,
    ask: impl Fn() -> Option<F> + 'static,
    heard: impl Fn(Option<Result<T, AppError>>) + Copy + 'static,
) -> RwSignal<bool>
where
    T: 'static,
    F: Future<Output = Result<T, AppError>> + 'static,
{
    let waits = RwSignal::new(false);
    let latest = StoredValue::new(0_u32);
    Effect::new(move |_| {
        latest.update_value(|number| *number += 1);
        let number = latest.get_value();
        let Some(question) = ask() else {
            waits.set(false);
            heard(None);
            return;
        };
        waits.set(true);
        // The page may have gone by then, or something else may be asked.
        let is_latest = move || latest.try_get_value() == Some(number);
        let begin = move || {
            if !is_latest() {
                return;
            }
            spawn_local(async move {
                let answer = question.await;
                if is_latest() {
                    waits.set(false);
                    heard(Some(answer));
                }
            });
        };
        set_timeout(begin, pause);
    });
    waits
}
