//! A question over the page: the browser's own dialog, which keeps the focus inside and gives it back.

use leptos::{html, prelude::*};

use crate::base::language::td_string;
use crate::ui::{browser, calls::Call, fields, locale, pieces};

/// A dialog that is there while `open` holds. Escape closes it.
#[component]
pub fn Dialog(
    id: &'static str,
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let heading = move || format!("{id}-title");
    Effect::new(move |_| browser::show_dialog(dialog, open.get()));
    // The browser says so a moment later; meanwhile it may have been opened again.
    let closed = move |_| {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            open.set(false);
        }
    };
    view! {
        <dialog class="dialog" id=id node_ref=dialog aria-labelledby=heading() on:close=closed>
            {move || {
                open.get()
                    .then(|| {
                        view! {
                            <div>
                                <h2 id=heading()>{move || pieces::sentence(&title.get())}</h2>
                                {children()}
                            </div>
                        }
                    })
            }}
        </dialog>
    }
    .into_any()
}

/// The end of a form in a dialog: the way out, and the button that sends it, with the word for what it does.
pub fn form_end(open: RwSignal<bool>, call: Call, word: &'static str) -> AnyView {
    let locale = locale();
    view! {
        <div class="row-of end">
            <button class="btn" type="button" on:click=move |_| open.set(false)>
                {td_string!(locale, ui.cancel)}
            </button>
            <button class="btn primary" type="submit" disabled=move || call.waits()>
                {word}
            </button>
        </div>
    }
    .into_any()
}

/// What a confirmation does when it is confirmed.
pub type Act = Callback<()>;

/// A dialog that names an act and does it on a second press. It stays open with the error when the act fails.
#[component]
pub fn Confirm(
    id: &'static str,
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    #[prop(into)] about: String,
    /// The word on the button: the act itself, not "yes".
    word: &'static str,
    #[prop(optional)] danger: bool,
    call: Call,
    act: Act,
) -> impl IntoView {
    let locale = locale();
    let class = if danger { "btn primary danger" } else { "btn primary" };
    view! {
        <Dialog id open title>
            <p class="muted">{about.clone()}</p>
            {fields::summary(call.error, |_field| None)}
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, ui.cancel)}
                </button>
                <button class=class type="button" disabled=move || call.waits() on:click=move |_| act.run(())>
                    {word}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}
