//! The REST routes of reports.

use axum::{Extension, Json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::dashboard;
use crate::{
    access::server::Cx,
    base::{errors::AppError, server::http::Asked},
    reports::{Dashboard, DashboardQuery},
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(dashboard_rest))
}

/// The tenant in numbers, day by day: `reports.read`
#[utoipa::path(get, path = "/admin/dashboard", operation_id = "dashboard", tag = "reports", params(DashboardQuery), responses((status = 200, body = Dashboard)))]
async fn dashboard_rest(cx: Extension<Cx>, Asked(query): Asked<DashboardQuery>) -> Result<Json<Dashboard>, AppError> {
    dashboard(&cx, query).await.map(Json)
}
