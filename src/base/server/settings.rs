//! Settings are typed: each capability owns its struct and its key; this keeps them by tenant.

use anyhow::Context as _;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;

use crate::base::ids::TenantId;

/// A group of settings under one key. What a tenant has not set has its default.
pub trait Setting: Serialize + DeserializeOwned + Default {
    /// Dotted, lower case.
    const KEY: &'static str;
}

/// The tenant's value.
pub async fn get<S: Setting>(connection: &mut PgConnection, tenant: TenantId) -> anyhow::Result<S> {
    let value = sqlx::query_scalar!("select value from settings where tenant_id = $1 and key = $2", tenant.0, S::KEY)
        .fetch_optional(connection)
        .await?;
    match value {
        None => Ok(S::default()),
        Some(value) => serde_json::from_value(value).with_context(|| format!("read the setting {}", S::KEY)),
    }
}

/// Grows with each change of any group of the tenant.
pub async fn version(connection: &mut PgConnection, tenant: TenantId) -> anyhow::Result<i64> {
    let version = sqlx::query_scalar!(
        r#"select coalesce(sum(version), 0)::bigint as "version!" from settings where tenant_id = $1"#,
        tenant.0
    );
    Ok(version.fetch_one(connection).await?)
}

/// Holds the tenant's settings until the transaction ends: of two changes at once one comes after the other.
pub async fn lock(connection: &mut PgConnection, tenant: TenantId) -> anyhow::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('settings:' || $1::text, 0))", tenant.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps the tenant's value.
pub async fn put<S: Setting>(connection: &mut PgConnection, tenant: TenantId, value: &S) -> anyhow::Result<()> {
    sqlx::query!(
        "insert into settings (tenant_id, key, value) values ($1, $2, $3)
         on conflict (tenant_id, key) do update set value = excluded.value, version = settings.version + 1",
        tenant.0,
        S::KEY,
        serde_json::to_value(value)?,
    )
    .execute(connection)
    .await?;
    Ok(())
}
