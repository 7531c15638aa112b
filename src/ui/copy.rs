//! Keys and codes that are to be copied: whole, from left to right, with a button that does it.

use crate::base::language::td_string;
use leptos::{prelude::*, task::spawn_local};

use crate::ui::{
    browser,
    icons::{Icon, icon},
    is_live, locale, pieces,
};

/// A button that copies a text and says whether the browser allowed it.
#[component]
pub fn CopyButton(
    text: String,
    /// The word on the button; without it the button is an icon that says "Copy" to screen readers.
    #[prop(optional)]
    word: Option<&'static str>,
    #[prop(optional)] primary: bool,
) -> impl IntoView {
    let locale = locale();
    let live = is_live();
    let copied = RwSignal::new(None::<bool>);
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let done = browser::copy(text).await;
            copied.try_set(Some(done));
        });
    };
    let answer = move || match copied.get() {
        Some(true) => td_string!(locale, ui.copied),
        Some(false) => td_string!(locale, ui.not_copied),
        None => "",
    };
    let class = match (word.is_some(), primary) {
        (true, true) => "btn primary",
        (true, false) => "btn",
        (false, _) => "btn ghost sm bare",
    };
    let label = match word {
        Some(word) => word.into_any(),
        None => view! { <span class="away">{td_string!(locale, ui.copy)}</span> }.into_any(),
    };
    view! {
        <span class="row-of">
            <button class=class type="button" disabled=move || !live.get() on:click=copy>
                {icon(Icon::Copy)}
                {label}
            </button>
            <span class="small muted" role="status">{answer}</span>
        </span>
    }
    .into_any()
}

/// A key, id or code on a line, with a button that copies it.
pub fn key_to_copy(text: impl Into<String>) -> AnyView {
    let text = text.into();
    view! { <span class="key-copy">{pieces::key(text.clone())} <CopyButton text /></span> }.into_any()
}
