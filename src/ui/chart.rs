//! Charts of numbers over days, as plain SVG, each with a table of the same numbers behind it.
//!
//! Time runs as the language is read: from right to left in Arabic. The drawing is stretched to the room that there is, so
//! that all words stand beside it and keep their size.

use std::fmt::Write as _;

use leptos::prelude::*;

use crate::{
    base::language::td_string,
    ui::{is_arabic, locale},
};

/// How numbers are drawn (D5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// What happened on a day: the rows on top of each other.
    Bars,
    /// How many there were on a day. A day that nobody knows of is a gap.
    Lines,
}

/// A row of numbers, one for each day (D5).
pub struct Series {
    pub name: &'static str,
    pub values: Vec<Option<i64>>,
}

/// What is drawn (D5).
pub struct Chart {
    /// Of its heading, unlike any other on the page.
    pub id: &'static str,
    pub title: &'static str,
    pub shape: Shape,
    /// The days as people say them, oldest first.
    pub days: Vec<String>,
    pub series: Vec<Series>,
    /// A number as people say it.
    pub say: fn(i64) -> String,
    /// The end of the scale, where it is known beforehand.
    pub most: Option<i64>,
    /// What stands in its place when there is nothing to draw.
    pub empty: &'static str,
}

/// The width of a day and the height of the whole, in units of the drawing: whole numbers are shorter to write.
const SLOT: i64 = 10;
const HEIGHT: i64 = 1_000;
/// How high the end of the scale lies; above it there is room for what [`LEAST`] lifts.
const ROOM: i64 = 940;
/// Whatever is there at all can be seen.
const LEAST: i64 = 20;

/// A chart in a card, with its heading, legend and table.
pub fn chart(chart: &Chart) -> AnyView {
    let html = written(chart, is_arabic());
    view! { <section class="card padded chart" aria-labelledby=chart.id inner_html=html></section> }.into_any()
}

impl Chart {
    fn is_empty(&self) -> bool {
        let is_nothing = |value: &Option<i64>| match self.shape {
            Shape::Bars => value.unwrap_or_default() == 0,
            Shape::Lines => value.is_none(),
        };
        self.series.iter().all(|series| series.values.iter().all(is_nothing))
    }

    /// The highest that is reached on any day.
    fn highest(&self) -> i64 {
        let on =
            |day: usize| self.series.iter().map(move |series| series.values.get(day).copied().flatten().unwrap_or(0));
        let reached = |day: usize| match self.shape {
            Shape::Bars => on(day).sum(),
            Shape::Lines => on(day).max().unwrap_or_default(),
        };
        (0..self.days.len()).map(reached).max().unwrap_or_default()
    }

    /// What the legend tells of a row: how many in all, or how many last.
    fn told(&self, series: &Series) -> String {
        let value = match self.shape {
            Shape::Bars => Some(series.values.iter().flatten().sum()),
            Shape::Lines => series.values.iter().rev().find_map(|value| *value),
        };
        value.map(self.say).unwrap_or_default()
    }
}

/// The end of a scale that holds a number: 1, 2, 5, 10, 20, 50, …
fn end_of_scale(most: i64) -> i64 {
    let mut unit = 1_i64;
    loop {
        for step in [1, 2, 5] {
            let end = unit.saturating_mul(step);
            if end >= most {
                return end;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// Where a day begins.
fn start_of(day: usize, days: usize, mirrored: bool) -> i64 {
    let place = if mirrored { days.saturating_sub(day + 1) } else { day };
    i64::try_from(place).unwrap_or_default() * SLOT
}

fn height_of(value: i64, end: i64) -> i64 {
    value.saturating_mul(ROOM) / end.max(1)
}

/// One path for each row: its bars, each upon those of the rows before.
fn bars(chart: &Chart, end: i64, mirrored: bool) -> Vec<String> {
    let mut tops = vec![HEIGHT; chart.days.len()];
    let path = |series: &Series| {
        let mut path = String::new();
        for (day, (top, value)) in tops.iter_mut().zip(&series.values).enumerate() {
            let Some(value) = value.filter(|value| *value > 0) else { continue };
            let height = height_of(value, end).max(LEAST);
            let left = start_of(day, chart.days.len(), mirrored) + 1;
            let width = SLOT - 2;
            let _ = write!(path, "M{left} {top}v-{height}h{width}v{height}z");
            *top -= height;
        }
        path
    };
    chart.series.iter().map(path).collect()
}

/// One path for each row: its line, broken where a day is not known. A day alone is a dash.
fn lines(chart: &Chart, end: i64, mirrored: bool) -> Vec<String> {
    let path = |series: &Series| {
        let known = |day: usize| series.values.get(day).copied().flatten();
        let mut path = String::new();
        for day in 0..chart.days.len() {
            let Some(value) = known(day) else { continue };
            let (x, y) = (start_of(day, chart.days.len(), mirrored) + SLOT / 2, HEIGHT - height_of(value, end));
            let is_after = day > 0 && known(day - 1).is_some();
            let _ = match (is_after, known(day + 1).is_some()) {
                (true, _) => write!(path, "L{x} {y}"),
                (false, true) => write!(path, "M{x} {y}"),
                (false, false) => write!(path, "M{} {y}h{}", x - SLOT / 2 + 1, SLOT - 2),
            };
        }
        path
    };
    chart.series.iter().map(path).collect()
}

/// A text inside markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// All that stands in the card.
fn written(chart: &Chart, mirrored: bool) -> String {
    let Chart { id, title, .. } = chart;
    let title = escape(title);
    let mut html = format!("<h2 id=\"{id}\">{title}</h2>");
    if chart.is_empty() {
        let _ = write!(html, "<p class=\"muted\">{}</p>", escape(chart.empty));
        return html;
    }
    let end = chart.most.unwrap_or_else(|| end_of_scale(chart.highest()));
    let (kind, paths) = match chart.shape {
        Shape::Bars => ("bars", bars(chart, end, mirrored)),
        Shape::Lines => ("lines", lines(chart, end, mirrored)),
    };
    let ends = [chart.days.first(), chart.days.last()].map(|day| day.map(|day| escape(day)).unwrap_or_default());
    let told = chart.series.iter().map(|series| (escape(series.name), escape(&chart.told(series)))).collect::<Vec<_>>();
    let width = start_of(chart.days.len(), chart.days.len() + 1, false);
    let line = HEIGHT - ROOM;
    let about = told.iter().map(|(name, value)| format!(" · {name}: {value}")).collect::<String>();
    let _ = write!(
        html,
        "<div class=\"plot-top\" aria-hidden=\"true\">{}</div>\
         <svg class=\"plot {kind}\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"{id}-name {id}-about\"><title id=\"{id}-name\">{title}</title>\
         <desc id=\"{id}-about\">{} – {}{about}</desc>\
         <path class=\"grid\" d=\"M0 {line}H{width}M0 {HEIGHT}H{width}\"/>",
        escape(&(chart.say)(end)),
        ends[0],
        ends[1],
    );
    for (at, path) in paths.iter().enumerate() {
        let _ = write!(html, "<path class=\"s{at}\" d=\"{path}\"/>");
    }
    hints(chart, mirrored, &mut html);
    let _ = write!(
        html,
        "</svg><div class=\"plot-ends\" aria-hidden=\"true\"><span>{}</span><span>{}</span></div>\
         <ul class=\"plot-legend {kind}\" role=\"list\">",
        ends[0], ends[1],
    );
    for (at, (name, value)) in told.iter().enumerate() {
        let _ = write!(
            html,
            "<li><i class=\"s{at}\" aria-hidden=\"true\"></i>{name} <strong class=\"num\">{value}</strong></li>"
        );
    }
    html.push_str("</ul>");
    table(chart, &title, &mut html);
    html
}

/// What a pointer over a day is told.
fn hints(chart: &Chart, mirrored: bool, html: &mut String) {
    for (day, name) in chart.days.iter().enumerate() {
        let left = start_of(day, chart.days.len(), mirrored);
        let _ = write!(html, "<rect x=\"{left}\" width=\"{SLOT}\" height=\"{HEIGHT}\"><title>{}", escape(name));
        for series in &chart.series {
            if let Some(value) = series.values.get(day).copied().flatten() {
                let _ = write!(html, " · {}: {}", escape(series.name), escape(&(chart.say)(value)));
            }
        }
        html.push_str("</title></rect>");
    }
}

/// The same numbers as a table, the newest day first.
fn table(chart: &Chart, title: &str, html: &mut String) {
    let locale = locale();
    let (open, day) = (td_string!(locale, ui.chart_table), td_string!(locale, ui.chart_day));
    let _ = write!(
        html,
        "<details><summary>{}</summary><div class=\"table-box\"><table class=\"table\">\
         <caption class=\"away\">{title}</caption><thead><tr><th scope=\"col\">{}</th>",
        escape(open),
        escape(day),
    );
    for series in &chart.series {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(series.name));
    }
    html.push_str("</tr></thead><tbody>");
    for (day, name) in chart.days.iter().enumerate().rev() {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(name));
        for series in &chart.series {
            let value = series.values.get(day).copied().flatten();
            let _ = write!(
                html,
                "<td class=\"num\">{}</td>",
                value.map_or("—".to_owned(), |value| escape(&(chart.say)(value)))
            );
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div></details>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shape: Shape, series: &[&[Option<i64>]]) -> Chart {
        let days = series.first().map_or(0, |values| values.len());
        Chart {
            id: "c",
            title: "A & B",
            shape,
            days: (1..=days).map(|day| format!("day {day}")).collect(),
            series: series.iter().map(|values| Series { name: "<one>", values: values.to_vec() }).collect(),
            say: |value| format!("{value}!"),
            most: None,
            empty: "nothing",
        }
    }

    /// D5: a scale ends at a round number that holds what is shown.
    #[test]
    fn a_scale_ends_at_a_round_number() {
        let ends = [0, 1, 2, 3, 5, 6, 11, 20, 21, 51, 100, 12_345, i64::MAX].map(end_of_scale);
        assert_eq!(ends, [1, 1, 2, 5, 5, 10, 20, 20, 50, 100, 100, 20_000, i64::MAX]);
    }

    /// D5: bars of a day stand upon each other, inside its slot; what is there at all can be seen; nought has no bar.
    #[test]
    fn bars_stand_upon_each_other() {
        let chart = of(Shape::Bars, &[&[Some(5), Some(0)], &[Some(5), Some(1)]]);
        assert_eq!(chart.highest(), 10);
        assert_eq!(bars(&chart, 10, false), ["M1 1000v-470h8v470z", "M1 530v-470h8v470zM11 1000v-94h8v94z"]);
        assert_eq!(bars(&chart, 10, true), ["M11 1000v-470h8v470z", "M11 530v-470h8v470zM1 1000v-94h8v94z"]);
        let tiny = of(Shape::Bars, &[&[Some(1_000_000)], &[Some(1)], &[Some(1)]]);
        assert_eq!(bars(&tiny, 1_000_000, false)[1..], ["M1 60v-20h8v20z", "M1 40v-20h8v20z"], "inside the drawing");
    }

    /// D5: a line has gaps where nobody knows, a day alone is a dash, and time runs as the language is read.
    #[test]
    fn lines_have_gaps_and_run_as_the_language_is_read() {
        let chart = of(Shape::Lines, &[&[Some(0), Some(10), None, Some(5), None]]);
        assert_eq!(lines(&chart, 10, false), ["M5 1000L15 60M31 530h8"]);
        assert_eq!(lines(&chart, 10, true), ["M45 1000L35 60M11 530h8"]);
    }

    /// D5, H3: the drawing has a name and a description, and every number stands in the table behind it.
    #[test]
    fn a_chart_is_named_and_has_its_table() {
        Owner::new().with(|| {
            let html = written(&of(Shape::Bars, &[&[Some(3), None]]), false);
            for part in [
                "role=\"img\" aria-labelledby=\"c-name c-about\"",
                "<title id=\"c-name\">A &amp; B</title>",
                "<desc id=\"c-about\">day 1 – day 2 · &lt;one>: 3!</desc>",
                "viewBox=\"0 0 20 1000\"",
                "<th scope=\"row\">day 1</th><td class=\"num\">3!</td>",
                "<th scope=\"row\">day 2</th><td class=\"num\">—</td>",
            ] {
                assert!(html.contains(part), "{part}: {html}");
            }
            assert!(!html.contains(" style="));
        });
    }

    /// D5, H4: where there is nothing to draw it says so, and draws nothing.
    #[test]
    fn a_chart_of_nothing_says_so() {
        Owner::new().with(|| {
            let nothing = written(&of(Shape::Bars, &[&[Some(0), None]]), false);
            assert!(nothing.contains("<p class=\"muted\">nothing</p>") && !nothing.contains("<svg"), "{nothing}");
            assert!(written(&of(Shape::Lines, &[&[Some(0)]]), false).contains("<svg"), "nobody is a number");
            assert!(!written(&of(Shape::Lines, &[&[None]]), false).contains("<svg"));
        });
    }
}
