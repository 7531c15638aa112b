//! Lists and what they show: tables, pages, long lists, differences.

use std::sync::Arc;

use leptos::prelude::*;

use super::wide;
use crate::{
    base::{language::td_string, paging::Page},
    ui::{
        diff::{Line, Side, diff},
        icons::Icon,
        list::{Empty, Place, list},
        locale,
        pieces::{key, nothing, typed},
        selection::{Item, Selection, SelectionBar},
        table::{Column, Sorted, table},
        virtual_list::{Place as Standing, VirtualList, Window},
    },
};

pub fn data() -> AnyView {
    let locale = locale();
    let line = |side: Side, value: AnyView| Line { side, name: key("department"), value };
    let lines = vec![
        line(Side::Was, typed(td_string!(locale, design.step_first))),
        line(Side::Is, typed(td_string!(locale, design.step_second))),
    ];
    let many = (0..8).map(|number| line(Side::Is, key(format!("reports.{number}")))).collect();
    let answers = [
        answer(vec![td_string!(locale, design.person), "Sara O'Neil"], false),
        answer(Vec::new(), false),
        answer(Vec::new(), true),
    ];
    view! {
        {wide("list, table, pager", answers.into_iter().collect_view().into_any())}
        {wide("Selection, SelectionBar", selected())}
        {wide("VirtualList", view! { {thousand()} {none()} }.into_any())}
        {wide("diff", view! { {diff(lines)} {diff(many)} }.into_any())}
    }
    .into_any()
}

/// A list with these rows, or what stands for none. Its errors are those of `failed`, and would be the page's own.
fn answer(items: Vec<&'static str>, is_filtered: bool) -> AnyView {
    let locale = locale();
    let here = "/console/design".to_owned();
    // Somewhere in the middle of the list, where there is a way to both ends.
    let is_later = !items.is_empty();
    let page = Ok(Page { items, next: Some("next".to_owned()) });
    let place = Place { is_filtered, all: here.clone(), is_later, at: |_: &str| "/console/design".to_owned() };
    let empty = Empty {
        sign: Icon::People,
        title: td_string!(locale, design.empty),
        about: td_string!(locale, design.empty_about),
        action: Some((here.clone(), td_string!(locale, design.act))),
    };
    list(page, place, empty, |rows| {
        let columns = [
            Column::new(td_string!(locale, design.column_name)).sorted(Sorted::Up, here.clone()),
            Column::new(td_string!(locale, design.column_key)).sorted(Sorted::Down, here.clone()),
            Column::new(td_string!(locale, design.column_more)).wide().sorted(Sorted::Not, here),
        ];
        let rows = rows
            .into_iter()
            .map(|name| {
                view! {
                    <tr>
                        <th scope="row">{typed(name)}</th>
                        <td>{key("users.read")}</td>
                        <td class="wide-only">{nothing()}</td>
                    </tr>
                }
                .into_any()
            })
            .collect();
        table(td_string!(locale, design.data), columns, rows)
    })
}

/// A table of which a row is selected, with the bar that says so.
fn selected() -> AnyView {
    let locale = locale();
    let names = [td_string!(locale, design.person), "Sara O'Neil", "Omar"];
    let item = |(at, name): (usize, &&str)| Item { id: format!("design-{at}"), name: (*name).to_owned() };
    let page = names.iter().enumerate().map(item).collect::<Arc<[_]>>();
    let selection = Selection::new(2);
    selection.set(&page[..1], true);
    let columns = [selection.column(Arc::clone(&page)), Column::new(td_string!(locale, design.column_name))];
    let rows = page.iter().enumerate().map(|(at, item)| {
        let id = item.id.clone();
        view! {
            <tr class:selected=move || selection.has(&id)>
                {selection.cell(Arc::clone(&page), at)} <th scope="row">{typed(item.name.clone())}</th>
            </tr>
        }
        .into_any()
    });
    let rows = rows.collect::<Vec<_>>();
    let said = Signal::derive(move || td_string!(locale, accounts.selected, count = selection.count()).to_string());
    view! {
        {table(td_string!(locale, design.data), columns, rows)}
        <SelectionBar selection said>
            <button class="btn primary sm" type="button">
                {td_string!(locale, design.act)}
            </button>
        </SelectionBar>
    }
    .into_any()
}

/// A thousand rows, of which only those in sight are drawn.
fn thousand() -> AnyView {
    let locale = locale();
    let rows = Signal::stored((1..=1_000).collect::<Vec<u32>>());
    let window = Window::new(rows, |_| false);
    view! {
        <p class="small muted" id="design-thousand">{td_string!(locale, design.thousand)}</p>
        <VirtualList
            window
            class="card design-thousand"
            labelled_by="design-thousand"
            rows
            key=u32::to_string
            draw=|place: Standing, number: u32| {
                view! {
                    <div class="padded" role="listitem" aria-posinset=place.number() aria-setsize=move || place.of()>
                        <a href="/console/design">{key(format!("reports.{number}"))}</a>
                    </div>
                }
                    .into_any()
            }
        />
    }
    .into_any()
}

/// The same without rows, as where a search finds none.
fn none() -> AnyView {
    let locale = locale();
    let rows = Signal::stored(Vec::<u32>::new());
    let window = Window::new(rows, |_| false);
    view! {
        <VirtualList
            window
            class="card design-none"
            labelled_by="design-none"
            rows
            key=u32::to_string
            draw=|_, _| ().into_any()
        />
        <p class="hint" id="design-none">{td_string!(locale, ui.nothing_found)}</p>
    }
    .into_any()
}
