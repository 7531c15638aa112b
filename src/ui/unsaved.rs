//! What is typed into a form and not saved yet: a reload, a step back and a proof of who one is give it back, and nobody
//! leaves it by mistake.

use leptos::{
    html::Div,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{Element, Event, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement},
};

use crate::{
    base::language::td_string,
    ui::{
        browser, locale,
        toasts::{Toasts, toasts},
    },
};

/// Before each field of what is written down, and between its name and what it holds: nobody types these.
const FIELD: &str = "\u{1e}";
const HOLDS: &str = "\u{1f}";

/// The fields within one place of a page, written down as they are typed in (H4).
#[derive(Clone, Copy)]
pub struct Unsaved {
    place: NodeRef<Div>,
    /// What the form is about. It stands in this tab's memory only, which signing out empties.
    name: StoredValue<String>,
    /// The version of it that is shown.
    version: i64,
    is_there: RwSignal<bool>,
}

impl Unsaved {
    /// Follows the fields in the element of [`Unsaved::place`]; the element calls [`Unsaved::write`] on its input.
    pub fn new(name: String, version: i64) -> Self {
        let unsaved =
            Unsaved { place: NodeRef::new(), name: StoredValue::new(name), version, is_there: RwSignal::new(false) };
        let toasts = toasts();
        browser::guard_leaving(unsaved.is_there.into(), td_string!(locale(), ui.leave_unsaved));
        Effect::new(move |_| {
            if let Some(place) = unsaved.place.get() {
                unsaved.read(&place, toasts);
            }
        });
        unsaved
    }

    /// The element around the fields.
    pub fn place(self) -> NodeRef<Div> {
        self.place
    }

    /// Writes down which fields hold something else than what is saved.
    pub fn write(self) {
        let Some(place) = self.place.try_get_untracked().flatten() else { return };
        let changed = fields(&place).into_iter().filter(|field| field.now() != field.saved());
        let changed = changed.map(|field| format!("{}{HOLDS}{}", field.name(), field.now()));
        let mut parts = vec![self.version.to_string()];
        parts.extend(changed);
        let is_there = parts.len() > 1;
        let text = if is_there { parts.join(FIELD) } else { String::new() };
        self.name.try_with_value(|name| browser::keep(&here(name), &text));
        self.is_there.try_set(is_there);
    }

    /// Nothing is unsaved any more: it was saved, or given up.
    pub fn forget(self) {
        self.name.try_with_value(|name| browser::keep(&here(name), ""));
        self.is_there.try_set(false);
    }

    /// Puts back what is saved: what was typed has gone another way.
    pub fn give_up(self) {
        if let Some(place) = self.place.try_get_untracked().flatten() {
            for field in fields(&place) {
                field.put(&field.saved());
            }
        }
        self.forget();
    }

    /// Puts back what was written down, and says so.
    fn read(self, place: &Element, toasts: Toasts) {
        let Some(kept) = self.name.with_value(|name| browser::kept(&here(name))) else { return };
        let mut parts = kept.split(FIELD);
        let is_of_this = parts.next().is_some_and(|version| version == self.version.to_string());
        let parts = parts.filter_map(|part| part.split_once(HOLDS)).collect::<Vec<_>>();
        let mut is_there = false;
        for field in fields(place) {
            let name = field.name();
            let held = parts.iter().find(|(of, _)| *of == name).map(|(_, held)| *held);
            // What was saved since then, by whomever, is not unsaved.
            if let Some(held) = held.filter(|held| *held != field.saved()) {
                field.put(held);
                is_there = true;
            }
        }
        if !is_there {
            return self.forget();
        }
        self.is_there.set(true);
        toasts.say_restored(!is_of_this);
    }
}

/// The name in this tenant: what was typed into one is not put into a form of another.
fn here(name: &str) -> String {
    format!("{}/{name}", browser::document_attribute("data-place").unwrap_or_default())
}

/// One field of a form.
enum Field {
    Tick(HtmlInputElement),
    Line(HtmlInputElement),
    Lines(HtmlTextAreaElement),
    Choice(HtmlSelectElement),
}

impl Field {
    fn of(element: Element) -> Option<Self> {
        let element = match element.dyn_into::<HtmlInputElement>() {
            Ok(input) => {
                return match input.type_().as_str() {
                    // A secret is not written down.
                    "password" | "file" | "hidden" => None,
                    "checkbox" | "radio" => Some(Field::Tick(input)),
                    _ => Some(Field::Line(input)),
                };
            }
            Err(element) => element,
        };
        let element = match element.dyn_into::<HtmlTextAreaElement>() {
            Ok(area) => return Some(Field::Lines(area)),
            Err(element) => element,
        };
        element.dyn_into::<HtmlSelectElement>().ok().map(Field::Choice)
    }

    /// Its name; boxes of the same name are told apart by what they stand for.
    fn name(&self) -> String {
        match self {
            Field::Tick(input) => [input.name(), input.value()].join(" "),
            Field::Line(input) => input.name(),
            Field::Lines(area) => area.name(),
            Field::Choice(select) => select.name(),
        }
    }

    fn now(&self) -> String {
        match self {
            Field::Tick(input) => ticked(input.checked()),
            Field::Line(input) => input.value(),
            Field::Lines(area) => area.value(),
            Field::Choice(select) => select.value(),
        }
    }

    /// What it held when the page was drawn.
    fn saved(&self) -> String {
        match self {
            Field::Tick(input) => ticked(input.default_checked()),
            Field::Line(input) => input.default_value(),
            Field::Lines(area) => area.default_value().unwrap_or_default(),
            Field::Choice(select) => {
                let drawn = |which: &str| select.query_selector(which).ok().flatten();
                let option = drawn("option[selected]").or_else(|| drawn("option"));
                option.and_then(|option| option.get_attribute("value")).unwrap_or_default()
            }
        }
    }

    /// As if it were typed: what follows the field hears of it.
    fn put(&self, text: &str) {
        let element: &Element = match self {
            Field::Tick(input) => {
                input.set_checked(!text.is_empty());
                input
            }
            Field::Line(input) => {
                input.set_value(text);
                input
            }
            Field::Lines(area) => {
                area.set_value(text);
                area
            }
            Field::Choice(select) => {
                select.set_value(text);
                select
            }
        };
        if let Ok(event) = Event::new("input") {
            // Fails for no event that has a name.
            let _unused = element.dispatch_event(&event);
        }
    }
}

fn ticked(yes: bool) -> String {
    if yes { "yes".to_owned() } else { String::new() }
}

/// The fields in a place that have a name.
fn fields(place: &Element) -> Vec<Field> {
    let all = place.get_elements_by_tag_name("*");
    let elements = (0..all.length()).filter_map(|at| all.item(at));
    elements.filter_map(Field::of).filter(|field| !field.name().starts_with(' ') && !field.name().is_empty()).collect()
}
