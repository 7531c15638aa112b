//! Roles and grants over REST.

use axum::{
    Extension, Json,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::{EffectivePermission, PermissionInfo, server::Cx},
    accounts::bulk::{BulkAnswer, BulkRole},
    base::{
        errors::AppError,
        ids::{GroupId, RoleId, UserId},
        paging::Page,
        server::http::{Asked, Done, Id, IfMatch, Sent, versioned},
    },
    roles::{
        CloneRole, CompareQuery, Comparison, Effect, GroupGives, Holder, HoldersQuery, ManyEdits, NewRole, Override,
        Overrides, OwnPermission, PermissionEdit, PersonStand, RemovalEffect, RightsEdit, Role, RoleEdit, RoleGives,
        RolesQuery,
        exchange::{CatalogueFile, ImportReport},
        server::{self, RoleNames, bulk, exchange, keys, what_if},
        templates::{FromTemplate, RoleTemplate},
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, edit, delete))
        .routes(routes!(holders))
        .routes(routes!(permissions, create_permission))
        .routes(routes!(edit_permission, delete_permission))
        .routes(routes!(permission_removal))
        .routes(routes!(compare))
        .routes(routes!(clone))
        .routes(routes!(templates, create_from_template))
        .routes(routes!(export, import))
        .routes(routes!(preview_import))
        .routes(routes!(add_roles, replace_roles))
        .routes(routes!(bulk_role))
        .routes(routes!(bulk_rights))
        .routes(routes!(replace_overrides))
        .routes(routes!(effective))
        .routes(routes!(what_if_person))
        .routes(routes!(what_if_role))
        .routes(routes!(what_if_group))
        .routes(routes!(what_if_people))
}

/// List roles: `roles.read`
#[utoipa::path(get, path = "/admin/roles", tag = "roles", params(RolesQuery), responses((status = 200, body = inline(Page<Role>))))]
async fn list(cx: Extension<Cx>, Asked(query): Asked<RolesQuery>) -> Result<Json<Page<Role>>, AppError> {
    server::list(&cx, query).await.map(Json)
}

/// Create a role: `roles.create`, and all that it gives
#[utoipa::path(post, path = "/admin/roles", tag = "roles", request_body = NewRole, responses((status = 201, body = Role)))]
async fn create(cx: Extension<Cx>, Sent(role): Sent<NewRole>) -> Result<Response, AppError> {
    let role = server::create(&cx, role).await?;
    Ok((StatusCode::CREATED, versioned(role.version, role)).into_response())
}

/// One role: `roles.read`
#[utoipa::path(get, path = "/admin/roles/{id}", tag = "roles", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Role)))]
async fn get(cx: Extension<Cx>, Id(id): Id<RoleId>) -> Result<Response, AppError> {
    let role = server::get(&cx, id).await?;
    Ok(versioned(role.version, role))
}

/// Edit a role: `roles.update`, and all that it gives before and after
#[utoipa::path(patch, path = "/admin/roles/{id}", tag = "roles", params(("id" = uuid::Uuid, Path)), request_body = RoleEdit, responses((status = 200, body = Role)))]
async fn edit(cx: Extension<Cx>, Id(id): Id<RoleId>, Sent(edit): Sent<RoleEdit>) -> Result<Response, AppError> {
    let role = server::edit(&cx, id, edit).await?;
    Ok(versioned(role.version, role))
}

/// Delete a role: `roles.delete`, and all that it gives
#[utoipa::path(delete, path = "/admin/roles/{id}", tag = "roles", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn delete(cx: Extension<Cx>, Id(id): Id<RoleId>, IfMatch(seen): IfMatch) -> Result<Json<Done>, AppError> {
    server::delete(&cx, id, seen).await.map(|()| Json(Done::OK))
}

/// Who has a role, given to them directly: `users.read` and `roles.read`
#[utoipa::path(get, path = "/admin/roles/{id}/users", tag = "roles", params(("id" = uuid::Uuid, Path), HoldersQuery), responses((status = 200, body = inline(Page<Holder>))))]
async fn holders(
    cx: Extension<Cx>,
    Id(id): Id<RoleId>,
    Asked(query): Asked<HoldersQuery>,
) -> Result<Json<Page<Holder>>, AppError> {
    server::holders(&cx, id, query).await.map(Json)
}

/// The permission catalogue: `permissions.read`
#[utoipa::path(get, path = "/admin/permissions", operation_id = "list", tag = "permissions", responses((status = 200, body = Vec<PermissionInfo>)))]
async fn permissions(cx: Extension<Cx>) -> Result<Json<Vec<PermissionInfo>>, AppError> {
    server::catalogue(&cx).await.map(Json)
}

/// Add a permission of one's own: `permissions.manage`
#[utoipa::path(post, path = "/admin/permissions", operation_id = "create", tag = "permissions", request_body = OwnPermission, responses((status = 201, body = PermissionInfo)))]
async fn create_permission(cx: Extension<Cx>, Sent(new): Sent<OwnPermission>) -> Result<Response, AppError> {
    let permission = keys::create(&cx, new).await?;
    Ok((StatusCode::CREATED, Json(permission)).into_response())
}

/// New words for a permission of one's own: `permissions.manage`
#[utoipa::path(patch, path = "/admin/permissions/{key}", operation_id = "edit", tag = "permissions", params(("key" = String, Path)), request_body = PermissionEdit, responses((status = 200, body = PermissionInfo)))]
async fn edit_permission(
    cx: Extension<Cx>,
    Path(key): Path<String>,
    Sent(edit): Sent<PermissionEdit>,
) -> Result<Json<PermissionInfo>, AppError> {
    keys::edit(&cx, &key, edit).await.map(Json)
}

/// Remove a permission of one's own from the catalogue, from roles and overrides: `permissions.manage`, and the permission itself
#[utoipa::path(delete, path = "/admin/permissions/{key}", operation_id = "delete", tag = "permissions", params(("key" = String, Path)), responses((status = 200, body = Done)))]
async fn delete_permission(cx: Extension<Cx>, Path(key): Path<String>) -> Result<Json<Done>, AppError> {
    keys::delete(&cx, &key).await.map(|()| Json(Done::OK))
}

/// Who would lose what if a permission of one's own were removed; nothing is written: `permissions.read` and `users.read`
#[utoipa::path(get, path = "/admin/permissions/{key}/removal", operation_id = "removal", tag = "permissions", params(("key" = String, Path)), responses((status = 200, body = RemovalEffect)))]
async fn permission_removal(cx: Extension<Cx>, Path(key): Path<String>) -> Result<Json<RemovalEffect>, AppError> {
    keys::removal(&cx, &key).await.map(Json)
}

/// Compare what two roles give: `roles.read`
#[utoipa::path(get, path = "/admin/role-comparison", tag = "roles", params(CompareQuery), responses((status = 200, body = Comparison)))]
async fn compare(cx: Extension<Cx>, Asked(query): Asked<CompareQuery>) -> Result<Json<Comparison>, AppError> {
    server::compare(&cx, query).await.map(Json)
}

/// Copy a role under another name: `roles.create`, and all that it gives
#[utoipa::path(post, path = "/admin/roles/{id}/copies", tag = "roles", params(("id" = uuid::Uuid, Path)), request_body = CloneRole, responses((status = 201, body = Role)))]
async fn clone(cx: Extension<Cx>, Id(id): Id<RoleId>, Sent(copy): Sent<CloneRole>) -> Result<Response, AppError> {
    let role = server::clone(&cx, id, copy).await?;
    Ok((StatusCode::CREATED, versioned(role.version, role)).into_response())
}

/// The templates of roles: `roles.read`
#[utoipa::path(get, path = "/admin/role-templates", tag = "roles", responses((status = 200, body = Vec<RoleTemplate>)))]
async fn templates(cx: Extension<Cx>) -> Result<Json<Vec<RoleTemplate>>, AppError> {
    server::templates(&cx).await.map(Json)
}

/// Create a role of a template: `roles.create`, and all that it gives
#[utoipa::path(post, path = "/admin/role-templates", tag = "roles", request_body = FromTemplate, responses((status = 201, body = Role)))]
async fn create_from_template(cx: Extension<Cx>, Sent(wanted): Sent<FromTemplate>) -> Result<Response, AppError> {
    let role = server::create_from_template(&cx, wanted).await?;
    Ok((StatusCode::CREATED, versioned(role.version, role)).into_response())
}

/// The tenant's own permissions and its roles as a file: `roles.read` and `permissions.read`
#[utoipa::path(get, path = "/admin/catalogue", tag = "permissions", responses((status = 200, body = CatalogueFile)))]
async fn export(cx: Extension<Cx>) -> Result<Json<CatalogueFile>, AppError> {
    exchange::export(&cx).await.map(Json)
}

/// Read such a file in, all of it or nothing: `roles.update` and `roles.create`, with permissions in it also `permissions.manage`, and all that the roles give
#[utoipa::path(post, path = "/admin/catalogue", tag = "permissions", request_body = CatalogueFile, responses((status = 200, body = ImportReport)))]
async fn import(cx: Extension<Cx>, Sent(file): Sent<CatalogueFile>) -> Result<Json<ImportReport>, AppError> {
    exchange::import(&cx, file).await.map(Json)
}

/// What reading such a file in would do; nothing is written: `roles.read` and `permissions.read` and `users.read`
#[utoipa::path(post, path = "/admin/catalogue/preview", tag = "permissions", request_body = CatalogueFile, responses((status = 200, body = ImportReport)))]
async fn preview_import(cx: Extension<Cx>, Sent(file): Sent<CatalogueFile>) -> Result<Json<ImportReport>, AppError> {
    exchange::preview(&cx, file).await.map(Json)
}

/// Add roles to a person: `permissions.assign`
#[utoipa::path(post, path = "/admin/users/{id}/roles", tag = "users", params(("id" = uuid::Uuid, Path)), request_body = RoleNames, responses((status = 200, body = Done)))]
async fn add_roles(
    cx: Extension<Cx>,
    Id(id): Id<UserId>,
    Sent(roles): Sent<RoleNames>,
) -> Result<Json<Done>, AppError> {
    server::add_roles(&cx, id, roles).await.map(|_| Json(Done::OK))
}

/// Replace the roles of a person: `permissions.assign`
#[utoipa::path(patch, path = "/admin/users/{id}/roles", tag = "users", params(("id" = uuid::Uuid, Path)), request_body = RoleNames, responses((status = 200, body = Done)))]
async fn replace_roles(
    cx: Extension<Cx>,
    Id(id): Id<UserId>,
    Sent(roles): Sent<RoleNames>,
) -> Result<Json<Done>, AppError> {
    server::replace_roles(&cx, id, roles).await.map(|_| Json(Done::OK))
}

/// Give many people a role or take it from them, all of them or nobody unless the refused are skipped: `permissions.assign`
#[utoipa::path(post, path = "/admin/users/bulk/roles", tag = "users", request_body = BulkRole, responses((status = 200, body = BulkAnswer)))]
async fn bulk_role(cx: Extension<Cx>, Sent(change): Sent<BulkRole>) -> Result<Json<BulkAnswer>, AppError> {
    bulk::change_role(&cx, change).await.map(Json)
}

/// Replace the roles or overrides of many people, of all of them or of nobody: `permissions.assign` and `permissions.read` and `users.read`
#[utoipa::path(post, path = "/admin/users/bulk/rights", tag = "users", request_body = ManyEdits, responses((status = 200, body = Vec<PersonStand>)))]
async fn bulk_rights(cx: Extension<Cx>, Sent(edits): Sent<ManyEdits>) -> Result<Json<Vec<PersonStand>>, AppError> {
    bulk::edit_rights(&cx, edits).await.map(Json)
}

/// The override set of a person: what is not named is no longer overridden.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OverrideSet {
    #[serde(default)]
    allow: Vec<OverrideItem>,
    #[serde(default)]
    deny: Vec<OverrideItem>,
    /// Why, for whoever reads the log: one line.
    #[serde(default)]
    reason: Option<String>,
}

/// A key, or a key with an expiry and a reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum OverrideItem {
    Key(String),
    Full(Override),
}

impl From<OverrideItem> for Override {
    fn from(item: OverrideItem) -> Self {
        match item {
            OverrideItem::Key(key) => Override { key, expires_at: None, reason: None },
            OverrideItem::Full(full) => full,
        }
    }
}

impl From<OverrideSet> for RightsEdit {
    fn from(set: OverrideSet) -> Self {
        let items = |items: Vec<OverrideItem>| items.into_iter().map(Override::from).collect();
        let overrides = Overrides { allow: items(set.allow), deny: items(set.deny) };
        RightsEdit { overrides: Some(overrides), reason: set.reason, ..RightsEdit::default() }
    }
}

/// Replace the overrides of a person: `permissions.assign`
#[utoipa::path(patch, path = "/admin/users/{id}/permissions", tag = "users", params(("id" = uuid::Uuid, Path)), request_body = OverrideSet, responses((status = 200, body = Done)))]
async fn replace_overrides(
    cx: Extension<Cx>,
    Id(id): Id<UserId>,
    Sent(set): Sent<OverrideSet>,
) -> Result<Json<Done>, AppError> {
    server::edit_rights(&cx, id, set.map(RightsEdit::from)).await.map(|_| Json(Done::OK))
}

/// Every permission of a person with why: `permissions.read` and `users.read`
#[utoipa::path(get, path = "/admin/users/{id}/effective-permissions", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Vec<EffectivePermission>)))]
async fn effective(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Vec<EffectivePermission>>, AppError> {
    server::effective(&cx, id).await.map(Json)
}

/// What a change of a person's rights would do; nothing is written: `permissions.read` and `users.read`
#[utoipa::path(post, path = "/admin/users/{id}/what-if", tag = "users", params(("id" = uuid::Uuid, Path)), request_body = RightsEdit, responses((status = 200, body = Effect)))]
async fn what_if_person(
    cx: Extension<Cx>,
    Id(id): Id<UserId>,
    Sent(edit): Sent<RightsEdit>,
) -> Result<Json<Effect>, AppError> {
    what_if::of_person(&cx, id, edit).await.map(Json)
}

/// What it would do if a role gave this instead; nothing is written: `permissions.read` and `users.read`
#[utoipa::path(post, path = "/admin/roles/{id}/what-if", tag = "roles", params(("id" = uuid::Uuid, Path)), request_body = RoleGives, responses((status = 200, body = Effect)))]
async fn what_if_role(
    cx: Extension<Cx>,
    Id(id): Id<RoleId>,
    Sent(gives): Sent<RoleGives>,
) -> Result<Json<Effect>, AppError> {
    what_if::of_role(&cx, id, gives).await.map(Json)
}

/// What it would do if a group gave these roles instead; nothing is written: `permissions.read` and `users.read` and `groups.read`
#[utoipa::path(post, path = "/admin/groups/{id}/what-if", tag = "groups", params(("id" = uuid::Uuid, Path)), request_body = GroupGives, responses((status = 200, body = Effect)))]
async fn what_if_group(
    cx: Extension<Cx>,
    Id(id): Id<GroupId>,
    Sent(gives): Sent<GroupGives>,
) -> Result<Json<Effect>, AppError> {
    what_if::of_group(&cx, id, gives).await.map(Json)
}

/// What a change of many people's rights would do; nothing is written: `permissions.read` and `users.read`
#[utoipa::path(post, path = "/admin/users/bulk/what-if", tag = "users", request_body = ManyEdits, responses((status = 200, body = Effect)))]
async fn what_if_people(cx: Extension<Cx>, Sent(edits): Sent<ManyEdits>) -> Result<Json<Effect>, AppError> {
    what_if::of_many(&cx, edits).await.map(Json)
}
