//! Proving again who holds the session, before a sensitive act.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{backup_field, other_way, totp_field};
use crate::{
    second_factor::{FactorStatus, factor_status},
    sessions::pages::{Asks, Sheet, form_error, or, outcome, passkey_form, passkey_refused, password_field},
    ui::{address, gate::Gate, locale, states},
};

#[component]
pub fn ProvePage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let next = address::query_field("next");
    let way = address::query_field("way");
    let status = Resource::new_blocking(|| (), |()| factor_status());
    let form = move |status: FactorStatus| {
        let by_backup = way.get_untracked().is_some();
        let passkey = (status.has_passkeys && !by_backup).then(|| {
            view! {
                {passkey_refused()}
                {passkey_form(Asks::Reauthenticate, true)}
            }
        });
        // With a passkey alone the password needs a backup code beside it.
        let with_password = status.enabled || by_backup || !status.has_passkeys;
        let code =
            if by_backup { Some(backup_field(error)) } else { status.enabled.then(|| totp_field("totp", error)) };
        let between = (passkey.is_some() && with_password).then(|| or(td_string!(locale, sessions.or_password)));
        let class = if passkey.is_some() { "btn" } else { "btn primary" };
        let sheet = with_password.then(|| {
            view! {
                <Sheet error>
                    <input type="hidden" name="next" value=move || next.get() />
                    {password_field(error)}
                    {code}
                    <button class=class type="submit">{td_string!(locale, second_factor.code_submit)}</button>
                </Sheet>
            }
        });
        let other = (status.enabled || status.has_passkeys).then(|| {
            let next = next.get_untracked().unwrap_or_default();
            view! { <p class="row-of">{other_way("/reauthenticate", &next, by_backup, status.enabled)}</p> }
        });
        view! {
            {passkey}
            {between}
            {sheet}
            {other}
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, second_factor.prove_page) />
        <Gate>
            <h1>{td_string!(locale, second_factor.prove_title)}</h1>
            <p class="muted">{td_string!(locale, second_factor.prove_about)}</p>
            <Suspense fallback=move || states::loading(3)>
                {move || Suspend::new(async move {
                    match status.await {
                        Ok(status) => form(status),
                        Err(error) => states::failure(&error),
                    }
                })}
            </Suspense>
        </Gate>
    }
    .into_any()
}
