//! The REST routes of API keys.

use axum::{
    Extension, Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{create, delete, edit, list, rotate};
use crate::{
    access::server::Cx,
    api_keys::{ApiKey, ApiKeyEdit, ApiKeysQuery, MadeApiKey, NewApiKey, Rotation},
    base::{
        errors::AppError,
        ids::ApiKeyId,
        paging::Page,
        server::http::{Asked, Done, Id, Sent, versioned},
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(list_rest, create_rest))
        .routes(routes!(edit_rest, delete_rest))
        .routes(routes!(rotate_rest))
}

/// The tenant's API keys: `api_keys.manage`
#[utoipa::path(get, path = "/admin/api-keys", operation_id = "list", tag = "api_keys", params(ApiKeysQuery), responses((status = 200, body = inline(Page<ApiKey>))))]
async fn list_rest(cx: Extension<Cx>, Asked(query): Asked<ApiKeysQuery>) -> Result<Json<Page<ApiKey>>, AppError> {
    list(&cx, query).await.map(Json)
}

/// Make an API key for yourself; its secret is in this answer and never again: `api_keys.manage`, and whatever the scopes name
#[utoipa::path(post, path = "/admin/api-keys", operation_id = "create", tag = "api_keys", request_body = NewApiKey, responses((status = 201, body = MadeApiKey)))]
async fn create_rest(cx: Extension<Cx>, Sent(body): Sent<NewApiKey>) -> Result<Response, AppError> {
    let made = create(&cx, body).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Change an API key, or turn it off: `api_keys.manage`
#[utoipa::path(patch, path = "/admin/api-keys/{id}", operation_id = "edit", tag = "api_keys", params(("id" = uuid::Uuid, Path)), request_body = ApiKeyEdit, responses((status = 200, body = ApiKey)))]
async fn edit_rest(
    cx: Extension<Cx>,
    Id(id): Id<ApiKeyId>,
    Sent(body): Sent<ApiKeyEdit>,
) -> Result<Response, AppError> {
    let key = edit(&cx, id, body).await?;
    Ok(versioned(key.version, key))
}

/// Delete an API key: `api_keys.manage`
#[utoipa::path(delete, path = "/admin/api-keys/{id}", operation_id = "delete", tag = "api_keys", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn delete_rest(cx: Extension<Cx>, Id(id): Id<ApiKeyId>) -> Result<Json<Done>, AppError> {
    delete(&cx, id).await.map(|()| Json(Done::OK))
}

/// Give your API key a new secret; the one before stays good for the overlap: `api_keys.manage`
#[utoipa::path(post, path = "/admin/api-keys/{id}/rotate", operation_id = "rotate", tag = "api_keys", params(("id" = uuid::Uuid, Path)), request_body = Rotation, responses((status = 200, body = MadeApiKey)))]
async fn rotate_rest(
    cx: Extension<Cx>,
    Id(id): Id<ApiKeyId>,
    Sent(body): Sent<Rotation>,
) -> Result<Json<MadeApiKey>, AppError> {
    rotate(&cx, id, body).await.map(Json)
}
