//! The pages before the console: signing in, the first start, and the first visit of somebody who was added.
//!
//! Their forms work without scripts: each posts to its own address, and the answer is the same page with what went
//! wrong.

mod choose;
mod devices;
mod list;
mod login;
mod magic;
mod mailed;
mod own;
mod passkey;
mod puzzle;
mod recover;
mod register;
mod setup;
mod welcome;

use choose::new_password_field;
pub use devices::DeviceList;
pub use list::SessionList;
pub use login::LoginPage;
pub use magic::MagicLinkPage;
pub use mailed::MailedCodePage;
pub use own::{EmailCancelPage, EmailConfirmPage, EmailLeavePage, EmailPage, PasswordPage};
pub use passkey::{Asks, or, passkey_form, passkey_refused, passkey_wrongs};
pub use recover::{ForgotPage, ResetPage};
pub use register::{ConfirmPage, RegisterPage};
pub use setup::SetupPage;
pub use welcome::WelcomePage;

use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    base::{
        errors::{AppError, Lost},
        language::td_string,
    },
    sessions::{FormOutcome, LinkInfo, look_at_link},
    ui::{
        address, browser,
        fields::{Field, FormError, field_error},
        locale, states,
    },
};

/// The most characters of a password, for the browser; the server checks again.
const PASSWORD_LONGEST: &str = "256";

/// What the post before this page led to; empty when there was none.
pub fn outcome() -> FormOutcome {
    SharedValue::new(|| use_context::<FormOutcome>().unwrap_or_default()).into_inner()
}

/// The error of an outcome in the form that fields read.
pub fn form_error(outcome: &FormOutcome) -> FormError {
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
        "mailed_code" => Some(td_string!(locale, sessions.mailed_code)),
        "current_password" => Some(td_string!(locale, sessions.current_password)),
        "totp" | "code" => Some(td_string!(locale, second_factor.code)),
        "backup_code" => Some(td_string!(locale, second_factor.backup_code)),
        "password_again" => Some(td_string!(locale, sessions.password_again)),
        _ => None,
    }
}

/// A form that posts to the address it stands at, so that the query survives an answer with errors. Without a network it
/// stays on the page, with all that was typed.
#[component]
pub fn Sheet(error: FormError, children: Children) -> impl IntoView {
    let here = address::here();
    let hold = move |event: SubmitEvent| {
        if browser::is_offline() {
            event.prevent_default();
            error.set(Some(AppError::Network(Lost::NotSent)));
        }
    };
    view! {
        {crate::ui::fields::summary(error, label)}
        <form class="sheet" method="post" action=move || here.get() on:submit=hold>
            {children()}
        </form>
    }
    .into_any()
}

/// Whose link this is goes along with the form that spends it.
fn token_field(token: Signal<Option<String>>) -> AnyView {
    view! { <input type="hidden" name="token" value=move || token.get() /> }.into_any()
}

fn name_field(value: String, error: FormError) -> AnyView {
    let locale = locale();
    view! {
        <Field
            name="name"
            label=td_string!(locale, sessions.name)
            value
            required=true
            longest="200"
            autocomplete="name"
            error=field_error(error, "name")
        />
    }
    .into_any()
}

fn email_field(value: String, error: FormError) -> AnyView {
    let locale = locale();
    view! {
        <Field
            name="email"
            label=td_string!(locale, sessions.email)
            kind="email"
            value
            required=true
            longest="254"
            autocomplete="username"
            ltr=true
            error=field_error(error, "email")
        />
    }
    .into_any()
}

/// The password that an account has.
pub fn password_field(error: FormError) -> AnyView {
    secret_field("password", td_string!(locale(), sessions.password), "current-password", error)
}

/// The new one once more, so that nobody is locked out by a slip.
fn password_again_field(error: FormError) -> AnyView {
    secret_field("password_again", td_string!(locale(), sessions.password_again), "new-password", error)
}

fn secret_field(name: &'static str, label: &'static str, autocomplete: &'static str, error: FormError) -> AnyView {
    view! {
        <Field
            name
            label
            kind="password"
            required=true
            longest=PASSWORD_LONGEST
            autocomplete
            ltr=true
            error=field_error(error, name)
        />
    }
    .into_any()
}

/// Whether the other sessions end together with the old password.
fn end_others_box() -> AnyView {
    let locale = locale();
    view! {
        <div class="check">
            <input type="checkbox" id="end-sessions" name="end_sessions" value="yes" checked=true />
            <label class="about" for="end-sessions">
                {td_string!(locale, sessions.end_others)}
                <span class="hint">{td_string!(locale, sessions.end_others_hint)}</span>
            </label>
        </div>
    }
    .into_any()
}

/// Tells password managers whose password is chosen.
fn owner_field(email: String) -> AnyView {
    view! { <input type="email" value=email autocomplete="username" readonly=true hidden=true /> }.into_any()
}

/// What a link of this kind opens: `form` for whoever it was made for, or `unusable`.
fn of_link(
    kind: &'static str,
    token: Signal<Option<String>>,
    form: impl Fn(LinkInfo) -> AnyView + Clone + Send + Sync + 'static,
    unusable: fn(&AppError) -> AnyView,
) -> AnyView {
    let link = Resource::new_blocking(
        move || token.get().unwrap_or_default(),
        move |token| look_at_link(kind.to_owned(), token),
    );
    view! {
        <Suspense fallback=move || states::loading(4)>
            {move || {
                let form = form.clone();
                Suspend::new(async move {
                    match link.await {
                        Ok(whom) => form(whom),
                        Err(error) => unusable(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// A form that asks for nothing but a mailbox.
fn ask_mailbox(outcome: &FormOutcome, title: &'static str, about: &'static str, word: &'static str) -> AnyView {
    let (error, email) = (form_error(outcome), outcome.email.clone());
    view! {
        <h1>{title}</h1>
        <p class="muted">{about}</p>
        <Sheet error>
            {email_field(email, error)}
            <button class="btn primary" type="submit">{word}</button>
        </Sheet>
    }
    .into_any()
}

/// What stands there once a letter is on its way: the same whether there is one.
fn sent_notice(title: &'static str, sent: &'static str, about: &'static str) -> AnyView {
    view! {
        <h1>{title}</h1>
        <div role="status">
            {states::notice(states::Mood::Good, view! { <p class="strong">{sent}</p> <p>{about}</p> })}
        </div>
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
