//! The switches of language, theme, digits and calendar: plain forms that the server answers, with and without scripts.

use leptos::prelude::*;

use crate::{
    base::{
        habits::{Calendar, Digits, Habits, habits},
        language::{self, td_string},
    },
    i18n::Locale,
    ui::{
        address,
        icons::{Icon, icon},
        locale, pieces,
    },
};

/// The theme that the person chose; `None` follows the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme(pub Option<&'static str>);

/// All switches, for the end of a top line.
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
    let Habits { digits, calendar } = habits();
    let choice = |name: &'static str, value: &'static str, is_current: bool, sign: Icon, word: &'static str| {
        view! {
            <button
                class="btn ghost"
                type="submit"
                id=format!("{name}-{value}")
                name=name
                value=value
                aria-current=is_current.then_some("true")
            >
                {icon(sign)}
                {pieces::sentence(word)}
            </button>
        }
    };
    let theme = |value: &'static str, sign: Icon, word: &'static str| {
        choice("theme", value, current.unwrap_or("system") == value, sign, word)
    };
    let write_in =
        |value: Digits, word: &'static str| choice("digits", value.code(), value == digits, Icon::Digits, word);
    let date_by =
        |value: Calendar, word: &'static str| choice("calendar", value.code(), value == calendar, Icon::Calendar, word);
    // English has its own digits only.
    let digits = (locale == Locale::ar).then(|| {
        view! {
            <p class="title">{td_string!(locale, ui.digits)}</p>
            {write_in(Digits::Latin, td_string!(locale, ui.digits_latin))}
            {write_in(Digits::ArabicIndic, td_string!(locale, ui.digits_arabic))}
        }
    });
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
                {theme("system", Icon::Screen, td_string!(locale, ui.theme_system))}
                {theme("light", Icon::Sun, td_string!(locale, ui.theme_light))}
                {theme("dark", Icon::Moon, td_string!(locale, ui.theme_dark))}
                {digits}
                <p class="title">{td_string!(locale, ui.calendar)}</p>
                {date_by(Calendar::Gregorian, td_string!(locale, ui.calendar_gregorian))}
                {date_by(Calendar::WithHijri, td_string!(locale, ui.calendar_hijri))}
            </form>
        </div>
    }
    .into_any()
}
