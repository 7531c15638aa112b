//! Moments as people say them: in full, and from where they stand now.

use crate::{
    base::{
        habits::{Calendar, habits},
        hijri::Hijri,
        language::{isolate, td_string},
        time::{Civil, Timestamp},
    },
    i18n::Locale,
};

/// Whose clock a moment is read on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    #[default]
    Utc,
    /// The one that the browser lives in, with its summer time.
    Browser,
    /// So many minutes ahead of UTC.
    Ahead(i32),
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const SECOND_MICROS: i64 = 1_000_000;

impl Zone {
    /// Minutes ahead of UTC at a moment.
    fn ahead(self, moment: Timestamp) -> i64 {
        match self {
            Zone::Utc => 0,
            Zone::Browser => browser_minutes_ahead(moment),
            Zone::Ahead(minutes) => i64::from(minutes),
        }
    }

    /// The moment at which a clock in UTC shows what this one shows now.
    fn shift(self, moment: Timestamp) -> Timestamp {
        Timestamp(moment.0.saturating_add(self.ahead(moment) * MINUTE * SECOND_MICROS))
    }

    /// `UTC`, `UTC+3`, `UTC-3:30`.
    fn name(self, moment: Timestamp) -> String {
        let ahead = self.ahead(moment);
        let (hours, minutes) = (ahead.abs() / 60, ahead.abs() % 60);
        let sign = if ahead < 0 { '-' } else { '+' };
        match (hours, minutes) {
            (0, 0) => "UTC".to_owned(),
            (hours, 0) => format!("UTC{sign}{hours}"),
            (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
        }
    }
}

#[cfg(not(feature = "ssr"))]
fn browser_minutes_ahead(moment: Timestamp) -> i64 {
    // Milliseconds of this age and minutes are whole numbers that a float holds.
    let behind = leptos::web_sys::js_sys::Date::new(&((moment.0 / 1_000) as f64).into()).get_timezone_offset() as i64;
    -behind
}

/// The server does not know where its reader is.
#[cfg(feature = "ssr")]
fn browser_minutes_ahead(_moment: Timestamp) -> i64 {
    0
}

/// Day and time in full, with the zone: `22 November 2026, 14:02 UTC`; with the Hijri date for who wants it.
pub fn exact(locale: Locale, moment: Timestamp, zone: Zone) -> String {
    let Civil { hour, minute, .. } = zone.shift(moment).civil();
    let (date, time) = (date(locale, moment, zone), format!("{hour:02}:{minute:02}"));
    td_string!(locale, base.date_time, date = date, time = time, zone = isolate(&zone.name(moment))).to_string()
}

/// The day: `22 November 2026`, or `22 November 2026 (12 Jumada II 1448 AH)`.
pub fn date(locale: Locale, moment: Timestamp, zone: Zone) -> String {
    let moment = zone.shift(moment);
    let Civil { year, month, day, .. } = moment.civil();
    let date = td_string!(locale, base.date, day = day, month = month_name(locale, month), year = year).to_string();
    let hijri = match habits().calendar {
        Calendar::Gregorian => None,
        Calendar::WithHijri => Hijri::of(moment),
    };
    match hijri {
        Some(hijri) => {
            td_string!(locale, base.date_with_hijri, date = date, hijri = hijri_date(locale, hijri)).to_string()
        }
        None => date,
    }
}

fn hijri_date(locale: Locale, hijri: Hijri) -> String {
    let month = hijri_month_name(locale, hijri.month);
    td_string!(locale, base.hijri_date, day = hijri.day, month = month, year = hijri.year).to_string()
}

/// From where a moment stands now: `3 minutes ago`, `tomorrow`; what is a week or more away is a date.
pub fn relative(locale: Locale, now: Timestamp, moment: Timestamp, zone: Zone) -> String {
    let seconds = moment.0.saturating_sub(now.0) / SECOND_MICROS;
    let (is_past, away) = (seconds < 0, seconds.abs());
    let rounded = |unit: i64| (away + unit / 2) / unit;
    let day_of = |moment| zone.shift(moment).0.div_euclid(DAY * SECOND_MICROS);
    let days = day_of(moment) - day_of(now);
    if away < 45 {
        td_string!(locale, base.now).to_owned()
    } else if rounded(MINUTE) < 60 {
        minutes(locale, rounded(MINUTE), is_past)
    } else if away < 12 * HOUR || days == 0 {
        hours(locale, rounded(HOUR), is_past)
    } else {
        match days {
            -1 => td_string!(locale, base.yesterday).to_owned(),
            1 => td_string!(locale, base.tomorrow).to_owned(),
            -6..=6 => self::days(locale, days.abs(), is_past),
            _ => date(locale, moment, zone),
        }
    }
}

fn minutes(locale: Locale, count: i64, is_past: bool) -> String {
    if is_past {
        td_string!(locale, base.minutes_ago, count = count).to_string()
    } else {
        td_string!(locale, base.in_minutes, count = count).to_string()
    }
}

fn hours(locale: Locale, count: i64, is_past: bool) -> String {
    if is_past {
        td_string!(locale, base.hours_ago, count = count).to_string()
    } else {
        td_string!(locale, base.in_hours, count = count).to_string()
    }
}

fn days(locale: Locale, count: i64, is_past: bool) -> String {
    if is_past {
        td_string!(locale, base.days_ago, count = count).to_string()
    } else {
        td_string!(locale, base.in_days, count = count).to_string()
    }
}

fn month_name(locale: Locale, month: u8) -> &'static str {
    match month {
        1 => td_string!(locale, base.month_1),
        2 => td_string!(locale, base.month_2),
        3 => td_string!(locale, base.month_3),
        4 => td_string!(locale, base.month_4),
        5 => td_string!(locale, base.month_5),
        6 => td_string!(locale, base.month_6),
        7 => td_string!(locale, base.month_7),
        8 => td_string!(locale, base.month_8),
        9 => td_string!(locale, base.month_9),
        10 => td_string!(locale, base.month_10),
        11 => td_string!(locale, base.month_11),
        _ => td_string!(locale, base.month_12),
    }
}

fn hijri_month_name(locale: Locale, month: u8) -> &'static str {
    match month {
        1 => td_string!(locale, base.hijri_month_1),
        2 => td_string!(locale, base.hijri_month_2),
        3 => td_string!(locale, base.hijri_month_3),
        4 => td_string!(locale, base.hijri_month_4),
        5 => td_string!(locale, base.hijri_month_5),
        6 => td_string!(locale, base.hijri_month_6),
        7 => td_string!(locale, base.hijri_month_7),
        8 => td_string!(locale, base.hijri_month_8),
        9 => td_string!(locale, base.hijri_month_9),
        10 => td_string!(locale, base.hijri_month_10),
        11 => td_string!(locale, base.hijri_month_11),
        _ => td_string!(locale, base.hijri_month_12),
    }
}

#[cfg(test)]
mod tests {
    use leptos::prelude::{Owner, provide_context};

    use super::*;
    use crate::base::habits::{Digits, Habits};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a moment")
    }

    /// Says a moment from a Sunday noon, in both directions.
    fn said(locale: Locale, seconds: i64) -> [String; 2] {
        let now = at("2026-11-22T12:00:00Z");
        let away = |seconds: i64| Timestamp(now.0 + seconds * SECOND_MICROS);
        [-seconds, seconds].map(|seconds| relative(locale, now, away(seconds), Zone::Utc))
    }

    /// H1: Arabic counts in six ways, and time goes both ways. No count is nought: that is now.
    #[test]
    fn arabic_says_how_far_away_a_moment_is() {
        for (seconds, past, future) in [
            (0, "الآن", "الآن"),
            (44, "الآن", "الآن"),
            (45, "قبل دقيقة", "بعد دقيقة"),
            (120, "قبل دقيقتين", "بعد دقيقتين"),
            (180, "قبل 3 دقائق", "بعد 3 دقائق"),
            (10 * 60, "قبل 10 دقائق", "بعد 10 دقائق"),
            (11 * 60, "قبل 11 دقيقة", "بعد 11 دقيقة"),
            (59 * 60, "قبل 59 دقيقة", "بعد 59 دقيقة"),
            (59 * 60 + 40, "قبل ساعة", "بعد ساعة"),
            (2 * HOUR, "قبل ساعتين", "بعد ساعتين"),
            (9 * HOUR, "قبل 9 ساعات", "بعد 9 ساعات"),
            (11 * HOUR, "قبل 11 ساعة", "بعد 11 ساعة"),
            (DAY, "أمس", "غدًا"),
            (2 * DAY, "قبل يومين", "بعد يومين"),
            (6 * DAY, "قبل 6 أيام", "بعد 6 أيام"),
            (7 * DAY, "15 نوفمبر 2026", "29 نوفمبر 2026"),
        ] {
            assert_eq!(said(Locale::ar, seconds), [past, future], "{seconds}");
        }
    }

    #[test]
    fn english_says_how_far_away_a_moment_is() {
        for (seconds, past, future) in [
            (0, "just now", "just now"),
            (60, "1 minute ago", "in 1 minute"),
            (180, "3 minutes ago", "in 3 minutes"),
            (HOUR, "1 hour ago", "in 1 hour"),
            (5 * HOUR, "5 hours ago", "in 5 hours"),
            (DAY, "yesterday", "tomorrow"),
            (3 * DAY, "3 days ago", "in 3 days"),
            (30 * DAY, "23 October 2026", "22 December 2026"),
        ] {
            assert_eq!(said(Locale::en, seconds), [past, future], "{seconds}");
        }
    }

    /// All six forms of each plural text, also those that a moment never takes.
    #[test]
    fn every_plural_form_is_written() {
        let said =
            |count| [minutes(Locale::ar, count, true), hours(Locale::ar, count, false), days(Locale::ar, count, true)];
        assert_eq!(said(0), ["قبل أقل من دقيقة", "بعد أقل من ساعة", "اليوم"]);
        assert_eq!(said(1), ["قبل دقيقة", "بعد ساعة", "قبل يوم"]);
        assert_eq!(said(2), ["قبل دقيقتين", "بعد ساعتين", "قبل يومين"]);
        assert_eq!(said(3), ["قبل 3 دقائق", "بعد 3 ساعات", "قبل 3 أيام"]);
        assert_eq!(said(11), ["قبل 11 دقيقة", "بعد 11 ساعة", "قبل 11 يومًا"]);
        assert_eq!(said(100), ["قبل 100 دقيقة", "بعد 100 ساعة", "قبل 100 يوم"]);
    }

    /// Yesterday and tomorrow are days of the reader, not of Greenwich.
    #[test]
    fn days_begin_at_the_readers_midnight() {
        let (now, moment) = (at("2026-11-22T09:30:00Z"), at("2026-11-21T21:10:00Z"));
        assert_eq!(relative(Locale::en, now, moment, Zone::Utc), "yesterday");
        assert_eq!(relative(Locale::en, now, moment, Zone::Ahead(180)), "12 hours ago");
        assert_eq!(date(Locale::en, moment, Zone::Ahead(180)), "22 November 2026");
    }

    #[test]
    fn a_moment_in_full_names_its_zone() {
        let moment = at("2026-11-22T14:02:00Z");
        let said = |zone| exact(Locale::ar, moment, zone);
        assert_eq!(said(Zone::Utc), "22 نوفمبر 2026، 14:02 \u{2068}UTC\u{2069}");
        assert_eq!(said(Zone::Ahead(180)), "22 نوفمبر 2026، 17:02 \u{2068}UTC+3\u{2069}");
        assert_eq!(said(Zone::Ahead(-210)), "22 نوفمبر 2026، 10:32 \u{2068}UTC-3:30\u{2069}");
        assert_eq!(exact(Locale::en, moment, Zone::Utc), "22 November 2026, 14:02 \u{2068}UTC\u{2069}");
    }

    /// H1: what a reader has asked for reaches every date, and no key.
    #[test]
    fn a_reader_gets_their_digits_and_both_calendars() {
        let owner = Owner::new();
        owner.with(|| {
            provide_context(Habits { digits: Digits::ArabicIndic, calendar: Calendar::WithHijri });
            let moment = at("2026-02-18T14:02:00Z");
            let said = exact(Locale::ar, moment, Zone::Ahead(180));
            assert_eq!(said, "١٨ فبراير ٢٠٢٦ (١ رمضان ١٤٤٧ هـ)، ١٧:٠٢ \u{2068}UTC+3\u{2069}");
            assert_eq!(said.matches('3').count(), 1, "the zone is a code");
            // After midnight in Riyadh the next day has begun.
            assert_eq!(
                date(Locale::ar, at("2026-02-18T21:30:00Z"), Zone::Ahead(180)),
                "١٩ فبراير ٢٠٢٦ (٢ رمضان ١٤٤٧ هـ)"
            );
            assert_eq!(date(Locale::ar, at("2099-01-01"), Zone::Utc), "١ يناير ٢٠٩٩");
        });
    }
}
