//! Short messages that something was done; screen readers say them without losing the place.

use std::time::Duration;

use leptos::prelude::*;

use crate::base::language::td_string;
use crate::ui::{
    icons::{Icon, icon},
    locale,
};

/// How long a message stays.
const STAY: Duration = Duration::from_secs(8);

/// Where pages put their messages.
#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<(u32, String)>>,
    last: StoredValue<u32>,
}

impl Toasts {
    pub fn new() -> Self {
        Toasts { shown: RwSignal::new(Vec::new()), last: StoredValue::new(0) }
    }

    pub fn say(self, words: impl Into<String>) {
        self.last.update_value(|last| *last += 1);
        let number = self.last.get_value();
        self.shown.update(|shown| shown.push((number, words.into())));
        set_timeout(move || self.take_away(number), STAY);
    }

    fn take_away(self, number: u32) {
        self.shown.update(|shown| shown.retain(|(other, _)| *other != number));
    }
}

impl Default for Toasts {
    fn default() -> Self {
        Self::new()
    }
}

/// The messages of this page.
pub fn toasts() -> Toasts {
    expect_context::<Toasts>()
}

/// The region in which messages appear.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let locale = locale();
    let toasts = toasts();
    view! {
        <div class="toasts" role="status">
            <For each=move || toasts.shown.get() key=|(number, _)| *number let:((number, words))>
                <div class="toast">
                    {icon(Icon::Allowed)} <span>{words}</span>
                    <button class="btn ghost sm" type="button" on:click=move |_| toasts.take_away(number)>
                        {icon(Icon::Denied)} <span class="away">{td_string!(locale, ui.close)}</span>
                    </button>
                </div>
            </For>
        </div>
    }
    .into_any()
}
