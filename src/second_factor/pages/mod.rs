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
    fields::{Field, FormError, field_error},
    locale,
};

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
