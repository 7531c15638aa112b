//! One's own address and password over REST.

use crate::base::language::td_string;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    own::{self, Confirmed, End},
    rest::{Token, Told},
};
use crate::{
    access::server::Cx,
    accounts::Password,
    base::{
        errors::AppError,
        server::http::{Done, Sent},
    },
    i18n::Locale,
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(change_email))
        .routes(routes!(confirm_email))
        .routes(routes!(leave_email))
        .routes(routes!(cancel_email))
        .routes(routes!(change_password))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEmail {
    email: String,
}

/// Ask for another e-mail address of yours; both mailboxes confirm, the old one can call it off; needs a fresh proof
#[utoipa::path(post, path = "/auth/email", tag = "auth", request_body = NewEmail, responses((status = 200, body = Told)))]
async fn change_email(
    cx: Extension<Cx>,
    locale: Extension<Locale>,
    Sent(body): Sent<NewEmail>,
) -> Result<Json<Told>, AppError> {
    own::request_email(&cx, body.map(|body| body.email)).await?;
    Ok(Json(Told::of(td_string!(locale.0, sessions.email_sent))))
}

/// What a mailbox has confirmed.
#[derive(Serialize, ToSchema)]
struct EmailConfirmed {
    ok: bool,
    /// The other mailbox has confirmed as well: the address has changed. Otherwise it waits for that.
    changed: bool,
}

impl From<Confirmed> for EmailConfirmed {
    fn from(confirmed: Confirmed) -> Self {
        EmailConfirmed { ok: true, changed: confirmed == Confirmed::Changed }
    }
}

/// Confirm a new e-mail address with the link in its mailbox; it changes once the old one has confirmed as well
#[utoipa::path(post, path = "/auth/email/confirm", tag = "auth", security(()), request_body = Token, responses((status = 200, body = EmailConfirmed)))]
async fn confirm_email(cx: Extension<Cx>, Sent(body): Sent<Token>) -> Result<Json<EmailConfirmed>, AppError> {
    own::confirm_email(&cx, End::New, &body.read()?.token).await.map(|confirmed| Json(confirmed.into()))
}

/// Confirm a change of e-mail address with the link in the old mailbox; it changes once the new one has confirmed as well
#[utoipa::path(post, path = "/auth/email/leave", tag = "auth", security(()), request_body = Token, responses((status = 200, body = EmailConfirmed)))]
async fn leave_email(cx: Extension<Cx>, Sent(body): Sent<Token>) -> Result<Json<EmailConfirmed>, AppError> {
    own::confirm_email(&cx, End::Old, &body.read()?.token).await.map(|confirmed| Json(confirmed.into()))
}

/// Call a change of e-mail address off with the link in the old mailbox, also after it has happened
#[utoipa::path(post, path = "/auth/email/cancel", tag = "auth", security(()), request_body = Token, responses((status = 200, body = Done)))]
async fn cancel_email(cx: Extension<Cx>, Sent(body): Sent<Token>) -> Result<Json<Done>, AppError> {
    own::cancel_email(&cx, &body.read()?.token).await.map(|()| Json(Done::OK))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The one you have; left out where the account has none.
    #[serde(default = "super::forms::empty")]
    #[schema(value_type = String)]
    current_password: Password,
    #[schema(value_type = String)]
    password: Password,
    /// End every other session of the account; true without it.
    #[serde(default = "super::rest::yes")]
    end_sessions: bool,
}

/// Change your password; needs a fresh proof
#[utoipa::path(post, path = "/auth/password", tag = "auth", request_body = NewPassword, responses((status = 200, body = Done)))]
async fn change_password(cx: Extension<Cx>, Sent(body): Sent<NewPassword>) -> Result<Json<Done>, AppError> {
    cx.person()?;
    let NewPassword { current_password, password, end_sessions } = body.read()?;
    let again = password.clone();
    own::change_password(&cx, current_password, password, &again, end_sessions).await.map(|()| Json(Done::OK))
}
