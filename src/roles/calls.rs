//! What the pages about roles and rights ask the server.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};

use crate::{
    access::PermissionInfo,
    accounts::bulk::{BulkAnswer, BulkRole},
    base::{
        errors::AppError,
        ids::{GroupId, RoleId, UserId},
        paging::Page,
    },
    roles::{
        AccessRequest, ApprovalRequest, Catalogue, CompareQuery, Comparison, Effect, GroupGives, Holder, HoldersQuery,
        ManyEdits, NewRole, OwnPermission, PermissionEdit, PersonRights, PersonStand, RemovalEffect, RightsEdit, Role,
        RoleEdit, RoleGives, RolesQuery,
        exchange::{CatalogueFile, ImportReport},
        templates::{FromTemplate, RoleTemplate},
    },
};

/// A page of the roles that are asked for.
#[server(prefix = "/api", endpoint = "roles/list", input = Json)]
pub async fn list_roles(query: RolesQuery) -> Result<Page<Role>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::list(&cx, query.into()).await
}

/// All roles of the tenant and the platform's, by name: to choose from.
#[server(prefix = "/api", endpoint = "roles/all", input = PostUrl)]
pub async fn all_roles() -> Result<Vec<Role>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::all(&cx).await
}

#[server(prefix = "/api", endpoint = "roles/get", input = Json)]
pub async fn get_role(id: RoleId) -> Result<Role, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::get(&cx, id).await
}

/// A page of those who have a role, given to them directly.
#[server(prefix = "/api", endpoint = "roles/holders", input = Json)]
pub async fn list_holders(id: RoleId, query: HoldersQuery) -> Result<Page<Holder>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::holders(&cx, id, query.into()).await
}

#[server(prefix = "/api", endpoint = "roles/create", input = Json)]
pub async fn create_role(role: NewRole) -> Result<Role, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::create(&cx, role.into()).await
}

#[server(prefix = "/api", endpoint = "roles/edit", input = Json)]
pub async fn edit_role(id: RoleId, edit: RoleEdit) -> Result<Role, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::edit(&cx, id, edit.into()).await
}

#[server(prefix = "/api", endpoint = "roles/delete", input = Json)]
pub async fn delete_role(id: RoleId, version: Option<i64>) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::delete(&cx, id, version).await
}

#[server(prefix = "/api", endpoint = "permissions/list", input = PostUrl)]
pub async fn list_permissions() -> Result<Catalogue, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::catalogue(&cx).await
}

#[server(prefix = "/api", endpoint = "rights/get", input = Json)]
pub async fn get_rights(id: UserId) -> Result<PersonRights, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::rights(&cx, id).await
}

#[server(prefix = "/api", endpoint = "rights/edit", input = Json)]
pub async fn edit_rights(id: UserId, edit: RightsEdit) -> Result<PersonRights, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::edit_rights(&cx, id, edit.into()).await
}

/// Gives many people a role or takes it from them, or tells what would come of it.
#[server(prefix = "/api", endpoint = "rights/change-role-of-many", input = Json)]
pub async fn change_role_of_many(change: BulkRole) -> Result<BulkAnswer, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::bulk::change_role(&cx, change.into()).await
}

/// What saving `edit` would do; nothing is written.
#[server(prefix = "/api", endpoint = "rights/what-if", input = Json)]
pub async fn what_if_rights(id: UserId, edit: RightsEdit) -> Result<Effect, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::what_if::of_person(&cx, id, edit.into()).await
}

/// What it would do if the role gave this instead; nothing is written.
#[server(prefix = "/api", endpoint = "roles/what-if", input = Json)]
pub async fn what_if_role(id: RoleId, gives: RoleGives) -> Result<Effect, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::what_if::of_role(&cx, id, gives.into()).await
}

/// What it would do if the group gave these roles instead; nothing is written.
#[server(prefix = "/api", endpoint = "groups/what-if", input = Json)]
pub async fn what_if_group(id: GroupId, gives: GroupGives) -> Result<Effect, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::what_if::of_group(&cx, id, gives.into()).await
}

/// What many people were given.
#[server(prefix = "/api", endpoint = "rights/of-many", input = Json)]
pub async fn get_rights_of_many(users: Vec<UserId>) -> Result<Vec<PersonStand>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::bulk::stands(&cx, users).await
}

/// Replaces the rights of many people: of all of them or of nobody.
#[server(prefix = "/api", endpoint = "rights/edit-of-many", input = Json)]
pub async fn edit_rights_of_many(edits: ManyEdits) -> Result<Vec<PersonStand>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::bulk::edit_rights(&cx, edits.into()).await
}

/// What saving them would do; nothing is written.
#[server(prefix = "/api", endpoint = "rights/what-if-of-many", input = Json)]
pub async fn what_if_many(edits: ManyEdits) -> Result<Effect, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::what_if::of_many(&cx, edits.into()).await
}

/// Asks that others agree to a change.
#[server(prefix = "/api", endpoint = "approvals/request", input = Json)]
pub async fn request_approval(request: ApprovalRequest) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::approved::request(&cx, request.into()).await.map(|_id| ())
}

/// Asks for a permission for oneself.
#[server(prefix = "/api", endpoint = "approvals/request-access", input = Json)]
pub async fn request_access(request: AccessRequest) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::approved::request_access(&cx, request.into()).await.map(|_id| ())
}

/// What each of two roles gives.
#[server(prefix = "/api", endpoint = "roles/compare", input = Json)]
pub async fn compare_roles(query: CompareQuery) -> Result<Comparison, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::compare(&cx, query.into()).await
}

#[server(prefix = "/api", endpoint = "roles/templates", input = PostUrl)]
pub async fn list_templates() -> Result<Vec<RoleTemplate>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::templates(&cx).await
}

#[server(prefix = "/api", endpoint = "roles/from-template", input = Json)]
pub async fn role_from_template(wanted: FromTemplate) -> Result<Role, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::create_from_template(&cx, wanted.into()).await
}

#[server(prefix = "/api", endpoint = "permissions/create", input = Json)]
pub async fn create_permission(permission: OwnPermission) -> Result<PermissionInfo, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::keys::create(&cx, permission.into()).await
}

#[server(prefix = "/api", endpoint = "permissions/edit", input = Json)]
pub async fn edit_permission(key: String, edit: PermissionEdit) -> Result<PermissionInfo, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::keys::edit(&cx, &key, edit.into()).await
}

/// Who would lose what if the permission were removed.
#[server(prefix = "/api", endpoint = "permissions/removal", input = Json)]
pub async fn permission_removal(key: String) -> Result<RemovalEffect, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::keys::removal(&cx, &key).await
}

#[server(prefix = "/api", endpoint = "permissions/delete", input = Json)]
pub async fn delete_permission(key: String) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::keys::delete(&cx, &key).await
}

#[server(prefix = "/api", endpoint = "catalogue/export", input = PostUrl)]
pub async fn export_catalogue() -> Result<CatalogueFile, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::exchange::export(&cx).await
}

#[server(prefix = "/api", endpoint = "catalogue/preview", input = Json)]
pub async fn preview_import(file: CatalogueFile) -> Result<ImportReport, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::exchange::preview(&cx, file.into()).await
}

#[server(prefix = "/api", endpoint = "catalogue/import", input = Json)]
pub async fn import_catalogue(file: CatalogueFile) -> Result<ImportReport, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::roles::server::exchange::import(&cx, file.into()).await
}
