//! Passkeys over REST.

use axum::{Extension, Json, http::HeaderMap};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Challenge, ChallengeRequest, NewPasskey, Registrant};
use crate::{
    access::server::Cx,
    base::{
        errors::AppError,
        ids::PasskeyId,
        server::http::{Asked, Done, Id, Sent},
    },
    passkeys::{PasskeyInfo, server},
    sessions::server::{
        recognise,
        rest::{self, Proved, Tokens},
        store::Kind,
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(register_challenge))
        .routes(routes!(register_complete))
        .routes(routes!(login_challenge))
        .routes(routes!(login_complete))
        .routes(routes!(reauthenticate_complete))
        .routes(routes!(list_passkeys))
        .routes(routes!(rename_passkey, remove_passkey))
}

/// Ask for a new passkey of your account; needs a fresh proof
#[utoipa::path(post, path = "/auth/webauthn/register/challenge", tag = "auth", request_body = Registrant, responses((status = 200, body = Challenge)))]
async fn register_challenge(cx: Extension<Cx>, Sent(body): Sent<Registrant>) -> Result<Json<Challenge>, AppError> {
    server::begin(&cx, body).await.map(Json)
}

/// Keep the passkey that an authenticator has made; needs a fresh proof
#[utoipa::path(post, path = "/auth/webauthn/register/complete", tag = "auth", request_body = NewPasskey, responses((status = 200, body = PasskeyInfo)))]
async fn register_complete(cx: Extension<Cx>, Sent(body): Sent<NewPasskey>) -> Result<Json<PasskeyInfo>, AppError> {
    server::add(&cx, body).await.map(Json)
}

/// Ask for an answer of a passkey; to sign in, as the second factor of a browser, or to prove yourself again
#[utoipa::path(post, path = "/auth/webauthn/login/challenge", tag = "auth", security(()), request_body = ChallengeRequest, responses((status = 200, body = Challenge)))]
async fn login_challenge(
    cx: Extension<Cx>,
    headers: HeaderMap,
    Sent(body): Sent<ChallengeRequest>,
) -> Result<Json<Challenge>, AppError> {
    server::challenge(&cx, body, &headers).await.map(Json)
}

/// Sign in with a passkey, without a name or password
#[utoipa::path(post, path = "/auth/webauthn/login/complete", tag = "auth", security(()), request_body = Answer, responses((status = 200, body = Tokens)))]
async fn login_complete(
    cx: Extension<Cx>,
    headers: HeaderMap,
    Sent(body): Sent<Answer>,
) -> Result<Json<Tokens>, AppError> {
    let device = recognise::program_device(&headers, cx.origin().ip);
    server::sign_in(&cx, body.read()?, Kind::Program, device).await.map(|signed_in| Json(signed_in.into()))
}

/// Prove again, with a passkey, who holds this session; good for five minutes of sensitive acts
#[utoipa::path(post, path = "/auth/webauthn/reauthenticate", tag = "auth", request_body = Answer, responses((status = 200, body = Proved)))]
async fn reauthenticate_complete(cx: Extension<Cx>, Sent(body): Sent<Answer>) -> Result<Json<Proved>, AppError> {
    server::reauthenticate(&cx, body).await?;
    Ok(Json(Proved::now(&cx)))
}

/// Your passkeys
#[utoipa::path(get, path = "/auth/webauthn/credentials", tag = "auth", responses((status = 200, body = Vec<PasskeyInfo>)))]
async fn list_passkeys(cx: Extension<Cx>) -> Result<Json<Vec<PasskeyInfo>>, AppError> {
    server::own(&cx).await.map(|own| Json(own.passkeys))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewName {
    name: String,
}

/// Give one of your passkeys another name
#[utoipa::path(patch, path = "/auth/webauthn/credentials/{id}", tag = "auth", params(("id" = uuid::Uuid, Path)), request_body = NewName, responses((status = 200, body = PasskeyInfo)))]
async fn rename_passkey(
    cx: Extension<Cx>,
    Id(id): Id<PasskeyId>,
    Sent(body): Sent<NewName>,
) -> Result<Json<PasskeyInfo>, AppError> {
    server::rename(&cx, id, body.map(|body| body.name)).await.map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Removal {
    #[serde(default = "rest::yes")]
    end_sessions: bool,
}

/// Remove one of your passkeys, and end your other sessions; needs a fresh proof
#[utoipa::path(delete, path = "/auth/webauthn/credentials/{id}", tag = "auth", params(("id" = uuid::Uuid, Path), ("end_sessions" = Option<bool>, Query)), responses((status = 200, body = Done)))]
async fn remove_passkey(
    cx: Extension<Cx>,
    Id(id): Id<PasskeyId>,
    Asked(query): Asked<Removal>,
) -> Result<Json<Done>, AppError> {
    cx.person()?;
    server::remove(&cx, id, query.read()?.end_sessions).await.map(|()| Json(Done::OK))
}
