//! People over REST.

use axum::{
    Extension, Json,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::server::Cx,
    accounts::{
        AddedPerson, LinkRequest, NewPerson, PeopleQuery, Person, PersonEdit, PersonRow, StatusChange,
        bulk::{BulkAnswer, BulkStatus},
        erasure::ErasureReport,
        server,
    },
    base::{
        errors::AppError,
        ids::UserId,
        paging::Page,
        server::http::{Asked, Done, Id, IfMatch, Sent, versioned},
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, edit, delete))
        .routes(routes!(set_status))
        .routes(routes!(bulk_status))
        .routes(routes!(new_link, revoke_link))
        .routes(routes!(call_off_deletion))
        .routes(routes!(erasure_of, erase))
}

/// List people: `users.read`
#[utoipa::path(get, path = "/admin/users", tag = "users", params(PeopleQuery), responses((status = 200, body = inline(Page<PersonRow>))))]
async fn list(cx: Extension<Cx>, Asked(query): Asked<PeopleQuery>) -> Result<Json<Page<PersonRow>>, AppError> {
    server::list(&cx, query).await.map(Json)
}

/// Add a person: `users.create`, with roles also `permissions.assign`
#[utoipa::path(post, path = "/admin/users", tag = "users", request_body = NewPerson, responses((status = 201, body = AddedPerson)))]
async fn add(cx: Extension<Cx>, Sent(person): Sent<NewPerson>) -> Result<Response, AppError> {
    let added = server::add(&cx, person).await?;
    Ok((StatusCode::CREATED, Json(added)).into_response())
}

/// One person: `users.read`
#[utoipa::path(get, path = "/admin/users/{id}", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Person)))]
async fn get(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Response, AppError> {
    let person = server::get(&cx, id).await?;
    Ok(versioned(person.version, person))
}

/// Edit a person: `users.update`
#[utoipa::path(patch, path = "/admin/users/{id}", tag = "users", params(("id" = uuid::Uuid, Path)), request_body = PersonEdit, responses((status = 200, body = Person)))]
async fn edit(cx: Extension<Cx>, Id(id): Id<UserId>, Sent(edit): Sent<PersonEdit>) -> Result<Response, AppError> {
    let person = server::edit(&cx, id, edit).await?;
    Ok(versioned(person.version, person))
}

/// Delete a person: `users.delete`
#[utoipa::path(delete, path = "/admin/users/{id}", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn delete(cx: Extension<Cx>, Id(id): Id<UserId>, IfMatch(seen): IfMatch) -> Result<Json<Done>, AppError> {
    server::delete(&cx, id, seen).await.map(|()| Json(Done::OK))
}

/// Suspend a person or make them active again: `users.update`
#[utoipa::path(patch, path = "/admin/users/{id}/status", tag = "users", params(("id" = uuid::Uuid, Path)), request_body = StatusChange, responses((status = 200, body = Person)))]
async fn set_status(
    cx: Extension<Cx>,
    Id(id): Id<UserId>,
    Sent(change): Sent<StatusChange>,
) -> Result<Response, AppError> {
    let person = server::set_status(&cx, id, change).await?;
    Ok(versioned(person.version, person))
}

/// Suspend many people or make them active again, all of them or nobody unless the refused are skipped: `users.update`
#[utoipa::path(post, path = "/admin/users/bulk/status", tag = "users", request_body = BulkStatus, responses((status = 200, body = BulkAnswer)))]
async fn bulk_status(cx: Extension<Cx>, Sent(change): Sent<BulkStatus>) -> Result<Json<BulkAnswer>, AppError> {
    server::bulk::set_status(&cx, change).await.map(Json)
}

/// A fresh one-time link for choosing a password, given back or mailed: `users.reset_password`
#[utoipa::path(post, path = "/admin/users/{id}/link", tag = "users", params(("id" = uuid::Uuid, Path)), request_body = LinkRequest, responses((status = 200, body = AddedPerson)))]
async fn new_link(
    cx: Extension<Cx>,
    Id(id): Id<UserId>,
    Sent(request): Sent<LinkRequest>,
) -> Result<Json<AddedPerson>, AppError> {
    server::new_link(&cx, id, request).await.map(Json)
}

/// Void the open one-time links of a person: `users.reset_password`
#[utoipa::path(delete, path = "/admin/users/{id}/link", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn revoke_link(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Done>, AppError> {
    server::revoke_link(&cx, id).await.map(|()| Json(Done::OK))
}

/// Call off the deletion that a person has asked for: `users.update`
#[utoipa::path(delete, path = "/admin/users/{id}/deletion", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn call_off_deletion(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Done>, AppError> {
    server::leaving::call_off(&cx, id).await.map(|()| Json(Done::OK))
}

/// What erasing a deleted person would do, or what it did, as a file: `users.delete`
#[utoipa::path(get, path = "/admin/users/{id}/erasure", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = ErasureReport)))]
async fn erasure_of(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Response, AppError> {
    let report = server::erasure::report(&cx, id).await?;
    let name = [(header::CONTENT_DISPOSITION, "attachment; filename=\"erasure.json\"")];
    Ok((name, Json(report)).into_response())
}

/// Erase what names a deleted person, and tell what stays and why; needs a fresh proof: `users.delete`
#[utoipa::path(post, path = "/admin/users/{id}/erasure", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = ErasureReport)))]
async fn erase(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<ErasureReport>, AppError> {
    server::erasure::erase(&cx, id).await.map(Json)
}
