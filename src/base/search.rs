//! Folding: the one form in which texts are searched, in the browser's filters and in the database.

use crate::base::text::latin_digit;

/// Folds what people do not tell apart when they search: compatibility forms, case, Arabic diacritics and tatweel, hamza
/// carriers, ta marbuta, alif maqsura, Persian and Urdu forms of Arabic letters, and digits.
///
/// It is what `fold_text` does in the database; a test holds one against the other.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    nfkc(text).chars().map(lower).filter(|c| !is_dropped(*c)).map(fold_letter).collect()
}

/// Whether every word of a search is found in a text; both are folded.
pub fn finds(text: &str, words: &str) -> bool {
    words.split_whitespace().all(|word| text.contains(word))
}

#[cfg(feature = "ssr")]
fn nfkc(text: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfkc(text).collect()
}

/// The browser brings the tables of Unicode along; ours would be as large as a page.
#[cfg(not(feature = "ssr"))]
fn nfkc(text: &str) -> String {
    leptos::web_sys::js_sys::JsString::from(text).normalize("NFKC").into()
}

/// Lower case of one letter, the same in every language. Beyond Latin, Greek, Cyrillic and Armenian letters stay.
fn lower(c: char) -> char {
    match c {
        'ı' => 'i',
        'ς' => 'σ',
        'A'..='Z' => c.to_ascii_lowercase(),
        // The one letter that becomes two is İ: its dot is dropped.
        '\u{C0}'..='\u{24F}' | '\u{370}'..='\u{556}' | '\u{1E00}'..='\u{1FFC}' => c.to_lowercase().next().unwrap_or(c),
        _ => c,
    }
}

/// A dot that a lower-case letter has anyway, tatweel, Arabic diacritics, and the joiners of Persian.
fn is_dropped(c: char) -> bool {
    matches!(c, '\u{0307}' | '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{200C}' | '\u{200D}')
}

fn fold_letter(c: char) -> char {
    match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ة' | 'ہ' | 'ە' | 'ھ' => 'ه',
        'ى' | 'ئ' | 'ی' => 'ي',
        'ؤ' => 'و',
        'ک' => 'ك',
        other => latin_digit(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D1: hamza, ta marbuta, diacritics and the rest fold.
    #[test]
    fn searching_does_not_tell_spellings_apart() {
        for (typed, folded) in [
            ("إدارة", "اداره"),
            ("مُسْتَأجِر", "مستاجر"),
            ("عــلى", "علي"),
            ("مؤمن هانئ", "مومن هاني"),
            ("آل ٱلسعود", "ال السعود"),
            ("می\u{200C}خواهم", "ميخواهم"),
            ("٢٠٢٦ و۱۴۴۸", "2026 و1448"),
            ("ﻻ ﷴ", "لا محمد"),
            ("Users.READ", "users.read"),
            ("ＡＢＣ Straße ΟΔΟΣ İIı", "abc straße οδοσ iii"),
        ] {
            assert_eq!(fold(typed), folded, "{typed}");
        }
    }

    #[test]
    fn every_word_must_be_found_in_any_order() {
        let text = fold("users.read عرض الأشخاص See people");
        assert!(finds(&text, &fold("اشخاص عرض")) && finds(&text, &fold("  SEE  users ")) && finds(&text, ""));
        assert!(!finds(&text, &fold("عرض الأدوار")));
    }
}
