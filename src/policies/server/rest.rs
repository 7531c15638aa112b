//! The decision engine over REST.

use axum::{Extension, Json, extract::Path};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::server::Cx,
    base::{
        errors::AppError,
        server::http::{Asked, Sent},
    },
    policies::{AblePage, AbleQuery, Evaluations, Questions, server},
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(evaluate)).routes(routes!(who_can))
}

/// May somebody do something, why, and what would have to change; one question or many: `permissions.read` and `users.read`
#[utoipa::path(post, path = "/admin/policies/evaluate", tag = "policies", request_body = Questions, responses((status = 200, body = Evaluations)))]
async fn evaluate(cx: Extension<Cx>, Sent(questions): Sent<Questions>) -> Result<Json<Evaluations>, AppError> {
    server::evaluate(&cx, questions).await.map(Json)
}

/// Who holds a permission now, by whatever way: `permissions.read` and `users.read`
#[utoipa::path(get, path = "/admin/permissions/{key}/users", tag = "permissions", params(("key" = String, Path), AbleQuery), responses((status = 200, body = AblePage)))]
async fn who_can(
    cx: Extension<Cx>,
    Path(key): Path<String>,
    Asked(query): Asked<AbleQuery>,
) -> Result<Json<AblePage>, AppError> {
    server::who_can(&cx, &key, query).await.map(Json)
}
