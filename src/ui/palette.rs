//! One field that leads everywhere: what is typed is looked for among all that the reader may open or do.
//!
//! A combobox with its list inside a dialog: the focus stays in the field, arrows move the choice, Enter takes it.

use crate::base::language::td_string;
use leptos::{ev, html, prelude::*};

use crate::{
    base::{errors::AppError, language},
    ui::{
        browser,
        icons::{Icon, icon},
        locale, pieces,
    },
};

/// Where a choice leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A page of the console.
    Page(String),
    /// A page outside it.
    Outside(String),
    /// Something that is done; whoever draws the palette knows the name.
    Act(&'static str),
}

/// What stands below the title of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    Nothing,
    Text(String),
    Key(String),
}

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The word by which whoever draws the palette knows its kind again.
    pub kind: &'static str,
    pub sign: Icon,
    /// A name, or a sentence with names as `pieces::sentence` takes it.
    pub title: String,
    pub detail: Detail,
    pub way: Way,
}

/// Choices of one kind, with their heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub title: &'static str,
    pub entries: Vec<Entry>,
}

/// How well a text answers what was typed, both folded: 0 it begins with it, 1 one of its words does, 2 every typed word
/// stands somewhere in it. `None`: it is no answer.
pub fn rank(text: &str, typed: &str) -> Option<u8> {
    let typed = typed.trim();
    if text.starts_with(typed) {
        return Some(0);
    }
    let begins = text.split(|c: char| !c.is_alphanumeric()).any(|word| !word.is_empty() && word.starts_with(typed));
    if begins {
        return Some(1);
    }
    typed.split_whitespace().all(|word| text.contains(word)).then_some(2)
}

/// The best of `all` for what was typed, at most so many; those that answer equally well keep their order.
pub fn best<T: Clone>(all: &[(String, T)], typed: &str, most: usize) -> Vec<T> {
    let mut found = all.iter().filter_map(|(text, one)| Some((rank(text, typed)?, one))).collect::<Vec<_>>();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().take(most).map(|(_, one)| one.clone()).collect()
}

const LIST: &str = "palette-list";

fn option_id(at: usize) -> String {
    format!("palette-option-{at}")
}

/// The palette. It draws nothing before it is opened.
#[component]
pub fn Palette(
    open: RwSignal<bool>,
    /// What stands in the field.
    typed: RwSignal<String>,
    /// What there is to choose now.
    #[prop(into)]
    found: Signal<Vec<Group>>,
    /// Whether more is on its way.
    #[prop(into)]
    waiting: Signal<bool>,
    /// Why something could not be looked up.
    #[prop(into)]
    failed: Signal<Option<AppError>>,
    /// Called with what was chosen, before it is done.
    chosen: Callback<Entry>,
) -> impl IntoView {
    let locale = locale();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| browser::show_dialog(dialog, open.get()));
    let closed = move |_| {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            open.set(false);
        }
    };
    // The veil around the dialog belongs to it; what is inside covers the rest.
    let beside = move |event: ev::MouseEvent| {
        if event.target().is_some() && event.target() == event.current_target() {
            open.set(false);
        }
    };
    view! {
        <dialog
            class="palette"
            node_ref=dialog
            aria-label=td_string!(locale, ui.palette)
            on:close=closed
            on:click=beside
        >
            {move || open.get().then(|| inside(open, typed, found, waiting, failed, chosen))}
        </dialog>
    }
    .into_any()
}

fn inside(
    open: RwSignal<bool>,
    typed: RwSignal<String>,
    found: Signal<Vec<Group>>,
    waiting: Signal<bool>,
    failed: Signal<Option<AppError>>,
    chosen: Callback<Entry>,
) -> AnyView {
    let locale = locale();
    // What the arrows have reached; it is remembered by itself, since answers that arrive later move its place.
    let reached = RwSignal::new(None::<Way>);
    let ways = Memo::new(move |_| {
        found.with(|groups| {
            groups.iter().flat_map(|group| &group.entries).map(|entry| entry.way.clone()).collect::<Vec<_>>()
        })
    });
    let at = Memo::new(move |_| {
        ways.with(|ways| reached.with(|reached| ways.iter().position(|way| Some(way) == reached.as_ref()))).unwrap_or(0)
    });
    let count = move || ways.with(Vec::len);
    let is_any = move || count() > 0;
    let step = move |forward: bool| {
        let (all, now) = (untrack(count), at.get_untracked());
        if all == 0 {
            return;
        }
        let next = if forward { (now + 1) % all } else { (now + all - 1) % all };
        reached.set(ways.with_untracked(|ways| ways.get(next).cloned()));
        browser::show_in_list(&option_id(next));
    };
    let pressed = move |event: ev::KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        match event.key().as_str() {
            "ArrowDown" => step(true),
            "ArrowUp" => step(false),
            "Enter" => browser::press(&option_id(at.get_untracked())),
            _ => return,
        }
        event.prevent_default();
    };
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // Cannot fail for an element of the page.
            let _unused = field.focus();
            field.select();
        }
    });
    let said = move || {
        if waiting.get() { String::new() } else { td_string!(locale, ui.palette_count, count = count()).to_string() }
    };
    view! {
        <div class="palette-field">
            {icon(Icon::Search)}
            <input
                node_ref=field
                type="text"
                role="combobox"
                dir="auto"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                enterkeyhint="go"
                aria-label=td_string!(locale, ui.palette_field)
                aria-autocomplete="list"
                aria-controls=LIST
                aria-expanded=move || if is_any() { "true" } else { "false" }
                aria-activedescendant=move || is_any().then(|| option_id(at.get()))
                placeholder=td_string!(locale, ui.palette_field)
                prop:value=move || typed.get()
                on:input:target=move |event| {
                    reached.set(None);
                    typed.set(event.target().value());
                }
                on:keydown=pressed
            />
            <button class="round" type="button" on:click=move |_| open.set(false)>
                {icon(Icon::Denied)} <span class="away">{td_string!(locale, ui.close)}</span>
            </button>
        </div>
        <p class="away" role="status">{said}</p>
        {move || {
            failed
                .get()
                .map(|error| view! { <p class="palette-note wrong" role="alert">{pieces::sentence(&language::error(locale, &error))}</p> })
        }}
        <div class="palette-list" id=LIST role="listbox" aria-label=td_string!(locale, ui.palette_results)>
            {move || groups(found.get(), at, reached, open, chosen)}
        </div>
        {move || {
            let word = match (count(), waiting.get()) {
                (0, true) => td_string!(locale, ui.palette_waiting),
                (0, false) => td_string!(locale, ui.nothing_found),
                _ => return None,
            };
            Some(view! { <p class="palette-note muted" aria-hidden="true">{word}</p> })
        }}
        <p class="palette-keys small muted" aria-hidden="true">
            <span><kbd>"↑"</kbd> <kbd>"↓"</kbd> " " {td_string!(locale, ui.palette_move)}</span>
            <span><kbd>"Enter"</kbd> " " {td_string!(locale, ui.palette_open)}</span>
            <span><kbd>"Esc"</kbd> " " {td_string!(locale, ui.close)}</span>
        </p>
    }
    .into_any()
}

fn groups(
    found: Vec<Group>,
    at: Memo<usize>,
    reached: RwSignal<Option<Way>>,
    open: RwSignal<bool>,
    chosen: Callback<Entry>,
) -> AnyView {
    let mut place = 0;
    let drawn = found
        .into_iter()
        .enumerate()
        .map(|(number, group)| {
            let heading = format!("palette-group-{number}");
            let entries = group
                .entries
                .into_iter()
                .map(|entry| {
                    let drawn = option(entry, place, at, reached, open, chosen);
                    place += 1;
                    drawn
                })
                .collect::<Vec<_>>();
            view! {
                <div role="group" aria-labelledby=heading>
                    <p class="palette-group" id=heading.clone() role="presentation">{group.title}</p>
                    {entries}
                </div>
            }
        })
        .collect::<Vec<_>>();
    drawn.into_any()
}

fn option(
    entry: Entry,
    place: usize,
    at: Memo<usize>,
    reached: RwSignal<Option<Way>>,
    open: RwSignal<bool>,
    chosen: Callback<Entry>,
) -> AnyView {
    let id = option_id(place);
    let selected = move || if at.get() == place { "true" } else { "false" };
    let (href, outside) = match &entry.way {
        Way::Page(href) => (Some(href.clone()), None),
        Way::Outside(href) => (Some(href.clone()), Some("external")),
        Way::Act(_) => (None, None),
    };
    let detail = match entry.detail.clone() {
        Detail::Nothing => ().into_any(),
        Detail::Text(text) => view! { <span class="small muted">{pieces::typed(text)}</span> }.into_any(),
        Detail::Key(key) => view! { <span class="muted">{pieces::key(key)}</span> }.into_any(),
    };
    let words = view! {
        {icon(entry.sign)}
        <span class="about"><bdi>{pieces::sentence(&entry.title)}</bdi> " " {detail}</span>
    };
    let way = entry.way.clone();
    let over = move |_| reached.set(Some(way.clone()));
    // A link is followed by the browser and the router, which also ask whether the page may be left.
    let take = move |_| {
        chosen.run(entry.clone());
        open.set(false);
    };
    match href {
        Some(href) => view! {
            <a
                class="palette-option"
                id=id
                role="option"
                tabindex="-1"
                href=href
                rel=outside
                aria-selected=selected
                on:pointermove=over
                on:click=take
            >
                {words}
            </a>
        }
        .into_any(),
        None => view! {
            <div
                class="palette-option"
                id=id
                role="option"
                tabindex="-1"
                aria-selected=selected
                on:pointermove=over
                on:click=take
            >
                {words}
            </div>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_better_answer_than_a_part() {
        assert_eq!(rank("users.read see people", "users"), Some(0));
        assert_eq!(rank("users.read see people", "see pe"), Some(2), "words of the text are not one word");
        assert_eq!(rank("users.read see people", "peo"), Some(1));
        assert_eq!(rank("users.read see people", "ople use"), Some(2));
        assert_eq!(rank("users.read see people", "roles"), None);
    }

    #[test]
    fn equally_good_answers_keep_their_order() {
        let all = [("b one".to_owned(), 1), ("one".to_owned(), 2), ("c one".to_owned(), 3), ("two".to_owned(), 4)];
        assert_eq!(best(&all, "one", 2), [2, 1]);
        assert_eq!(best(&all, "", 9), [1, 2, 3, 4]);
    }
}
