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

/// A logo or a style sheet. Its name is its digest, so what is under it never changes. Pages of other sites cannot show it.
async fn file(
    cx: Extension<Cx>,
    place: Result<Path<(Uuid, String)>, axum::extract::rejection::PathRejection>,
) -> Response {
    let Ok(Path((tenant, name))) = place else { return AppError::NotFound.into_response() };
    match branding::file(&cx, TenantId(tenant), &name).await {
        Ok(file) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(file.kind)),
                (header::CONTENT_DISPOSITION, HeaderValue::from_static(file.disposition)),
                (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
                (
                    header::HeaderName::from_static("cross-origin-resource-policy"),
                    HeaderValue::from_static("same-origin"),
                ),
            ];
            (headers, file.bytes).into_response()
        }
        Err(error) => error.into_response(),
    }
}
