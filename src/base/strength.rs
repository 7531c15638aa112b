//! How strong a password looks while it is typed. A quick estimate for the browser: the server decides with whole word
//! lists.

use std::sync::LazyLock;

use crate::base::search::fold;

/// What everybody says in Arabic, a phrase a line. Lists of words that leaked hold little of it; the server judges with the
/// same.
pub const PHRASES: &str = include_str!("phrases.txt");

/// Those of several words, as they are searched and without spaces, the longest first: a short one may stand in a long one.
/// A single word may stand in anything.
static FOLDED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let phrases = PHRASES.lines().filter(|line| line.trim().contains(' '));
    let mut folded = phrases.map(|line| solid(&fold(line))).collect::<Vec<_>>();
    folded.sort_by_key(|line| std::cmp::Reverse(line.chars().count()));
    folded
});

/// What is told beside the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// So many characters are missing.
    Short(u16),
    Weak,
    Fair,
    Good,
}

/// The rows of both keyboards: whoever slides along one types nothing new.
const ROWS: [&[char]; 6] = [
    &['q', 'w', 'e', 'r', 't', 'y', 'u', 'i', 'o', 'p'],
    &['a', 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l'],
    &['z', 'x', 'c', 'v', 'b', 'n', 'm'],
    &['ض', 'ص', 'ث', 'ق', 'ف', 'غ', 'ع', 'ه', 'خ', 'ح', 'ج', 'د'],
    &['ش', 'س', 'ي', 'ب', 'ل', 'ا', 'ت', 'ن', 'م', 'ك', 'ط'],
    &['ئ', 'ء', 'ؤ', 'ر', 'ى', 'ة', 'و', 'ز', 'ظ'],
];

/// Estimates. `about` is what anybody may know of the person: address, name.
pub fn estimate(text: &str, shortest: u16, about: &[String]) -> Strength {
    let length = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
    if length < shortest {
        return Strength::Short(shortest - length);
    }
    let mut lower = text.to_lowercase();
    let words = about.iter().flat_map(|one| one.split(['@', '.', ' ', '-', '_']));
    for word in words.map(str::to_lowercase).filter(|word| word.chars().count() >= 3) {
        lower = lower.replace(&word, "*");
    }
    let mut told = told_by(&lower);
    if lower.chars().any(|c| matches!(c, '\u{0600}'..='\u{06FF}')) {
        let rest = FOLDED.iter().fold(solid(&fold(&lower)), |rest, phrase| rest.replace(phrase, "*"));
        told = told.min(told_by(&rest));
    }
    match told {
        0..8 => Strength::Weak,
        8..12 => Strength::Fair,
        _ => Strength::Good,
    }
}

/// Without its spaces.
fn solid(text: &str) -> String {
    text.split_whitespace().collect()
}

/// How many letters tell something new.
fn told_by(text: &str) -> usize {
    let letters = text.chars().collect::<Vec<_>>();
    let fresh = (0..letters.len()).filter(|at| is_fresh(&letters, *at)).count();
    let mut distinct = letters;
    distinct.sort_unstable();
    distinct.dedup();
    fresh.min(distinct.len() * 2)
}

/// Whether a letter tells something that those before it did not.
fn is_fresh(letters: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    let (one, next) = (letters[before], letters[at]);
    if one == next || u32::from(one).abs_diff(u32::from(next)) == 1 || are_neighbours(one, next) {
        return false;
    }
    // The third letter of a run that was typed before.
    let Some(start) = at.checked_sub(2) else { return true };
    let run = &letters[start..=at];
    !letters[..at].windows(3).any(|earlier| earlier == run)
}

fn are_neighbours(one: char, next: char) -> bool {
    let place = |row: &[char], letter: char| row.iter().position(|key| *key == letter);
    ROWS.iter().any(|row| match (place(row, one), place(row, next)) {
        (Some(one), Some(next)) => one.abs_diff(next) == 1,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Strength {
        estimate(text, 8, &["hind.otaibi@x.example".to_owned(), "هند العتيبي".to_owned()])
    }

    /// A3: repeats, rows of either keyboard and the person's own name add nothing.
    #[test]
    fn what_repeats_or_is_known_adds_nothing() {
        assert_eq!(of("kqzt"), Strength::Short(4));
        for weak in ["aaaaaaaaaaaaaaa", "qwertyuiopasdf", "ضصثقفغعهخحجدشسي", "123456789012345", "abcabcabcabcabc"]
        {
            assert_eq!(of(weak), Strength::Weak, "{weak}");
        }
        assert_eq!(of("hind otaibi هند"), Strength::Weak);
        for phrase in
            ["بسم الله الرحمن الرحيم", "السلام عليكم ورحمة الله وبركاته", "كلمةالمروركلمةالسر", "الحمدُ لله ربّ العالمين"]
        {
            assert_eq!(of(phrase), Strength::Weak, "{phrase}");
        }
        assert_eq!(of("ليل هادئ فوق الرياض"), Strength::Good);
        assert_eq!(of("correct horse battery"), Strength::Good);
    }
}
