//! What the codes are: time-based ones (RFC 6238) and backup codes, as they are made, written and typed.

use aws_lc_rs::{constant_time, hmac};
use chrono::{DateTime, Utc};
use unicode_normalization::UnicodeNormalization as _;

use crate::base::{server::crypto, text::latin_digit};

/// Seconds that a code lasts.
const STEP: i64 = 30;
/// Steps before and after the current one that are accepted: clocks of phones are a little off.
const SLACK: i64 = 1;
/// RFC 4226 §4 asks for 160 bits.
pub const SECRET_LENGTH: usize = 20;
/// Codes in a set.
pub const CODES: usize = 10;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Crockford's: no letter that could be another, or a digit.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn encode(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let mut text = String::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(alphabet[usize::try_from((bits >> held) & 31).unwrap_or(0)]));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        text.push(char::from(alphabet[usize::try_from((bits << (5 - held)) & 31).unwrap_or(0)]));
    }
    text
}

/// A secret as authenticator apps take it.
pub fn base32(secret: &[u8]) -> String {
    encode(secret, BASE32)
}

/// Groups of four, for people.
pub fn grouped(text: &str, between: char) -> String {
    let mut written = String::new();
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            written.push(between);
        }
        written.push(c);
    }
    written
}

/// A backup code: 80 bits in four groups.
pub fn backup_code() -> String {
    grouped(&encode(&crypto::random::<10>(), CROCKFORD), '-')
}

/// A backup code in its one form, whatever was typed between or instead of its letters.
pub fn read_backup_code(text: &str) -> Option<String> {
    let mut read = String::new();
    for c in text.nfkc().flat_map(char::to_uppercase) {
        match c {
            ' ' | '-' | '\t' | '\u{2010}'..='\u{2015}' => {}
            'O' => read.push('0'),
            'I' | 'L' => read.push('1'),
            c if c.is_ascii() && CROCKFORD.contains(&(c as u8)) => read.push(c),
            _ => return None,
        }
    }
    (read.len() == 16).then_some(read)
}

/// Six digits, whatever digits and spaces were typed: Arabic-Indic ones are digits too.
pub fn read_totp(text: &str) -> Option<[u8; 6]> {
    let mut digits = Vec::new();
    for c in text.nfkc() {
        match latin_digit(c) {
            digit @ '0'..='9' => digits.push(digit as u8),
            ' ' | '-' | '\u{200E}' | '\u{200F}' => {}
            _ => return None,
        }
    }
    digits.try_into().ok()
}

/// The code of a step (RFC 4226 §5.3).
fn code(secret: &[u8], step: i64) -> [u8; 6] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 0x0F);
    let number = u32::from_be_bytes([tag[at] & 0x7F, tag[at + 1], tag[at + 2], tag[at + 3]]) % 1_000_000;
    let mut digits = [b'0'; 6];
    digits.copy_from_slice(format!("{number:06}").as_bytes());
    digits
}

/// The step that a code is of, if it is one of those accepted now. Every step is looked at, whichever it is.
pub fn step_of(secret: &[u8], typed: &[u8; 6], now: DateTime<Utc>) -> Option<i64> {
    let current = now.timestamp().div_euclid(STEP);
    let mut found = None;
    for step in current - SLACK..=current + SLACK {
        if constant_time::verify_slices_are_equal(&code(secret, step), typed).is_ok() {
            found = Some(step);
        }
    }
    found
}

#[cfg(test)]
pub fn code_at(secret: &[u8], now: DateTime<Utc>) -> String {
    String::from_utf8(code(secret, now.timestamp().div_euclid(STEP)).to_vec()).expect("digits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a moment")
    }

    /// RFC 6238, appendix B, SHA-1: the last six digits of its values.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(secret, at(seconds)), expected);
        }
    }

    /// B1: one step before and after is accepted, nothing beyond.
    #[test]
    fn a_code_is_good_one_step_around_its_own() {
        let (secret, now) = (b"12345678901234567890", at(1_800_000_015));
        let typed = read_totp(&code_at(secret, now)).expect("a code");
        for (offset, good) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let found = step_of(secret, &typed, now + TimeDelta::seconds(offset));
            assert_eq!(found.is_some(), good, "{offset}");
            assert!(found.is_none_or(|step| step == 1_800_000_015 / 30));
        }
    }

    /// CVE-2025-6015: however digits are written, it is one code; everything else is none.
    #[test]
    fn codes_are_read_as_people_type_them() {
        for text in
            ["012345", " 012 345 ", "012-345", "\u{0660}\u{0661}\u{0662}\u{0663}\u{0664}\u{0665}", "０１２３４５"]
        {
            assert_eq!(read_totp(text), Some(*b"012345"), "{text}");
        }
        for text in ["", "12345", "1234567", "12345a", "12345\0", "1e2345", "-12345", "+12345"] {
            assert_eq!(read_totp(text), None, "{text:?}");
        }
    }

    /// B2: a backup code has 80 bits, and is read however it is typed.
    #[test]
    fn backup_codes_are_read_as_people_type_them() {
        let one = backup_code();
        assert_eq!(one.len(), 19);
        let plain = one.replace('-', "");
        assert_eq!(read_backup_code(&one).as_ref(), Some(&plain));
        assert_eq!(read_backup_code(&one.to_lowercase().replace('-', " ")), Some(plain));
        assert_eq!(read_backup_code("OIL0-0000-0000-0000").as_deref(), Some("0110000000000000"));
        for text in ["", "AAAA", "AAAA-AAAA-AAAA-AAAAA", "UUUU-UUUU-UUUU-UUUU"] {
            assert_eq!(read_backup_code(text), None, "{text}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn secrets_are_written_in_base32() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(grouped("ABCDEFGHIJ", ' '), "ABCD EFGH IJ");
    }
}
