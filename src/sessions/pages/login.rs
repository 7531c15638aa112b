//! Signing in with e-mail or user name and password.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{Sheet, form_error, outcome};
use crate::base::language::td_string;
use crate::ui::{
    address,
    fields::{Field, field_error},
    gate::Gate,
    locale,
};

#[component]
pub fn LoginPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let next = address::query_field("next");
    view! {
        <Title text=td_string!(locale, sessions.login_page) />
        <Gate>
            <h1>{td_string!(locale, sessions.login_title)}</h1>
            <Sheet error>
                <input type="hidden" name="next" value=move || next.get() />
                <Field
                    name="email"
                    label=td_string!(locale, sessions.email_or_username)
                    value=outcome.email
                    required=true
                    longest="254"
                    autocomplete="username"
                    ltr=true
                    error=field_error(error, "email")
                />
                <Field
                    name="password"
                    label=td_string!(locale, sessions.password)
                    kind="password"
                    required=true
                    longest="256"
                    autocomplete="current-password"
                    ltr=true
                    error=field_error(error, "password")
                />
                <button class="btn primary" type="submit">{td_string!(locale, sessions.sign_in)}</button>
            </Sheet>
        </Gate>
    }
    .into_any()
}
