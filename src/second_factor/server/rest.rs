//! Signing in with all factors, and the factors themselves, over REST.

use axum::{
    Extension, Json,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Proof;
use crate::{
    access::server::Cx,
    accounts::Password,
    base::{
        errors::{AppError, SignedOut},
        server::{
            crypto::Secret,
            http::{Asked, Done, NextStep, Sent},
        },
    },
    second_factor::{BackupCodes, Enrolment, FactorStatus, server},
    sessions::server::{
        self as sessions, Credentials, Entered, FailuresLast, Welcome, forms, joining, recognise,
        rest::{Proved, Tokens},
        store::{Device, Kind},
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(login_factor))
        .routes(routes!(welcome))
        .routes(routes!(verify_magic_link, open_magic_link))
        .routes(routes!(prove_refresh))
        .routes(routes!(status))
        .routes(routes!(setup))
        .routes(routes!(verify))
        .routes(routes!(disable))
        .routes(routes!(backup_codes))
        .routes(routes!(reauthenticate))
}

/// What a program signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// E-mail address or user name.
    email: String,
    #[schema(value_type = String)]
    password: Password,
    /// The code of the authenticator app, where a second factor is on.
    #[serde(default)]
    totp: Option<String>,
    /// Or a backup code.
    #[serde(default)]
    backup_code: Option<String>,
    /// The solution of the puzzle that a refusal has given.
    #[serde(default)]
    puzzle: Option<String>,
}

/// Sign in by e-mail address or user name, password and, where it is on, the second factor
#[utoipa::path(post, path = "/auth/login", tag = "auth", security(()), request_body = Login, responses((status = 200, body = Tokens)))]
async fn login(
    cx: Extension<Cx>,
    failures: Extension<FailuresLast>,
    headers: HeaderMap,
    Sent(login): Sent<Login>,
) -> Result<Response, AppError> {
    let Login { email, password, totp, backup_code, puzzle } = login.read()?;
    let device = recognise::program_device(&headers, cx.origin().ip);
    let credentials = Credentials { login: email, password, puzzle };
    match sessions::sign_in(&cx, credentials, Kind::Program, device, failures.0.0).await? {
        Entered::In(signed_in) => Ok(Json(Tokens::from(signed_in)).into_response()),
        Entered::Half(half) => {
            let proof = Proof::of(totp, backup_code).ok_or(AppError::SignedOut(SignedOut::TotpRequired))?;
            let signed_in = server::finish(&cx, half, &proof).await?;
            Ok(Json(Tokens::from(signed_in)).into_response())
        }
        Entered::Mailed(step) => Ok(refused_with(AppError::SignedOut(SignedOut::CodeMailed), &step)),
    }
}

/// What a program goes on with that is half-way in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginFactor {
    /// As the refused sign-in has given it.
    step: String,
    /// The code of the authenticator app.
    #[serde(default)]
    totp: Option<String>,
    /// Or a backup code.
    #[serde(default)]
    backup_code: Option<String>,
}

/// Go on with a sign-in by a link that needs the second factor
#[utoipa::path(post, path = "/auth/login/factor", tag = "auth", security(()), request_body = LoginFactor, responses((status = 200, body = Tokens)))]
async fn login_factor(
    cx: Extension<Cx>,
    headers: HeaderMap,
    Sent(body): Sent<LoginFactor>,
) -> Result<Json<Tokens>, AppError> {
    let LoginFactor { step, totp, backup_code } = body.read()?;
    let device = recognise::program_device(&headers, cx.origin().ip);
    let proof = Proof::of(totp, backup_code);
    server::go_on(&cx, &step, proof, device).await.map(|signed_in| Json(signed_in.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptInvitation {
    /// Of the link in the invitation.
    token: String,
    #[schema(value_type = String)]
    password: Password,
    /// The code of the authenticator app, where a second factor is on.
    #[serde(default)]
    totp: Option<String>,
    /// Or a backup code.
    #[serde(default)]
    backup_code: Option<String>,
}

/// Accept an invitation by choosing a password with its link, and sign in
#[utoipa::path(post, path = "/auth/welcome", tag = "auth", security(()), request_body = AcceptInvitation, responses((status = 200, body = Tokens)))]
async fn welcome(
    cx: Extension<Cx>,
    headers: HeaderMap,
    Sent(body): Sent<AcceptInvitation>,
) -> Result<Response, AppError> {
    let AcceptInvitation { token, password, totp, backup_code } = body.read()?;
    let device = recognise::program_device(&headers, cx.origin().ip);
    let typed = Welcome { token, password_again: password.clone(), password };
    let entered = sessions::welcome(&cx, typed, Kind::Program, device.clone()).await?;
    by_link(&cx, entered, Proof::of(totp, backup_code), device).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Mailed {
    token: String,
}

/// Where a mailed link leads; on to the page whose button spends it, so that no program that only looks at links does
#[utoipa::path(get, path = "/auth/magic-link/verify", tag = "auth", security(()), params(("token" = String, Query)), responses((status = 303)))]
async fn verify_magic_link(Asked(query): Asked<Mailed>) -> Response {
    let token = query.read().unwrap_or_default().token;
    forms::see_other(&forms::with_token("/magic-link", &token))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenMagicLink {
    /// Of the link in the letter.
    token: String,
    /// The code of the authenticator app, where a second factor is on.
    #[serde(default)]
    totp: Option<String>,
    /// Or a backup code.
    #[serde(default)]
    backup_code: Option<String>,
}

/// Spend a mailed sign-in link
#[utoipa::path(post, path = "/auth/magic-link/verify", tag = "auth", security(()), request_body = OpenMagicLink, responses((status = 200, body = Tokens)))]
async fn open_magic_link(
    cx: Extension<Cx>,
    headers: HeaderMap,
    Sent(body): Sent<OpenMagicLink>,
) -> Result<Response, AppError> {
    let OpenMagicLink { token, totp, backup_code } = body.read()?;
    let device = recognise::program_device(&headers, cx.origin().ip);
    let entered = joining::open_magic(&cx, &token, Kind::Program, device.clone()).await?;
    by_link(&cx, entered, Proof::of(totp, backup_code), device).await
}

/// The tokens of whoever has spent a link. The link is gone: where the second factor is still owed, the refusal carries the
/// step with which the program goes on.
async fn by_link(cx: &Cx, entered: Entered, proof: Option<Proof>, device: Device) -> Result<Response, AppError> {
    let half = match entered {
        Entered::In(signed_in) => return Ok(Json(Tokens::from(signed_in)).into_response()),
        Entered::Half(half) => half,
        Entered::Mailed(step) => return Ok(refused_with(AppError::SignedOut(SignedOut::CodeMailed), &step)),
    };
    let step = sessions::remember(cx, &half).await?;
    match server::go_on(cx, step.expose(), proof, device).await {
        Ok(signed_in) => Ok(Json(Tokens::from(signed_in)).into_response()),
        Err(owed @ AppError::SignedOut(SignedOut::TotpRequired | SignedOut::WrongCode)) => {
            Ok(refused_with(owed, &step))
        }
        Err(error) => Err(error),
    }
}

/// A refusal that says how to go on.
fn refused_with(error: AppError, step: &Secret<String>) -> Response {
    let mut response = error.into_response();
    response.extensions_mut().insert(NextStep(step.expose().clone()));
    response
}

/// What a program proves itself with from another device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProveRefresh {
    refresh_token: String,
    #[schema(value_type = String)]
    password: Password,
    #[serde(default)]
    totp: Option<String>,
    #[serde(default)]
    backup_code: Option<String>,
}

/// Prove from another device who holds a refresh token, so that it can be traded there
#[utoipa::path(post, path = "/auth/refresh/prove", tag = "auth", security(()), request_body = ProveRefresh, responses((status = 200, body = Done)))]
async fn prove_refresh(
    cx: Extension<Cx>,
    headers: HeaderMap,
    Sent(body): Sent<ProveRefresh>,
) -> Result<Json<Done>, AppError> {
    let ProveRefresh { refresh_token, password, totp, backup_code } = body.read()?;
    let device = recognise::program_device(&headers, cx.origin().ip);
    let proof = Proof::of(totp, backup_code);
    server::prove_refresh(&cx, &refresh_token, password, proof, &device).await.map(|()| Json(Done::OK))
}

/// Where your second factor stands
#[utoipa::path(get, path = "/auth/2fa", tag = "auth", responses((status = 200, body = FactorStatus)))]
async fn status(cx: Extension<Cx>) -> Result<Json<FactorStatus>, AppError> {
    server::status(&cx).await.map(Json)
}

/// A secret for an authenticator app; needs a fresh proof
#[utoipa::path(post, path = "/auth/2fa/setup", tag = "auth", responses((status = 200, body = Enrolment)))]
async fn setup(cx: Extension<Cx>) -> Result<Json<Enrolment>, AppError> {
    server::begin(&cx).await.map(Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Verify {
    code: String,
    /// End every other session of the account; true without it.
    #[serde(default = "sessions::rest::yes")]
    end_sessions: bool,
}

/// Turn the second factor on with a first code; gives ten backup codes, this once
#[utoipa::path(post, path = "/auth/2fa/verify", tag = "auth", request_body = Verify, responses((status = 200, body = BackupCodes)))]
async fn verify(cx: Extension<Cx>, Sent(body): Sent<Verify>) -> Result<Json<BackupCodes>, AppError> {
    cx.person()?;
    let Verify { code, end_sessions } = body.read()?;
    let backup_codes = server::confirm(&cx, &code, end_sessions).await?;
    Ok(Json(BackupCodes { backup_codes }))
}

/// Take your second factor off; needs a fresh proof
#[utoipa::path(post, path = "/auth/2fa/disable", tag = "auth", responses((status = 200, body = Done)))]
async fn disable(cx: Extension<Cx>) -> Result<Json<Done>, AppError> {
    server::disable(&cx).await.map(|()| Json(Done::OK))
}

/// A new set of backup codes; needs a fresh proof, and voids the set before
#[utoipa::path(post, path = "/auth/2fa/backup-codes", tag = "auth", responses((status = 200, body = BackupCodes)))]
async fn backup_codes(cx: Extension<Cx>) -> Result<Json<BackupCodes>, AppError> {
    server::new_backup_codes(&cx).await.map(|backup_codes| Json(BackupCodes { backup_codes }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reauthenticate {
    #[schema(value_type = String)]
    password: Password,
    #[serde(default)]
    totp: Option<String>,
    #[serde(default)]
    backup_code: Option<String>,
}

/// Prove again who holds this session; good for five minutes of sensitive acts
#[utoipa::path(post, path = "/auth/reauthenticate", tag = "auth", request_body = Reauthenticate, responses((status = 200, body = Proved)))]
async fn reauthenticate(cx: Extension<Cx>, Sent(body): Sent<Reauthenticate>) -> Result<Json<Proved>, AppError> {
    cx.person()?;
    let Reauthenticate { password, totp, backup_code } = body.read()?;
    server::reauthenticate(&cx, password, Proof::of(totp, backup_code)).await?;
    Ok(Json(Proved::now(&cx)))
}
