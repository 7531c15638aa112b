//! The switches of language and theme: plain forms that the server answers, with and without scripts.

use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::{
    base::language,
    ui::{
        address,
        icons::{Icon, icon},
        locale,
    },
};

/// The theme that the person chose; `None` follows the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme(pub Option<&'static str>);

/// Both switches, for the end of a top line.
#[component]
pub fn Preferences() -> impl IntoView {
    switches(address::here())
}

/// Both switches on the page at `here`.
pub fn switches(here: Signal<String>) -> AnyView {
    let locale = locale();
    let other = language::other(locale);
    let Theme(current) = use_context::<Theme>().unwrap_or(Theme(None));
    let sign = match current {
        Some("light") => Icon::Sun,
        Some("dark") => Icon::Moon,
        _ => Icon::Screen,
    };
    let choice = |value: &'static str, sign: Icon, word: &'static str| {
        let is_current = current.unwrap_or("system") == value;
        view! {
            <button
                class="btn ghost"
                type="submit"
                id=format!("theme-{value}")
                name="theme"
                value=value
                aria-current=is_current.then_some("true")
            >
                {icon(sign)}
                {word}
            </button>
        }
    };
    view! {
        <form method="post" action="/preferences">
            <input type="hidden" name="next" value=move || here.get() />
            <button
                class="btn ghost sm"
                type="submit"
                id="switch-language"
                name="locale"
                value=language::code(other)
                lang=language::code(other)
            >
                {icon(Icon::Language)}
                <span class="word">{td_string!(locale, ui.other_language)}</span>
            </button>
        </form>
        <button class="round" type="button" popovertarget="theme-choices" aria-label=td_string!(locale, ui.theme)>
            {icon(sign)}
        </button>
        <div class="drop" id="theme-choices" popover="auto" role="group" aria-label=td_string!(locale, ui.theme)>
            <form method="post" action="/preferences">
                <input type="hidden" name="next" value=move || here.get() />
                {choice("system", Icon::Screen, td_string!(locale, ui.theme_system))}
                {choice("light", Icon::Sun, td_string!(locale, ui.theme_light))}
                {choice("dark", Icon::Moon, td_string!(locale, ui.theme_dark))}
            </form>
        </div>
    }
    .into_any()
}
