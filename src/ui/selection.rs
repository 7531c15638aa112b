//! Rows that are selected: by mouse, keyboard and touch, kept while the list is paged, sorted and filtered.
//!
//! Shift takes everything from the row before along; arrows go from row to row. Without scripts the boxes are off.

use std::sync::Arc;

use leptos::{ev, prelude::*, web_sys};

use crate::{
    base::language::{self, td_string},
    ui::{
        browser,
        icons::{Icon, icon},
        is_live, locale, pieces,
        table::Column,
    },
};

/// A row that can be selected, by what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    pub name: String,
}

/// What is selected, in the order in which it was.
#[derive(Clone, Copy)]
pub struct Selection {
    chosen: RwSignal<Vec<Item>>,
    /// The row that was pressed last: where a range begins.
    anchor: StoredValue<Option<String>>,
    /// Shift is held with the space bar. The click that follows does not tell it in every browser.
    shifted: StoredValue<bool>,
    most: usize,
    /// Something was left out because there are as many as there may be.
    is_full: RwSignal<bool>,
}

impl Selection {
    /// Nothing yet, and at most so many.
    pub fn new(most: usize) -> Self {
        Selection {
            chosen: RwSignal::new(Vec::new()),
            anchor: StoredValue::new(None),
            shifted: StoredValue::new(false),
            most,
            is_full: RwSignal::new(false),
        }
    }

    pub fn count(self) -> usize {
        self.chosen.with(Vec::len)
    }

    pub fn has(self, id: &str) -> bool {
        self.chosen.with(|chosen| chosen.iter().any(|item| item.id == id))
    }

    /// All of it.
    pub fn items(self) -> Vec<Item> {
        self.chosen.get()
    }

    pub fn clear(self) {
        self.chosen.set(Vec::new());
        self.is_full.set(false);
        self.anchor.set_value(None);
    }

    /// Selects rows, or no longer.
    pub fn set(self, items: &[Item], on: bool) {
        let full = self.chosen.try_update(|chosen| put(chosen, items, on, self.most));
        self.is_full.set(full.unwrap_or_default());
    }

    /// A row was pressed: with `range` all between it and the one before become as it.
    fn press(self, page: &[Item], id: &str, on: bool, range: bool) {
        let anchor = self.anchor.get_value().filter(|_| range);
        self.set(between(page, anchor.as_deref(), id), on);
        self.anchor.set_value(Some(id.to_owned()));
    }

    /// The head of the column with the boxes: a box for all rows of the page.
    pub fn column(self, page: Arc<[Item]>) -> Column {
        let (locale, live) = (locale(), is_live());
        let (of_some, of_all) = (Arc::clone(&page), Arc::clone(&page));
        let all = move || of_all.iter().all(|item| self.has(&item.id));
        let is_all = all.clone();
        let some = move || of_some.iter().any(|item| self.has(&item.id)) && !is_all();
        let change = move |event: web_sys::Event| {
            use leptos::wasm_bindgen::JsCast;
            let Some(target) = event.target().and_then(|it| it.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
                return;
            };
            self.set(&page, target.checked());
            // Where not all of them had room.
            target.set_checked(untrack(|| page.iter().all(|item| self.has(&item.id))));
        };
        Column::of(
            "selects",
            view! {
                <label>
                    <input
                        type="checkbox"
                        disabled=move || !live.get()
                        prop:checked=all
                        prop:indeterminate=some
                        on:change=change
                    />
                    <span class="away">{td_string!(locale, ui.select_page)}</span>
                </label>
            }
            .into_any(),
        )
    }

    /// The box of a row.
    pub fn cell(self, page: Arc<[Item]>, at: usize) -> AnyView {
        let (locale, live) = (locale(), is_live());
        let Some(item) = page.get(at).cloned() else { return ().into_any() };
        let is_on = {
            let id = item.id.clone();
            move || self.has(&id)
        };
        let id = item.id.clone();
        let rows = Arc::clone(&page);
        let click = move |event: ev::MouseEvent| {
            use leptos::wasm_bindgen::JsCast;
            let Some(target) = event.target().and_then(|it| it.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
                return;
            };
            let range = event.shift_key() || self.shifted.get_value();
            self.shifted.set_value(false);
            self.press(&rows, &id, target.checked(), range);
            // Where there was no room for it.
            target.set_checked(untrack(|| self.has(&id)));
        };
        let own = item.id.clone();
        let key = move |event: ev::KeyboardEvent| {
            let to = match event.key().as_str() {
                " " => {
                    self.shifted.set_value(event.shift_key());
                    return;
                }
                "ArrowDown" => page.get(at + 1),
                "ArrowUp" => at.checked_sub(1).and_then(|above| page.get(above)),
                "Escape" => {
                    self.clear();
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            let Some(to) = to else { return };
            if event.shift_key() {
                // Whoever begins with it takes the row along from which they go.
                self.set(between(&page, Some(&own), &to.id), true);
                self.anchor.set_value(Some(to.id.clone()));
            }
            browser::focus(&input_id(&to.id));
        };
        let label = td_string!(locale, ui.select_row, name = language::isolate(&item.name)).to_string();
        view! {
            <td class="selects">
                <label>
                    <input
                        type="checkbox"
                        id=input_id(&item.id)
                        disabled=move || !live.get()
                        prop:checked=is_on
                        on:click=click
                        on:keydown=key
                    />
                    <span class="away">{pieces::sentence(&label)}</span>
                </label>
            </td>
        }
        .into_any()
    }
}

fn input_id(id: &str) -> String {
    format!("select-{id}")
}

/// The rows from one to another of the same page, both of them; the second alone where the first is not there.
fn between<'a>(page: &'a [Item], from: Option<&str>, to: &str) -> &'a [Item] {
    let place = |id: &str| page.iter().position(|item| item.id == id);
    let Some(to) = place(to) else { return &[] };
    let from = from.and_then(place).unwrap_or(to);
    page.get(from.min(to)..=from.max(to)).unwrap_or_default()
}

/// Adds or takes away; whether something had no room.
fn put(chosen: &mut Vec<Item>, items: &[Item], on: bool, most: usize) -> bool {
    if !on {
        chosen.retain(|item| !items.iter().any(|gone| gone.id == item.id));
        return false;
    }
    for item in items {
        if chosen.iter().any(|has| has.id == item.id) {
            continue;
        }
        if chosen.len() >= most {
            return true;
        }
        chosen.push(item.clone());
    }
    false
}

/// Says how much is selected, with what can be done. It shows itself while there is something.
#[component]
pub fn SelectionBar(
    selection: Selection,
    /// How much it is, in words.
    #[prop(into)]
    said: Signal<String>,
    children: Children,
) -> impl IntoView {
    let locale = locale();
    let full = move || {
        let words = || td_string!(locale, ui.selection_full, most = selection.most).to_string();
        selection.is_full.get().then(|| view! { " " <span class="small">{words()}</span> })
    };
    let clear = move |_| {
        selection.clear();
        // The bar goes, and with it the button that has the focus.
        request_animation_frame(|| browser::focus("main"));
    };
    view! {
        <section class="bar" aria-label=td_string!(locale, ui.selection) hidden=move || selection.count() == 0>
            <span class="grow" role="status">
                <span class="strong">{move || (selection.count() > 0).then(|| said.get())}</span>
                {full}
            </span>
            <button class="btn ghost sm" type="button" on:click=clear>
                {icon(Icon::Denied)}
                {td_string!(locale, ui.selection_clear)}
            </button>
            {children()}
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Vec<Item> {
        ["a", "b", "c", "d"].map(|id| Item { id: id.to_owned(), name: id.to_uppercase() }).to_vec()
    }

    fn ids(items: &[Item]) -> String {
        items.iter().map(|item| item.id.as_str()).collect()
    }

    #[test]
    fn a_range_goes_both_ways_and_begins_on_the_same_page() {
        let page = page();
        assert_eq!(ids(between(&page, Some("b"), "d")), "bcd");
        assert_eq!(ids(between(&page, Some("d"), "b")), "bcd");
        assert_eq!(ids(between(&page, None, "c")), "c");
        assert_eq!(ids(between(&page, Some("elsewhere"), "c")), "c");
        assert_eq!(ids(between(&page, Some("a"), "elsewhere")), "");
    }

    #[test]
    fn what_is_selected_stands_once_and_never_beyond_the_bound() {
        let mut chosen = Vec::new();
        assert!(!put(&mut chosen, &page()[1..3], true, 3));
        assert!(!put(&mut chosen, &page()[..3], true, 3), "two of them are there already");
        assert_eq!(ids(&chosen), "bca");
        assert!(put(&mut chosen, &page(), true, 3), "no room for the last");
        assert_eq!(ids(&chosen), "bca");
        assert!(!put(&mut chosen, &page()[..2], false, 3));
        assert_eq!(ids(&chosen), "c");
    }
}
