//! The decision engine and its policies over REST.

use axum::{
    Extension, Json,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::server::Cx,
    base::{
        errors::AppError,
        ids::PolicyId,
        paging::Page,
        server::http::{Asked, Done, Id, IfMatch, Sent, versioned},
    },
    policies::{
        AblePage, AbleQuery, Activation, Evaluations, ModuleTests, NewPolicy, PoliciesQuery, Policy, PolicyEdit,
        PolicyPreview, Questions, Saved, TestResults, Trial, Tried,
        graph::{Graph, GraphQuery},
        server::{self, kept},
    },
    roles::Effect,
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(evaluate))
        .routes(routes!(who_can))
        .routes(routes!(graph))
        .routes(routes!(list, create))
        .routes(routes!(try_out))
        .routes(routes!(test))
        .routes(routes!(get, edit, delete))
        .routes(routes!(versions))
        .routes(routes!(preview))
        .routes(routes!(activate))
        .routes(routes!(deactivate))
}

/// List policies: `policies.read`
#[utoipa::path(get, path = "/admin/policies", tag = "policies", params(PoliciesQuery), responses((status = 200, body = inline(Page<Policy>))))]
async fn list(cx: Extension<Cx>, Asked(query): Asked<PoliciesQuery>) -> Result<Json<Page<Policy>>, AppError> {
    kept::list(&cx, query).await.map(Json)
}

/// Create a policy: `policies.create`, to enforce it at once also all that it is about
#[utoipa::path(post, path = "/admin/policies", tag = "policies", request_body = NewPolicy, responses((status = 201, body = Policy)))]
async fn create(cx: Extension<Cx>, Sent(policy): Sent<NewPolicy>) -> Result<Response, AppError> {
    let policy = kept::create(&cx, policy).await?;
    Ok((StatusCode::CREATED, versioned(policy.version, policy)).into_response())
}

/// Try a policy on a person without saving it: `policies.read`, `permissions.read` and `users.read`
#[utoipa::path(post, path = "/admin/policies/try", tag = "policies", request_body = Trial, responses((status = 200, body = Tried)))]
async fn try_out(cx: Extension<Cx>, Sent(trial): Sent<Trial>) -> Result<Json<Tried>, AppError> {
    kept::try_out(&cx, trial).await.map(Json)
}

/// Run the tests of a Rego module without saving it: `policies.read`
#[utoipa::path(post, path = "/admin/policies/test", tag = "policies", request_body = ModuleTests, responses((status = 200, body = TestResults)))]
async fn test(cx: Extension<Cx>, Sent(tests): Sent<ModuleTests>) -> Result<Json<TestResults>, AppError> {
    kept::test(&cx, tests).await.map(Json)
}

/// One policy: `policies.read`
#[utoipa::path(get, path = "/admin/policies/{id}", tag = "policies", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Policy)))]
async fn get(cx: Extension<Cx>, Id(id): Id<PolicyId>) -> Result<Response, AppError> {
    let policy = kept::get(&cx, id).await?;
    Ok(versioned(policy.version, policy))
}

/// Edit a policy, as its next version: `policies.update`
#[utoipa::path(patch, path = "/admin/policies/{id}", tag = "policies", params(("id" = uuid::Uuid, Path)), request_body = PolicyEdit, responses((status = 200, body = Policy)))]
async fn edit(cx: Extension<Cx>, Id(id): Id<PolicyId>, Sent(edit): Sent<PolicyEdit>) -> Result<Response, AppError> {
    let policy = kept::edit(&cx, id, edit).await?;
    Ok(versioned(policy.version, policy))
}

/// Delete a policy: `policies.delete`, and all that it is about where it is enforced
#[utoipa::path(delete, path = "/admin/policies/{id}", tag = "policies", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn delete(cx: Extension<Cx>, Id(id): Id<PolicyId>, IfMatch(seen): IfMatch) -> Result<Json<Done>, AppError> {
    kept::delete(&cx, id, seen).await.map(|()| Json(Done::OK))
}

/// The versions of a policy, the last first: `policies.read`
#[utoipa::path(get, path = "/admin/policies/{id}/versions", tag = "policies", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Vec<Saved>)))]
async fn versions(cx: Extension<Cx>, Id(id): Id<PolicyId>) -> Result<Json<Vec<Saved>>, AppError> {
    kept::versions(&cx, id).await.map(Json)
}

/// Enforce a version of a policy, also an earlier one: `policies.update`, and all that it is about
#[utoipa::path(post, path = "/admin/policies/{id}/activate", tag = "policies", params(("id" = uuid::Uuid, Path)), request_body = Activation, responses((status = 200, body = Policy)))]
async fn activate(
    cx: Extension<Cx>,
    Id(id): Id<PolicyId>,
    Sent(activation): Sent<Activation>,
) -> Result<Response, AppError> {
    let policy = kept::activate(&cx, id, activation).await?;
    Ok(versioned(policy.version, policy))
}

/// What enforcing a version of a policy, or none, would do to whom: `policies.read`, `permissions.read` and `users.read`
#[utoipa::path(post, path = "/admin/policies/{id}/what-if", tag = "policies", params(("id" = uuid::Uuid, Path)), request_body = PolicyPreview, responses((status = 200, body = Effect)))]
async fn preview(
    cx: Extension<Cx>,
    Id(id): Id<PolicyId>,
    Sent(wanted): Sent<PolicyPreview>,
) -> Result<Json<Effect>, AppError> {
    kept::preview(&cx, id, wanted).await.map(Json)
}

/// Enforce a policy no longer: `policies.update`, and all that it is about
#[utoipa::path(post, path = "/admin/policies/{id}/deactivate", tag = "policies", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Policy)))]
async fn deactivate(cx: Extension<Cx>, Id(id): Id<PolicyId>, IfMatch(seen): IfMatch) -> Result<Response, AppError> {
    let policy = kept::deactivate(&cx, id, seen).await?;
    Ok(versioned(policy.version, policy))
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

/// Who has what through what, as nodes and lines: `permissions.read` and `roles.read`, with `groups.read` and `users.read` more
#[utoipa::path(get, path = "/admin/permissions/graph", tag = "permissions", params(GraphQuery), responses((status = 200, body = Graph)))]
async fn graph(cx: Extension<Cx>, Asked(query): Asked<GraphQuery>) -> Result<Json<Graph>, AppError> {
    server::graph::graph(&cx, query).await.map(Json)
}
