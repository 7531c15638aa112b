//! The second step of signing in: a code of the app, or a backup code.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{backup_field, totp_field};
use crate::{
    sessions::pages::{Sheet, form_error, outcome},
    ui::{address, gate::Gate, locale},
};

#[component]
pub fn CodePage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let next = address::query_field("next");
    let way = address::query_field("way");
    let other = move || {
        let next = next.get().unwrap_or_default();
        if way.get().is_some() {
            (address::with_query("/login/code", &[("next", &next)]), td_string!(locale, second_factor.use_app))
        } else {
            let href = address::with_query("/login/code", &[("next", &next), ("way", "backup")]);
            (href, td_string!(locale, second_factor.use_backup))
        }
    };
    let input = move || if way.get().is_some() { backup_field(error) } else { totp_field("totp", error) };
    let about = move || match way.get() {
        Some(_) => td_string!(locale, second_factor.backup_about),
        None => td_string!(locale, second_factor.code_about),
    };
    view! {
        <Title text=td_string!(locale, second_factor.code_page) />
        <Gate>
            <h1>{td_string!(locale, second_factor.code_title)}</h1>
            <p class="muted">{about}</p>
            <Sheet error>
                <input type="hidden" name="next" value=move || next.get() />
                {input}
                <button class="btn primary" type="submit">{td_string!(locale, second_factor.code_submit)}</button>
            </Sheet>
            <ul class="ways" role="list">
                <li><a href=move || other().0 rel="external">{move || other().1}</a></li>
                <li><a href="/login" rel="external">{td_string!(locale, second_factor.begin_again)}</a></li>
            </ul>
        </Gate>
    }
    .into_any()
}
