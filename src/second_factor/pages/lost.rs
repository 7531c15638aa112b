//! Taking a lost second factor off somebody's account, on the page of that person.

use crate::base::language::td_string;
use leptos::prelude::*;

use crate::{
    base::{errors::AppError, ids::UserId, language},
    second_factor::reset_factor,
    ui::{
        address,
        calls::Call,
        dialog::Confirm,
        icons::{Icon, icon},
        is_live, locale,
        toasts::toasts,
    },
};

/// The button and its question. Whoever has to prove themselves first is led there and back.
#[component]
pub fn LostFactor(person: UserId, name: String) -> impl IntoView {
    let locale = locale();
    let (open, call, live, toasts) = (RwSignal::new(false), Call::new(), is_live(), toasts());
    let here = address::here();
    let title = td_string!(locale, second_factor.lost_title, name = language::isolate(&name)).to_string();
    let act = Callback::new(move |()| {
        call.run(reset_factor(person), move |()| {
            open.set(false);
            toasts.say(td_string!(locale, second_factor.lost_done));
        });
    });
    let prove = move || {
        (call.error.get() == Some(AppError::StepUp)).then(|| {
            let href = address::with_query("/reauthenticate", &[("next", &here.get())]);
            view! {
                <p><a class="btn primary" href=href rel="external">{td_string!(locale, second_factor.prove_title)}</a></p>
            }
        })
    };
    view! {
        <section class="stack" aria-labelledby="lost-title">
            <h2 id="lost-title">{td_string!(locale, second_factor.page)}</h2>
            <p class="muted">{td_string!(locale, second_factor.lost_about)}</p>
            {prove}
            <div class="row-of">
                <button class="btn" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
                    {icon(Icon::Lock)}
                    {td_string!(locale, second_factor.lost)}
                </button>
            </div>
            <Confirm
                id="lost-factor"
                open
                title
                about=td_string!(locale, second_factor.lost_about)
                word=td_string!(locale, second_factor.lost)
                danger=true
                call
                act
            />
        </section>
    }
    .into_any()
}
