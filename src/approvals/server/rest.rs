//! The REST routes of requests and decisions. Asking is the capability's whose change it is.

use axum::{Extension, Json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Applier, decide, list, own, rules, set_rules, withdraw};
use crate::{
    access::{ApprovalRules, server::Cx},
    approvals::{Approval, ApprovalsQuery, Verdict},
    base::{
        errors::AppError,
        ids::ApprovalId,
        server::http::{Asked, Done, Id, Sent},
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(list_rest))
        .routes(routes!(approve_rest))
        .routes(routes!(reject_rest))
        .routes(routes!(rules_rest, set_rules_rest))
        .routes(routes!(own_rest))
        .routes(routes!(withdraw_rest))
}

/// Requests that others have to agree to: `approvals.decide`
#[utoipa::path(get, path = "/admin/approvals", operation_id = "list", tag = "approvals", params(ApprovalsQuery), responses((status = 200, body = Vec<Approval>)))]
async fn list_rest(cx: Extension<Cx>, Asked(query): Asked<ApprovalsQuery>) -> Result<Json<Vec<Approval>>, AppError> {
    list(&cx, query).await.map(Json)
}

/// Agree to a request; the last yes that is needed does what was asked for: `approvals.decide`
#[utoipa::path(post, path = "/admin/approvals/{id}/approve", operation_id = "approve", tag = "approvals", params(("id" = uuid::Uuid, Path)), request_body = Verdict, responses((status = 200, body = Approval)))]
async fn approve_rest(
    cx: Extension<Cx>,
    applier: Extension<Applier>,
    Id(id): Id<ApprovalId>,
    Sent(body): Sent<Verdict>,
) -> Result<Json<Approval>, AppError> {
    decide(&cx, applier.0, id, true, body).await.map(Json)
}

/// Refuse a request, with a reason: `approvals.decide`
#[utoipa::path(post, path = "/admin/approvals/{id}/reject", operation_id = "reject", tag = "approvals", params(("id" = uuid::Uuid, Path)), request_body = Verdict, responses((status = 200, body = Approval)))]
async fn reject_rest(
    cx: Extension<Cx>,
    applier: Extension<Applier>,
    Id(id): Id<ApprovalId>,
    Sent(body): Sent<Verdict>,
) -> Result<Json<Approval>, AppError> {
    decide(&cx, applier.0, id, false, body).await.map(Json)
}

/// What others have to agree to, and how many: `settings.read`
#[utoipa::path(get, path = "/admin/approvals/rules", operation_id = "rules", tag = "approvals", responses((status = 200, body = ApprovalRules)))]
async fn rules_rest(cx: Extension<Cx>) -> Result<Json<ApprovalRules>, AppError> {
    rules(&cx).await.map(Json)
}

/// Set what others have to agree to, and how many: `settings.update`
#[utoipa::path(put, path = "/admin/approvals/rules", operation_id = "set_rules", tag = "approvals", request_body = ApprovalRules, responses((status = 200, body = ApprovalRules)))]
async fn set_rules_rest(cx: Extension<Cx>, Sent(body): Sent<ApprovalRules>) -> Result<Json<ApprovalRules>, AppError> {
    set_rules(&cx, body).await.map(Json)
}

/// What you have asked for
#[utoipa::path(get, path = "/auth/approvals", operation_id = "own", tag = "approvals", responses((status = 200, body = Vec<Approval>)))]
async fn own_rest(cx: Extension<Cx>) -> Result<Json<Vec<Approval>>, AppError> {
    own(&cx).await.map(Json)
}

/// Take back what you have asked for
#[utoipa::path(delete, path = "/auth/approvals/{id}", operation_id = "withdraw", tag = "approvals", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn withdraw_rest(cx: Extension<Cx>, Id(id): Id<ApprovalId>) -> Result<Json<Done>, AppError> {
    withdraw(&cx, id).await.map(|()| Json(Done::OK))
}
