//! The way back in for who has forgotten their password: a link in the mailbox, and a new password.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    Sheet, ask_mailbox, end_others_box, form_error, new_password_field, of_link, outcome, owner_field,
    password_again_field, sent_notice, token_field, unusable_link,
};
use crate::{
    base::errors::AppError,
    sessions::LinkInfo,
    ui::{address, gate::Gate, locale, pieces},
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
    let form = move |whom: LinkInfo| {
        let (email, shortest) = (whom.email.unwrap_or_default(), whom.password_shortest);
        view! {
            <h1>{td_string!(locale, sessions.reset_title)}</h1>
            <p class="muted">{td_string!(locale, sessions.reset_about)} " " {pieces::typed(email.clone())}</p>
            <Sheet error>
                {token_field(token)}
                {owner_field(email)}
                {new_password_field(error, td_string!(locale, sessions.new_password), shortest)}
                {password_again_field(error)}
                {end_others_box()}
                <button class="btn primary" type="submit">{td_string!(locale, sessions.reset_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.reset_page) />
        <Gate>
            {of_link("reset", token, form, spent)}
        </Gate>
    }
    .into_any()
}

fn spent(error: &AppError) -> AnyView {
    let locale = locale();
    view! {
        {unusable_link(error, td_string!(locale, sessions.spent_title), td_string!(locale, sessions.reset_spent_about))}
        <p class="row-of">
            <a class="btn primary" href="/forgot" rel="external">{td_string!(locale, sessions.again)}</a>
        </p>
    }
    .into_any()
}
