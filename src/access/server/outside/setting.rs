//! Keeping the tenant's agent, and the token that goes to it.

use serde_json::json;

use super::agent;
use crate::{
    access::{
        EVERYTHING, POLICIES_UPDATE, SETTINGS_UPDATE,
        opa::{BearerToken, Opa},
        server::{
            Tx,
            change::{Change, Granter},
            record::{Action, Event},
        },
    },
    base::{
        errors::AppError,
        ids::TenantId,
        server::{
            crypto::{SealedAfter, SealedValue},
            settings::{self, Setting as _},
        },
    },
};

/// Keeps the tenant's agent, and gives the event of it if anything changed. Whoever answers at another address decides all
/// that the policies in force ask there, so naming one needs `policies.update` and what putting each of them into force
/// does; and a token goes to no other address than the one it was given for.
pub async fn put(tx: &mut Tx, wanted: Opa) -> Result<Option<Event>, AppError> {
    let tenant = tx.tenant()?;
    let before = settings::get::<Opa>(tx.conn(), tenant).await?;
    let is_elsewhere = before.url != wanted.url;
    let token = wanted.token.map(|BearerToken(token)| token).or_else(|| is_elsewhere.then(String::new));
    let has_token = token.as_ref().map_or(before.has_token, |token| !token.is_empty());
    let after = Opa { url: wanted.url, timeout_ms: wanted.timeout_ms, has_token, token: None };
    let is_new_token = token.as_ref().is_some_and(|token| !token.is_empty());
    if after == before && !is_new_token {
        return Ok(None);
    }
    if is_elsewhere && agent::is_here(&after.url) {
        // What else listens on this machine is the operator's.
        tx.for_platform(&SETTINGS_UPDATE).await?;
    }
    if is_elsewhere || token.is_some() {
        // Also before such a policy is in force: whoever puts one there trusts the agent that is set.
        tx.require(POLICIES_UPDATE).await?;
        tx.lock_grants(Some(&SETTINGS_UPDATE)).await?;
        let policies = tx.snapshot()?.policies().iter().filter(|policy| policy.outside.is_some());
        let again = policies.map(|policy| Change::Policy { id: policy.id, policy: Some(policy.clone()) });
        let again = again.collect::<Vec<_>>();
        if !again.is_empty() {
            let granter = Granter::Person(tx.cx().person()?.user);
            // Who answers stays the same where the token alone is another: nobody has to agree to that.
            tx.approved(if is_elsewhere { Vec::new() } else { vec![EVERYTHING] });
            tx.grant(&again, granter).await?;
            tx.approved(Vec::new());
        }
    }
    if let Some(token) = token {
        keep_token(tx, tenant, &token).await?;
    }
    settings::put(tx.conn(), tenant, &after).await?;
    let version = settings::version(tx.conn(), tenant).await?;
    let mut told = json!(after);
    if is_new_token {
        told["token"] = json!("new");
    }
    let event = Event::done(Action::SettingsUpdate).on("settings", tenant, Opa::KEY).version(version);
    Ok(Some(event.change(json!(before), told)))
}

/// Where a token is sealed for.
pub fn place(tenant: TenantId) -> String {
    format!("opa:token:{tenant}")
}

/// An empty token is none.
async fn keep_token(tx: &mut Tx, tenant: TenantId, token: &str) -> Result<(), AppError> {
    if token.is_empty() {
        sqlx::query!("delete from opa_tokens where tenant_id = $1", tenant.0).execute(tx.conn()).await?;
        return Ok(());
    }
    let (sealed, now) = (tx.cx().keys().seal(&place(tenant), token.as_bytes()), tx.now());
    sqlx::query!(
        "insert into opa_tokens (tenant_id, sealed, created_at) values ($1, $2, $3)
         on conflict (tenant_id) do update set sealed = excluded.sealed, created_at = excluded.created_at",
        tenant.0,
        sealed,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The tenant's sealed token, if there is one.
pub async fn sealed(tx: &mut Tx, after: SealedAfter) -> Result<Vec<SealedValue>, AppError> {
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        "select tenant_id, sealed from opa_tokens
         where tenant_id = $1 and tenant_id > $2 and ($3::bytea is null or substring(sealed from 2 for 4) <> $3)",
        tenant.0,
        after.id,
        after.unless.as_ref().map(|id| &id[..]),
    )
    .fetch_all(tx.conn())
    .await?;
    let value = |id, value| SealedValue { id, place: place(tenant), value };
    Ok(rows.into_iter().map(|row| value(row.tenant_id, row.sealed)).collect())
}

/// Keeps a token as it was sealed anew, unless it has changed since.
pub async fn put_sealed(tx: &mut Tx, old: &SealedValue, new: &[u8]) -> Result<(), AppError> {
    sqlx::query!("update opa_tokens set sealed = $3 where tenant_id = $1 and sealed = $2", old.id, old.value, new)
        .execute(tx.conn())
        .await?;
    Ok(())
}
