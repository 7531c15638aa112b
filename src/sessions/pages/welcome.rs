//! The first visit of somebody who was added, and the way back for who lost their password: they choose one.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{PASSWORD_LONGEST, PASSWORD_SHORTEST, Sheet, form_error, outcome, unusable_link};
use crate::{
    base::language::{self, td_string},
    sessions::{LinkInfo, look_at_link},
    ui::{
        address,
        fields::{Field, field_error},
        gate::Gate,
        locale, pieces, states,
    },
};

#[component]
pub fn WelcomePage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let token = address::query_field("token");
    let link = Resource::new_blocking(
        move || token.get().unwrap_or_default(),
        |token| look_at_link("welcome".to_owned(), token),
    );
    let form = move |whom: LinkInfo| {
        let email = whom.email.unwrap_or_default();
        let title = match whom.name {
            Some(name) => td_string!(locale, sessions.welcome_title, name = language::isolate(&name)).to_string(),
            None => td_string!(locale, sessions.welcome_page).to_owned(),
        };
        view! {
            <h1>{pieces::sentence(&title)}</h1>
            <p class="muted">{td_string!(locale, sessions.welcome_about)} " " {pieces::typed(email.clone())}</p>
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
                <button class="btn primary" type="submit">{td_string!(locale, sessions.welcome_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.welcome_page) />
        <Gate>
            <Suspense fallback=move || states::loading(4)>
                {move || {
                    Suspend::new(async move {
                        match link.await {
                            Ok(whom) => form(whom),
                            Err(error) => {
                                unusable_link(
                                    &error,
                                    td_string!(locale, sessions.welcome_spent_title),
                                    td_string!(locale, sessions.welcome_spent_about),
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
