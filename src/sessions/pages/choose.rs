//! The field in which somebody chooses a password, with how strong it looks so far.

use leptos::prelude::*;

use super::PASSWORD_LONGEST;
use crate::{
    base::{
        language::td_string,
        strength::{Strength, estimate},
    },
    ui::{
        browser,
        fields::{Field, FormError, field_error},
        locale,
    },
};

/// The password that an account shall have. Without scripts the hint says what is asked for, and the server judges.
pub fn new_password_field(error: FormError, label: &'static str, shortest: u16) -> AnyView {
    let locale = locale();
    let strength = RwSignal::new(None::<Strength>);
    let judge = move |typed: leptos::ev::Event| {
        let text = event_target_value(&typed);
        let about = ["field-name", "field-email"].into_iter().filter_map(browser::value_of).collect::<Vec<_>>();
        strength.set((!text.is_empty()).then(|| estimate(&text, shortest, &about)));
    };
    let hint = td_string!(locale, sessions.password_hint_from, count = shortest).to_string();
    view! {
        <div class="field" on:input=judge>
            <Field
                name="password"
                label
                kind="password"
                required=true
                longest=PASSWORD_LONGEST
                autocomplete="new-password"
                hint
                ltr=true
                error=field_error(error, "password")
            />
            <div class="strength" hidden=move || strength.get().is_none()>
                <div class="steps" aria-hidden="true" data-level=move || strength.get().map(level)>
                    <span></span>
                    <span></span>
                    <span></span>
                </div>
                <p class="small" role="status">{move || strength.get().map(words)}</p>
            </div>
        </div>
    }
    .into_any()
}

fn level(strength: Strength) -> &'static str {
    match strength {
        Strength::Short(_) => "0",
        Strength::Weak => "1",
        Strength::Fair => "2",
        Strength::Good => "3",
    }
}

fn words(strength: Strength) -> String {
    let locale = locale();
    match strength {
        Strength::Short(left) => td_string!(locale, sessions.strength_short, count = left).to_string(),
        Strength::Weak => td_string!(locale, sessions.strength_weak).to_owned(),
        Strength::Fair => td_string!(locale, sessions.strength_fair).to_owned(),
        Strength::Good => td_string!(locale, sessions.strength_good).to_owned(),
    }
}
