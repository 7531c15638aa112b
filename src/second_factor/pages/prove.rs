//! Proving again who holds the session, before a sensitive act.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{backup_field, totp_field};
use crate::{
    second_factor::factor_status,
    sessions::pages::{Sheet, form_error, outcome, password_field},
    ui::{address, gate::Gate, locale, states},
};

#[component]
pub fn ProvePage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let next = address::query_field("next");
    let way = address::query_field("way");
    let status = Resource::new_blocking(|| (), |()| factor_status());
    let form = move |enabled: bool| {
        let by_backup = way.get_untracked().is_some();
        let code = enabled.then(|| if by_backup { backup_field(error) } else { totp_field("totp", error) });
        let other = (enabled && !by_backup).then(|| {
            let next = next.get_untracked().unwrap_or_default();
            let href = address::with_query("/reauthenticate", &[("next", &next), ("way", "backup")]);
            view! { <p class="row-of"><a href=href rel="external">{td_string!(locale, second_factor.use_backup)}</a></p> }
        });
        view! {
            <Sheet error>
                <input type="hidden" name="next" value=move || next.get() />
                {password_field(error)}
                {code}
                <button class="btn primary" type="submit">{td_string!(locale, second_factor.code_submit)}</button>
            </Sheet>
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
                        Ok(status) => form(status.enabled),
                        Err(error) => states::failure(&error),
                    }
                })}
            </Suspense>
        </Gate>
    }
    .into_any()
}
