//! The REST routes of acting as somebody else.

use axum::{Extension, Json};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{begin, end};
use crate::{
    access::server::Cx,
    base::{
        errors::AppError,
        server::http::{Done, Sent},
        time::Timestamp,
    },
    impersonation::Impersonate,
};

/// The token with which one acts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Impersonating {
    pub ok: bool,
    /// An access token of the other person; it cannot be renewed.
    pub impersonation_token: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(begin_rest)).routes(routes!(end_rest))
}

/// Act as somebody else for a while, with a reason: `impersonate.users`
#[utoipa::path(post, path = "/admin/impersonate", operation_id = "begin", tag = "impersonation", request_body = Impersonate, responses((status = 200, body = Impersonating)))]
async fn begin_rest(cx: Extension<Cx>, Sent(body): Sent<Impersonate>) -> Result<Json<Impersonating>, AppError> {
    let begun = begin(&cx, body).await?;
    let expires_at = begun.expires_at.into();
    Ok(Json(Impersonating { ok: true, impersonation_token: begun.token.expose().clone(), expires_at }))
}

/// End acting as somebody else, with the token of it
#[utoipa::path(delete, path = "/auth/impersonation", operation_id = "end", tag = "impersonation", responses((status = 200, body = Done)))]
async fn end_rest(cx: Extension<Cx>) -> Result<Json<Done>, AppError> {
    end(&cx).await.map(|()| Json(Done::OK))
}
