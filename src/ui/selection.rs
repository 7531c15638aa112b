//! Choosing several rows of a list: a box for each, one for the whole page, and a bar with what can be done to them.

use std::collections::BTreeSet;

use crate::base::language::td_string;
use leptos::prelude::*;

use crate::ui::{
    icons::{Icon, icon},
    is_live, locale,
};

/// The ids of the rows that are chosen. It belongs to the page and is forgotten with it.
#[derive(Clone, Copy, Default)]
pub struct Selection(RwSignal<BTreeSet<String>>);

impl Selection {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn count(self) -> usize {
        self.0.with(BTreeSet::len)
    }

    pub fn has(self, id: &str) -> bool {
        self.0.with(|chosen| chosen.contains(id))
    }

    pub fn ids(self) -> Vec<String> {
        self.0.with(|chosen| chosen.iter().cloned().collect())
    }

    pub fn clear(self) {
        self.0.set(BTreeSet::new());
    }

    /// Only rows that are on the page can be chosen.
    pub fn keep_to(self, ids: &[String]) {
        let kept = self.0.with_untracked(|chosen| chosen.iter().filter(|id| ids.contains(id)).cloned().collect());
        if self.0.with_untracked(|chosen| *chosen != kept) {
            self.0.set(kept);
        }
    }

    fn set(self, ids: &[String], chosen: bool) {
        self.0.update(|all| {
            for id in ids {
                if chosen {
                    all.insert(id.clone());
                } else {
                    all.remove(id);
                }
            }
        });
    }
}

/// The box of one row. `name` is what screen readers hear.
pub fn row_box(selection: Selection, id: String, name: &str) -> AnyView {
    let locale = locale();
    let live = is_live();
    let label = td_string!(locale, ui.select_row, name = name.to_owned()).to_string();
    let own = id.clone();
    view! {
        <input
            class="tick-box"
            type="checkbox"
            aria-label=label
            disabled=move || !live.get()
            prop:checked=move || selection.has(&own)
            on:change:target=move |event| selection.set(std::slice::from_ref(&id), event.target().checked())
        />
    }
    .into_any()
}

/// The box of the whole page: checked when every row is, half when some are.
pub fn page_box(selection: Selection, ids: Vec<String>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let ids = StoredValue::new(ids);
    let chosen = move || ids.with_value(|ids| ids.iter().filter(|id| selection.has(id)).count());
    let all = ids.with_value(Vec::len);
    view! {
        <input
            class="tick-box"
            type="checkbox"
            aria-label=td_string!(locale, ui.select_page)
            disabled=move || !live.get()
            prop:checked=move || chosen() == all
            prop:indeterminate=move || (1..all).contains(&chosen())
            on:change:target=move |event| ids.with_value(|ids| selection.set(ids, event.target().checked()))
        />
    }
    .into_any()
}

/// The bar that appears while something is chosen, with what can be done.
#[component]
pub fn SelectionBar(selection: Selection, children: Children) -> impl IntoView {
    let locale = locale();
    view! {
        <section class="bar" aria-label=td_string!(locale, ui.selection) hidden=move || selection.count() == 0>
            <span class="strong grow" role="status">
                {move || td_string!(locale, ui.selected, count = selection.count()).to_string()}
            </span>
            {children()}
            <button class="btn ghost sm" type="button" on:click=move |_| selection.clear()>
                {icon(Icon::Denied)}
                {td_string!(locale, ui.select_none)}
            </button>
        </section>
    }
    .into_any()
}
