//! What the pages about people, and about oneself, ask the server.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};

use crate::{
    accounts::{
        AddedPerson, DeletionRequest, Leaving, NewPerson, OwnProfile, PendingDeletion, PeopleCounts, PeopleQuery,
        Person, PersonEdit, PersonRow, ProfileEdit, Status,
        bulk::{BulkAnswer, BulkStatus},
        erasure::ErasureReport,
    },
    base::{errors::AppError, ids::UserId, paging::Page},
};

#[server(prefix = "/api", endpoint = "people/list", input = Json)]
pub async fn list_people(query: PeopleQuery) -> Result<Page<PersonRow>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::list(&cx, query.into()).await
}

#[server(prefix = "/api", endpoint = "people/counts", input = PostUrl)]
pub async fn count_people() -> Result<PeopleCounts, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::counts(&cx).await
}

/// How many people have a grant that ends soon.
#[server(prefix = "/api", endpoint = "people/count-ending", input = PostUrl)]
pub async fn count_ending() -> Result<i64, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::count_ending(&cx).await
}

#[server(prefix = "/api", endpoint = "people/get", input = Json)]
pub async fn get_person(id: UserId) -> Result<Person, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::get(&cx, id).await
}

#[server(prefix = "/api", endpoint = "people/add", input = Json)]
pub async fn add_person(person: NewPerson) -> Result<AddedPerson, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::add(&cx, person.into()).await
}

#[server(prefix = "/api", endpoint = "people/edit", input = Json)]
pub async fn edit_person(id: UserId, edit: PersonEdit) -> Result<Person, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::edit(&cx, id, edit.into()).await
}

#[server(prefix = "/api", endpoint = "people/set-status", input = Json)]
pub async fn set_person_status(id: UserId, status: Status, version: Option<i64>) -> Result<Person, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::set_status(&cx, id, crate::accounts::StatusChange { status, version }.into()).await
}

/// Suspends many people or makes them active again, or tells what would come of it.
#[server(prefix = "/api", endpoint = "people/set-status-of-many", input = Json)]
pub async fn set_status_of_many(change: BulkStatus) -> Result<BulkAnswer, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::bulk::set_status(&cx, change.into()).await
}

#[server(prefix = "/api", endpoint = "people/delete", input = Json)]
pub async fn delete_person(id: UserId, version: Option<i64>) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::delete(&cx, id, version).await
}

/// What erasing a deleted person would do; once that is done, what it did (E5).
#[server(prefix = "/api", endpoint = "people/erasure", input = Json)]
pub async fn erasure_of(id: UserId) -> Result<ErasureReport, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::erasure::report(&cx, id).await
}

/// Erases a deleted person (E5).
#[server(prefix = "/api", endpoint = "people/erase", input = Json)]
pub async fn erase_person(id: UserId) -> Result<ErasureReport, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::erasure::erase(&cx, id).await
}

/// A fresh one-time link for somebody who lost theirs or their password.
#[server(prefix = "/api", endpoint = "people/new-link", input = Json)]
pub async fn new_link(id: UserId, mail: bool) -> Result<AddedPerson, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::new_link(&cx, id, crate::accounts::LinkRequest { mail }.into()).await
}

/// Voids the open one-time links of a person.
#[server(prefix = "/api", endpoint = "people/revoke-link", input = Json)]
pub async fn revoke_link(id: UserId) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::revoke_link(&cx, id).await
}

/// Calls off the deletion that a person has asked for.
#[server(prefix = "/api", endpoint = "people/call-off-deletion", input = Json)]
pub async fn call_off_deletion(id: UserId) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::leaving::call_off(&cx, id).await
}

/// The caller's own entry.
#[server(name = AskProfile, prefix = "/api", endpoint = "profile", input = PostUrl)]
pub async fn own_profile() -> Result<OwnProfile, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::own::profile(&cx).await
}

#[server(prefix = "/api", endpoint = "profile/edit", input = Json)]
pub async fn edit_profile(edit: ProfileEdit) -> Result<OwnProfile, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::own::edit_profile(&cx, edit.into()).await
}

/// Whether the caller's own account waits to be deleted.
#[server(prefix = "/api", endpoint = "deletion", input = PostUrl)]
pub async fn own_deletion() -> Result<Leaving, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::leaving::state(&cx).await
}

#[server(prefix = "/api", endpoint = "deletion/request", input = Json)]
pub async fn request_deletion(request: DeletionRequest) -> Result<PendingDeletion, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::accounts::server::leaving::request(&cx, request.into()).await
}
