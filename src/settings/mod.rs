//! The tenant's settings in one place: each capability owns its group, this shows and changes them.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};
use serde::{Deserialize, Serialize};

use crate::{
    access::opa::Opa,
    accounts::Registration,
    base::{errors::AppError, password::PasswordRule, time::Timestamp},
    roles::Reminders,
    sessions::{
        SignIn,
        rules::{Lifetimes, Limits, Risk},
    },
    tenants::branding::Branding,
};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// Every group of settings that can be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Settings {
    pub registration: Registration,
    pub sign_in: SignIn,
    pub passwords: PasswordRule,
    pub lifetimes: Lifetimes,
    pub risk: Risk,
    pub limits: Limits,
    pub reminders: Reminders,
    pub branding: Branding,
    pub opa: Opa,
    /// Grows with each change; send it back to be told of somebody else's.
    pub version: i64,
}

/// A change: a group that is absent stays, one that is given is replaced whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SettingsEdit {
    pub registration: Option<Registration>,
    pub sign_in: Option<SignIn>,
    pub passwords: Option<PasswordRule>,
    pub lifetimes: Option<Lifetimes>,
    pub risk: Option<Risk>,
    pub limits: Option<Limits>,
    pub reminders: Option<Reminders>,
    pub branding: Option<Branding>,
    /// Another address or token needs `policies.update`, and all that the policies that ask there are about.
    pub opa: Option<Opa>,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

impl SettingsEdit {
    /// The groups in which two states differ.
    pub fn between(before: &Settings, after: &Settings) -> Self {
        fn changed<T: Clone + PartialEq>(before: &T, after: &T) -> Option<T> {
            (before != after).then(|| after.clone())
        }
        SettingsEdit {
            registration: changed(&before.registration, &after.registration),
            sign_in: changed(&before.sign_in, &after.sign_in),
            passwords: changed(&before.passwords, &after.passwords),
            lifetimes: changed(&before.lifetimes, &after.lifetimes),
            risk: changed(&before.risk, &after.risk),
            limits: changed(&before.limits, &after.limits),
            reminders: changed(&before.reminders, &after.reminders),
            branding: changed(&before.branding, &after.branding),
            opa: changed(&before.opa, &after.opa),
            version: Some(before.version),
        }
    }
}

/// A letter that has not gone: it is tried again, or nobody tries any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Undelivered {
    pub id: i64,
    /// What it was about: `invite`, `confirm`, `reset`.
    pub about: String,
    pub attempts: i32,
    /// What the mail server answered last.
    pub error: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub failed_at: Timestamp,
}

/// How letters leave this installation, as its operator has decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct MailState {
    /// By SMTP; otherwise letters are written to files on the server.
    pub by_smtp: bool,
    pub from: String,
    /// Letters carry a DKIM signature.
    pub is_signed: bool,
    /// Where a test letter goes: the caller's own address.
    pub own_address: String,
    /// Letters that nobody tries to send any more, newest first.
    pub undelivered: Vec<Undelivered>,
}

#[server(name = AskSettings, prefix = "/api", endpoint = "settings/get", input = PostUrl)]
pub async fn get_settings() -> Result<Settings, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::settings::server::get(&cx).await
}

#[server(prefix = "/api", endpoint = "settings/edit", input = Json)]
pub async fn edit_settings(edit: SettingsEdit) -> Result<Settings, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::settings::server::edit(&cx, edit.into()).await
}

#[server(name = AskMail, prefix = "/api", endpoint = "settings/mail", input = PostUrl)]
pub async fn mail_state() -> Result<MailState, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::settings::server::mail::state(&cx).await
}

/// Sends a letter to the caller's own address.
#[server(prefix = "/api", endpoint = "settings/mail/test", input = PostUrl)]
pub async fn send_test_letter() -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::settings::server::mail::send_test(&cx).await
}

/// Tries a letter again that nobody tries any more.
#[server(prefix = "/api", endpoint = "settings/mail/retry", input = Json)]
pub async fn retry_letter(id: i64) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::settings::server::mail::retry(&cx, id).await
}
