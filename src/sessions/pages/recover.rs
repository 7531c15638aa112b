//! The way back in for who has forgotten their password: a link in the mailbox, and a new password.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{PASSWORD_LONGEST, PASSWORD_SHORTEST, Sheet, ask_mailbox, form_error, outcome, sent_notice, unusable_link};
use crate::{
    sessions::{LinkInfo, look_at_link},
    ui::{
        address,
        fields::{Field, field_error},
        gate::Gate,
        locale, pieces, states,
    },
};

#[component]
pub fn ForgotPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let sent = address::query_field("sent");
    let body = move || match sent.get() {
        Some(_) => sent_notice(
            td_string!(locale, sessions.forgot_page),
            td_string!(locale, sessions.forgot_sent),
            td_string!(locale, sessions.forgot_sent_about),
        ),
        None => ask_mailbox(
            &outcome,
            td_string!(locale, sessions.forgot_title),
            td_string!(locale, sessions.forgot_about),
            td_string!(locale, sessions.forgot_submit),
        ),
    };
    view! {
        <Title text=td_string!(locale, sessions.forgot_page) />
        <Gate>
            {body}
            <p class="row-of">
                <a href="/login" rel="external">{td_string!(locale, sessions.back_to_login)}</a>
            </p>
        </Gate>
    }
    .into_any()
}

#[component]
pub fn ResetPage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let token = address::query_field("token");
    let link = Resource::new_blocking(
        move || token.get().unwrap_or_default(),
        |token| look_at_link("reset".to_owned(), token),
    );
    let form = move |whom: LinkInfo| {
        let email = whom.email.unwrap_or_default();
        view! {
            <h1>{td_string!(locale, sessions.reset_title)}</h1>
            <p class="muted">{td_string!(locale, sessions.reset_about)} " " {pieces::typed(email.clone())}</p>
            <Sheet error>
                <input type="hidden" name="token" value=move || token.get() />
                // Tells password managers whose password this is.
                <input type="email" value=email autocomplete="username" readonly=true hidden=true />
                <Field
                    name="password"
                    label=td_string!(locale, sessions.password)
                    kind="password"
                    required=true
                    shortest=PASSWORD_SHORTEST
                    longest=PASSWORD_LONGEST
                    autocomplete="new-password"
                    hint=td_string!(locale, sessions.password_hint)
                    ltr=true
                    error=field_error(error, "password")
                />
                <Field
                    name="password_again"
                    label=td_string!(locale, sessions.password_again)
                    kind="password"
                    required=true
                    longest=PASSWORD_LONGEST
                    autocomplete="new-password"
                    ltr=true
                    error=field_error(error, "password_again")
                />
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
        <Title text=td_string!(locale, sessions.reset_page) />
        <Gate>
            <Suspense fallback=move || states::loading(4)>
                {move || Suspend::new(async move {
                    match link.await {
                        Ok(whom) => form(whom),
                        Err(error) => {
                            view! {
                                {unusable_link(
                                    &error,
                                    td_string!(locale, sessions.spent_title),
                                    td_string!(locale, sessions.reset_spent_about),
                                )}
                                <p class="row-of">
                                    <a class="btn" href="/forgot" rel="external">{td_string!(locale, sessions.again)}</a>
                                </p>
                            }
                            .into_any()
                        }
                    }
                })}
            </Suspense>
        </Gate>
    }
    .into_any()
}
