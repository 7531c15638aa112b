//! One's own entry over REST, and asking that it be deleted.

use axum::{Extension, Json, http::StatusCode, response::IntoResponse as _, response::Response};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{leaving, own};
use crate::{
    access::server::Cx,
    accounts::{DeletionRequest, Leaving, OwnProfile, PendingDeletion, ProfileEdit},
    base::{
        errors::AppError,
        server::http::{Done, Sent, versioned},
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(own_profile, edit_profile)).routes(routes!(
        own_deletion,
        request_deletion,
        cancel_deletion
    ))
}

/// Your own entry
#[utoipa::path(get, path = "/auth/profile", tag = "auth", responses((status = 200, body = OwnProfile)))]
async fn own_profile(cx: Extension<Cx>) -> Result<Response, AppError> {
    let profile = own::profile(&cx).await?;
    Ok(versioned(profile.version, profile))
}

/// Change your name, user name or language of letters
#[utoipa::path(patch, path = "/auth/profile", tag = "auth", request_body = ProfileEdit, responses((status = 200, body = OwnProfile)))]
async fn edit_profile(cx: Extension<Cx>, Sent(edit): Sent<ProfileEdit>) -> Result<Response, AppError> {
    let profile = own::edit_profile(&cx, edit).await?;
    Ok(versioned(profile.version, profile))
}

/// Whether your account waits to be deleted
#[utoipa::path(get, path = "/auth/deletion", tag = "auth", responses((status = 200, body = Leaving)))]
async fn own_deletion(cx: Extension<Cx>) -> Result<Json<Leaving>, AppError> {
    leaving::state(&cx).await.map(Json)
}

/// Ask that your account be deleted once the wait is over; needs a fresh proof
#[utoipa::path(post, path = "/auth/deletion", tag = "auth", request_body = DeletionRequest, responses((status = 202, body = PendingDeletion)))]
async fn request_deletion(cx: Extension<Cx>, Sent(request): Sent<DeletionRequest>) -> Result<Response, AppError> {
    let pending = leaving::request(&cx, request).await?;
    Ok((StatusCode::ACCEPTED, Json(pending)).into_response())
}

/// Call the deletion of your account off
#[utoipa::path(delete, path = "/auth/deletion", tag = "auth", responses((status = 200, body = Done)))]
async fn cancel_deletion(cx: Extension<Cx>) -> Result<Json<Done>, AppError> {
    leaving::cancel(&cx).await.map(|()| Json(Done::OK))
}
