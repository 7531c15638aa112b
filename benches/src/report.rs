//! Lines that were measured, as one table, and the file in which each part of them is kept until it is measured again.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::Context as _;

/// One line: something was measured against something else, in turn.
#[derive(Clone, Debug)]
pub struct Measured {
    pub name: String,
    /// Among how many.
    pub size: String,
    /// What it is measured against.
    pub what: String,
    pub target: String,
    pub unit: &'static str,
    pub measured: f64,
    pub against: f64,
    /// The median of the blocks' ratios, and the least and greatest of them.
    pub ratio: f64,
    pub least: f64,
    pub greatest: f64,
    /// Milliseconds of processor time that the server (or the thread that asks) took for one.
    pub cpu: Option<f64>,
}

/// What a line says besides its numbers.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub name: String,
    pub size: String,
    pub what: &'static str,
    pub target: &'static str,
    pub unit: &'static str,
}

impl Measured {
    /// Of blocks in turn: the ratio is that of each pair.
    pub fn of(words: Words, measured: Vec<f64>, against: Vec<f64>) -> Self {
        let ratios = measured.iter().zip(&against).map(|(one, other)| one / other).collect::<Vec<_>>();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Measured {
            name: words.name,
            size: words.size,
            what: words.what.to_owned(),
            target: words.target.to_owned(),
            unit: words.unit,
            measured: median(measured),
            against: median(against),
            ratio: median(ratios),
            least,
            greatest,
            cpu: None,
        }
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A part of the report, under a heading of its own.
pub struct Section {
    pub title: &'static str,
    /// How it was measured, and what it does not say.
    pub notes: String,
    pub lines: Vec<Measured>,
    /// What stands below the table.
    pub after: String,
}

const HEADING: &str = "| quantity | size | measured ÷ | measured | against | ratio | spread | CPU | target |\n\
                       | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

fn row(line: &Measured) -> String {
    let Measured { name, size, what, target, unit, measured, against, ratio, least, greatest, cpu } = line;
    let size = if size.is_empty() { "–" } else { size };
    let cpu = cpu.map_or_else(|| "–".to_owned(), |cpu| format!("{} ms", number(cpu)));
    let (measured, against, ratio) = (number(*measured), number(*against), number(*ratio));
    let spread = format!("{}–{}", number(*least), number(*greatest));
    format!(
        "| {name} | {size} | {what} | {measured}{unit} | {against}{unit} | {ratio} | {spread} | {cpu} | {target} |\n"
    )
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.5}"),
    }
}

/// Everything that was measured in this run, as one table, and what belongs below it.
pub fn table(sections: &[Section]) -> String {
    let rows = sections.iter().flat_map(|section| &section.lines).map(row).collect::<String>();
    let after = sections.iter().map(|section| section.after.as_str()).filter(|after| !after.is_empty());
    format!("{HEADING}{rows}\n{}", after.collect::<Vec<_>>().join("\n"))
}

impl Section {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.notes.trim());
        if !self.lines.is_empty() {
            let _ = write!(text, "\n{HEADING}{}", self.lines.iter().map(row).collect::<String>());
        }
        if !self.after.is_empty() {
            let _ = write!(text, "\n{}\n", self.after.trim());
        }
        text
    }
}

const INTRODUCTION: &str = "# Benchmarks

Written by `./dev bench`, part by part: `./dev bench NAME` measures one and leaves the others as they are. Absolute times on a
shared machine mean little: what counts is the ratio to what stands beside it, measured in the same run in blocks in turn,
the order turned round each time. The ratio is the median of the blocks' ratios, the spread their least and greatest. CPU is
the processor time of the server's process for one act, or of the thread for one check; PostgreSQL's is not in it.
";

/// Puts the sections in the places of those of the same title, in the order of `titles`; others stay as they are.
pub fn keep(path: &Path, sections: &[Section], titles: &[&str]) -> anyhow::Result<()> {
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    let mut kept = parts(&before);
    for section in sections {
        kept.insert(section.title.to_owned(), section.text());
    }
    let mut text = INTRODUCTION.to_owned();
    for title in titles {
        if let Some(part) = kept.get(*title) {
            let _ = write!(text, "\n## {title}\n\n{part}");
        }
    }
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

fn parts(text: &str) -> BTreeMap<String, String> {
    let parts = text.split("\n## ").skip(1).filter_map(|part| part.split_once('\n'));
    parts.map(|(title, rest)| (title.trim().to_owned(), format!("{}\n", rest.trim()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_not_measured_stays() {
        let path = std::env::temp_dir().join(format!("bawwab-bench-report-{}.md", std::process::id()));
        let section =
            |title, notes: &str| Section { title, notes: notes.to_owned(), lines: vec![], after: String::new() };
        keep(&path, &[section("One", "first"), section("Two", "second")], &["One", "Two"]).expect("written");
        keep(&path, &[section("Two", "anew")], &["One", "Two"]).expect("written");
        let text = fs::read_to_string(&path).expect("read");
        fs::remove_file(&path).expect("removed");
        assert!(text.ends_with("\n## One\n\nfirst\n\n## Two\n\nanew\n"), "{text}");
    }

    #[test]
    fn the_ratio_is_the_median_of_the_pairs() {
        let line = Measured::of(Words::default(), vec![10.0, 30.0, 90.0], vec![10.0, 10.0, 10.0]);
        assert_eq!((line.ratio, line.least, line.greatest), (3.0, 1.0, 9.0));
    }
}
