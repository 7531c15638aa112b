//! The step that a new device, network or country adds: the code from the mailbox.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{Sheet, form_error, outcome};
use crate::{
    base::language::td_string,
    ui::{
        address,
        fields::{Field, field_error},
        gate::Gate,
        locale,
    },
};

#[component]
pub fn MailedCodePage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let next = address::query_field("next");
    view! {
        <Title text=td_string!(locale, sessions.mailed_page) />
        <Gate>
            <h1>{td_string!(locale, sessions.mailed_title)}</h1>
            <p class="muted">{td_string!(locale, sessions.mailed_about)}</p>
            <Sheet error>
                <input type="hidden" name="next" value=move || next.get() />
                <Field
                    name="mailed_code"
                    label=td_string!(locale, sessions.mailed_code)
                    required=true
                    longest="20"
                    autocomplete="one-time-code"
                    inputmode="numeric"
                    hint=td_string!(locale, sessions.mailed_hint)
                    ltr=true
                    error=field_error(error, "mailed_code")
                />
                <button class="btn primary" type="submit">{td_string!(locale, sessions.sign_in)}</button>
            </Sheet>
            <p class="row-of">
                <a href="/login" rel="external">{td_string!(locale, sessions.mailed_again)}</a>
            </p>
        </Gate>
    }
    .into_any()
}
