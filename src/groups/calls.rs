//! What the pages about groups ask the server.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};

use crate::{
    base::{
        errors::AppError,
        ids::{GroupId, UserId},
        paging::Page,
    },
    groups::{AskedEdit, Group, GroupEdit, GroupsQuery, Member, MembersQuery, NewGroup, NewMember, PersonGroup},
};

/// A page of the groups that are asked for.
#[server(prefix = "/api", endpoint = "groups/list", input = Json)]
pub async fn list_groups(query: GroupsQuery) -> Result<Page<Group>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::list(&cx, query.into()).await
}

/// All groups of the tenant, by name: to choose from.
#[server(prefix = "/api", endpoint = "groups/all", input = PostUrl)]
pub async fn all_groups() -> Result<Vec<Group>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::all(&cx).await
}

#[server(prefix = "/api", endpoint = "groups/get", input = Json)]
pub async fn get_group(id: GroupId) -> Result<Group, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::get(&cx, id).await
}

#[server(prefix = "/api", endpoint = "groups/create", input = Json)]
pub async fn create_group(group: NewGroup) -> Result<Group, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::create(&cx, group.into()).await
}

#[server(prefix = "/api", endpoint = "groups/edit", input = Json)]
pub async fn edit_group(id: GroupId, edit: GroupEdit) -> Result<Group, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::edit(&cx, id, edit.into()).await
}

/// Asks that others agree to a change.
#[server(prefix = "/api", endpoint = "groups/request", input = Json)]
pub async fn request_group(id: GroupId, asked: AskedEdit) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::approved::request(&cx, id, asked.into()).await.map(|_id| ())
}

#[server(prefix = "/api", endpoint = "groups/delete", input = Json)]
pub async fn delete_group(id: GroupId, version: Option<i64>) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::delete(&cx, id, version).await
}

/// A page of those who are in a group themselves.
#[server(prefix = "/api", endpoint = "groups/members", input = Json)]
pub async fn list_members(id: GroupId, query: MembersQuery) -> Result<Page<Member>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::members(&cx, id, query.into()).await
}

#[server(prefix = "/api", endpoint = "groups/put-member", input = Json)]
pub async fn put_member(id: GroupId, member: NewMember) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::put_member(&cx, id, member.into()).await
}

#[server(prefix = "/api", endpoint = "groups/remove-member", input = Json)]
pub async fn remove_member(id: GroupId, user: UserId) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::remove_member(&cx, id, user).await
}

/// The groups that somebody is in.
#[server(prefix = "/api", endpoint = "groups/of", input = Json)]
pub async fn groups_of(user: UserId) -> Result<Vec<PersonGroup>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::groups::server::of_person(&cx, user).await
}
