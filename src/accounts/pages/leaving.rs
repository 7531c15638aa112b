//! Asking that one's own account be deleted, and keeping it after all.

use leptos::{ev::SubmitEvent, prelude::*};

use super::label;
use crate::{
    accounts::{DeletionRequest, Leaving, PendingDeletion, calls::request_deletion},
    base::{errors::AppError, language::td_string},
    ui::{
        browser::Typed,
        calls::Call,
        dialog::Dialog,
        fields::{self, Field, field_error},
        icons::{Icon, icon},
        is_live, locale, pieces, states,
        toasts::toasts,
    },
};

/// The band above the account that waits to be deleted, with the form that keeps it. It works without scripts.
pub fn waiting(pending: &PendingDeletion) -> AnyView {
    let locale = locale();
    let words = view! {
        <p class="strong">{td_string!(locale, accounts.leave_waits)}</p>
        <p>
            {td_string!(locale, accounts.leave_due)} " " {pieces::exact_moment(pending.due_at)}
        </p>
        <p>{td_string!(locale, accounts.leave_usable)}</p>
        <form method="post" action="/console/account?tab=data">
            <button class="btn" type="submit" name="act" value="keep_account">
                {icon(Icon::Undo)}
                {td_string!(locale, accounts.leave_keep)}
            </button>
        </form>
    };
    view! { <section aria-label=td_string!(locale, accounts.leave_waits)>{states::notice(states::Mood::Waiting, words)}</section> }
        .into_any()
}

/// The card that asks for the deletion; while one waits the band says so, and there is nothing to ask for.
pub fn leave(answer: Result<Leaving, AppError>, asked: Callback<()>) -> AnyView {
    let locale = locale();
    let leaving = match answer {
        Ok(leaving) => leaving,
        Err(error) => return states::failed(&error),
    };
    let about = td_string!(locale, accounts.leave_about, count = leaving.wait_days).to_string();
    let act = leaving.pending.is_none().then(|| ask(about.clone(), asked));
    view! {
        <div class="card padded">
            <p>{about}</p>
            <p class="muted">{td_string!(locale, accounts.leave_effect)}</p>
            {act}
        </div>
    }
    .into_any()
}

fn ask(about: String, asked: Callback<()>) -> AnyView {
    let (locale, live) = (locale(), is_live());
    let (open, call, toasts) = (RwSignal::new(false), Call::new(), toasts());
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        call.run(request_deletion(DeletionRequest { email: typed.text("email") }), move |_pending| {
            open.set(false);
            toasts.say(td_string!(locale, accounts.leave_asked));
            asked.run(());
        });
    };
    view! {
        <div class="row-of">
            <button class="btn danger" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
                {icon(Icon::Remove)}
                {td_string!(locale, accounts.leave)}
            </button>
        </div>
        <Dialog id="leave-account" open title=td_string!(locale, accounts.leave_title)>
            <p>{about.clone()}</p>
            <p class="muted">{td_string!(locale, accounts.leave_effect)}</p>
            {fields::summary(call.error, label)}
            <form class="stack" on:submit=submit>
                <Field
                    name="email"
                    label=td_string!(locale, accounts.leave_type)
                    kind="email"
                    required=true
                    longest="254"
                    autocomplete="off"
                    ltr=true
                    error=field_error(call.error, "email")
                />
                <div class="row-of end">
                    <button class="btn" type="button" on:click=move |_| open.set(false)>
                        {td_string!(locale, ui.cancel)}
                    </button>
                    <button class="btn primary danger" type="submit" disabled=move || call.waits()>
                        {td_string!(locale, accounts.leave_submit)}
                    </button>
                </div>
            </form>
        </Dialog>
    }
    .into_any()
}
