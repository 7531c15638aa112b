//! One's own address and password: asking for another, and what the letters about it open.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    Sheet, email_field, form_error, new_password_field, of_link, outcome, owner_field, password_again_field,
    sent_notice, token_field, unusable_link,
};
use crate::{
    base::{errors::AppError, language::td_string},
    sessions::{LinkInfo, Me, me},
    ui::{
        address,
        fields::{Field, field_error},
        gate::Gate,
        locale, pieces, states,
    },
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

/// Asks for another address.
#[component]
pub fn EmailPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let sent = address::query_field("sent");
    let typed = address::query_field("email");
    let me = Resource::new_blocking(|| (), |()| me());
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
        <Gate>
            <Suspense fallback=move || states::loading(4)>
                {move || {
                    let form = form.clone();
                    let was_sent = sent.get().is_some();
                    Suspend::new(async move {
                        match me.await {
                            Ok(_) if was_sent => sent_notice(
                                td_string!(locale, sessions.email_title),
                                td_string!(locale, sessions.email_sent),
                                td_string!(locale, sessions.email_sent_about),
                            ),
                            Ok(me) => form(me),
                            Err(error) => states::failure(&error),
                        }
                    })
                }}
            </Suspense>
            {back()}
        </Gate>
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
    let body = if done.get_untracked().is_some() {
        done_notice(td_string!(locale, sessions.email_confirm_title), td_string!(locale, sessions.email_confirmed))
    } else {
        of_link("email-confirm", token, form, unusable)
    };
    view! {
        <Title text=td_string!(locale, sessions.email_confirm_title) />
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
    let me = Resource::new_blocking(|| (), |()| me());
    let form = move |me: Me| {
        let current = me.has_password.then(|| {
            view! {
                <Field
                    name="current_password"
                    label=td_string!(locale, sessions.current_password)
                    kind="password"
                    required=true
                    longest=super::PASSWORD_LONGEST
                    autocomplete="current-password"
                    ltr=true
                    error=field_error(error, "current_password")
                />
            }
        });
        view! {
            <h1>{td_string!(locale, sessions.password_title)}</h1>
            <Sheet error>
                {owner_field(me.email)}
                {current}
                {new_password_field(error, me.password_shortest)}
                {password_again_field(error)}
                <div class="check">
                    <input type="checkbox" id="end-sessions" name="end_sessions" value="yes" checked=true />
                    <label class="about" for="end-sessions">
                        {td_string!(locale, sessions.end_others)}
                        <span class="hint">{td_string!(locale, sessions.end_others_hint)}</span>
                    </label>
                </div>
                <button class="btn primary" type="submit">{td_string!(locale, sessions.reset_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.password_title) />
        <Gate>
            <Suspense fallback=move || states::loading(4)>
                {move || {
                    let was_done = done.get().is_some();
                    Suspend::new(async move {
                        match me.await {
                            Ok(_) if was_done => done_notice(
                                td_string!(locale, sessions.password_title),
                                td_string!(locale, sessions.password_done),
                            ),
                            Ok(me) => form(me),
                            Err(error) => states::failure(&error),
                        }
                    })
                }}
            </Suspense>
            {back()}
        </Gate>
    }
    .into_any()
}
