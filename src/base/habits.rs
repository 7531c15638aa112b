//! How a reader wants numbers and dates: two choices beside language and theme, kept for a page as long as it lives.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

/// The digits of Arabic texts. Keys, ids, addresses and codes keep theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Digits {
    #[default]
    Latin,
    ArabicIndic,
}

/// The calendars of a date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calendar {
    #[default]
    Gregorian,
    /// The Hijri date (Umm al-Qura) beside the Gregorian one.
    WithHijri,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    pub digits: Digits,
    pub calendar: Calendar,
}

impl Digits {
    /// As it stands in the cookie and on the document.
    pub fn code(self) -> &'static str {
        match self {
            Digits::Latin => "latin",
            Digits::ArabicIndic => "arabic",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        [Digits::Latin, Digits::ArabicIndic].into_iter().find(|digits| digits.code() == code)
    }

    /// A text with these digits. What stands between isolating characters is a name, a key or an address: it stays.
    pub fn show(self, text: &str) -> Cow<'_, str> {
        if self == Digits::Latin || !text.contains(|c: char| c.is_ascii_digit()) {
            return Cow::Borrowed(text);
        }
        let mut inside = 0_u32;
        let shown = text.chars().map(|c| match c {
            '\u{2066}'..='\u{2068}' => {
                inside += 1;
                c
            }
            '\u{2069}' => {
                inside = inside.saturating_sub(1);
                c
            }
            '0'..='9' if inside == 0 => char::from_u32(u32::from(c) - u32::from('0') + 0x0660).unwrap_or(c),
            _ => c,
        });
        Cow::Owned(shown.collect())
    }
}

impl Calendar {
    pub fn code(self) -> &'static str {
        match self {
            Calendar::Gregorian => "gregorian",
            Calendar::WithHijri => "hijri",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        [Calendar::Gregorian, Calendar::WithHijri].into_iter().find(|calendar| calendar.code() == code)
    }
}

/// The attributes of the document in which the server tells the browser.
pub const DIGITS_ATTRIBUTE: &str = "data-digits";
pub const CALENDAR_ATTRIBUTE: &str = "data-calendar";

/// The habits of whoever reads the page that is being drawn. What is no page is written for everybody.
#[cfg(feature = "ssr")]
pub fn habits() -> Habits {
    leptos::prelude::use_context::<Habits>().unwrap_or_default()
}

/// The habits of this page's reader.
#[cfg(not(feature = "ssr"))]
pub fn habits() -> Habits {
    static HABITS: std::sync::OnceLock<Habits> = std::sync::OnceLock::new();
    *HABITS.get_or_init(|| {
        let of = |name: &str| leptos::prelude::document().document_element()?.get_attribute(name);
        Habits {
            digits: of(DIGITS_ATTRIBUTE).and_then(|code| Digits::parse(&code)).unwrap_or_default(),
            calendar: of(CALENDAR_ATTRIBUTE).and_then(|code| Calendar::parse(&code)).unwrap_or_default(),
        }
    })
}

/// A number alone, for people.
pub fn number(number: impl fmt::Display) -> String {
    habits().digits.show(&number.to_string()).into_owned()
}

/// A text as the reader wants it: behind `td_string!`.
pub fn fixed(text: &'static str) -> &'static str {
    match habits().digits.show(text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(shown) => kept(text, shown),
    }
}

/// A text with something filled in, as the reader wants it: behind `td_string!`.
pub fn filled(text: impl fmt::Display) -> Filled {
    let text = text.to_string();
    Filled(match habits().digits.show(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(shown) => shown,
    })
}

/// A text that is ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled(String);

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The texts that hold digits, in their second form. They live as long as the program, as the texts do: there are a few.
fn kept(text: &'static str, shown: String) -> &'static str {
    static KEPT: Mutex<BTreeMap<&'static str, &'static str>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.entry(text).or_insert_with(|| Box::leak(shown.into_boxed_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H1: numbers for people in the reader's digits, keys and names as they are.
    #[test]
    fn digits_change_everywhere_but_between_isolating_characters() {
        let show = |text| Digits::ArabicIndic.show(text).into_owned();
        assert_eq!(show("قبل 3 دقائق، 14:02"), "قبل ٣ دقائق، ١٤:٠٢");
        assert_eq!(show("حذف \u{2068}Team 7\u{2069} و5"), "حذف \u{2068}Team 7\u{2069} و٥");
        assert_eq!(show("\u{2066}a1\u{2068}b2\u{2069}c3\u{2069}4"), "\u{2066}a1\u{2068}b2\u{2069}c3\u{2069}٤");
        assert_eq!(Digits::Latin.show("2026"), "2026");
    }

    #[test]
    fn a_choice_is_read_as_it_is_written() {
        assert_eq!(Digits::parse(Digits::ArabicIndic.code()), Some(Digits::ArabicIndic));
        assert_eq!(Calendar::parse(Calendar::WithHijri.code()), Some(Calendar::WithHijri));
        assert_eq!((Digits::parse("roman"), Calendar::parse("")), (None, None));
    }
}
