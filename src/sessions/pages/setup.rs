//! The first start: whoever holds the link that the program printed becomes its first administrator.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{PASSWORD_LONGEST, PASSWORD_SHORTEST, Sheet, form_error, outcome, unusable_link};
use crate::{
    base::language::td_string,
    sessions::look_at_link,
    ui::{
        address,
        fields::{Field, field_error},
        gate::Gate,
        locale, states,
    },
};

#[component]
pub fn SetupPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let token = address::query_field("token");
    let link = Resource::new_blocking(
        move || token.get().unwrap_or_default(),
        |token| look_at_link("setup".to_owned(), token),
    );
    let form = move || {
        let outcome = outcome.clone();
        view! {
            <h1>{td_string!(locale, sessions.setup_title)}</h1>
            <p class="muted">{td_string!(locale, sessions.setup_about)}</p>
            <Sheet error>
                <input type="hidden" name="token" value=move || token.get() />
                <Field
                    name="name"
                    label=td_string!(locale, sessions.name)
                    value=outcome.name
                    required=true
                    longest="200"
                    autocomplete="name"
                    error=field_error(error, "name")
                />
                <Field
                    name="email"
                    label=td_string!(locale, sessions.email)
                    kind="email"
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
                <button class="btn primary" type="submit">{td_string!(locale, sessions.setup_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.setup_page) />
        <Gate>
            <Suspense fallback=move || states::loading(5)>
                {move || {
                    let form = form.clone();
                    Suspend::new(async move {
                        match link.await {
                            Ok(_) => form(),
                            Err(error) => {
                                unusable_link(
                                    &error,
                                    td_string!(locale, sessions.setup_spent_title),
                                    td_string!(locale, sessions.setup_spent_about),
                                )
                            }
                        }
                    })
                }}
            </Suspense>
        </Gate>
    }
    .into_any()
}
