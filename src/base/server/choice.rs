//! What a password that somebody chooses has to be: long enough, not among the leaked ones, not easily guessed (NIST SP
//! 800-63B-4 §3.1.1.2, ASVS 6.2).

use std::time::Duration;

use anyhow::Context as _;
use aws_lc_rs::digest;
use tracing::warn;
use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::{Score, zxcvbn};

use crate::base::{
    errors::{AppError, FieldCode, FieldErrors},
    password::{Password, PasswordRule},
    search::fold,
    server::{crypto, passwords, settings::Setting},
    strength::PHRASES,
};

/// Six bytes of a digest each, sorted: see the README beside it.
const LEAKED: &[u8] = include_bytes!("leaked/hashes.bin");
const LEAKED_LENGTH: usize = 6;

/// The other list is asked no longer than this; without an answer the choice stands.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// An answer of a range holds some thousand lines.
const MOST_BYTES: u64 = 1 << 20;

impl Setting for PasswordRule {
    const KEY: &'static str = "accounts.passwords";
}

impl PasswordRule {
    /// Says what is wrong with it.
    pub fn parse(self) -> Result<Self, AppError> {
        let mut errors = FieldErrors::default();
        let bounds = Self::BOUNDS.0..=Self::BOUNDS.1;
        for (field, value) in [
            ("passwords.shortest", self.shortest),
            ("passwords.shortest_with_second_factor", self.shortest_with_second_factor),
        ] {
            if !bounds.contains(&value) {
                errors.add(field, FieldCode::Range);
            }
        }
        if self.shortest_with_second_factor > self.shortest {
            errors.add("passwords.shortest_with_second_factor", FieldCode::Contradiction);
        }
        let leaked_lookup = self.leaked_lookup.trim().to_owned();
        if !leaked_lookup.is_empty() && !is_lookup(&leaked_lookup) {
            errors.add("passwords.leaked_lookup", FieldCode::Malformed);
        }
        errors.check()?;
        Ok(PasswordRule { leaked_lookup, ..self })
    }
}

/// An address of another server that ends where the digest follows. Plain HTTP only to this machine.
fn is_lookup(text: &str) -> bool {
    let Ok(url) = text.parse::<reqwest::Url>() else { return false };
    let is_local = url.scheme() == "http" && url.host_str() == Some("localhost");
    (url.scheme() == "https" || is_local) && url.has_host() && url.username().is_empty() && text.ends_with('/')
}

/// A password with what is known about whom it shall protect.
pub struct Choice<'a> {
    pub password: &'a Password,
    pub has_second_factor: bool,
    /// Names and addresses of the person: they are guessed first.
    pub about: &'a [&'a str],
}

/// Judges a password that somebody chooses.
pub async fn check(rule: &PasswordRule, choice: Choice<'_>) -> Result<(), FieldCode> {
    passwords::check(choice.password)?;
    let text = choice.password.0.nfkc().collect::<String>();
    if text.chars().count() < usize::from(rule.shortest_for(choice.has_second_factor)) {
        return Err(FieldCode::TooShort);
    }
    let about = choice.about.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let judged = text.clone();
    // Some milliseconds of arithmetic.
    let verdict = tokio::task::spawn_blocking(move || guessable(&judged, &about)).await;
    verdict.unwrap_or(Err(FieldCode::Weak))?;
    match is_leaked_elsewhere(&rule.leaked_lookup, &text).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(FieldCode::Leaked),
        Err(error) => {
            warn!(error = format!("{error:#}"), "the list of leaked passwords could not be asked; the choice stands");
            Ok(())
        }
    }
}

/// Says why a password would be guessed.
fn guessable(text: &str, about: &[String]) -> Result<(), FieldCode> {
    let forms = forms(text);
    if forms.iter().any(|form| is_leaked(form)) {
        return Err(FieldCode::Leaked);
    }
    let words = PHRASES.lines().flat_map(|line| [line.to_owned(), line.replace(' ', "")]);
    let words = words.chain(about.iter().flat_map(|one| {
        let parts = one.split(['@', '.', ' ', '-', '_']).filter(|part| part.chars().count() >= 3);
        std::iter::once(one.clone()).chain(parts.map(str::to_owned)).collect::<Vec<_>>()
    }));
    let words = words.chain(["bawwab".to_owned()]).map(|word| fold(&word)).collect::<Vec<_>>();
    let words = words.iter().map(String::as_str).collect::<Vec<_>>();
    let easiest = forms.iter().map(|form| zxcvbn(form, &words).score()).min();
    if easiest.is_none_or(|score| score < Score::Three) { Err(FieldCode::Weak) } else { Ok(()) }
}

/// The ways to read what was typed: as it is; Arabic as it is searched, without spaces; and what the same keys write on the
/// other keyboard, since a word typed on the wrong one is still that word.
fn forms(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut forms = vec![text.to_owned()];
    if lower.chars().any(|c| matches!(c, '\u{0600}'..='\u{06FF}')) {
        let folded = fold(&lower);
        forms.push(folded.split_whitespace().collect());
        forms.push(folded);
        forms.push(lower.chars().map(key_of).collect());
        forms.push(lower.replace("لا", "b").chars().map(key_of).collect());
    }
    forms
}

/// The Latin letter on the key of an Arabic one.
fn key_of(letter: char) -> char {
    const KEYS: [(char, char); 33] = [
        ('ض', 'q'),
        ('ص', 'w'),
        ('ث', 'e'),
        ('ق', 'r'),
        ('ف', 't'),
        ('غ', 'y'),
        ('ع', 'u'),
        ('ه', 'i'),
        ('خ', 'o'),
        ('ح', 'p'),
        ('ج', '['),
        ('د', ']'),
        ('ش', 'a'),
        ('س', 's'),
        ('ي', 'd'),
        ('ب', 'f'),
        ('ل', 'g'),
        ('ا', 'h'),
        ('ت', 'j'),
        ('ن', 'k'),
        ('م', 'l'),
        ('ك', ';'),
        ('ط', '\''),
        ('ئ', 'z'),
        ('ء', 'x'),
        ('ؤ', 'c'),
        ('ر', 'v'),
        ('ى', 'n'),
        ('ة', 'm'),
        ('و', ','),
        ('ز', '.'),
        ('ظ', '/'),
        ('ذ', '`'),
    ];
    match letter {
        '\u{0660}'..='\u{0669}' => char::from_digit(u32::from(letter) - 0x0660, 10).unwrap_or(letter),
        _ => KEYS.iter().find(|(arabic, _)| *arabic == letter).map_or(letter, |(_, latin)| *latin),
    }
}

/// Whether the bundled list holds it, in any case of its letters.
fn is_leaked(text: &str) -> bool {
    let digest = crypto::sha256(text.to_lowercase().as_bytes());
    let (leaked, _none_left) = LEAKED.as_chunks::<LEAKED_LENGTH>();
    leaked.binary_search_by(|one| one.as_slice().cmp(&digest[..LEAKED_LENGTH])).is_ok()
}

/// Asks another list by the first five digits of a digest: which password is meant stays unknown to it.
async fn is_leaked_elsewhere(lookup: &str, text: &str) -> anyhow::Result<bool> {
    if lookup.is_empty() {
        return Ok(false);
    }
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let digest = hex::encode_upper(digest.as_ref());
    let (beginning, rest) = digest.split_at(5);
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("bawwab")
        .build()
        .context("make a client")?;
    let answer = client.get(format!("{lookup}{beginning}")).header("Add-Padding", "true").send().await?;
    let answer = answer.error_for_status()?;
    anyhow::ensure!(answer.content_length().unwrap_or(0) <= MOST_BYTES, "the answer is too long");
    let lines = answer.text().await?;
    let counts = lines.lines().filter_map(|line| line.trim().split_once(':'));
    // A count of nought is padding.
    Ok(counts.into_iter().any(|(found, count)| found.eq_ignore_ascii_case(rest) && count.trim() != "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> PasswordRule {
        PasswordRule::default()
    }

    async fn judge(text: &str, has_second_factor: bool) -> Result<(), FieldCode> {
        let password = Password(text.to_owned());
        let about = ["Hind Al-Otaibi", "hind.otaibi@nakheel.example"];
        check(&rule(), Choice { password: &password, has_second_factor, about: &about }).await
    }

    /// A3, NIST 3.1.1.2: fifteen characters alone, eight beside a second factor, whatever the characters are.
    #[tokio::test]
    async fn a_password_alone_needs_fifteen_characters_and_eight_beside_a_second_factor() {
        assert_eq!(judge("kV9#tq2!xLp0zW", false).await, Err(FieldCode::TooShort));
        assert_eq!(judge("kV9#tq2!xLp0zW", true).await, Ok(()));
        assert_eq!(judge("kV9#tq2", true).await, Err(FieldCode::TooShort));
        assert_eq!(judge("ليل هادئ فوق الرياض", false).await, Ok(()));
        assert_eq!(judge("🌴🐪🌙✨🕌☕📿🗝🚪🧿🌵🦅🏜🌊🪔", false).await, Ok(()));
        assert_eq!(judge(&"مرحبا بالعالم يا هند ".repeat(20), false).await, Err(FieldCode::TooLong));
    }

    /// A3, ASVS 6.2.4: what has leaked is refused however its letters are written, also typed on the other keyboard.
    #[tokio::test]
    async fn a_leaked_password_is_refused() {
        assert_eq!(LEAKED.len() % LEAKED_LENGTH, 0);
        assert!(LEAKED.chunks(LEAKED_LENGTH).is_sorted());
        for leaked in ["1qaz2wsx3edc4rfv", "1QAZ2wsx3EDC4rfv", "qwertyuiopasdfghjklzxcvbnm"] {
            assert_eq!(judge(leaked, false).await, Err(FieldCode::Leaked), "{leaked}");
        }
        for leaked in ["password1", "PassWord1", "حشسسصخقي1"] {
            assert_eq!(judge(leaked, true).await, Err(FieldCode::Leaked), "{leaked}");
        }
    }

    /// A3, H1: phrases that everybody knows, walks over either keyboard, repeats and one's own name are guessed first.
    #[tokio::test]
    async fn what_is_guessed_first_is_refused() {
        for weak in [
            "السلام عليكم 123",
            "بِسْمِ اللّٰه الرحمن الرحيم",
            "محمدمحمدمحمدمحمد",
            "ضصثقفغعهخحجدضصثق",
            "aaaaaaaaaaaaaaaaaa",
            "hind.otaibi@nakheel.example",
            "Hind Al-Otaibi 1",
        ] {
            assert!(matches!(judge(weak, false).await, Err(FieldCode::Weak | FieldCode::Leaked)), "{weak}");
        }
        for good in ["a long enough passphrase", "قهوة بالهيل كل صباح", "nothing at all was given"] {
            assert_eq!(judge(good, false).await, Ok(()), "{good}");
        }
    }

    /// ASVS 6.2.12: the look-up elsewhere tells five digits of a digest, and a list that does not answer stops nobody.
    #[tokio::test]
    async fn another_list_is_asked_by_the_beginning_of_a_digest_and_may_be_silent() {
        use axum::{Router, extract::Path, routing::get};
        let text = "a long enough passphrase";
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let digest = hex::encode_upper(digest.as_ref());
        let (asked, known) = std::sync::mpsc::channel();
        let answer = format!("0000000000000000000000000000000000A:0\r\n{}:7\r\n", &digest[5..]);
        let list = Router::new().route(
            "/range/{beginning}",
            get(move |Path(beginning): Path<String>| {
                asked.send(beginning).ok();
                async move { answer }
            }),
        );
        let listener = tokio::net::TcpListener::bind(("localhost", 0)).await.expect("a port");
        let lookup = format!("http://localhost:{}/range/", listener.local_addr().expect("an address").port());
        let server = tokio::spawn(async move { axum::serve(listener, list).await });
        let rule = PasswordRule { leaked_lookup: lookup, ..rule() }.parse().expect("a rule");
        let password = Password(text.to_owned());
        let choice = || Choice { password: &password, has_second_factor: false, about: &[] };
        assert_eq!(check(&rule, choice()).await, Err(FieldCode::Leaked));
        assert_eq!(known.recv().as_deref(), Ok(&digest[..5]));
        server.abort();
        let nobody = PasswordRule { leaked_lookup: "http://localhost:9/range/".to_owned(), ..rule };
        assert_eq!(check(&nobody, choice()).await, Ok(()));
    }

    #[test]
    fn a_rule_is_bounded_and_looks_up_by_https_only() {
        assert!(rule().parse().is_ok());
        for (shortest, with) in [(7, 7), (65, 8), (10, 11)] {
            let rule = PasswordRule { shortest, shortest_with_second_factor: with, ..rule() };
            assert!(rule.parse().is_err(), "{shortest} {with}");
        }
        for (lookup, good) in [
            ("https://api.pwned.example/range/", true),
            ("http://api.pwned.example/range/", false),
            ("http://localhost.evil.example/range/", false),
            ("https://u@x.example/range/", false),
            ("https://x.example/range", false),
            ("file:///etc/passwd/", false),
        ] {
            assert_eq!(PasswordRule { leaked_lookup: lookup.to_owned(), ..rule() }.parse().is_ok(), good, "{lookup}");
        }
    }
}
