//! Making oneself an account, where the tenant's rule lets people, and confirming its address.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{PASSWORD_LONGEST, PASSWORD_SHORTEST, Sheet, form_error, outcome, sent_notice, unusable_link};
use crate::{
    accounts::RegistrationMode,
    base::language,
    sessions::{DoorOptions, LinkInfo, door_options, look_at_link},
    ui::{
        address,
        fields::{Field, field_error},
        gate::Gate,
        locale, pieces, states, status,
    },
};

#[component]
pub fn RegisterPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let sent = address::query_field("sent");
    let options = Resource::new_blocking(|| (), |()| door_options());
    let form = move |options: DoorOptions| {
        let outcome = outcome.clone();
        let domains = (options.registration == RegistrationMode::Domains).then(|| {
            let domains = options.domains.iter().map(|domain| language::isolate(domain)).collect::<Vec<_>>();
            let domains = domains.join(td_string!(locale, base.list_separator));
            let about = td_string!(locale, sessions.register_domains, domains = domains).to_string();
            view! { <p class="muted">{pieces::sentence(&about)}</p> }
        });
        view! {
            <h1>{td_string!(locale, sessions.register_title)}</h1>
            {domains}
            <Sheet error>
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
                <button class="btn primary" type="submit">{td_string!(locale, sessions.register_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.register_page) />
        <Gate>
            <Suspense fallback=move || states::loading(5)>
                {move || {
                    let form = form.clone();
                    let was_sent = sent.get().is_some();
                    Suspend::new(async move {
                        match options.await {
                            _ if was_sent => {
                                sent_notice(
                                    td_string!(locale, sessions.register_page),
                                    td_string!(locale, sessions.register_sent),
                                    td_string!(locale, sessions.register_sent_about),
                                )
                            }
                            Ok(options) if options.is_open() => form(options),
                            Ok(_) => closed(),
                            Err(error) => states::failure(&error),
                        }
                    })
                }}
            </Suspense>
            <p class="row-of">
                <a href="/login" rel="external">{td_string!(locale, sessions.have_account)}</a>
            </p>
        </Gate>
    }
    .into_any()
}

fn closed() -> AnyView {
    let locale = locale();
    status::set(403);
    view! {
        <h1>{td_string!(locale, sessions.register_closed_title)}</h1>
        {states::notice(states::Mood::Plain, view! { <p>{td_string!(locale, sessions.register_closed_about)}</p> })}
    }
    .into_any()
}

/// The link in the letter leads here. Only the button spends it: a program that looks at links does not.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let token = address::query_field("token");
    let link = Resource::new_blocking(
        move || token.get().unwrap_or_default(),
        |token| look_at_link("confirm".to_owned(), token),
    );
    let form = move |whom: LinkInfo| {
        let name = language::isolate(&whom.name.unwrap_or_default());
        let title = td_string!(locale, sessions.confirm_title, name = name).to_string();
        view! {
            <h1>{pieces::sentence(&title)}</h1>
            <p class="muted">
                {td_string!(locale, sessions.confirm_about)} " " {pieces::typed(whom.email.unwrap_or_default())}
            </p>
            <Sheet error>
                <input type="hidden" name="token" value=move || token.get() />
                <button class="btn primary" type="submit">{td_string!(locale, sessions.confirm_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.confirm_page) />
        <Gate>
            <Suspense fallback=move || states::loading(3)>
                {move || Suspend::new(async move {
                    match link.await {
                        Ok(whom) => form(whom),
                        Err(error) => {
                            unusable_link(
                                &error,
                                td_string!(locale, sessions.spent_title),
                                td_string!(locale, sessions.confirm_spent_about),
                            )
                        }
                    }
                })}
            </Suspense>
        </Gate>
    }
    .into_any()
}
