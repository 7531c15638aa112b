//! Making oneself an account, where the tenant's rule lets people, and confirming its address.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    Sheet, email_field, form_error, name_field, new_password_field, of_link, outcome, sent_notice, token_field,
    unusable_link,
};
use crate::{
    accounts::RegistrationMode,
    base::{errors::AppError, language},
    sessions::{DoorOptions, LinkInfo, door_options},
    ui::{address, gate::Gate, locale, pieces, states, status},
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
                {name_field(outcome.name, error)}
                {email_field(outcome.email, error)}
                {new_password_field(error, td_string!(locale, sessions.password), options.password_shortest)}
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
    let form = move |whom: LinkInfo| {
        let name = language::isolate(&whom.name.unwrap_or_default());
        let title = td_string!(locale, sessions.confirm_title, name = name).to_string();
        view! {
            <h1>{pieces::sentence(&title)}</h1>
            <p class="muted">
                {td_string!(locale, sessions.confirm_about)} " " {pieces::typed(whom.email.unwrap_or_default())}
            </p>
            <Sheet error>
                {token_field(token)}
                <button class="btn primary" type="submit">{td_string!(locale, sessions.confirm_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.confirm_page) />
        <Gate>
            {of_link("confirm", token, form, spent)}
        </Gate>
    }
    .into_any()
}

fn spent(error: &AppError) -> AnyView {
    let locale = locale();
    view! {
        {unusable_link(error, td_string!(locale, sessions.spent_title), td_string!(locale, sessions.confirm_spent_about))}
        <p class="row-of">
            <a class="btn primary" href="/register" rel="external">{td_string!(locale, sessions.register_page)}</a>
            <a class="btn" href="/login" rel="external">{td_string!(locale, sessions.back_to_login)}</a>
        </p>
    }
    .into_any()
}
