//! The door over REST, but for signing in itself, which knows of all factors: see `second_factor`.

use crate::base::language::td_string;
use axum::{Extension, Json, http::HeaderMap};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::server::{Cx, FRESH},
    accounts::Password,
    base::{
        errors::AppError,
        language,
        server::http::{Done, Sent},
        time::Timestamp,
    },
    i18n::Locale,
    sessions::{
        Me,
        server::{
            self, FailuresLast, Logout, SignedIn,
            joining::{self, NewAccount},
            recognise, risk,
            store::Kind,
        },
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(refresh))
        .routes(routes!(mailed_code))
        .routes(routes!(logout))
        .routes(routes!(me))
        .routes(routes!(register))
        .routes(routes!(confirm))
        .routes(routes!(request_reset))
        .routes(routes!(reset))
        .routes(routes!(magic_link))
}

/// The tokens of a program.
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

impl From<SignedIn> for Tokens {
    fn from(signed_in: SignedIn) -> Self {
        Tokens {
            access_token: signed_in.access.expose().clone(),
            refresh_token: signed_in.secret.expose().clone(),
            token_type: "Bearer",
            expires_in: signed_in.lifetimes.access_minutes * 60,
        }
    }
}

/// Until when sensitive acts are open.
#[derive(Serialize, ToSchema)]
pub struct Proved {
    ok: bool,
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
}

impl Proved {
    /// Of a session that has just proved who holds it.
    pub fn now(cx: &Cx) -> Self {
        Proved { ok: true, valid_until: (cx.now() + FRESH).into() }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
}

/// Trade a refresh token for the next pair
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", security(()), request_body = Refresh, responses((status = 200, body = Tokens)))]
async fn refresh(
    cx: Extension<Cx>,
    headers: HeaderMap,
    Sent(refresh): Sent<Refresh>,
) -> Result<Json<Tokens>, AppError> {
    let device = recognise::program_device(&headers, cx.origin().ip);
    server::refresh(&cx, &refresh.read()?.refresh_token, &device).await.map(|signed_in| Json(signed_in.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MailedCode {
    /// As the refused sign-in has given it.
    step: String,
    /// Six digits.
    code: String,
}

/// Go on with a sign-in that needs the code which was mailed
#[utoipa::path(post, path = "/auth/login/code", tag = "auth", security(()), request_body = MailedCode, responses((status = 200, body = Tokens)))]
async fn mailed_code(
    cx: Extension<Cx>,
    headers: HeaderMap,
    Sent(body): Sent<MailedCode>,
) -> Result<Json<Tokens>, AppError> {
    let device = recognise::program_device(&headers, cx.origin().ip);
    let MailedCode { step, code } = body.read()?;
    risk::open(&cx, &step, &code, Kind::Program, device).await.map(|signed_in| Json(signed_in.into()))
}

/// Sign out here or everywhere
#[utoipa::path(post, path = "/auth/logout", tag = "auth", request_body = Logout, responses((status = 200, body = Done)))]
async fn logout(cx: Extension<Cx>, Sent(logout): Sent<Logout>) -> Result<Json<Done>, AppError> {
    server::sign_out(&cx, logout).await.map(|()| Json(Done::OK))
}

/// Who is signed in, and what they may do
#[utoipa::path(get, path = "/auth/me", tag = "auth", responses((status = 200, body = Me)))]
async fn me(cx: Extension<Cx>) -> Result<Json<Me>, AppError> {
    server::me(&cx).await.map(Json)
}

/// What was done, in a sentence for people: the same whoever has an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Told {
    ok: bool,
    message: &'static str,
}

impl Told {
    pub fn of(message: &'static str) -> Self {
        Told { ok: true, message }
    }
}

/// Somebody who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Register {
    email: String,
    name: String,
    #[schema(value_type = String)]
    password: Password,
    /// `ar` or `en`; without it the language of the request.
    #[serde(default)]
    locale: Option<String>,
}

/// Ask for an account; a link that confirms the address is mailed
#[utoipa::path(post, path = "/auth/register", tag = "auth", security(()), request_body = Register, responses((status = 200, body = Told)))]
async fn register(
    cx: Extension<Cx>,
    lasts: Extension<FailuresLast>,
    locale: Extension<Locale>,
    Sent(body): Sent<Register>,
) -> Result<Json<Told>, AppError> {
    let Register { email, name, password, locale: chosen } = body.read()?;
    let chosen = chosen.as_deref().and_then(language::parse).unwrap_or(locale.0);
    let typed = NewAccount { email, name, password, locale: language::code(chosen) };
    joining::register(&cx, typed, lasts.0.0).await?;
    Ok(Json(Told::of(td_string!(locale.0, sessions.register_sent))))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub(super) token: String,
}

/// Confirm the address of a new account, and sign in
#[utoipa::path(post, path = "/auth/confirm", tag = "auth", security(()), request_body = Token, responses((status = 200, body = Tokens)))]
async fn confirm(cx: Extension<Cx>, headers: HeaderMap, Sent(body): Sent<Token>) -> Result<Json<Tokens>, AppError> {
    let device = recognise::program_device(&headers, cx.origin().ip);
    joining::confirm(&cx, &body.read()?.token, Kind::Program, device).await.map(|signed_in| Json(signed_in.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Mailbox {
    email: String,
}

/// Have a link to a new password mailed
#[utoipa::path(post, path = "/auth/request-reset", tag = "auth", security(()), request_body = Mailbox, responses((status = 200, body = Told)))]
async fn request_reset(
    cx: Extension<Cx>,
    lasts: Extension<FailuresLast>,
    locale: Extension<Locale>,
    Sent(body): Sent<Mailbox>,
) -> Result<Json<Told>, AppError> {
    joining::request_reset(&cx, &body.read()?.email, lasts.0.0).await?;
    Ok(Json(Told::of(td_string!(locale.0, sessions.forgot_sent))))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reset {
    token: String,
    #[schema(value_type = String)]
    password: Password,
    /// End every session of the account; true without it.
    #[serde(default = "yes")]
    end_sessions: bool,
}

/// What a field holds that is on unless somebody turns it off.
pub fn yes() -> bool {
    true
}

/// Choose a new password with a mailed link
#[utoipa::path(post, path = "/auth/reset", tag = "auth", security(()), request_body = Reset, responses((status = 200, body = Done)))]
async fn reset(cx: Extension<Cx>, Sent(body): Sent<Reset>) -> Result<Json<Done>, AppError> {
    let Reset { token, password, end_sessions } = body.read()?;
    let again = password.clone();
    joining::reset(&cx, &token, password, &again, end_sessions).await.map(|()| Json(Done::OK))
}

/// Have a link mailed that signs in
#[utoipa::path(post, path = "/auth/magic-link", tag = "auth", security(()), request_body = Mailbox, responses((status = 200, body = Told)))]
async fn magic_link(
    cx: Extension<Cx>,
    lasts: Extension<FailuresLast>,
    locale: Extension<Locale>,
    Sent(body): Sent<Mailbox>,
) -> Result<Json<Told>, AppError> {
    joining::request_magic(&cx, &body.read()?.email, lasts.0.0).await?;
    Ok(Json(Told::of(td_string!(locale.0, sessions.forgot_sent))))
}
