//! Language, theme, digits, calendar and the width of the menu: cookies that forms on every page set. They are
//! preferences, not secrets.

use axum::{
    Form,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use leptos::prelude::use_context;
use serde::Deserialize;

use crate::{
    base::{
        habits::{Calendar, Digits, Habits},
        language,
    },
    i18n::Locale,
    sessions::server::{
        forms::{append, local, see_other},
        recognise::cookie,
    },
};

/// Also the name that the pages' language provider reads.
const LOCALE: &str = "bawwab_locale";
const THEME: &str = "bawwab_theme";
const SIDE: &str = "bawwab_side";
const DIGITS: &str = "bawwab_digits";
const CALENDAR: &str = "bawwab_calendar";
/// How long a choice is kept: the longest that browsers allow.
const DAYS: u32 = 400;

#[derive(Deserialize)]
pub struct Preferences {
    locale: Option<String>,
    theme: Option<String>,
    side: Option<String>,
    digits: Option<String>,
    calendar: Option<String>,
    next: Option<String>,
}

/// `POST /preferences`: keeps the choice and goes back; a page that stays as it is asks for nothing to follow.
pub async fn set(Form(preferences): Form<Preferences>) -> Response {
    let mut response = match &preferences.next {
        Some(next) => see_other(local(next).unwrap_or("/")),
        None => StatusCode::NO_CONTENT.into_response(),
    };
    let mut cookies = Vec::new();
    if let Some(locale) = preferences.locale.as_deref().and_then(language::parse) {
        cookies.push(keep(LOCALE, language::code(locale), DAYS));
    }
    match preferences.theme.as_deref() {
        Some(theme @ ("light" | "dark")) => cookies.push(keep(THEME, theme, DAYS)),
        Some(_system) => cookies.push(keep(THEME, "", 0)),
        None => {}
    }
    match preferences.side.as_deref() {
        Some(side @ "narrow") => cookies.push(keep(SIDE, side, DAYS)),
        Some(_wide) => cookies.push(keep(SIDE, "", 0)),
        None => {}
    }
    if let Some(digits) = preferences.digits.as_deref().and_then(Digits::parse) {
        cookies.push(keep(DIGITS, digits.code(), DAYS));
    }
    if let Some(calendar) = preferences.calendar.as_deref().and_then(Calendar::parse) {
        cookies.push(keep(CALENDAR, calendar.code(), DAYS));
    }
    append(&mut response, cookies);
    response
}

fn keep(name: &str, value: &str, days: u32) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={}; SameSite=Lax", days * 86_400);
    HeaderValue::from_str(&text).expect("names and values are ours")
}

/// The theme that this page's reader has fixed; `None` follows the system.
pub fn theme() -> Option<&'static str> {
    theme_of(&use_context::<Parts>()?.headers)
}

/// The theme that whoever sent these headers has fixed.
pub fn theme_of(headers: &HeaderMap) -> Option<&'static str> {
    match cookie(headers, THEME)?.as_str() {
        "light" => Some("light"),
        "dark" => Some("dark"),
        _ => None,
    }
}

/// Whether this page's reader has the menu of the console narrow.
pub fn is_side_narrow() -> bool {
    use_context::<Parts>().is_some_and(|parts| cookie(&parts.headers, SIDE).as_deref() == Some("narrow"))
}

/// How the reader of this page wants numbers and dates. English is always written with Latin digits.
pub fn habits(headers: &HeaderMap) -> Habits {
    let digits = cookie(headers, DIGITS).as_deref().and_then(Digits::parse).unwrap_or_default();
    let calendar = cookie(headers, CALENDAR).as_deref().and_then(Calendar::parse).unwrap_or_default();
    match locale(headers) {
        Locale::ar => Habits { digits, calendar },
        Locale::en => Habits { digits: Digits::Latin, calendar },
    }
}

/// The language of a request: the choice, else the first of ours that is accepted, else Arabic.
pub fn locale(headers: &HeaderMap) -> Locale {
    if let Some(chosen) = cookie(headers, LOCALE).as_deref().and_then(language::parse) {
        return chosen;
    }
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut ranges = accepted
        .split(',')
        .enumerate()
        .filter_map(|(at, range)| {
            let mut parts = range.trim().split(';');
            let tag = parts.next()?.split('-').next()?.to_ascii_lowercase();
            let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            (quality > 0.0).then_some((quality, at, tag))
        })
        .collect::<Vec<_>>();
    ranges.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranges.iter().find_map(|(_, _, tag)| language::parse(tag)).unwrap_or(Locale::ar)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H1: Latin digits and Gregorian dates until somebody chooses; English keeps its digits.
    #[test]
    fn the_habits_of_a_reader() {
        let of = |cookies: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(cookies).expect("ASCII"));
            habits(&headers)
        };
        let (digits, calendar) = (Digits::ArabicIndic, Calendar::WithHijri);
        assert_eq!(of("bawwab_locale=ar"), Habits::default());
        assert_eq!(of("bawwab_locale=ar; bawwab_digits=arabic; bawwab_calendar=hijri"), Habits { digits, calendar });
        assert_eq!(
            of("bawwab_locale=en; bawwab_digits=arabic; bawwab_calendar=hijri"),
            Habits { digits: Digits::Latin, calendar }
        );
        assert_eq!(of("bawwab_locale=ar; bawwab_digits=roman; bawwab_calendar="), Habits::default());
    }

    /// H1: the first visit follows Accept-Language, and is Arabic where that says nothing.
    #[test]
    fn the_language_of_a_first_visit() {
        let of = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(accept).expect("ASCII"));
            locale(&headers)
        };
        assert_eq!(locale(&HeaderMap::new()), Locale::ar);
        assert_eq!(of("en-GB,ar;q=0.5"), Locale::en);
        assert_eq!(of("ar-SA,en;q=0.9"), Locale::ar);
        assert_eq!(of("fr,en;q=0.3,ar;q=0.2"), Locale::en);
        assert_eq!(of("fr"), Locale::ar);
        assert_eq!(of("en;q=0"), Locale::ar);
    }
}
