//! One's own address and password: asking for another, and what the letters about it open.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    Sheet, email_field, end_others_box, form_error, new_password_field, of_link, outcome, owner_field,
    password_again_field, secret_field, sent_notice, token_field, unusable_link,
};
use crate::{
    base::{errors::AppError, language::td_string},
    sessions::{LinkInfo, Me, me},
    ui::{address, gate::Gate, locale, pieces, states},
};

fn back() -> AnyView {
    let locale = locale();
    view! {
        <p class="row-of">
            <a href="/console/account" rel="external">{td_string!(locale, sessions.to_account)}</a>
        </p>
    }
    .into_any()
}

/// What stands on a page of one's own account: its form, or in its place what came of it.
fn of_me(
    done: Signal<Option<String>>,
    notice: impl Fn() -> AnyView + Copy + Send + Sync + 'static,
    form: impl Fn(Me) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView {
    let me = Resource::new_blocking(|| (), |()| me());
    view! {
        <Suspense fallback=move || states::loading(4)>
            {move || {
                let form = form.clone();
                let is_done = done.get().is_some();
                Suspend::new(async move {
                    match me.await {
                        Ok(_) if is_done => notice(),
                        Ok(me) => form(me),
                        Err(error) => states::failure(&error),
                    }
                })
            }}
        </Suspense>
        {back()}
    }
    .into_any()
}

/// Asks for another address.
#[component]
pub fn EmailPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let sent = address::query_field("sent");
    let typed = address::query_field("email");
    let notice = move || {
        sent_notice(
            td_string!(locale, sessions.email_title),
            td_string!(locale, sessions.email_sent),
            td_string!(locale, sessions.email_sent_about),
        )
    };
    let form = move |me: Me| {
        let value =
            if outcome.email.is_empty() { typed.get_untracked().unwrap_or_default() } else { outcome.email.clone() };
        view! {
            <h1>{td_string!(locale, sessions.email_title)}</h1>
            <p>{td_string!(locale, sessions.email_now)} " " {pieces::typed(me.email)}</p>
            <p class="muted">{td_string!(locale, sessions.email_about)}</p>
            <Sheet error>
                {email_field(value, error)}
                <button class="btn primary" type="submit">{td_string!(locale, sessions.email_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.email_title) />
        <Gate>{of_me(sent, notice, form)}</Gate>
    }
    .into_any()
}

/// What a form says that has confirmed one end while the other has not.
const WAITS: &str = "waits";

/// A notice of what is still owed, in the place of the form.
fn waits_notice(title: &'static str, about: &'static str) -> AnyView {
    view! {
        <h1>{title}</h1>
        <div role="status">{states::notice(states::Mood::Waiting, view! { <p>{about}</p> })}</div>
    }
    .into_any()
}

/// A notice of what a link has done, in the place of its form.
fn done_notice(title: &'static str, about: &'static str) -> AnyView {
    view! {
        <h1>{title}</h1>
        <div role="status">{states::notice(states::Mood::Good, view! { <p>{about}</p> })}</div>
    }
    .into_any()
}

fn unusable(error: &AppError) -> AnyView {
    let locale = locale();
    unusable_link(error, td_string!(locale, sessions.spent_title), td_string!(locale, sessions.email_spent_about))
}

/// The new mailbox confirms.
#[component]
pub fn EmailConfirmPage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let token = address::query_field("token");
    let done = address::query_field("done");
    let form = move |whom: LinkInfo| {
        view! {
            <h1>{td_string!(locale, sessions.email_confirm_title)}</h1>
            <p class="muted">
                {td_string!(locale, sessions.email_confirm_about)} " " {pieces::typed(whom.email.unwrap_or_default())}
            </p>
            <Sheet error>
                {token_field(token)}
                <button class="btn primary" type="submit">{td_string!(locale, sessions.email_confirm_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    let title = td_string!(locale, sessions.email_confirm_title);
    let body = match done.get_untracked().as_deref() {
        Some(WAITS) => waits_notice(title, td_string!(locale, sessions.email_confirm_waits)),
        Some(_) => done_notice(title, td_string!(locale, sessions.email_confirmed)),
        None => of_link("email-confirm", token, form, unusable),
    };
    view! {
        <Title text=td_string!(locale, sessions.email_confirm_title) />
        <Gate>{body} {back()}</Gate>
    }
    .into_any()
}

/// The old mailbox confirms, or calls it off; after it has confirmed it can still do that.
#[component]
pub fn EmailLeavePage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let token = address::query_field("token");
    let done = address::query_field("done");
    let title = td_string!(locale, sessions.email_leave_title);
    let form = move |whom: LinkInfo| {
        let confirm = (!whom.is_confirmed).then(|| {
            view! {
                <button class="btn primary" type="submit">{td_string!(locale, sessions.email_leave_submit)}</button>
            }
        });
        let confirmed = whom.is_confirmed.then(|| {
            let about = td_string!(locale, sessions.email_leave_confirmed);
            states::notice(states::Mood::Waiting, view! { <p>{about}</p> })
        });
        view! {
            <h1>{title}</h1>
            <p class="muted">
                {td_string!(locale, sessions.email_leave_about)} " " {pieces::typed(whom.email.unwrap_or_default())}
            </p>
            {confirmed}
            <Sheet error>
                {token_field(token)}
                {confirm}
                <button class="btn danger" type="submit" formaction="/email/cancel">
                    {td_string!(locale, sessions.email_cancel_submit)}
                </button>
            </Sheet>
        }
        .into_any()
    };
    let body = match done.get_untracked().as_deref() {
        Some(WAITS) => waits_notice(title, td_string!(locale, sessions.email_leave_waits)),
        Some(_) => done_notice(title, td_string!(locale, sessions.email_confirmed)),
        None => of_link("email-leave", token, form, unusable),
    };
    view! {
        <Title text=title />
        <Gate>{body} {back()}</Gate>
    }
    .into_any()
}

/// The old mailbox calls it off.
#[component]
pub fn EmailCancelPage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let token = address::query_field("token");
    let done = address::query_field("done");
    let form = move |whom: LinkInfo| {
        view! {
            <h1>{td_string!(locale, sessions.email_cancel_title)}</h1>
            <p class="muted">
                {td_string!(locale, sessions.email_cancel_about)} " " {pieces::typed(whom.email.unwrap_or_default())}
            </p>
            <Sheet error>
                {token_field(token)}
                <button class="btn primary danger" type="submit">
                    {td_string!(locale, sessions.email_cancel_submit)}
                </button>
            </Sheet>
        }
        .into_any()
    };
    let body = if done.get_untracked().is_some() {
        view! {
            {done_notice(td_string!(locale, sessions.email_cancel_title), td_string!(locale, sessions.email_cancelled))}
            <p class="row-of">
                <a class="btn" href="/forgot" rel="external">{td_string!(locale, sessions.forgot_title)}</a>
            </p>
        }
        .into_any()
    } else {
        of_link("email-cancel", token, form, unusable)
    };
    view! {
        <Title text=td_string!(locale, sessions.email_cancel_title) />
        <Gate>{body}</Gate>
    }
    .into_any()
}

/// Changes the password.
#[component]
pub fn PasswordPage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let done = address::query_field("done");
    let notice =
        move || done_notice(td_string!(locale, sessions.password_title), td_string!(locale, sessions.password_done));
    let form = move |me: Me| {
        let label = td_string!(locale, sessions.current_password);
        let current = me.has_password.then(|| secret_field("current_password", label, "current-password", error));
        view! {
            <h1>{td_string!(locale, sessions.password_title)}</h1>
            <Sheet error>
                {owner_field(me.email)}
                {current}
                {new_password_field(error, td_string!(locale, sessions.new_password), me.password_shortest)}
                {password_again_field(error)}
                {end_others_box()}
                <button class="btn primary" type="submit">{td_string!(locale, sessions.reset_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.password_title) />
        <Gate>{of_me(done, notice, form)}</Gate>
    }
    .into_any()
}
