//! The pages before the console: signing in, the first start, and the first visit of somebody who was added.
//!
//! Their forms work without scripts: each posts to its own address, and the answer is the same page with what went
//! wrong.

mod login;
mod setup;
mod welcome;

pub use login::LoginPage;
pub use setup::SetupPage;
pub use welcome::WelcomePage;

use leptos::prelude::*;

use crate::{
    base::{errors::AppError, language::td_string},
    sessions::FormOutcome,
    ui::{address, fields::FormError, locale, states},
};

/// The fewest and the most characters of a password, for the browser; the server checks again.
const PASSWORD_SHORTEST: &str = "15";
const PASSWORD_LONGEST: &str = "256";

/// What the post before this page led to; empty when there was none.
fn outcome() -> FormOutcome {
    SharedValue::new(|| use_context::<FormOutcome>().unwrap_or_default()).into_inner()
}

/// The error of an outcome in the form that fields read.
fn form_error(outcome: &FormOutcome) -> FormError {
    let error = if outcome.fields.0.is_empty() {
        outcome.error.clone()
    } else {
        Some(AppError::Invalid(outcome.fields.clone()))
    };
    RwSignal::new(error)
}

/// The names of the fields of these forms.
fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "name" => Some(td_string!(locale, sessions.name)),
        "email" => Some(td_string!(locale, sessions.email)),
        "password" => Some(td_string!(locale, sessions.password)),
        "password_again" => Some(td_string!(locale, sessions.password_again)),
        _ => None,
    }
}

/// A form that posts to the address it stands at, so that the query survives an answer with errors.
#[component]
fn Sheet(error: FormError, children: Children) -> impl IntoView {
    let here = address::here();
    view! {
        {crate::ui::fields::summary(error, label)}
        <form class="sheet" method="post" action=move || here.get()>
            {children()}
        </form>
    }
    .into_any()
}

/// What is shown instead of a form when its link cannot be used.
fn unusable_link(error: &AppError, title: &'static str, about: &'static str) -> AnyView {
    match error {
        AppError::NotFound | AppError::Conflict(_) | AppError::Invalid(_) | AppError::SignedOut(_) => {
            crate::ui::status::set(410);
            view! {
                <h1>{title}</h1>
                {states::notice(states::Mood::Waiting, view! { <p>{about}</p> })}
            }
            .into_any()
        }
        other => view! { <h1>{title}</h1> {states::failure(other)} }.into_any(),
    }
}
