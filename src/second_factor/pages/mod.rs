//! The pages of the second factor: the code at the door, setting it up, and proving oneself again.
//!
//! Their forms work without scripts, as those of signing in do.

mod code;
mod prove;
mod setup;

pub use code::CodePage;
pub use prove::ProvePage;
pub use setup::TwoFactorPage;

use crate::base::language::td_string;
use leptos::prelude::*;

use crate::ui::{
    address,
    fields::{Field, FormError, field_error},
    locale,
};

/// The link to the other way of showing a factor, on the same page.
fn other_way(page: &str, next: &str, by_backup: bool, has_app: bool) -> AnyView {
    let locale = locale();
    let (way, word) = match (by_backup, has_app) {
        (false, _) => ("backup", td_string!(locale, second_factor.use_backup)),
        (true, true) => ("", td_string!(locale, second_factor.use_app)),
        (true, false) => ("", td_string!(locale, second_factor.use_passkey)),
    };
    let href = address::with_query(page, &[("next", next), ("way", way)]);
    view! { <a href=href rel="external">{word}</a> }.into_any()
}

/// The input of a code of the authenticator app.
fn totp_field(name: &'static str, error: FormError) -> AnyView {
    let locale = locale();
    view! {
        <Field
            name
            label=td_string!(locale, second_factor.code)
            required=true
            longest="20"
            autocomplete="one-time-code"
            inputmode="numeric"
            ltr=true
            error=field_error(error, name)
        />
    }
    .into_any()
}

/// The input of a backup code.
fn backup_field(error: FormError) -> AnyView {
    let locale = locale();
    view! {
        <Field
            name="backup_code"
            label=td_string!(locale, second_factor.backup_code)
            required=true
            longest="40"
            autocomplete="off"
            ltr=true
            error=field_error(error, "backup_code")
        />
    }
    .into_any()
}
