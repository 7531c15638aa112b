//! The first visit of somebody who was added, and the way back for who lost their password: they choose one.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    Sheet, form_error, new_password_field, of_link, outcome, owner_field, password_again_field, token_field,
    unusable_link,
};
use crate::{
    base::{
        errors::AppError,
        language::{self, td_string},
    },
    sessions::LinkInfo,
    ui::{address, gate::Gate, locale, pieces},
};

#[component]
pub fn WelcomePage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let token = address::query_field("token");
    let form = move |whom: LinkInfo| {
        let (email, shortest) = (whom.email.unwrap_or_default(), whom.password_shortest);
        let title = match whom.name {
            Some(name) => td_string!(locale, sessions.welcome_title, name = language::isolate(&name)).to_string(),
            None => td_string!(locale, sessions.welcome_page).to_owned(),
        };
        view! {
            <h1>{pieces::sentence(&title)}</h1>
            <p class="muted">{td_string!(locale, sessions.welcome_about)} " " {pieces::typed(email.clone())}</p>
            <Sheet error>
                {token_field(token)}
                {owner_field(email)}
                {new_password_field(error, td_string!(locale, sessions.password), shortest)}
                {password_again_field(error)}
                <button class="btn primary" type="submit">{td_string!(locale, sessions.welcome_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.welcome_page) />
        <Gate>
            {of_link("welcome", token, form, spent)}
        </Gate>
    }
    .into_any()
}

fn spent(error: &AppError) -> AnyView {
    let locale = locale();
    view! {
        {unusable_link(
            error,
            td_string!(locale, sessions.welcome_spent_title),
            td_string!(locale, sessions.welcome_spent_about),
        )}
        <p class="row-of">
            <a class="btn primary" href="/login" rel="external">{td_string!(locale, sessions.back_to_login)}</a>
        </p>
    }
    .into_any()
}
