//! Taking lost second factors off somebody's account, on the page of that person: their app and their passkeys at once.

use crate::base::language::td_string;
use leptos::{prelude::*, server_fn::codec::Json};

use crate::{
    base::{errors::AppError, ids::UserId, language},
    ui::{
        address,
        calls::Call,
        dialog::Confirm,
        icons::{Icon, icon},
        is_live, locale,
        toasts::toasts,
    },
};

/// Takes every second factor off somebody's account.
#[server(prefix = "/api", endpoint = "second-factor/reset", input = Json)]
pub async fn reset_factors(id: UserId) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::app::server::factors::reset_for(&cx, id).await
}

/// The button and its question. Whoever has to prove themselves first is led there and back.
#[component]
pub fn LostFactor(person: UserId, name: String) -> impl IntoView {
    let locale = locale();
    let (open, call, live, toasts) = (RwSignal::new(false), Call::new(), is_live(), toasts());
    let here = address::here();
    let title = td_string!(locale, second_factor.lost_title, name = language::isolate(&name)).to_string();
    let act = Callback::new(move |()| {
        call.run(reset_factors(person), move |()| {
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
