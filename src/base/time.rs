//! A moment, the same on the server and in the browser, and how it is written for people.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Microseconds since 1970-01-01T00:00:00Z, as PostgreSQL keeps them. In JSON an RFC 3339 text in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// The parts of a moment on the UTC calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl Timestamp {
    /// The calendar parts in UTC (proleptic Gregorian; the algorithm is Howard Hinnant's `civil_from_days`).
    pub fn civil(self) -> Civil {
        let seconds = self.0.div_euclid(MICROS);
        let days = seconds.div_euclid(DAY);
        let rest = seconds.rem_euclid(DAY);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let small = |value: i64| u8::try_from(value).expect("a calendar part is below 100");
        Civil {
            year: yoe + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(doy - (153 * mp + 2) / 5 + 1),
            hour: small(rest / 3_600),
            minute: small(rest % 3_600 / 60),
            second: small(rest % 60),
        }
    }

    fn from_civil(year: i64, month: i64, day: i64, second_of_day: i64, micros: i64) -> Self {
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let mp = (month + 9) % 12;
        let doy = (153 * mp + 2) / 5 + day - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        let days = era * 146_097 + doe - 719_468;
        Timestamp((days * DAY + second_of_day) * MICROS + micros)
    }

    /// Reads RFC 3339 (`2026-11-22T14:02:00Z`, also with fraction and offset), a form's `2026-11-22T14:02`, and a
    /// plain date. Without an offset the text is UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |from: usize, to: usize| -> Option<i64> {
            let part = text.get(from..to)?;
            if part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None }
        };
        let byte = |at: usize| text.as_bytes().get(at).copied();
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        if byte(4) != Some(b'-') || byte(7) != Some(b'-') || !(1..=12).contains(&month) || day < 1 {
            return None;
        }
        if text.len() == 10 {
            return Self::on_calendar(year, month, day, 0, 0);
        }
        if !matches!(byte(10), Some(b'T' | b't' | b' ')) || byte(13) != Some(b':') {
            return None;
        }
        let (hour, minute) = (digits(11, 13)?, digits(14, 16)?);
        if hour > 23 || minute > 59 {
            return None;
        }
        let mut at = 16;
        let mut second = 0;
        if byte(at) == Some(b':') {
            second = digits(17, 19).filter(|s| *s <= 59)?;
            at = 19;
        }
        let mut micros = 0;
        if byte(at) == Some(b'.') {
            let end = (at + 1..text.len()).find(|i| !text.as_bytes()[*i].is_ascii_digit()).unwrap_or(text.len());
            if end == at + 1 || end > at + 10 {
                return None;
            }
            let fraction = &text[at + 1..end];
            micros = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
            at = end;
        }
        let offset = match (byte(at), text.len() - at) {
            (None, 0) | (Some(b'Z' | b'z'), 1) => 0,
            (Some(sign @ (b'+' | b'-')), 6) if byte(at + 3) == Some(b':') => {
                let (h, m) = (digits(at + 1, at + 3)?, digits(at + 4, at + 6)?);
                if h > 23 || m > 59 {
                    return None;
                }
                (h * 3_600 + m * 60) * if sign == b'+' { 1 } else { -1 }
            }
            _ => return None,
        };
        Self::on_calendar(year, month, day, hour * 3_600 + minute * 60 + second - offset, micros)
    }

    /// `None` for a day the month does not have.
    fn on_calendar(year: i64, month: i64, day: i64, second_of_day: i64, micros: i64) -> Option<Self> {
        let midnight = Self::from_civil(year, month, day, 0, 0).civil();
        if i64::from(midnight.month) != month || i64::from(midnight.day) != day {
            return None;
        }
        Some(Self::from_civil(year, month, day, second_of_day, micros))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self.civil();
        let micros = self.0.rem_euclid(MICROS);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        f.write_str("Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).ok_or_else(|| D::Error::custom("expected an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A11: what a form or a program writes is read as the same moment.
    #[test]
    fn the_usual_ways_of_writing_a_moment_agree() {
        let expected = Timestamp(1_795_356_120_000_000);
        for text in [
            "2026-11-22T14:02:00Z",
            "2026-11-22T14:02",
            "2026-11-22 14:02:00",
            "2026-11-22T17:02:00+03:00",
            "2026-11-22T14:02:00.000Z",
        ] {
            assert_eq!(Timestamp::parse(text), Some(expected), "{text}");
        }
        assert_eq!(expected.to_string(), "2026-11-22T14:02:00Z");
    }

    #[test]
    fn what_is_not_a_moment_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "2026-11-22T24:00",
            "2026-11-22T14:02:61Z",
            "2026-11-22T14:02+3",
            "2026-11-22T14:02:00.Z",
            "٢٠٢٦-١١-٢٢",
            "2026-11-22T14:02:00Zx",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_give_the_same_moment(micros in -60_000_000_000_000_000i64..200_000_000_000_000_000) {
            let moment = Timestamp(micros);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
        }
    }
}
