//! What only the browser can do. On the server each of these does nothing.

use leptos::{ev, html::Dialog, prelude::*, web_sys};

/// Tells style sheets and tests that the page can be used now.
pub fn mark_hydrated() {
    if let Some(root) = document().document_element() {
        // Cannot fail for a valid name, and nothing could be done if it did.
        let _unused = root.set_attribute("data-hydrated", "true");
    }
}

/// Whether the device says that it has no network. That it has one does not mean that the server can be reached. The
/// server draws for those who reach it.
pub fn is_offline() -> bool {
    cfg!(feature = "hydrate") && !window().navigator().on_line()
}

/// Moves what scrolls along with a mouse that drags the ground of it. A finger and the keyboard scroll by themselves.
#[cfg(feature = "hydrate")]
pub fn pan(event: &ev::PointerEvent) {
    use leptos::wasm_bindgen::JsCast;
    let dragged = event.buttons() == 1 && event.pointer_type() == "mouse";
    let ground = event.current_target().and_then(|ground| ground.dyn_into::<web_sys::Element>().ok());
    if let Some(ground) = ground.filter(|_| dragged) {
        ground.scroll_by_with_x_and_y(-f64::from(event.movement_x()), -f64::from(event.movement_y()));
    }
}

#[cfg(not(feature = "hydrate"))]
pub fn pan(_event: &ev::PointerEvent) {}

/// Has the browser keep the files that every page needs, and a page for when there is no network. It is a convenience:
/// where it fails the product works as well.
#[cfg(feature = "hydrate")]
pub fn keep_shell() {
    use leptos::{__reexports::wasm_bindgen_futures::JsFuture, task::spawn_local, web_sys::js_sys::Reflect};
    let navigator = window().navigator();
    // Absent on pages of an insecure origin, and where a person or an organisation has switched it off.
    if !Reflect::has(&navigator, &"serviceWorker".into()).unwrap_or(false) {
        return;
    }
    let registration = navigator.service_worker().register("/sw.js");
    spawn_local(async move {
        let _unused = JsFuture::from(registration).await;
    });
}

#[cfg(not(feature = "hydrate"))]
pub fn keep_shell() {}

/// What the server wrote on the document itself.
pub fn document_attribute(name: &str) -> Option<String> {
    document().document_element()?.get_attribute(name)
}

/// Writes or takes away what [`document_attribute`] reads.
pub fn set_document_attribute(name: &str, value: Option<&str>) {
    let Some(root) = document().document_element() else { return };
    // Neither fails for a valid name.
    let _unused = match value {
        Some(value) => root.set_attribute(name, value),
        None => root.remove_attribute(name),
    };
}

fn element(id: &str) -> Option<web_sys::HtmlElement> {
    use leptos::wasm_bindgen::JsCast;
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// What stands in a field at this moment.
pub fn value_of(id: &str) -> Option<String> {
    use leptos::wasm_bindgen::JsCast;
    Some(document().get_element_by_id(id)?.dyn_into::<web_sys::HtmlInputElement>().ok()?.value())
}

/// Whether something happened in a field of one line.
pub fn is_in_line(event: &ev::KeyboardEvent) -> bool {
    use leptos::wasm_bindgen::JsCast;
    event.target().is_some_and(|target| target.has_type::<web_sys::HtmlInputElement>())
}

/// What stands in a field of several lines, also before the page has come to life.
#[cfg(feature = "hydrate")]
pub fn lines_of(id: &str) -> Option<String> {
    use leptos::wasm_bindgen::JsCast;
    Some(document().get_element_by_id(id)?.dyn_into::<web_sys::HtmlTextAreaElement>().ok()?.value())
}

#[cfg(not(feature = "hydrate"))]
pub fn lines_of(_id: &str) -> Option<String> {
    None
}

/// How far a puzzle is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Solving {
    /// So many hundredths were tried.
    Part(u8),
    /// The solution as it is sent back.
    Done(String),
    /// This browser does not do it.
    Failed,
}

/// Has a worker solve a puzzle beside the page.
#[cfg(feature = "hydrate")]
pub fn solve(puzzle: &crate::base::puzzle::Puzzle, tell: impl Fn(Solving) + 'static) {
    use leptos::wasm_bindgen::{JsCast, closure::Closure};
    let (Ok(worker), Ok(written)) = (web_sys::Worker::new("/puzzle.js"), serde_json::to_string(puzzle)) else {
        return tell(Solving::Failed);
    };
    let hear = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
        let said = event.data().as_string().unwrap_or_default();
        tell(match said.split_once(' ') {
            Some(("part", part)) => Solving::Part(part.parse().unwrap_or_default()),
            Some(("done", solution)) => Solving::Done(solution.to_owned()),
            _ => Solving::Failed,
        });
    });
    worker.set_onmessage(Some(hear.as_ref().unchecked_ref()));
    // It speaks for as long as the page stands.
    hear.forget();
    // Fails for what cannot be copied; a text can.
    let _unused = worker.post_message(&written.into());
}

#[cfg(not(feature = "hydrate"))]
pub fn solve(_puzzle: &crate::base::puzzle::Puzzle, _tell: impl Fn(Solving) + 'static) {}

/// Has the browser refuse a form while the file that was chosen in a field is larger than `most` bytes, in these words. The
/// server would not even receive it.
#[cfg(feature = "hydrate")]
pub fn refuse_large_file(event: &ev::Event, most: f64, words: &str) {
    use leptos::wasm_bindgen::JsCast;
    let field = event.target().and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
    let Some(field) = field else { return };
    let file = field.files().and_then(|files| files.get(0));
    field.set_custom_validity(if file.is_some_and(|file| file.size() > most) { words } else { "" });
}

#[cfg(not(feature = "hydrate"))]
pub fn refuse_large_file(_event: &ev::Event, _most: f64, _words: &str) {}

/// Does what a click on the element would do: follows a link, sends a form.
pub fn press(id: &str) {
    if let Some(element) = element(id) {
        element.click();
    }
}

/// Moves the focus to an element.
pub fn focus(id: &str) {
    if let Some(element) = element(id) {
        // Cannot fail for an element of the page.
        let _unused = element.focus();
    }
}

/// Closes a popover that is open.
pub fn hide_popover(id: &str) {
    if let Some(element) = element(id) {
        // Fails where there is nothing to close.
        let _unused = element.hide_popover();
    }
}

/// Scrolls a list just far enough to show one of its lines.
#[cfg(feature = "hydrate")]
pub fn show_in_list(id: &str) {
    let options = web_sys::ScrollIntoViewOptions::new();
    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
    if let Some(element) = element(id) {
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

#[cfg(not(feature = "hydrate"))]
pub fn show_in_list(_id: &str) {}

/// Sends fields of a form without waiting for the answer.
#[cfg(feature = "hydrate")]
pub fn tell(path: &str, fields: &[(&str, &str)]) {
    let Ok(form) = web_sys::UrlSearchParams::new() else { return };
    for (name, value) in fields {
        form.append(name, value);
    }
    // It is a preference: one that could not be sent is chosen again.
    let _unused = window().navigator().send_beacon_with_opt_url_search_params(path, Some(&form));
}

#[cfg(not(feature = "hydrate"))]
pub fn tell(_path: &str, _fields: &[(&str, &str)]) {}

/// Whether a dialog lies over the page and waits for an answer.
pub fn is_dialog_open() -> bool {
    document().query_selector("dialog:modal").is_ok_and(|dialog| dialog.is_some())
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

/// Keeps a text for as long as this tab lives. An empty one is forgotten.
#[cfg(feature = "hydrate")]
pub fn keep(name: &str, text: &str) {
    let Some(storage) = window().session_storage().ok().flatten() else { return };
    // Fails where the browser keeps nothing for pages; then there is nothing to be done.
    let _unused = if text.is_empty() { storage.remove_item(name) } else { storage.set_item(name, text) };
}

/// Keeps a text for as long as this tab lives. An empty one is forgotten.
#[cfg(not(feature = "hydrate"))]
pub fn keep(_name: &str, _text: &str) {}

/// What was kept under this name.
#[cfg(feature = "hydrate")]
pub fn kept(name: &str) -> Option<String> {
    window().session_storage().ok().flatten()?.get_item(name).ok().flatten()
}

/// What was kept under this name.
#[cfg(not(feature = "hydrate"))]
pub fn kept(_name: &str) -> Option<String> {
    None
}

/// Forgets everything that this tab has kept: the next person at it may be another one.
pub fn forget_all() {
    #[cfg(feature = "hydrate")]
    if let Some(storage) = window().session_storage().ok().flatten() {
        // Cannot fail where there is a storage.
        let _unused = storage.clear();
    }
}

/// The time by this machine's clock. Only for suggestions: what counts is the server's.
pub fn about_now() -> crate::base::time::Timestamp {
    #[cfg(feature = "hydrate")]
    let milliseconds = web_sys::js_sys::Date::now();
    #[cfg(not(feature = "hydrate"))]
    let milliseconds = 0.0_f64;
    #[expect(clippy::cast_possible_truncation, reason = "the time in microseconds fits for another 292,000 years")]
    crate::base::time::Timestamp((milliseconds * 1_000.0) as i64)
}

/// Goes to another page by loading it anew: who is signed in may have changed.
pub fn leave_for(address: &str) {
    // Fails only for what is no address.
    let _unused = window().location().assign(address);
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

/// Whether what is worked on at one address, a path with its query, is left by going to another: to another page, or to
/// another person or role on the same one.
#[cfg(any(test, feature = "hydrate"))]
fn leaves(from: (&str, &str), to: (&str, &str)) -> bool {
    fn field<'a>(query: &'a str, name: &str) -> Option<&'a str> {
        let mut fields = query.trim_start_matches('?').split('&');
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    }
    from.0 != to.0 || ["person", "role"].iter().any(|name| field(from.1, name) != field(to.1, name))
}

/// Catches a click on its way down, before the router sees it on its way up.
#[cfg(feature = "hydrate")]
fn guard_links(dirty: Signal<bool>, question: &'static str) {
    use leptos::wasm_bindgen::{JsCast, closure::Closure};
    let ask = move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let link = link.and_then(|link| link.dyn_into::<web_sys::HtmlAnchorElement>().ok());
        let (path, query) = (window().location().pathname(), window().location().search());
        let (path, query) = (path.unwrap_or_default(), query.unwrap_or_default());
        let leaves = link.is_some_and(|link| {
            link.target() != "_blank" && leaves((&path, &query), (&link.pathname(), &link.search()))
        });
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
        Self::of(&event.target()?.dyn_into::<web_sys::HtmlFormElement>().ok()?)
    }

    /// Reads a form as it stands, without its being submitted.
    pub fn of(form: &web_sys::HtmlFormElement) -> Option<Self> {
        Some(Typed(web_sys::FormData::new_with_form(form).ok()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_person_or_role_on_the_same_page_is_another_thing() {
        let studio = "/console/studio";
        assert!(leaves((studio, "?person=1"), ("/console/people", "")));
        assert!(leaves((studio, "?person=1"), (studio, "")));
        assert!(leaves((studio, "?person=1"), (studio, "?person=2&tab=roles")));
        assert!(leaves((studio, "?person=1"), (studio, "?role=1")));
        assert!(!leaves((studio, "?person=1"), (studio, "?tab=roles&person=1")));
        assert!(!leaves(("/console/people/1", "?tab=roles"), ("/console/people/1", "")));
    }
}
