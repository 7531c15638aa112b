//! Groups over REST.

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
        ids::{GroupId, UserId},
        paging::Page,
        server::http::{Asked, Done, Id, Ids, IfMatch, Sent, versioned},
    },
    groups::{Group, GroupEdit, GroupsQuery, Member, MembersQuery, NewGroup, NewMember, PersonGroup, server},
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, edit, delete))
        .routes(routes!(members, put_member))
        .routes(routes!(remove_member))
        .routes(routes!(of_person))
}

/// List groups: `groups.read`
#[utoipa::path(get, path = "/admin/groups", tag = "groups", params(GroupsQuery), responses((status = 200, body = inline(Page<Group>))))]
async fn list(cx: Extension<Cx>, Asked(query): Asked<GroupsQuery>) -> Result<Json<Page<Group>>, AppError> {
    server::list(&cx, query).await.map(Json)
}

/// Create a group: `groups.manage`, with roles or groups around it also `permissions.assign` and all that they give
#[utoipa::path(post, path = "/admin/groups", tag = "groups", request_body = NewGroup, responses((status = 201, body = Group)))]
async fn create(cx: Extension<Cx>, Sent(group): Sent<NewGroup>) -> Result<Response, AppError> {
    let group = server::create(&cx, group).await?;
    Ok((StatusCode::CREATED, versioned(group.version, group)).into_response())
}

/// One group: `groups.read`
#[utoipa::path(get, path = "/admin/groups/{id}", tag = "groups", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Group)))]
async fn get(cx: Extension<Cx>, Id(id): Id<GroupId>) -> Result<Response, AppError> {
    let group = server::get(&cx, id).await?;
    Ok(versioned(group.version, group))
}

/// Edit a group: `groups.manage`, for what it gives also `permissions.assign`, and all that it gives before and after
#[utoipa::path(patch, path = "/admin/groups/{id}", tag = "groups", params(("id" = uuid::Uuid, Path)), request_body = GroupEdit, responses((status = 200, body = Group)))]
async fn edit(cx: Extension<Cx>, Id(id): Id<GroupId>, Sent(edit): Sent<GroupEdit>) -> Result<Response, AppError> {
    let group = server::edit(&cx, id, edit).await?;
    Ok(versioned(group.version, group))
}

/// Delete a group: `groups.manage`, and all that it gives
#[utoipa::path(delete, path = "/admin/groups/{id}", tag = "groups", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn delete(cx: Extension<Cx>, Id(id): Id<GroupId>, IfMatch(seen): IfMatch) -> Result<Json<Done>, AppError> {
    server::delete(&cx, id, seen).await.map(|()| Json(Done::OK))
}

/// Who is in a group themselves: `users.read` and `groups.read`
#[utoipa::path(get, path = "/admin/groups/{id}/members", tag = "groups", params(("id" = uuid::Uuid, Path), MembersQuery), responses((status = 200, body = inline(Page<Member>))))]
async fn members(
    cx: Extension<Cx>,
    Id(id): Id<GroupId>,
    Asked(query): Asked<MembersQuery>,
) -> Result<Json<Page<Member>>, AppError> {
    server::members(&cx, id, query).await.map(Json)
}

/// Take somebody into a group: `permissions.assign`, and all that the group gives
#[utoipa::path(post, path = "/admin/groups/{id}/members", tag = "groups", params(("id" = uuid::Uuid, Path)), request_body = NewMember, responses((status = 200, body = Done)))]
async fn put_member(
    cx: Extension<Cx>,
    Id(id): Id<GroupId>,
    Sent(member): Sent<NewMember>,
) -> Result<Json<Done>, AppError> {
    server::put_member(&cx, id, member).await.map(|()| Json(Done::OK))
}

/// Take somebody out of a group: `permissions.assign`
#[utoipa::path(delete, path = "/admin/groups/{id}/members/{user}", tag = "groups", params(("id" = uuid::Uuid, Path), ("user" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn remove_member(cx: Extension<Cx>, Ids(id, user): Ids<GroupId, UserId>) -> Result<Json<Done>, AppError> {
    server::remove_member(&cx, id, user).await.map(|()| Json(Done::OK))
}

/// The groups that a person is in: `groups.read` and `users.read`
#[utoipa::path(get, path = "/admin/users/{id}/groups", tag = "groups", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Vec<PersonGroup>)))]
async fn of_person(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Vec<PersonGroup>>, AppError> {
    server::of_person(&cx, id).await.map(Json)
}
