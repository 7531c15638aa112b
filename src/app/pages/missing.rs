//! The page for addresses that lead nowhere.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::base::language::td_string;
use crate::ui::{gate::Gate, locale, status};

#[component]
pub fn MissingPage() -> impl IntoView {
    let locale = locale();
    status::set(404);
    view! {
        <Title text=td_string!(locale, app.missing_title) />
        <Gate>
            <h1>{td_string!(locale, app.missing_title)}</h1>
            <p class="muted">{td_string!(locale, app.missing_about)}</p>
            <p><a class="btn primary" href="/" rel="external">{td_string!(locale, app.missing_home)}</a></p>
        </Gate>
    }
    .into_any()
}
