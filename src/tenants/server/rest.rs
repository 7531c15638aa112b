//! Tenants over REST.

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
        ids::TenantId,
        paging::Page,
        server::http::{Asked, Done, Id, Sent, versioned},
    },
    tenants::{CreatedTenant, NewTenant, Tenant, TenantEdit, TenantStatusChange, TenantsQuery, Visit, server},
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, edit))
        .routes(routes!(set_status))
        .routes(routes!(enter))
        .routes(routes!(leave))
}

/// List tenants, all of them for the platform and your own otherwise: `tenants.read`
#[utoipa::path(get, path = "/admin/tenants", tag = "tenants", params(TenantsQuery), responses((status = 200, body = inline(Page<Tenant>))))]
async fn list(cx: Extension<Cx>, Asked(query): Asked<TenantsQuery>) -> Result<Json<Page<Tenant>>, AppError> {
    server::list(&cx, query).await.map(Json)
}

/// Create a tenant and invite its first administrator: `tenants.create`, as a super-admin
#[utoipa::path(post, path = "/admin/tenants", tag = "tenants", request_body = NewTenant, responses((status = 201, body = CreatedTenant)))]
async fn create(cx: Extension<Cx>, Sent(tenant): Sent<NewTenant>) -> Result<Response, AppError> {
    let created = server::create(&cx, tenant).await?;
    Ok((StatusCode::CREATED, versioned(created.tenant.version, created)).into_response())
}

/// One tenant: `tenants.read`
#[utoipa::path(get, path = "/admin/tenants/{id}", tag = "tenants", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Tenant)))]
async fn get(cx: Extension<Cx>, Id(id): Id<TenantId>) -> Result<Response, AppError> {
    let tenant = server::get(&cx, id).await?;
    Ok(versioned(tenant.version, tenant))
}

/// Edit a tenant: `tenants.update`, as a super-admin
#[utoipa::path(patch, path = "/admin/tenants/{id}", tag = "tenants", params(("id" = uuid::Uuid, Path)), request_body = TenantEdit, responses((status = 200, body = Tenant)))]
async fn edit(cx: Extension<Cx>, Id(id): Id<TenantId>, Sent(edit): Sent<TenantEdit>) -> Result<Response, AppError> {
    let tenant = server::edit(&cx, id, edit).await?;
    Ok(versioned(tenant.version, tenant))
}

/// Suspend a tenant, or open it again: `tenants.update`, as a super-admin
#[utoipa::path(patch, path = "/admin/tenants/{id}/status", tag = "tenants", params(("id" = uuid::Uuid, Path)), request_body = TenantStatusChange, responses((status = 200, body = Tenant)))]
async fn set_status(
    cx: Extension<Cx>,
    Id(id): Id<TenantId>,
    Sent(change): Sent<TenantStatusChange>,
) -> Result<Response, AppError> {
    let tenant = server::set_status(&cx, id, change).await?;
    Ok(versioned(tenant.version, tenant))
}

/// Go into a tenant with this session until you leave it: `tenants.read`, as a super-admin
#[utoipa::path(post, path = "/admin/tenants/{id}/enter", tag = "tenants", params(("id" = uuid::Uuid, Path)), request_body = Visit, responses((status = 200, body = Done)))]
async fn enter(cx: Extension<Cx>, Id(id): Id<TenantId>, Sent(visit): Sent<Visit>) -> Result<Json<Done>, AppError> {
    server::enter(&cx, id, visit).await.map(|()| Json(Done::OK))
}

/// Leave the tenant that you have gone into
#[utoipa::path(delete, path = "/auth/visit", tag = "tenants", responses((status = 200, body = Done)))]
async fn leave(cx: Extension<Cx>) -> Result<Json<Done>, AppError> {
    server::leave(&cx).await.map(|()| Json(Done::OK))
}
