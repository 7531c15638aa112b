//! Names that are trusted by their looks: of people, roles, departments.

use icu_properties::{CodePointMapData, props::Script};
use unicode_normalization::char::is_combining_mark;

use crate::base::{
    errors::{FieldCode, FieldErrors},
    text::{one_line, optional_line},
};

/// Checks a name: one line of text for showing, in which no word mixes letters that can be taken for each other.
///
/// The same letters in another script make another name that looks the same (`аdmin` with a Cyrillic а). Two names of one
/// script can still look alike: where names must differ the database keeps their skeletons unique.
pub fn parse(text: &str, max: usize) -> Result<String, FieldCode> {
    let name = one_line(text, 1, max)?;
    if mixes_scripts(&name) { Err(FieldCode::MixedScripts) } else { Ok(name) }
}

/// The same for a name that may stay empty: blank is `None`.
pub fn parse_optional(text: Option<&str>, max: usize) -> Result<Option<String>, FieldCode> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => parse(text, max).map(Some),
    }
}

/// The name and description that an edit gives to a thing, where it does; a description can be taken away.
pub fn parse_edit(
    name: Option<&str>,
    description: Option<&str>,
    errors: &mut FieldErrors,
) -> (Option<String>, Option<String>) {
    let name = errors.take("name", name.map(|name| parse(name, 120)).transpose()).flatten();
    let description = description.map(|text| optional_line(Some(text), 1000)).transpose();
    (name, errors.take("description", description).flatten().map(Option::unwrap_or_default))
}

/// Whether a word holds letters of scripts that are not written together (UTS 39, "moderately restrictive", with the
/// scripts that do stand beside Latin in one word named).
fn mixes_scripts(name: &str) -> bool {
    let scripts = CodePointMapData::<Script>::new();
    let words = name.split(|c: char| !c.is_alphabetic() && !is_combining_mark(c));
    words.into_iter().any(|word| {
        let mut found = Vec::new();
        for letter in word.chars() {
            let script = scripts.get(letter);
            if !matches!(script, Script::Common | Script::Inherited) && !found.contains(&script) {
                found.push(script);
            }
        }
        !go_together(&found)
    })
}

fn go_together(scripts: &[Script]) -> bool {
    let within = |known: &[Script]| scripts.iter().all(|script| known.contains(script));
    scripts.len() <= 1
        // The article before a foreign word: الـAPI.
        || within(&[Script::Arabic, Script::Latin])
        || within(&[Script::Hebrew, Script::Latin])
        || within(&[Script::Han, Script::Hiragana, Script::Katakana, Script::Latin])
        || within(&[Script::Han, Script::Hangul, Script::Latin])
        || within(&[Script::Han, Script::Bopomofo, Script::Latin])
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::PgPool;

    /// UTS 39: a word of look-alike letters is no name.
    #[test]
    fn a_word_of_two_scripts_that_look_alike_is_refused() {
        for name in ["аdmin", "Αdmin", "super-аdmin", "Sara Мüller", "ѕupport", "РауPal", "Ꭺdmin", "аԁⅿіn ok", "קвo"]
        {
            assert_eq!(parse(name, 200), Err(FieldCode::MixedScripts), "{name} {}", name.escape_unicode());
        }
    }

    #[test]
    fn scripts_side_by_side_and_arabic_of_every_country_are_kept() {
        for name in [
            "سارة Al-Mutairi",
            "فريق الـAPI",
            "قسم IT رقم 2",
            "پژمان گلچین",
            "ٹیپو سلطان",
            "عُمَر",
            "Zoë O'Neil-Fitzgerald",
            "Дмитрий Smith",
            "Γιώργος",
            "東京タワー",
            "김 Minsu",
            "10µm №5",
            "e\u{0301}cole",
        ] {
            assert_eq!(parse(name, 200).as_deref(), Ok(name));
        }
        assert_eq!(parse_optional(Some("  "), 5), Ok(None));
        assert_eq!(parse_optional(Some("аbc"), 5), Err(FieldCode::MixedScripts));
    }

    /// Two names that look the same are the same to the database.
    #[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
    async fn names_that_look_alike_have_one_skeleton(pool: PgPool) {
        for (one, other, alike) in [
            ("ceo", "сео", true),
            ("CEO", "СЕО", true),
            ("TAXI", "ΤΑΧΙ", true),
            ("super-admin", "Super\u{2011}ADMIN", true),
            ("O'Neil", "o’neil", true),
            ("a  b", "a b", true),
            ("مدير", "مُديـر", true),
            ("كاتب", "ڪاتب", true),
            ("مدير", "مدبر", false),
            ("modern", "modem", false),
            ("admin", "admin2", false),
        ] {
            let same: bool = sqlx::query_scalar("select name_skeleton($1) = name_skeleton($2)")
                .bind(one)
                .bind(other)
                .fetch_one(&pool)
                .await
                .expect("an answer");
            assert_eq!(same, alike, "{one} {other}");
        }
    }
}
