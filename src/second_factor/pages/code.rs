//! The second step of signing in: a code of the app, a passkey, or a backup code.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{backup_field, other_way, totp_field};
use crate::{
    sessions::{
        StepFactors,
        pages::{Asks, Sheet, form_error, or, outcome, passkey_form, passkey_refused},
        step_factors,
    },
    ui::{address, fields::FormError, gate::Gate, locale, states},
};

#[component]
pub fn CodePage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let factors = Resource::new_blocking(|| (), |()| step_factors());
    view! {
        <Title text=td_string!(locale, second_factor.code_page) />
        <Gate>
            <Suspense fallback=move || states::loading(3)>
                {move || Suspend::new(async move {
                    match factors.await {
                        Ok(factors) => step(factors, error),
                        Err(error) => states::failure(&error),
                    }
                })}
            </Suspense>
        </Gate>
    }
    .into_any()
}

fn step(factors: StepFactors, error: FormError) -> AnyView {
    let locale = locale();
    let next = address::query_field("next");
    let by_backup = address::query_field("way").get_untracked().is_some();
    let (title, about) = match (by_backup, factors.app) {
        (true, _) => {
            (td_string!(locale, second_factor.code_title), Some(td_string!(locale, second_factor.backup_about)))
        }
        (false, true) => {
            (td_string!(locale, second_factor.code_title), Some(td_string!(locale, second_factor.code_about)))
        }
        (false, false) => (td_string!(locale, second_factor.passkey_title), None),
    };
    let other = other_way("/login/code", &next.get_untracked().unwrap_or_default(), by_backup, factors.app);
    let passkey = (factors.passkeys && !by_backup).then(|| {
        view! {
            <p class="muted">{td_string!(locale, second_factor.passkey_about)}</p>
            {passkey_refused()}
            {passkey_form(Asks::SecondFactor, true)}
        }
    });
    let class = if passkey.is_some() { "btn" } else { "btn primary" };
    let between = (passkey.is_some() && factors.app).then(|| or(td_string!(locale, second_factor.or_code)));
    let sheet = (by_backup || factors.app).then(|| {
        let input = if by_backup { backup_field(error) } else { totp_field("totp", error) };
        view! {
            <p class="muted">{about}</p>
            <Sheet error>
                <input type="hidden" name="next" value=move || next.get() />
                {input}
                <button class=class type="submit">{td_string!(locale, second_factor.code_submit)}</button>
            </Sheet>
        }
    });
    view! {
        <h1>{title}</h1>
        {passkey}
        {between}
        {sheet}
        <ul class="ways" role="list">
            <li>{other}</li>
            <li><a href="/login" rel="external">{td_string!(locale, second_factor.begin_again)}</a></li>
        </ul>
    }
    .into_any()
}
