//! Sessions that work in another tenant. Who may, `tenants` decides.

use crate::{
    access::server::Tx,
    base::{errors::AppError, ids::TenantId},
};

/// From the next request on the caller's session works there.
pub async fn enter(tx: &mut Tx, tenant: TenantId) -> Result<(), AppError> {
    put(tx, Some(tenant)).await
}

/// From the next request on it works at home again.
pub async fn leave(tx: &mut Tx) -> Result<(), AppError> {
    put(tx, None).await
}

async fn put(tx: &mut Tx, tenant: Option<TenantId>) -> Result<(), AppError> {
    let session = tx.cx().in_person()?.session;
    let moved = sqlx::query!(
        "update sessions set entered_tenant = $2, entered_version = 0 where id = $1 and ended_at is null",
        session.0,
        tenant.map(|tenant| tenant.0),
    )
    .execute(tx.conn())
    .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(AppError::NotFound) }
}
