//! Who shows an API key: its holder, as far as the key reaches. Keys are made and changed by `api_keys`.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use uuid::Uuid;

use crate::{
    access::{
        Permission,
        server::{
            Acting, Cx, KeyCaller, PersonCaller, Quiet, Tx,
            known::KnownKey,
            record::{Action, Event},
        },
    },
    base::{
        errors::AppError,
        ids::{SessionId, TenantId, UserId},
        server::{crypto, settings::Setting as _},
    },
    sessions::SignIn,
};

/// What every key begins with, so that scanners of code and logs can tell one.
pub const MARK: &str = "bwk_";
/// The kind under which keys are digested.
pub const KIND: &str = "api_key";
/// How often the use of a key is noted.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The holder of a key that is good now, from an address that it is for. A key that was found good a moment ago is not looked
/// up again.
pub async fn caller(cx: &Cx, key: &str) -> Result<Option<PersonCaller>, AppError> {
    let digest = crypto::token_digest(KIND, key);
    let ip = cx.origin().ip;
    let (known, clock) = cx.known_keys();
    // From elsewhere it is looked up, and its refusal recorded.
    if let Some(key) = known.get(&digest, clock).filter(|key| is_for(&key.networks, ip)) {
        return Ok(Some(key.caller.clone()));
    }
    let before = known.before(clock);
    let mut tx = cx.door().await?;
    let now = tx.now();
    let row = sqlx::query!(
        r#"select k.id, k.tenant_id, k.user_id, k.name as key_name, k.scopes, k.networks, k.last_used_at, u.name,
                  case when k.digest = $1 then k.expires_at else least(k.expires_at, k.previous_until) end as until,
                  (u.second_factor_at is not null or u.passkeys > 0) as "has_second_factor!", u.passkeys > 0 as "has_passkeys!",
                  (select value from settings where tenant_id = k.tenant_id and key = $3) as rule,
                  owes_consent(k.tenant_id, k.user_id) as "owes_consent!"
           from api_keys k
           join users u on u.id = k.user_id and u.status = 'active'
           join tenants t on t.id = k.tenant_id and t.status = 'active'
           where (k.digest = $1 or (k.previous_digest = $1 and k.previous_until > $2))
             and k.active and (k.expires_at is null or k.expires_at > $2)"#,
        digest,
        now,
        SignIn::KEY,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    tx.enter(TenantId(row.tenant_id)).await?;
    if !is_for(&row.networks, ip) {
        let event = Event::denied(Action::ApiKeyRefused).on("api_key", row.id, row.key_name);
        tx.commit(event.by(UserId(row.user_id), row.name)).await?;
        return Ok(None);
    }
    if row.last_used_at.is_none_or(|used: DateTime<Utc>| used + NOTED_EVERY < now) {
        note_use(&mut tx, row.id, ip).await?;
        tx.commit_quietly(Quiet::Counter).await?;
    }
    let scopes = row.scopes.iter().map(|scope| Permission::parse(scope)).collect::<Result<Vec<_>, _>>();
    let scopes = scopes.map_err(|code| anyhow::anyhow!("a stored scope of key {} is {code:?}", row.id))?;
    let rule = SignIn::read(row.rule)?;
    let caller = PersonCaller {
        user: UserId(row.user_id),
        name: row.name,
        tenant: TenantId(row.tenant_id),
        // It has no session, and what needs a fresh proof is never done with it.
        session: SessionId(Uuid::nil()),
        seen_version: 0,
        proved_at: DateTime::UNIX_EPOCH,
        has_second_factor: row.has_second_factor,
        has_passkeys: row.has_passkeys,
        assurance: 1,
        factor_roles: rule.second_factor_roles,
        owes_consent: row.owes_consent,
        entered: None,
        acting: Acting::Key(KeyCaller { id: row.id, name: row.key_name, scopes }),
    };
    known.keep(before, digest, KnownKey { caller: caller.clone(), networks: row.networks, until: row.until });
    Ok(Some(caller))
}

/// Whether a key that is for these networks is for this address.
fn is_for(networks: &[IpNet], ip: Option<IpAddr>) -> bool {
    networks.is_empty() || ip.is_some_and(|ip| networks.iter().any(|network| network.contains(&ip.to_canonical())))
}

async fn note_use(tx: &mut Tx, id: Uuid, ip: Option<IpAddr>) -> Result<(), AppError> {
    let now = tx.now();
    sqlx::query!(
        "update api_keys set last_used_at = $2, last_used_ip = $3::text::inet where id = $1",
        id,
        now,
        ip.map(|ip| ip.to_string()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
