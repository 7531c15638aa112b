//! The first start: whoever holds the link that the program printed becomes its first administrator.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    Sheet, email_field, form_error, name_field, new_password_field, of_link, outcome, password_again_field,
    token_field, unusable_link,
};
use crate::{
    base::{errors::AppError, language::td_string},
    sessions::LinkInfo,
    ui::{address, gate::Gate, locale},
};

#[component]
pub fn SetupPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let token = address::query_field("token");
    let form = move |first: LinkInfo| {
        let outcome = outcome.clone();
        view! {
            <h1>{td_string!(locale, sessions.setup_title)}</h1>
            <p class="muted">{td_string!(locale, sessions.setup_about)}</p>
            <Sheet error>
                {token_field(token)}
                {name_field(outcome.name, error)}
                {email_field(outcome.email, error)}
                {new_password_field(error, td_string!(locale, sessions.password), first.password_shortest)}
                {password_again_field(error)}
                <button class="btn primary" type="submit">{td_string!(locale, sessions.setup_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.setup_page) />
        <Gate>
            {of_link("setup", token, form, spent)}
        </Gate>
    }
    .into_any()
}

fn spent(error: &AppError) -> AnyView {
    let locale = locale();
    view! {
        {unusable_link(error, td_string!(locale, sessions.setup_spent_title), td_string!(locale, sessions.setup_spent_about))}
        <p class="row-of">
            <a class="btn primary" href="/login" rel="external">{td_string!(locale, sessions.back_to_login)}</a>
        </p>
    }
    .into_any()
}
