//! What went and what came, line by line.

use crate::base::language::td_string;
use leptos::prelude::*;

use crate::ui::locale;

/// Whether a line tells of what was or of what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Was,
    Is,
}

/// One line: the name of what changed and its value.
pub struct Line {
    pub side: Side,
    pub name: AnyView,
    pub value: AnyView,
}

/// So many lines are shown at once; one more is not worth hiding.
const SHOWN: usize = 4;

/// The lines in a box. Where there are many, the rest is behind a word.
pub fn diff(mut lines: Vec<Line>) -> AnyView {
    let locale = locale();
    if lines.is_empty() {
        return ().into_any();
    }
    let rest = if lines.len() > SHOWN + 1 { lines.split_off(SHOWN) } else { Vec::new() };
    let count = rest.len();
    let draw = |lines: Vec<Line>| lines.into_iter().map(line).collect::<Vec<_>>();
    let more = (count > 0).then(|| {
        view! {
            <details class="diff-more">
                <summary>{td_string!(locale, ui.diff_more, count = count).to_string()}</summary>
                <ul class="diff" role="list">{draw(rest)}</ul>
            </details>
        }
    });
    view! {
        <ul class="diff" role="list">{draw(lines)}</ul>
        {more}
    }
    .into_any()
}

fn line(line: Line) -> AnyView {
    let locale = locale();
    let (class, sign, word) = match line.side {
        Side::Was => ("minus", "−", td_string!(locale, ui.diff_was)),
        Side::Is => ("plus", "+", td_string!(locale, ui.diff_is)),
    };
    view! {
        <li class=class>
            <span aria-hidden="true">{sign}</span>
            <span class="away">{word}</span>
            " "
            {line.name}
            {td_string!(locale, ui.colon)}
            " "
            {line.value}
        </li>
    }
    .into_any()
}
