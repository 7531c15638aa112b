//! The Hijri calendar of Umm al-Qura, by which Saudi Arabia dates its documents.

use crate::base::time::Timestamp;

/// A day of the Hijri calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hijri {
    pub year: u16,
    /// 1 is Muharram.
    pub month: u8,
    pub day: u8,
}

/// The first year of the table.
const FIRST: u16 = 1343;
/// Its first day in days since 1970-01-01: 2 August 1924.
const FIRST_DAY: i64 = -16_588;

/// Which months of each year have 30 days and not 29; the lowest bit is Muharram. The announced calendar follows no
/// formula: these are the tables of ICU4X, day by day the same as those of ICU4C.
const LONG_MONTHS: [u16; 158] = [
    0x6a9, 0x535, 0x25d, 0x4bd, 0x9ba, 0x3b4, 0xb69, 0xb2a, 0xa55, 0x4ad, 0xa5d, 0x2da, 0x6d9, 0xeaa, 0xe94, 0xd2a,
    0xc56, 0x4ae, 0xa6d, 0x56a, 0xd55, 0xd4a, 0xa93, 0x52b, 0xa5b, 0x53a, 0x6b5, 0xea9, 0xd52, 0xd29, 0xa55, 0x4ad,
    0x56d, 0xaea, 0x6e4, 0xed1, 0xda2, 0xaaa, 0x95a, 0x2da, 0x5b9, 0xbb2, 0x764, 0x6c9, 0x555, 0x2ab, 0x4db, 0xaba,
    0x5b4, 0xda9, 0xd52, 0xaa5, 0x92d, 0x26d, 0x8ed, 0x2da, 0xad5, 0xaa5, 0xa4b, 0x497, 0x937, 0x2b6, 0x975, 0xd69,
    0xd52, 0xc95, 0x92b, 0x25b, 0x4db, 0x9d5, 0x5d2, 0xda5, 0xd4a, 0xa95, 0x54d, 0xaad, 0x3aa, 0xbd2, 0xbc4, 0xb89,
    0xa95, 0x52d, 0x5ad, 0xb6a, 0x6d4, 0xdc9, 0xd92, 0xaa6, 0x956, 0x2ae, 0x56d, 0x36a, 0xb55, 0xaaa, 0x94d, 0x49d,
    0x95d, 0x2ba, 0x5b5, 0x5aa, 0xd55, 0xa9a, 0x92e, 0x26e, 0x55d, 0xada, 0x6d4, 0x6a5, 0xb27, 0xa4d, 0x4ad, 0x56d,
    0xb5a, 0x754, 0xf49, 0xe92, 0xd26, 0xa56, 0x356, 0x6b5, 0xbaa, 0xb92, 0xb25, 0x68b, 0xa9b, 0x55a, 0xada, 0x5b4,
    0xda9, 0xb52, 0xa9a, 0x536, 0x276, 0x575, 0xaf2, 0x6d4, 0x6a9, 0x555, 0x2ad, 0x4bd, 0x9ba, 0x574, 0xb69, 0xb52,
    0xa95, 0x52d, 0xa5d, 0x4da, 0xad9, 0x6b2, 0xe95, 0xe2a, 0xc96, 0x92e, 0xaad, 0x56a, 0xd65, 0xd4a,
];

impl Hijri {
    /// The day of a moment of which the calendar day begins at midnight UTC; `None` outside the years 1343 to 1500 AH
    /// (August 1924 to November 2077).
    pub fn of(moment: Timestamp) -> Option<Self> {
        let mut left = moment.0.div_euclid(86_400_000_000) - FIRST_DAY;
        if left < 0 {
            return None;
        }
        for (year, months) in (FIRST..).zip(LONG_MONTHS) {
            for month in 1..=12_u8 {
                let length = 29 + i64::from(months >> (month - 1) & 1);
                if left < length {
                    return Some(Hijri { year, month, day: u8::try_from(left + 1).ok()? });
                }
                left -= length;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(date: &str) -> Option<(u16, u8, u8)> {
        Hijri::of(Timestamp::parse(date).expect("a date")).map(|day| (day.year, day.month, day.day))
    }

    /// H1: days that were announced.
    #[test]
    fn known_days_have_their_hijri_date() {
        for (gregorian, hijri) in [
            ("1924-08-02", (1343, 1, 1)),
            ("2024-07-07", (1446, 1, 1)),
            ("2025-03-01", (1446, 9, 1)),
            ("2025-03-30", (1446, 10, 1)),
            ("2025-06-26", (1447, 1, 1)),
            ("2026-02-18", (1447, 9, 1)),
            ("2026-11-22", (1448, 6, 12)),
            ("2077-11-16", (1500, 12, 30)),
        ] {
            assert_eq!(of(gregorian), Some(hijri), "{gregorian}");
        }
        assert_eq!(of("2024-07-06T23:59:59Z"), Some((1445, 12, 30)));
    }

    #[test]
    fn outside_the_table_there_is_no_hijri_date() {
        assert_eq!((of("1924-08-01"), of("2077-11-17")), (None, None));
    }

    /// No day is left out and none comes twice.
    #[test]
    fn days_follow_each_other() {
        let first = Timestamp::parse("1924-08-02").expect("a date").0;
        let mut before = None::<Hijri>;
        for day in 0..55_990 {
            let day = Hijri::of(Timestamp(first + day * 86_400_000_000)).expect("inside the table");
            let next = before.is_none_or(|before| {
                (day.year, day.month, day.day) == (before.year, before.month, before.day + 1)
                    || (day.day == 1
                        && before.day >= 29
                        && ((day.year, day.month) == (before.year, before.month + 1)
                            || (day.year, day.month, before.month) == (before.year + 1, 1, 12)))
            });
            assert!(next, "{day:?} after {before:?}");
            before = Some(day);
        }
    }
}
