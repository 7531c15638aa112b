//! Sessions that work in another tenant. Who may, `tenants` decides.

use std::time::Duration;

use crate::{
    access::server::Tx,
    base::{
        errors::{AppError, DenialCode},
        ids::TenantId,
    },
};

/// How long a visit lasts at most: the fresh proof that it began with is not good for longer.
const LASTS: Duration = Duration::from_hours(1);

/// From the next request on the caller's session works there. Of two at once one goes in.
pub async fn enter(tx: &mut Tx, tenant: TenantId) -> Result<(), AppError> {
    let (session, until) = (tx.cx().in_person()?.session, tx.now() + LASTS);
    let entered = sqlx::query!(
        "update sessions set entered_tenant = $2, entered_version = 0, entered_until = $3
         where id = $1 and ended_at is null and entered_tenant is null",
        session.0,
        tenant.0,
        until,
    )
    .execute(tx.conn())
    .await?;
    if entered.rows_affected() == 1 { Ok(()) } else { Err(AppError::denied(DenialCode::NotVisiting)) }
}

/// From the next request on it works at home again.
pub async fn leave(tx: &mut Tx) -> Result<(), AppError> {
    let session = tx.cx().in_person()?.session;
    let left = sqlx::query!(
        "update sessions set entered_tenant = null, entered_version = 0, entered_until = null
         where id = $1 and ended_at is null and entered_tenant is not null",
        session.0,
    )
    .execute(tx.conn())
    .await?;
    if left.rows_affected() == 1 { Ok(()) } else { Err(AppError::NotFound) }
}
