//! Short messages that something was done; screen readers say them without losing the place.

use std::time::Duration;

use leptos::prelude::*;

use crate::base::language::td_string;
use crate::ui::{
    icons::{Icon, icon},
    locale, pieces,
};

/// How long a message stays.
const STAY: Duration = Duration::from_secs(8);
/// How long one stays that offers something to do.
const OFFER: Duration = Duration::from_secs(30);

/// A message, and what can be done about it.
#[derive(Clone)]
struct Toast {
    number: u32,
    words: String,
    offer: Option<(&'static str, Callback<()>)>,
    is_bad: bool,
}

impl Toast {
    fn new(words: String) -> Self {
        Toast { number: 0, words, offer: None, is_bad: false }
    }
}

/// Where pages put their messages.
#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    last: StoredValue<u32>,
}

impl Toasts {
    pub fn new() -> Self {
        Toasts { shown: RwSignal::new(Vec::new()), last: StoredValue::new(0) }
    }

    pub fn say(self, words: impl Into<String>) {
        self.show(Toast::new(words.into()), STAY);
    }

    /// That changes which were not saved are back, and whether what is saved has changed since they were begun.
    pub fn say_restored(self, is_over_others: bool) {
        let locale = locale();
        self.say(if is_over_others {
            td_string!(locale, ui.draft_restored_over)
        } else {
            td_string!(locale, ui.draft_restored)
        });
    }

    /// A message that something did not work.
    pub fn warn(self, words: impl Into<String>) {
        self.show(Toast { is_bad: true, ..Toast::new(words.into()) }, OFFER);
    }

    /// A message with one thing that can be done: `word` is on its button.
    pub fn offer(self, words: impl Into<String>, word: &'static str, act: Callback<()>) {
        self.show(Toast { offer: Some((word, act)), ..Toast::new(words.into()) }, OFFER);
    }

    fn show(self, toast: Toast, stay: Duration) {
        self.last.update_value(|last| *last += 1);
        let number = self.last.get_value();
        self.shown.update(|shown| shown.push(Toast { number, ..toast }));
        set_timeout(move || self.take_away(number), stay);
    }

    fn take_away(self, number: u32) {
        self.shown.update(|shown| shown.retain(|toast| toast.number != number));
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
            <For each=move || toasts.shown.get() key=|toast| toast.number let:(Toast { number, words, offer, is_bad })>
                <div class="toast" class:deny=is_bad>
                    {icon(if is_bad { Icon::Alert } else { Icon::Allowed })} <span>{pieces::sentence(&words)}</span>
                    {offer
                        .map(|(word, act)| {
                            let take = move |_| {
                                toasts.take_away(number);
                                act.run(());
                            };
                            view! {
                                <button class="btn sm" type="button" on:click=take>
                                    {word}
                                </button>
                            }
                        })}
                    <button class="btn ghost sm" type="button" on:click=move |_| toasts.take_away(number)>
                        {icon(Icon::Denied)} <span class="away">{td_string!(locale, ui.close)}</span>
                    </button>
                </div>
            </For>
        </div>
    }
    .into_any()
}
