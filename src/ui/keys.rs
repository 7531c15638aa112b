//! Keyboard shortcuts: how they are written for the reader's keyboard, and whether one was pressed.

use leptos::web_sys::KeyboardEvent;

/// A shortcut as it stands on the reader's keys: `⌘K` on Apple's, `Ctrl K` on all others.
pub fn written(letter: char) -> String {
    if names_apple(&user_agent()) { format!("⌘{letter}") } else { format!("Ctrl {letter}") }
}

/// Whether `letter` was pressed together with Ctrl or ⌘.
///
/// Keyboards of other scripts write other letters with the same keys: there the place of the key counts.
pub fn is_command(event: &KeyboardEvent, letter: char) -> bool {
    let held = (event.ctrl_key() || event.meta_key()) && !event.alt_key() && !event.shift_key();
    held && is_key(&event.key(), &event.code(), letter)
}

fn is_key(key: &str, code: &str, letter: char) -> bool {
    let place = if letter == '/' { "Slash".to_owned() } else { format!("Key{}", letter.to_ascii_uppercase()) };
    if key.is_ascii() { key.eq_ignore_ascii_case(letter.encode_utf8(&mut [0; 4])) } else { code == place }
}

fn names_apple(user_agent: &str) -> bool {
    ["Macintosh", "iPhone", "iPad"].iter().any(|name| user_agent.contains(name))
}

/// What the browser says of itself: the same text on both sides.
#[cfg(feature = "ssr")]
fn user_agent() -> String {
    let parts = leptos::prelude::use_context::<axum::http::request::Parts>();
    let header = parts.as_ref().and_then(|parts| parts.headers.get(axum::http::header::USER_AGENT));
    header.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

#[cfg(not(feature = "ssr"))]
fn user_agent() -> String {
    leptos::prelude::window().navigator().user_agent().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_letter_and_on_other_scripts_by_its_place() {
        assert!(is_key("k", "KeyK", 'k'));
        assert!(is_key("K", "KeyK", 'k'));
        assert!(is_key("ن", "KeyK", 'k'), "the same key on an Arabic keyboard");
        assert!(is_key("k", "KeyV", 'k'), "a keyboard with another order");
        assert!(!is_key("t", "KeyK", 'k'), "which has another letter there");
        assert!(is_key("/", "Slash", '/'));
        assert!(is_key("ظ", "Slash", '/'));
        assert!(!is_key("ن", "KeyN", 'k'));
    }

    #[test]
    fn the_sign_of_the_command_key_is_for_apples_keyboards() {
        assert!(names_apple("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"));
        assert!(!names_apple("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"));
    }
}
