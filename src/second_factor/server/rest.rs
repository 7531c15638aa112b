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
        server::http::{Done, NextStep, Sent},
    },
    second_factor::{BackupCodes, Enrolment, FactorStatus, server},
    sessions::server::{
        self as sessions, Credentials, Entered, FailuresLast, recognise,
        rest::{Proved, Tokens},
        store::Kind,
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(login))
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
        Entered::Mailed(step) => {
            let mut response = AppError::SignedOut(SignedOut::CodeMailed).into_response();
            response.extensions_mut().insert(NextStep(step.expose().clone()));
            Ok(response)
        }
    }
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
