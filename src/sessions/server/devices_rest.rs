//! Sessions and devices over REST.

use axum::{Extension, Json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::devices::{self, Ended};
use crate::{
    access::server::Cx,
    base::{
        errors::AppError,
        ids::{DeviceId, SessionId, UserId},
        server::http::{Done, Id, Ids},
    },
    sessions::{DeviceInfo, SessionInfo},
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(own_sessions, end_others))
        .routes(routes!(end_own))
        .routes(routes!(sessions_of, end_all_of))
        .routes(routes!(end_of))
        .routes(routes!(own_devices))
        .routes(routes!(revoke_own_device))
        .routes(routes!(devices_of))
        .routes(routes!(revoke_device_of))
}

/// Where you are signed in
#[utoipa::path(get, path = "/auth/sessions", tag = "auth", responses((status = 200, body = Vec<SessionInfo>)))]
async fn own_sessions(cx: Extension<Cx>) -> Result<Json<Vec<SessionInfo>>, AppError> {
    devices::own_sessions(&cx).await.map(Json)
}

/// End all your sessions but this one
#[utoipa::path(delete, path = "/auth/sessions", tag = "auth", responses((status = 200, body = Ended)))]
async fn end_others(cx: Extension<Cx>) -> Result<Json<Ended>, AppError> {
    devices::end_others(&cx).await.map(|ended| Json(Ended { ended }))
}

/// End one of your sessions
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "auth", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn end_own(cx: Extension<Cx>, Id(id): Id<SessionId>) -> Result<Json<Done>, AppError> {
    devices::end_own(&cx, id).await.map(|()| Json(Done::OK))
}

/// Where a person is signed in: `sessions.read`
#[utoipa::path(get, path = "/admin/users/{id}/sessions", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Vec<SessionInfo>)))]
async fn sessions_of(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Vec<SessionInfo>>, AppError> {
    devices::sessions_of(&cx, id).await.map(Json)
}

/// End every session of a person: `sessions.revoke`
#[utoipa::path(delete, path = "/admin/users/{id}/sessions", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Ended)))]
async fn end_all_of(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Ended>, AppError> {
    devices::end_of(&cx, id, None).await.map(|ended| Json(Ended { ended }))
}

/// End one session of a person: `sessions.revoke`
#[utoipa::path(delete, path = "/admin/users/{id}/sessions/{session}", tag = "users", params(("id" = uuid::Uuid, Path), ("session" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn end_of(cx: Extension<Cx>, Ids(id, session): Ids<UserId, SessionId>) -> Result<Json<Done>, AppError> {
    devices::end_of(&cx, id, Some(session)).await.map(|_ended| Json(Done::OK))
}

/// Your devices
#[utoipa::path(get, path = "/auth/devices", tag = "auth", responses((status = 200, body = Vec<DeviceInfo>)))]
async fn own_devices(cx: Extension<Cx>) -> Result<Json<Vec<DeviceInfo>>, AppError> {
    devices::own_devices(&cx).await.map(Json)
}

/// Forget one of your devices and end its sessions
#[utoipa::path(delete, path = "/auth/devices/{id}", tag = "auth", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn revoke_own_device(cx: Extension<Cx>, Id(id): Id<DeviceId>) -> Result<Json<Done>, AppError> {
    devices::revoke_own_device(&cx, id).await.map(|()| Json(Done::OK))
}

/// The devices of a person: `devices.read`
#[utoipa::path(get, path = "/admin/users/{id}/devices", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Vec<DeviceInfo>)))]
async fn devices_of(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Vec<DeviceInfo>>, AppError> {
    devices::devices_of(&cx, id).await.map(Json)
}

/// Forget a device of a person and end its sessions: `devices.revoke`
#[utoipa::path(delete, path = "/admin/users/{id}/devices/{device}", tag = "users", params(("id" = uuid::Uuid, Path), ("device" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn revoke_device_of(cx: Extension<Cx>, Ids(id, device): Ids<UserId, DeviceId>) -> Result<Json<Done>, AppError> {
    devices::revoke_device_of(&cx, id, device).await.map(|()| Json(Done::OK))
}
