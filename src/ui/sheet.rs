//! A sheet that comes from the lower edge of a phone, and stands as a small window on a desk.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::ui::{
    browser,
    icons::{Icon, icon},
    locale,
};

/// A sheet that any button with `popovertarget` opens, with scripts and without. Escape, a tap beside it and going on to
/// another page close it.
#[component]
pub fn Sheet(id: &'static str, title: &'static str, children: Children) -> impl IntoView {
    let locale = locale();
    let pathname = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = pathname.get();
        if before.is_some_and(|before| before != now) {
            browser::hide_popover(id);
        }
        now
    });
    let heading = format!("{id}-title");
    view! {
        <dialog class="sheet" id=id popover="auto" aria-labelledby=heading>
            <div class="sheet-head">
                <h2 class="grow" id=heading.clone()>{title}</h2>
                <button class="round" type="button" popovertarget=id popovertargetaction="hide">
                    {icon(Icon::Denied)} <span class="away">{td_string!(locale, ui.close)}</span>
                </button>
            </div>
            {children()}
        </dialog>
    }
    .into_any()
}
