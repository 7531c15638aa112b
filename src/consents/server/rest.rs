//! Consents over REST: one's own, and the texts.

use axum::{
    Extension, Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::server::Cx,
    base::{
        errors::AppError,
        ids::ConsentId,
        paging::Page,
        server::http::{Asked, Id, IfMatch, Sent, versioned},
    },
    consents::{
        ConsentEdit, ConsentText, ConsentsQuery, GivenConsent, Giver, NewConsent, OwnConsent, PublishedConsent,
        server::{self, own},
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(list_own))
        .routes(routes!(give, withdraw))
        .routes(routes!(list, create))
        .routes(routes!(get, edit, retire))
        .routes(routes!(versions))
        .routes(routes!(publish))
        .routes(routes!(givers))
}

/// The texts that you have given, withdrawn or not answered yet
#[utoipa::path(get, path = "/auth/consents", tag = "consents", responses((status = 200, body = Vec<OwnConsent>)))]
async fn list_own(cx: Extension<Cx>) -> Result<Json<Vec<OwnConsent>>, AppError> {
    own::list(&cx).await.map(Json)
}

/// Give a text, in the version that you have read
#[utoipa::path(post, path = "/auth/consents/{id}", tag = "consents", params(("id" = uuid::Uuid, Path)), request_body = GivenConsent, responses((status = 200, body = OwnConsent)))]
async fn give(
    cx: Extension<Cx>,
    Id(id): Id<ConsentId>,
    Sent(given): Sent<GivenConsent>,
) -> Result<Json<OwnConsent>, AppError> {
    own::give(&cx, id, given).await.map(Json)
}

/// Withdraw a text that is not required
#[utoipa::path(delete, path = "/auth/consents/{id}", tag = "consents", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = OwnConsent)))]
async fn withdraw(cx: Extension<Cx>, Id(id): Id<ConsentId>) -> Result<Json<OwnConsent>, AppError> {
    own::withdraw(&cx, id).await.map(Json)
}

/// List the texts of the tenant: `consents.read`
#[utoipa::path(get, path = "/admin/consents", tag = "consents", params(ConsentsQuery), responses((status = 200, body = inline(Page<ConsentText>))))]
async fn list(cx: Extension<Cx>, Asked(query): Asked<ConsentsQuery>) -> Result<Json<Page<ConsentText>>, AppError> {
    server::list(&cx, query).await.map(Json)
}

/// Create a text, as a draft: `consents.manage`
#[utoipa::path(post, path = "/admin/consents", tag = "consents", request_body = NewConsent, responses((status = 201, body = ConsentText)))]
async fn create(cx: Extension<Cx>, Sent(text): Sent<NewConsent>) -> Result<Response, AppError> {
    let text = server::create(&cx, text).await?;
    Ok((StatusCode::CREATED, versioned(text.version, text)).into_response())
}

/// One text: `consents.read`
#[utoipa::path(get, path = "/admin/consents/{id}", tag = "consents", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = ConsentText)))]
async fn get(cx: Extension<Cx>, Id(id): Id<ConsentId>) -> Result<Response, AppError> {
    let text = server::get(&cx, id).await?;
    Ok(versioned(text.version, text))
}

/// Edit the draft of a text, or whether it is required: `consents.manage`
#[utoipa::path(patch, path = "/admin/consents/{id}", tag = "consents", params(("id" = uuid::Uuid, Path)), request_body = ConsentEdit, responses((status = 200, body = ConsentText)))]
async fn edit(cx: Extension<Cx>, Id(id): Id<ConsentId>, Sent(edit): Sent<ConsentEdit>) -> Result<Response, AppError> {
    let text = server::edit(&cx, id, edit).await?;
    Ok(versioned(text.version, text))
}

/// Retire a text for good: `consents.manage`
#[utoipa::path(delete, path = "/admin/consents/{id}", tag = "consents", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = ConsentText)))]
async fn retire(cx: Extension<Cx>, Id(id): Id<ConsentId>, IfMatch(seen): IfMatch) -> Result<Response, AppError> {
    let text = server::retire(&cx, id, seen).await?;
    Ok(versioned(text.version, text))
}

/// What was published of a text, the last first: `consents.read`
#[utoipa::path(get, path = "/admin/consents/{id}/versions", tag = "consents", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Vec<PublishedConsent>)))]
async fn versions(cx: Extension<Cx>, Id(id): Id<ConsentId>) -> Result<Json<Vec<PublishedConsent>>, AppError> {
    server::versions(&cx, id).await.map(Json)
}

/// Publish the draft as the next version; whoever gave an earlier one is asked anew: `consents.manage`
#[utoipa::path(post, path = "/admin/consents/{id}/publish", tag = "consents", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = ConsentText)))]
async fn publish(cx: Extension<Cx>, Id(id): Id<ConsentId>, IfMatch(seen): IfMatch) -> Result<Response, AppError> {
    let text = server::publish(&cx, id, seen).await?;
    Ok(versioned(text.version, text))
}

/// Who has given the last version: `consents.read` and `users.read`
#[utoipa::path(get, path = "/admin/consents/{id}/users", tag = "consents", params(("id" = uuid::Uuid, Path), ConsentsQuery), responses((status = 200, body = inline(Page<Giver>))))]
async fn givers(
    cx: Extension<Cx>,
    Id(id): Id<ConsentId>,
    Asked(query): Asked<ConsentsQuery>,
) -> Result<Json<Page<Giver>>, AppError> {
    server::givers(&cx, id, query).await.map(Json)
}
