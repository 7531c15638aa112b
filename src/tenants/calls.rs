//! What the pages about tenants ask the server.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};

use crate::{
    base::{errors::AppError, ids::TenantId, paging::Page},
    tenants::{CreatedTenant, NewTenant, Tenant, TenantEdit, TenantStatusChange, TenantsQuery, Visit},
};

/// A page of the tenants that are asked for.
#[server(prefix = "/api", endpoint = "tenants/list", input = Json)]
pub async fn list_tenants(query: TenantsQuery) -> Result<Page<Tenant>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::tenants::server::list(&cx, query.into()).await
}

#[server(prefix = "/api", endpoint = "tenants/get", input = Json)]
pub async fn get_tenant(id: TenantId) -> Result<Tenant, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::tenants::server::get(&cx, id).await
}

#[server(prefix = "/api", endpoint = "tenants/create", input = Json)]
pub async fn create_tenant(tenant: NewTenant) -> Result<CreatedTenant, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::tenants::server::create(&cx, tenant.into()).await
}

#[server(prefix = "/api", endpoint = "tenants/edit", input = Json)]
pub async fn edit_tenant(id: TenantId, edit: TenantEdit) -> Result<Tenant, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::tenants::server::edit(&cx, id, edit.into()).await
}

#[server(prefix = "/api", endpoint = "tenants/set-status", input = Json)]
pub async fn set_tenant_status(id: TenantId, change: TenantStatusChange) -> Result<Tenant, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::tenants::server::set_status(&cx, id, change.into()).await
}

/// From the next request on this session works there.
#[server(prefix = "/api", endpoint = "tenants/enter", input = Json)]
pub async fn enter_tenant(id: TenantId, visit: Visit) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::tenants::server::enter(&cx, id, visit.into()).await
}

/// From the next request on this session works at home again.
#[server(prefix = "/api", endpoint = "tenants/leave", input = PostUrl)]
pub async fn leave_tenant() -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::tenants::server::leave(&cx).await
}
