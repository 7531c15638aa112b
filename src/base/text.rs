//! Text that people type: what a name may hold, whatever its script.

use crate::base::errors::FieldCode;

/// Checks one line of text for showing: trims it, bounds its length in characters and refuses what would disturb the
/// text around it.
///
/// Control characters, line separators, bidirectional overrides and isolates (CVE-2021-42574) and invisible characters
/// are refused. U+200C and U+200D stay allowed between Arabic letters, where they are orthography.
pub fn one_line(text: &str, min: usize, max: usize) -> Result<String, FieldCode> {
    let text = text.trim();
    let length = text.chars().count();
    if length < min {
        return Err(if length == 0 { FieldCode::Required } else { FieldCode::TooShort });
    }
    if length > max {
        return Err(FieldCode::TooLong);
    }
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let joins_arabic = matches!(c, '\u{200C}' | '\u{200D}')
            && before.is_some_and(is_arabic)
            && characters.peek().copied().is_some_and(is_arabic);
        if disturbs(c) && !joins_arabic {
            return Err(FieldCode::Characters);
        }
        before = Some(c);
    }
    Ok(text.to_owned())
}

/// The same for a field that may stay empty: blank is `None`.
pub fn optional_line(text: Option<&str>, max: usize) -> Result<Option<String>, FieldCode> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => one_line(text, 1, max).map(Some),
    }
}

fn is_arabic(c: char) -> bool {
    matches!(c, '\u{0600}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{08A0}'..='\u{08FF}')
}

fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// The digit of an Arabic or a Persian keyboard as the Latin one that it stands for; anything else as it is.
pub fn latin_digit(c: char) -> char {
    let digit = |zero: u32| char::from_digit(u32::from(c) - zero, 10).unwrap_or(c);
    match c {
        '\u{0660}'..='\u{0669}' => digit(0x0660),
        '\u{06F0}'..='\u{06F9}' => digit(0x06F0),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CVE-2021-42574: a name cannot flip the text around it.
    #[test]
    fn control_and_bidi_override_characters_are_refused_in_names() {
        for text in ["a\u{202E}b", "a\u{2066}b", "a\nb", "a\u{0}b", "a\u{200B}b", "\u{1b}[31mred", "a\u{2028}b"] {
            assert_eq!(one_line(text, 1, 200), Err(FieldCode::Characters), "{text:?}");
        }
    }

    #[test]
    fn names_of_every_script_are_kept_as_typed() {
        for text in ["سارة المطيري", "مُحَمَّد", "Zoë O'Neil", "می\u{200C}خواهم", "李雷"] {
            assert_eq!(one_line(text, 1, 200).as_deref(), Ok(text));
        }
        assert_eq!(one_line("a\u{200D}b", 1, 200), Err(FieldCode::Characters));
    }

    #[test]
    fn length_counts_characters_and_blank_is_missing() {
        assert_eq!(one_line("  ", 1, 5), Err(FieldCode::Required));
        assert_eq!(one_line("ستة عشر", 1, 5), Err(FieldCode::TooLong));
        assert_eq!(optional_line(Some("   "), 5), Ok(None));
    }
}
