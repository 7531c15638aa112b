//! Tables: columns whose heads are links that sort, and rows.

use crate::base::language::td_string;
use leptos::prelude::*;

use crate::ui::{
    icons::{Icon, icon},
    locale,
};

/// How a column is sorted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorted {
    Up,
    Down,
    Not,
}

/// The head of a column.
pub struct Column {
    word: &'static str,
    class: &'static str,
    sort: Option<(Sorted, String)>,
    /// What the head holds beside its word.
    body: Option<AnyView>,
}

impl Column {
    pub fn new(word: &'static str) -> Self {
        Column { word, class: "", sort: None, body: None }
    }

    /// A column whose head is more than a word.
    pub fn of(class: &'static str, body: AnyView) -> Self {
        Column { class, body: Some(body), ..Column::new("") }
    }

    /// A column for which a phone has no room.
    pub fn wide(self) -> Self {
        Column { class: "wide-only", ..self }
    }

    /// A column by which the list can be sorted; the address is that of the other order.
    pub fn sorted(self, sorted: Sorted, href: String) -> Self {
        Column { sort: Some((sorted, href)), ..self }
    }

    fn draw(self) -> AnyView {
        let locale = locale();
        let Some((sorted, href)) = self.sort else {
            return view! { <th scope="col" class=self.class>{self.word} {self.body}</th> }.into_any();
        };
        let (state, sign, class) = match sorted {
            Sorted::Up => (Some("ascending"), Icon::Up, "sort now"),
            Sorted::Down => (Some("descending"), Icon::Down, "sort now"),
            Sorted::Not => (None, Icon::Down, "sort"),
        };
        view! {
            <th scope="col" class=self.class aria-sort=state>
                <a class=class href=href data-noscroll="" title=td_string!(locale, ui.sort_by)>
                    {self.word} {icon(sign)}
                </a>
            </th>
        }
        .into_any()
    }
}

/// A table in a card. The caption is for screen readers; a heading of the page says the same.
pub fn table(caption: &'static str, columns: impl IntoIterator<Item = Column>, rows: Vec<AnyView>) -> AnyView {
    let heads = columns.into_iter().map(Column::draw).collect::<Vec<_>>();
    view! {
        <div class="card table-box">
            <table class="table">
                <caption class="away">{caption}</caption>
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
