//! What only the browser can do. On the server each of these does nothing.

use leptos::{ev, html::Dialog, prelude::*, web_sys};

/// Tells style sheets and tests that the page can be used now.
pub fn mark_hydrated() {
    if let Some(root) = document().document_element() {
        // Cannot fail for a valid name, and nothing could be done if it did.
        let _unused = root.set_attribute("data-hydrated", "true");
    }
}

/// What the server wrote on the document itself.
pub fn document_attribute(name: &str) -> Option<String> {
    document().document_element()?.get_attribute(name)
}

/// Opens or closes a dialog over the whole page.
pub fn show_dialog(dialog: NodeRef<Dialog>, open: bool) {
    let Some(dialog) = dialog.get_untracked() else { return };
    if open && !dialog.open() {
        // Fails only for a dialog that is not in the page or open already.
        let _unused = dialog.show_modal();
    } else if !open && dialog.open() {
        dialog.close();
    }
}

/// Copies a text. The answer says whether the browser allowed it.
#[cfg(feature = "hydrate")]
pub async fn copy(text: String) -> bool {
    // Browsers offer the clipboard to pages of a secure origin only.
    if !window().is_secure_context() {
        return false;
    }
    let promise = window().navigator().clipboard().write_text(&text);
    leptos::__reexports::wasm_bindgen_futures::JsFuture::from(promise).await.is_ok()
}

/// Copies a text. The answer says whether the browser allowed it.
#[cfg(not(feature = "hydrate"))]
pub async fn copy(_text: String) -> bool {
    false
}

/// Prints the page.
pub fn print() {
    #[cfg(feature = "hydrate")]
    // Fails only where printing is forbidden, and then nothing is printed.
    let _unused = window().print();
}

/// Asks before the page is left while `dirty` holds: by closing it, and by a link of ours to another page.
pub fn guard_leaving(dirty: Signal<bool>, question: &'static str) {
    guard_links(dirty, question);
    Effect::new(move |_| {
        let handle = window_event_listener(ev::beforeunload, move |event| {
            if dirty.get_untracked() {
                event.prevent_default();
            }
        });
        on_cleanup(move || handle.remove());
    });
}

/// Catches a click on its way down, before the router sees it on its way up.
#[cfg(feature = "hydrate")]
fn guard_links(dirty: Signal<bool>, question: &'static str) {
    use leptos::wasm_bindgen::{JsCast, closure::Closure};
    let ask = move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let link = link.and_then(|link| link.dyn_into::<web_sys::HtmlAnchorElement>().ok());
        let here = window().location().pathname().unwrap_or_default();
        let leaves = link.is_some_and(|link| link.pathname() != here && link.target() != "_blank");
        if leaves && dirty.get_untracked() && !window().confirm_with_message(question).unwrap_or(true) {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    Effect::new(move |_| {
        let listener = Closure::<dyn Fn(web_sys::MouseEvent)>::new(ask);
        let listener = StoredValue::new_local(listener);
        listener.with_value(|listener| {
            let function = listener.as_ref().unchecked_ref();
            // Fails for no event of this name.
            let _unused = window().add_event_listener_with_callback_and_bool("click", function, true);
        });
        on_cleanup(move || {
            listener.try_with_value(|listener| {
                let function = listener.as_ref().unchecked_ref();
                let _unused = window().remove_event_listener_with_callback_and_bool("click", function, true);
            });
        });
    });
}

#[cfg(not(feature = "hydrate"))]
fn guard_links(_dirty: Signal<bool>, _question: &'static str) {}

/// What was typed into a form, by the name of its fields.
pub struct Typed(web_sys::FormData);

impl Typed {
    /// Reads the form that is being submitted, and keeps the browser from sending it.
    pub fn take(event: &web_sys::SubmitEvent) -> Option<Self> {
        use leptos::wasm_bindgen::JsCast;
        event.prevent_default();
        let form = event.target()?.dyn_into::<web_sys::HtmlFormElement>().ok()?;
        Some(Typed(web_sys::FormData::new_with_form(&form).ok()?))
    }

    /// The text of a field; empty when there is none.
    pub fn text(&self, name: &str) -> String {
        self.0.get(name).as_string().unwrap_or_default()
    }

    /// The text of a field that may stay empty.
    pub fn optional(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        (!text.trim().is_empty()).then_some(text)
    }

    /// All values of a field that may stand several times.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.get_all(name).iter().filter_map(|value| value.as_string()).collect()
    }
}
