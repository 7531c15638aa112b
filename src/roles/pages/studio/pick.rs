//! The catalogue of the studio: a list in which permissions are picked, dragged and given; for a group the roles.

use std::sync::Arc;

use crate::base::language::td_string;
use leptos::{ev::KeyboardEvent, prelude::*};

use super::{Aim, Studio};
use crate::{
    base::{habits, ids::RoleId},
    roles::{
        Catalogue,
        pages::catalogue::{self, Entry, Row, Search},
    },
    ui::{
        icons::{Icon, icon},
        is_arabic, is_live, locale, pieces,
        tri_state::Tri,
        virtual_list::Window,
    },
};

/// How many lines Page Up and Page Down go.
const PAGE: usize = 8;

pub fn pane(catalogue: Catalogue, of_roles: bool, studio: Studio) -> AnyView {
    let locale = locale();
    let search = Search::new();
    let (all, title, search_word) = if of_roles {
        (catalogue::plain_rows(&catalogue), td_string!(locale, roles.roles), td_string!(locale, roles.search_roles))
    } else {
        (catalogue::rows(&catalogue, true), td_string!(locale, roles.permissions), td_string!(locale, roles.search))
    };
    let all = StoredValue::new(all);
    let rows = Memo::new(move |_| all.with_value(|all| catalogue::found(all, search)));
    let rows = Signal::from(rows);
    let window = Window::new(rows, Row::is_head);
    // The line that the arrows have reached.
    let active = RwSignal::new(None::<usize>);
    search.when_changed(move || {
        window.rewind();
        active.set(None);
    });
    let active_id = move || {
        active
            .get()
            .and_then(|at| rows.with(|rows| rows.get(at).and_then(Row::entry).map(|entry| option_id(&entry.info.key))))
    };
    let go = move |at: usize| {
        active.set(Some(at));
        window.show(at);
    };
    // Only a part of the options is in the page, and each says where it stands among all of them.
    let standing = Memo::new(move |_| rows.with(|rows| standing(rows)));
    let pressed = move |event: KeyboardEvent| on_key(&event, rows, active, go, studio);
    let total = StoredValue::new(catalogue.len());
    view! {
        <div class="card-head">
            <h2 id="catalogue-title">{title}</h2>
            {pieces::badge(pieces::Tone::Neutral, None, habits::number(total.get_value()))}
        </div>
        <div class="pane-search">{catalogue::search_field(search, "catalogue-search", search_word)}</div>
        <div node_ref=studio.drag.source class="source">
            <div
                class="rows picks"
                role="listbox"
                tabindex="0"
                aria-multiselectable="true"
                aria-labelledby="catalogue-title"
                aria-describedby="catalogue-keys"
                aria-activedescendant=active_id
                node_ref=window.scroller
                on:scroll=move |_| window.scrolled()
                on:keydown=pressed
            >
                {window.rows(rows, Row::id, move |at, row| option(at, row, standing, active, studio))}
            </div>
        </div>
        {catalogue::nothing_found(Signal::derive(move || rows.with(Vec::is_empty)))}
        <p class="away" id="catalogue-keys">{td_string!(locale, roles.catalogue_keys)}</p>
        {give_buttons(studio)}
    }
    .into_any()
}

fn option_id(key: &str) -> String {
    format!("pick-{key}")
}

/// The lines that are more than headings, before and after a place.
fn next(rows: &[Row], from: Option<usize>, steps: isize) -> Option<usize> {
    let stops = rows.iter().enumerate().filter(|(_, row)| row.entry().is_some()).map(|(at, _)| at).collect::<Vec<_>>();
    let last = stops.len().checked_sub(1)?;
    let here = from.and_then(|from| stops.iter().position(|at| *at >= from));
    let at = match here {
        Some(here) => here.saturating_add_signed(steps).min(last),
        None if steps < 0 => last,
        None => 0,
    };
    stops.get(at).copied()
}

/// The keys of a list box with several choices (WAI-ARIA APG), and Enter, which gives.
fn on_key(
    event: &KeyboardEvent,
    rows: Signal<Vec<Row>>,
    active: RwSignal<Option<usize>>,
    go: impl Fn(usize),
    studio: Studio,
) {
    let page = isize::try_from(PAGE).unwrap_or(isize::MAX);
    let here = active.get_untracked();
    let target = rows.with_untracked(|rows| match event.key().as_str() {
        "ArrowDown" => next(rows, here, 1),
        "ArrowUp" => next(rows, here, -1),
        "PageDown" => next(rows, here, page),
        "PageUp" => next(rows, here, -page),
        "Home" => next(rows, Some(0), 0),
        "End" => next(rows, None, -1),
        _ => None,
    });
    if let Some(at) = target {
        event.prevent_default();
        go(at);
        return;
    }
    let current = here.and_then(|at| rows.with_untracked(|rows| rows.get(at).and_then(Row::entry).cloned()));
    match event.key().as_str() {
        " " => {
            event.prevent_default();
            if let Some(entry) = current {
                studio.toggle(&entry.info.key);
            }
        }
        "Enter" => {
            event.prevent_default();
            if studio.picked.with_untracked(Vec::is_empty) {
                if let Some(entry) = current {
                    studio.give(std::slice::from_ref(&entry.info.key), Tri::Allowed);
                }
            } else {
                studio.give_picked(Tri::Allowed);
            }
        }
        "Escape" if studio.picked.with_untracked(|picked| !picked.is_empty()) => {
            event.prevent_default();
            studio.picked.set(Vec::new());
            studio.say(td_string!(locale(), roles.said_none_picked).to_owned());
        }
        "a" | "A" if event.ctrl_key() || event.meta_key() => {
            event.prevent_default();
            let all = rows.with_untracked(|rows| {
                let items = rows.iter().filter(|row| !row.is_head()).filter_map(Row::entry);
                items.map(|entry| entry.info.key.clone()).filter(|key| key != "*").collect::<Vec<_>>()
            });
            let count = all.len();
            studio.picked.set(all);
            studio.say(td_string!(locale(), roles.picked_count, count = count).to_string());
        }
        _ => {}
    }
}

/// For each line, how many up to it are more than headings.
fn standing(rows: &[Row]) -> Vec<usize> {
    let mut count = 0;
    let counts = rows.iter().map(|row| {
        count += usize::from(row.entry().is_some());
        count
    });
    counts.collect()
}

fn option(at: usize, row: Row, standing: Memo<Vec<usize>>, active: RwSignal<Option<usize>>, studio: Studio) -> AnyView {
    let is_head = row.is_head();
    let title = match &row {
        Row::Head { resource, .. } => catalogue::group_title(resource),
        Row::Item(entry) => item(entry, studio),
    };
    let Some(entry) = row.entry().cloned() else {
        return view! { <div class="head" role="presentation">{title}</div> }.into_any();
    };
    let key: Arc<str> = Arc::from(entry.info.key.as_str());
    let is_picked = {
        let key = Arc::clone(&key);
        move || studio.picked.with(|picked| picked.iter().any(|one| **one == *key))
    };
    let is_carried = {
        let key = Arc::clone(&key);
        move || studio.drag.carried.with(|carried| carried.as_deref() == Some(&*key))
    };
    let label = if is_role(&key) { entry.name() } else { format!("{} {key}", entry.name()) };
    let picked = is_picked.clone();
    let class = if is_head { "head" } else { "pick" };
    let number =
        move || standing.with(|counts| counts.get(at).or(counts.last()).copied()).unwrap_or_default().to_string();
    let all = move || standing.with(|counts| counts.last().copied()).unwrap_or_default().to_string();
    // The heading of a group says in sight what it is about; picked it stands for all of it.
    let whole = is_head.then(|| view! { " " <span class="away">{entry.name()}</span> });
    let covers = is_head.then(|| {
        let words = td_string!(locale(), roles.covers_count, count = studio.covers(&key)).to_string();
        view! { <span class="small muted">{words}</span> }
    });
    let chosen = key.to_string();
    view! {
        <div
            class=class
            role="option"
            id=option_id(&key)
            title=label
            aria-selected=move || if picked() { "true" } else { "false" }
            aria-posinset=number
            aria-setsize=all
            class:active=move || active.get() == Some(at)
            class:carried=is_carried
            data-drag=key.to_string()
            on:click=move |_| {
                active.set(Some(at));
                studio.toggle(&chosen);
            }
        >
            <span class="grip" aria-hidden="true">{move || is_picked().then(|| icon(Icon::Allowed))}</span>
            <span class="about">{title} {whole}</span>
            {covers}
        </div>
    }
    .into_any()
}

/// A role is listed by its id, which tells nobody anything; no permission looks like one.
fn is_role(key: &str) -> bool {
    key.parse::<RoleId>().is_ok()
}

fn item(entry: &Entry, studio: Studio) -> AnyView {
    let key = entry.info.key.clone();
    let about = if is_role(&key) {
        pieces::typed(entry.info.description(is_arabic()))
    } else {
        // On the server nobody knows yet who will be worked on.
        let live = is_live();
        let covered = {
            let key = key.clone();
            move || {
                let words = if live.get() { studio.covering(&key) } else { None };
                words.map(|words| view! { " · " {pieces::sentence(&words)} })
            }
        };
        view! { {pieces::key(key)} {covered} }.into_any()
    };
    view! {
        <span class="one-line">{entry.name()}</span>
        <span class="one-line small muted">{about}</span>
    }
    .into_any()
}

/// What every drag can do, as buttons.
fn give_buttons(studio: Studio) -> AnyView {
    let locale = locale();
    let live = is_live();
    let count = Memo::new(move |_| studio.picked.with(Vec::len));
    let off = move || !live.get() || count.get() == 0 || !studio.may.get() || studio.aim.get() == Aim::Nobody;
    let hint = move || {
        if studio.aim.get() == Aim::Nobody {
            td_string!(locale, roles.choose_first).to_owned()
        } else {
            td_string!(locale, roles.picked_count, count = count.get()).to_string()
        }
    };
    view! {
        <div class="pane-foot">
            <span class="grow small muted">{hint}</span>
            <button class="btn ghost sm" type="button" hidden=move || count.get() == 0 on:click=move |_| studio.picked.set(Vec::new())>
                {td_string!(locale, roles.put_back)}
            </button>
            <button
                class="btn sm danger"
                type="button"
                hidden=move || !studio.may_be_denied()
                disabled=off
                on:click=move |_| studio.give_picked(Tri::Denied)
            >
                {td_string!(locale, roles.deny)}
            </button>
            <button class="btn sm primary" type="button" disabled=off on:click=move |_| studio.give_picked(Tri::Allowed)>
                {td_string!(locale, roles.give)}
            </button>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::PermissionInfo;

    #[test]
    fn arrows_stop_at_what_can_be_given_and_at_the_ends() {
        let info = |key: &str| PermissionInfo { key: key.to_owned(), ..PermissionInfo::default() };
        // Headings stand at 0 (`*`), 1 (no wildcard of its own) and 3 (`users.*`).
        let rows = catalogue::rows(&["*", "audit.read", "users.*", "users.read"].map(info).to_vec(), true);
        assert_eq!(next(&rows, None, 1), Some(0));
        assert_eq!(next(&rows, Some(0), 1), Some(2));
        assert_eq!(next(&rows, Some(2), 1), Some(3));
        assert_eq!(next(&rows, Some(4), 1), Some(4));
        assert_eq!(next(&rows, Some(2), -1), Some(0));
        assert_eq!(next(&rows, None, -1), Some(4));
        assert_eq!(next(&[], None, 1), None);
    }
}
