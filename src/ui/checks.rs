//! What the browser finds wrong with a field, in the language of the page.
//!
//! The rules stand on the inputs themselves, so that they hold without scripts, too. With scripts the browser's own words,
//! which are in the browser's language, give way to ours beside the field.

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use crate::{
    base::{errors::FieldCode, language},
    ui::locale,
};

/// What the browser has found wrong with one field.
#[derive(Clone, Copy)]
pub struct Check {
    found: RwSignal<Option<FieldCode>>,
    /// Nothing is said of a field in which nobody has typed yet.
    touched: StoredValue<bool>,
}

impl Check {
    pub fn new() -> Self {
        Check { found: RwSignal::new(None), touched: StoredValue::new(false) }
    }

    /// What is told beside the field: what the browser finds now, or else what the server has found.
    pub fn told(self, error: Signal<Option<String>>) -> Signal<Option<String>> {
        let locale = locale();
        Signal::derive(move || match self.found.get() {
            Some(code) => Some(language::field_error(locale, code)),
            None => error.get(),
        })
    }

    /// The form is not sent because of this field. The first of such fields gets the focus.
    pub fn refused(self, event: &web_sys::Event) {
        event.prevent_default();
        self.touched.try_set_value(true);
        if let Some(field) = field_of(event) {
            self.look(&field);
            focus_if_first(&field);
        }
    }

    /// Something was typed or chosen: what was wrong is looked at again.
    pub fn typed(self, event: &web_sys::Event) {
        self.touched.try_set_value(true);
        if let Some(field) = field_of(event).filter(|_| self.found.try_get_untracked().flatten().is_some()) {
            self.look(&field);
        }
    }

    /// The field was left; maybe because it goes, and then nothing is known of it any more.
    pub fn left(self, event: &web_sys::Event) {
        if let Some(field) = field_of(event).filter(|_| self.touched.try_get_value() == Some(true)) {
            after_press(move || self.look(&field));
        }
    }

    fn look(self, field: &web_sys::HtmlElement) {
        // The field may have gone while a press was waited for.
        self.found.try_set(wrong_with(field));
    }
}

impl Default for Check {
    fn default() -> Self {
        Self::new()
    }
}

fn field_of(event: &web_sys::Event) -> Option<web_sys::HtmlElement> {
    event.target()?.dyn_into().ok()
}

/// The first rule of its own that a field breaks.
#[cfg(feature = "hydrate")]
fn wrong_with(field: &web_sys::HtmlElement) -> Option<FieldCode> {
    let input = field.dyn_ref().map(web_sys::HtmlInputElement::validity);
    let select = || field.dyn_ref().map(web_sys::HtmlSelectElement::validity);
    let state = input.or_else(select).or_else(|| field.dyn_ref().map(web_sys::HtmlTextAreaElement::validity))?;
    if state.valid() {
        None
    } else if state.value_missing() {
        Some(FieldCode::Required)
    } else if state.too_short() {
        Some(FieldCode::TooShort)
    } else if state.too_long() {
        Some(FieldCode::TooLong)
    } else if state.range_underflow() || state.range_overflow() {
        Some(FieldCode::Range)
    } else {
        Some(FieldCode::Malformed)
    }
}

#[cfg(not(feature = "hydrate"))]
fn wrong_with(_field: &web_sys::HtmlElement) -> Option<FieldCode> {
    None
}

/// Goes to a field unless another one of its form stands before it and is wrong, too.
fn focus_if_first(field: &web_sys::HtmlElement) {
    let form = field.closest("form").ok().flatten();
    let first =
        form.and_then(|form| form.query_selector("input:invalid, select:invalid, textarea:invalid").ok().flatten());
    if first.is_none_or(|first| first.is_same_node(Some(field))) {
        // Cannot fail for an element of the page.
        let _unused = field.focus();
    }
}

/// Does something now, or, while a mouse or a finger presses, after the click that this becomes: words that come in between
/// would move what is pressed away from under it.
#[cfg(feature = "hydrate")]
fn after_press(act: impl FnOnce() + 'static) {
    use leptos::wasm_bindgen::closure::Closure;
    use std::time::Duration;
    if document().query_selector(":active").is_ok_and(|pressed| pressed.is_none()) {
        return act();
    }
    let once = web_sys::AddEventListenerOptions::new();
    once.set_once(true);
    let released = Closure::once_into_js(move || set_timeout(act, Duration::ZERO));
    // Fails for no event of this name.
    let _unused = window().add_event_listener_with_callback_and_add_event_listener_options(
        "pointerup",
        released.unchecked_ref(),
        &once,
    );
}

#[cfg(not(feature = "hydrate"))]
fn after_press(_act: impl FnOnce() + 'static) {}
