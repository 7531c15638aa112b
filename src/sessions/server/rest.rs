//! The door over REST.

use axum::{Extension, Json, http::HeaderMap};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::server::Cx,
    accounts::Password,
    base::{
        errors::AppError,
        server::http::{Done, Sent},
    },
    sessions::{
        Me,
        server::{self, Credentials, FailuresLast, Logout, SignedIn, recognise, store::Kind},
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(login)).routes(routes!(refresh)).routes(routes!(logout)).routes(routes!(me))
}

/// What a program signs in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// E-mail address or user name.
    email: String,
    #[schema(value_type = String)]
    password: Password,
}

/// The tokens of a program.
#[derive(Serialize, ToSchema)]
struct Tokens {
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

/// Sign in by e-mail address or user name and password
#[utoipa::path(post, path = "/auth/login", tag = "auth", security(()), request_body = Login, responses((status = 200, body = Tokens)))]
async fn login(
    cx: Extension<Cx>,
    failures: Extension<FailuresLast>,
    headers: HeaderMap,
    Sent(login): Sent<Login>,
) -> Result<Json<Tokens>, AppError> {
    let Login { email, password } = login.read()?;
    let device = recognise::program_device(&headers, cx.origin().ip);
    let credentials = Credentials { login: email, password };
    let signed_in = server::sign_in(&cx, credentials, Kind::Program, device, failures.0.0).await?;
    Ok(Json(signed_in.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
}

/// Trade a refresh token for the next pair
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", security(()), request_body = Refresh, responses((status = 200, body = Tokens)))]
async fn refresh(cx: Extension<Cx>, Sent(refresh): Sent<Refresh>) -> Result<Json<Tokens>, AppError> {
    server::refresh(&cx, &refresh.read()?.refresh_token).await.map(|signed_in| Json(signed_in.into()))
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
