//! The tones of an accent that can be read: whatever colour a tenant chooses, each theme gets the nearest tone of it that
//! keeps the contrast of WCAG 2.2 AA on our surfaces (D4, H4).

use std::fmt;

/// A colour of sRGB, red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// The product's own accent, as `style/main.css` has it for the light theme.
pub const OURS: Colour = Colour([0x0f, 0x6b, 0x62]);

const BLACK: Colour = Colour([0; 3]);
const WHITE: Colour = Colour([255; 3]);
/// How finely a tone is looked for between the accent and black or white.
const STEPS: u16 = 32;
/// WCAG 2.2, 1.4.3: what text needs. Focus and borders need less (1.4.11: 3), and get the same.
pub const TEXT: f64 = 4.5;

impl Colour {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_none, red, green, blue] = number.to_be_bytes();
        Some(Colour([red, green, blue]))
    }

    /// So many steps of [`STEPS`] towards another colour.
    fn towards(self, other: Colour, steps: u16) -> Self {
        let mut mixed = [0; 3];
        for (at, part) in mixed.iter_mut().enumerate() {
            let sum = u16::from(self.0[at]) * (STEPS - steps) + u16::from(other.0[at]) * steps;
            *part = u8::try_from(sum / STEPS).unwrap_or(u8::MAX);
        }
        Colour(mixed)
    }

    /// WCAG 2.2, "relative luminance": 0 for black, 1 for white.
    pub fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// A channel without the curve of sRGB.
fn linear(channel: u8) -> f64 {
    let value = f64::from(channel) / 255.0;
    if value <= 0.04045 {
        return value / 12.92;
    }
    // x^2.4 is x² times the fifth root of x². `powf` would bring kilobytes into the browser half for it; this comes as near
    // (Newton's method, always from above).
    let value = (value + 0.055) / 1.055;
    let square = value * value;
    let mut root = 1.0_f64;
    for _ in 0..16 {
        root = (4.0 * root + square / (root * root * root * root)) / 5.0;
    }
    square * root
}

/// WCAG 2.2, "contrast ratio": 1 to 21.
pub fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (a.luminance(), b.luminance());
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// A theme, as far as tones are concerned: its surfaces as `style/main.css` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    /// What cards and fields are made of, and what the tint of a chosen row is mixed with.
    pub surface: Colour,
    /// Of all surfaces that text stands on, the one on which an accent is read worst: in the light theme the darkest, which
    /// is that of refusals, in the dark theme the lightest, which is what our own accent makes of a chosen row.
    pub worst: Colour,
    /// Where tones are looked for that can be read.
    reads: Colour,
    /// What the product makes of its own accent.
    ours: Tones,
}

pub const LIGHT: Ground = Ground {
    surface: WHITE,
    worst: Colour([0xfa, 0xe5, 0xe2]),
    reads: BLACK,
    ours: Tones { accent: OURS, ink: WHITE, soft: Colour([0xe0, 0xef, 0xec]) },
};
pub const DARK: Ground = Ground {
    surface: Colour([0x17, 0x1d, 0x1c]),
    worst: Colour([0x17, 0x33, 0x2f]),
    reads: WHITE,
    ours: Tones {
        accent: Colour([0x4f, 0xc3, 0xb4]),
        ink: Colour([0x06, 0x21, 0x1d]),
        soft: Colour([0x17, 0x33, 0x2f]),
    },
};

/// What a theme makes of an accent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tones {
    /// Text, borders, focus and the ground of main buttons.
    pub accent: Colour,
    /// What is written on it.
    pub ink: Colour,
    /// What is behind a chosen row, and behind text in the accent.
    pub soft: Colour,
}

impl Ground {
    /// The tones of an accent on this ground: the accent itself where it can be read, else the nearest that can.
    pub fn tones(self, accent: Colour) -> Tones {
        if accent == OURS {
            return self.ours;
        }
        // Black on the light theme and white on the dark one are always far enough, so one is found.
        let read = |steps| accent.towards(self.reads, steps);
        let accent_read = (0..STEPS).map(read).find(|tone| contrast(*tone, self.worst) >= TEXT).unwrap_or(self.reads);
        // A contrast depends on luminance alone: what is as far from the text as our own tint lets it be read as well.
        let far = |tint: &Colour| {
            let (tint, bound) = (tint.luminance(), self.ours.soft.luminance());
            if self.reads == BLACK { tint >= bound } else { tint <= bound }
        };
        let tint = |steps| accent.towards(self.surface, steps);
        let soft = (STEPS - STEPS / 6..STEPS).map(tint).find(far).unwrap_or(self.surface);
        // White on the light theme; on the dark one nearly black, with a breath of the accent.
        let ink = if self.reads == BLACK { WHITE } else { accent_read.towards(BLACK, STEPS - STEPS / 8) };
        Tones { accent: accent_read, ink, soft }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).expect("a colour")
    }

    /// WCAG 2.2, "relative luminance": as its formula says, by `powf`.
    fn by_the_formula(colour: Colour) -> f64 {
        let [red, green, blue] = colour.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn ratio(a: Colour, b: Colour) -> f64 {
        let (a, b) = (by_the_formula(a), by_the_formula(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// H4: the luminance is that of WCAG for each of the 256 values of a channel, and known pairs have their contrast.
    #[test]
    fn contrasts_are_those_of_wcag() {
        for value in 0..=u8::MAX {
            let grey = Colour([value; 3]);
            assert!((grey.luminance() - by_the_formula(grey)).abs() < 1e-9, "{grey}");
        }
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-9);
        assert!((contrast(colour("#767676"), WHITE) - 4.54).abs() < 0.01);
        assert!((contrast(colour("#0f6b62"), WHITE) - ratio(OURS, WHITE)).abs() < 1e-9);
    }

    /// D4: a colour is `#` and six digits, and is written as it is read.
    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!(colour("#0F6b62"), OURS);
        assert_eq!(OURS.to_string(), "#0f6b62");
        for wrong in ["", "#", "0f6b62", "#0f6b6", "#0f6b620", "#0f6b6g", "#+f6b62", "red", "#٠f6b6", "#0f6b62;"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    /// The surfaces of both themes in `style/main.css`, those of notices too, and the words that stand on a chosen row.
    const SURFACES: [[&str; 8]; 2] = [
        ["#f6f6f3", "#ffffff", "#efefeb", "#e0efec", "#e2f1e6", "#fae5e2", "#fbeed6", "#e8ecef"],
        ["#0f1413", "#171d1c", "#121817", "#17332f", "#15301f", "#3a1a17", "#35270f", "#222a30"],
    ];
    const WORDS: [[&str; 3]; 2] = [["#1a201e", "#59635f", "#a8231b"], ["#e7ecea", "#9aa7a2", "#f2938a"]];

    /// D4: the colours that this reckons with are those of the style sheet.
    #[test]
    fn the_grounds_are_those_of_the_style_sheet() {
        let sheet = include_str!("../../style/main.css");
        for (light, dark) in SURFACES[0].into_iter().zip(SURFACES[1]).chain(WORDS[0].into_iter().zip(WORDS[1])) {
            let light = if light == "#ffffff" { "#fff" } else { light };
            assert!(sheet.contains(&format!("light-dark({light}, {dark})")), "{light} {dark}");
        }
        let (light, dark) = (LIGHT.tones(OURS), DARK.tones(OURS));
        assert!(sheet.contains(&format!("--accent: light-dark({}, {})", light.accent, dark.accent)));
        assert!(sheet.contains(&format!("--accent-ink: light-dark(#fff, {})", dark.ink)));
        assert!(sheet.contains(&format!("--accent-soft: light-dark({}, {})", light.soft, dark.soft)));
        for (ground, surfaces) in [LIGHT, DARK].into_iter().zip(SURFACES) {
            for surface in surfaces.map(colour) {
                let best = contrast(surface, ground.reads);
                assert!(best >= contrast(ground.worst, ground.reads), "{surface} reads worse than {}", ground.worst);
            }
        }
    }

    fn assert_readable(accent: Colour) {
        for ((ground, surfaces), words) in [LIGHT, DARK].into_iter().zip(SURFACES).zip(WORDS) {
            let tones = ground.tones(accent);
            for surface in surfaces.map(colour).into_iter().chain([tones.soft]) {
                let reads = ratio(tones.accent, surface);
                assert!(reads >= TEXT, "{accent}: {} on {surface} has {reads}", tones.accent);
            }
            let reads = ratio(tones.ink, tones.accent);
            assert!(reads >= TEXT, "{accent}: {} on {} has {reads}", tones.ink, tones.accent);
            for word in words.map(colour) {
                let (before, after) = (ratio(word, ground.ours.soft), ratio(word, tones.soft));
                assert!(after >= before.min(TEXT), "{accent}: {word} on {} has {after}", tones.soft);
            }
            // What lies under the bar of unsaved changes in the dark theme.
            assert!(ground == LIGHT || ratio(tones.accent, colour("#232c2a")) >= 3.0, "{accent}");
        }
    }

    /// H4: the corners of the cube, where a tone is farthest from what was chosen.
    #[test]
    fn the_strongest_colours_become_readable() {
        for corner in 0..8_u8 {
            let channel = |bit: u8| if corner & bit == 0 { 0 } else { 255 };
            assert_readable(Colour([channel(1), channel(2), channel(4)]));
        }
        assert_readable(OURS);
    }

    /// D4: nothing is refused, and what can be read already is taken as it is.
    #[test]
    fn what_can_be_read_stays_as_it_is() {
        assert_eq!(LIGHT.tones(OURS).accent, OURS);
        assert_eq!(DARK.tones(colour("#4fc3b4")).accent, colour("#4fc3b4"));
        assert_ne!(LIGHT.tones(colour("#ffcc00")).accent, colour("#ffcc00"));
        assert_eq!(DARK.tones(colour("#ffcc00")).accent, colour("#ffcc00"));
    }

    proptest! {
        /// H4: whatever colour is chosen, text, buttons, focus and borders keep WCAG AA in both themes.
        #[test]
        fn every_accent_becomes_readable(red: u8, green: u8, blue: u8) {
            assert_readable(Colour([red, green, blue]));
        }
    }
}
