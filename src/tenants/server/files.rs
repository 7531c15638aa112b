//! The files of brandings over HTTP: public, and the same for everybody.

use axum::{
    Extension, Router,
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use uuid::Uuid;

use crate::{
    access::server::Cx,
    base::{errors::AppError, ids::TenantId},
    tenants::server::branding,
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/brand/{tenant}/{file}", get(file))
}

/// A logo or a style sheet. Its name is its digest, so what is under it never changes.
async fn file(
    cx: Extension<Cx>,
    place: Result<Path<(Uuid, String)>, axum::extract::rejection::PathRejection>,
) -> Result<Response, AppError> {
    let Path((tenant, name)) = place.map_err(|_no_such_place| AppError::NotFound)?;
    let file = branding::file(&cx, TenantId(tenant), &name).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(file.disposition)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    Ok((headers, file.bytes).into_response())
}
