//! Making, changing, rotating and deleting API keys. What a key may do is decided where everything is.

pub mod rest;

use chrono::{DateTime, TimeDelta};
use ipnet::IpNet;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    access::{
        API_KEYS_MANAGE, Answer, Permission,
        server::{
            Cx, Edited, Tx,
            record::{Action, Event},
        },
    },
    api_keys::{ApiKey, ApiKeyEdit, ApiKeysQuery, MadeApiKey, NewApiKey, Rotation},
    base::{
        errors::{AppError, Denial, DenialCode, FieldCode, FieldErrors},
        ids::{ApiKeyId, UserId},
        paging::Page,
        server::{
            crypto::{self, Secret},
            cursor::{Cursor, Part},
            input::Input,
            names,
        },
    },
    sessions::server::keys::{KIND, MARK},
};

/// How many keys a person may have.
const MOST: i64 = 50;
/// How many scopes or networks a key may have.
const MOST_PARTS: usize = 100;

/// A page of the tenant's keys, newest first.
pub async fn list(cx: &Cx, query: Input<ApiKeysQuery>) -> Result<Page<ApiKey>, AppError> {
    let mut tx = cx.read(API_KEYS_MANAGE).await?;
    let query = query.read()?;
    let mut errors = FieldErrors::default();
    let part = Part::parse(query.after, query.limit, &mut errors);
    if part.after.as_ref().is_some_and(|cursor| cursor.moment().is_none()) {
        errors.add("after", FieldCode::Malformed);
    }
    errors.check()?;
    tx.decide(&Default::default())?;
    let keys = select(&mut tx, None, None, Some(&part)).await?;
    Ok(part.page(keys, |key| Cursor { key: key.created_at.to_string(), id: key.id.0 }))
}

/// All of the caller's own keys, newest first: nobody has more than [`MOST`].
pub async fn own(cx: &Cx) -> Result<Vec<ApiKey>, AppError> {
    let mut tx = cx.own().await?;
    let user = cx.person()?.user;
    select(&mut tx, None, Some(user), None).await
}

/// Makes a key for the caller, who has to be there and to have proved it of late.
pub async fn create(cx: &Cx, key: Input<NewApiKey>) -> Result<MadeApiKey, AppError> {
    let mut tx = cx.allow(API_KEYS_MANAGE).await?;
    let user = cx.in_person()?.user;
    cx.at_home()?;
    cx.fresh()?;
    tx.decide(&Default::default())?;
    let key = key.read()?;
    let mut errors = FieldErrors::default();
    let name = errors.take("name", names::parse(&key.name, 120)).unwrap_or_default();
    let scopes = parse_scopes(&tx, &key.scopes, &mut errors)?;
    let networks = parse_networks(&key.networks, &mut errors);
    let expires_at = key.expires_at.map(DateTime::from);
    if expires_at.is_some_and(|end: DateTime<chrono::Utc>| end <= tx.now()) {
        errors.add("expires_at", FieldCode::Past);
    }
    let has = sqlx::query_scalar!(r#"select count(*) as "n!" from api_keys where user_id = $1"#, user.0);
    if has.fetch_one(tx.conn()).await? >= MOST {
        errors.add("name", FieldCode::TooLong);
    }
    errors.check()?;
    check_held(&tx, user, &scopes)?;
    let (id, now, tenant) = (ApiKeyId(Uuid::now_v7()), tx.now(), tx.tenant()?);
    let (prefix, secret) = fresh_key();
    sqlx::query!(
        "insert into api_keys (id, tenant_id, user_id, name, prefix, digest, scopes, networks, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id.0,
        tenant.0,
        user.0,
        name,
        prefix,
        crypto::token_digest(KIND, secret.expose()),
        &texts(&scopes),
        &networks,
        expires_at,
        now,
    )
    .execute(tx.conn())
    .await?;
    let made = find(&mut tx, id).await?;
    tx.commit(Event::done(Action::ApiKeyCreate).on("api_key", id, &made.name).new_value(audited(&made))).await?;
    Ok(MadeApiKey { key: made, secret: secret.expose().clone() })
}

/// Changes a key. Widening is for its holder; whoever manages keys may narrow and turn off those of others.
pub async fn edit(cx: &Cx, id: ApiKeyId, edit: Input<ApiKeyEdit>) -> Result<ApiKey, AppError> {
    let mut tx = cx.allow(API_KEYS_MANAGE).await?;
    let user = cx.in_person()?.user;
    tx.decide(&Default::default())?;
    let seen = edit.seen;
    let edit = edit.read()?;
    let before = for_update(&mut tx, id, edit.version.or(seen)).await?;
    let mut errors = FieldErrors::default();
    let name = errors.take("name", edit.name.as_deref().map(|name| names::parse(name, 120)).transpose()).flatten();
    let old_scopes = stored(&before)?;
    let scopes = match &edit.scopes {
        Some(scopes) => parse_scopes(&tx, scopes, &mut errors)?,
        None => old_scopes.clone(),
    };
    let networks = parse_networks(edit.networks.as_ref().unwrap_or(&before.networks), &mut errors);
    errors.check()?;
    let wider = scopes.iter().any(|scope| !old_scopes.iter().any(|old| old.covers(scope)));
    let revived = edit.active == Some(true) && !before.active;
    let opened = edit.networks.is_some() && !before.networks.is_empty();
    if wider || revived || opened {
        if before.holder_id != user {
            return Err(AppError::denied(DenialCode::Outranked));
        }
        cx.fresh()?;
        check_held(&tx, user, &scopes)?;
    }
    sqlx::query!(
        "update api_keys set name = $2, active = $3, scopes = $4, networks = $5, version = version + 1 where id = $1",
        id.0,
        name.unwrap_or_else(|| before.name.clone()),
        edit.active.unwrap_or(before.active),
        &texts(&scopes),
        &networks,
    )
    .execute(tx.conn())
    .await?;
    let after = find(&mut tx, id).await?;
    let event = Event::done(Action::ApiKeyUpdate).on("api_key", id, &after.name).version(after.version);
    tx.commit(event.change(audited(&before), audited(&after))).await?;
    Ok(after)
}

/// Gives a key a new secret; the one before stays good for the overlap. For its holder alone, who sees it.
pub async fn rotate(cx: &Cx, id: ApiKeyId, rotation: Input<Rotation>) -> Result<MadeApiKey, AppError> {
    let mut tx = cx.allow(API_KEYS_MANAGE).await?;
    let user = cx.in_person()?.user;
    cx.fresh()?;
    tx.decide(&Default::default())?;
    let seen = rotation.seen;
    let hours = rotation.read_or_default()?.overlap_hours;
    if hours > 168 {
        return Err(AppError::field("overlap_hours", FieldCode::TooLong));
    }
    let before = for_update(&mut tx, id, seen).await?;
    if before.holder_id != user {
        return Err(AppError::denied(DenialCode::Outranked));
    }
    let (prefix, secret) = fresh_key();
    let until = tx.now() + TimeDelta::hours(hours.into());
    sqlx::query!(
        "update api_keys set prefix = $2, previous_digest = digest, previous_until = $3, digest = $4,
             version = version + 1 where id = $1",
        id.0,
        prefix,
        until,
        crypto::token_digest(KIND, secret.expose()),
    )
    .execute(tx.conn())
    .await?;
    let made = find(&mut tx, id).await?;
    let event = Event::done(Action::ApiKeyRotate).on("api_key", id, &made.name).version(made.version);
    tx.commit(event.change(audited(&before), audited(&made)).meta("overlap_hours", hours)).await?;
    Ok(MadeApiKey { key: made, secret: secret.expose().clone() })
}

/// Deletes a key: it is refused from now on.
pub async fn delete(cx: &Cx, id: ApiKeyId) -> Result<(), AppError> {
    let mut tx = cx.allow(API_KEYS_MANAGE).await?;
    cx.in_person()?;
    tx.decide(&Default::default())?;
    let before = for_update(&mut tx, id, None).await?;
    sqlx::query!("delete from api_keys where id = $1", id.0).execute(tx.conn()).await?;
    tx.commit(Event::done(Action::ApiKeyDelete).on("api_key", id, &before.name).old_value(audited(&before))).await
}

/// The beginning that is kept in clear, and the whole key.
fn fresh_key() -> (String, Secret<String>) {
    let prefix = format!("{MARK}{}", hex::encode(crypto::random::<4>()));
    let secret = format!("{prefix}_{}", crypto::token().expose());
    (prefix, Secret::new(secret))
}

/// Keys and wildcards of the catalogue, each once.
fn parse_scopes(tx: &Tx, scopes: &[String], errors: &mut FieldErrors) -> Result<Vec<Permission>, AppError> {
    let snapshot = tx.snapshot()?;
    if scopes.is_empty() {
        errors.add("scopes", FieldCode::Required);
    }
    if scopes.len() > MOST_PARTS {
        errors.add("scopes", FieldCode::TooLong);
    }
    Ok(errors.take_each("scopes", scopes.iter().take(MOST_PARTS), |scope| snapshot.known(scope)))
}

/// Addresses and networks; an address is the network of itself.
fn parse_networks(networks: &[String], errors: &mut FieldErrors) -> Vec<IpNet> {
    if networks.len() > MOST_PARTS {
        errors.add("networks", FieldCode::TooLong);
    }
    let mut parsed = Vec::new();
    for (at, text) in networks.iter().enumerate().take(MOST_PARTS) {
        let text = text.trim();
        let network = text
            .parse::<IpNet>()
            .or_else(|_not_a_network| text.parse::<std::net::IpAddr>().map(IpNet::from))
            .map(|network| network.trunc())
            .map_err(|_neither| FieldCode::Malformed);
        parsed.extend(errors.take(&format!("networks[{at}]"), network));
    }
    parsed
}

/// A key cannot be made for what its holder does not hold; it may be held inside a scope only.
fn check_held(tx: &Tx, user: UserId, scopes: &[Permission]) -> Result<(), AppError> {
    let (snapshot, now) = (tx.snapshot()?, tx.now());
    let missing = scopes
        .iter()
        .filter(|scope| snapshot.check(user, scope, None, now) == Answer::No && !snapshot.is_given(user, scope, now));
    let permissions = missing.map(ToString::to_string).collect::<Vec<_>>();
    if permissions.is_empty() {
        return Ok(());
    }
    Err(AppError::Forbidden(Denial::new(DenialCode::Ceiling, permissions)))
}

fn texts(scopes: &[Permission]) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

fn stored(key: &ApiKey) -> Result<Vec<Permission>, AppError> {
    let scopes = key.scopes.iter().map(|scope| Permission::parse(scope)).collect::<Result<Vec<_>, _>>();
    Ok(scopes.map_err(|code| anyhow::anyhow!("a stored scope of key {} is {code:?}", key.id))?)
}

fn audited(key: &ApiKey) -> Value {
    json!({
        "name": key.name, "prefix": key.prefix, "permissions": key.scopes, "networks": key.networks,
        "active": key.active, "expires_at": key.expires_at,
    })
}

async fn find(tx: &mut Tx, id: ApiKeyId) -> Result<ApiKey, AppError> {
    select(tx, Some(id), None, None).await?.pop().ok_or(AppError::NotFound)
}

async fn for_update(tx: &mut Tx, id: ApiKeyId, seen: Option<i64>) -> Result<ApiKey, AppError> {
    sqlx::query!("select id from api_keys where id = $1 for update", id.0).fetch_optional(tx.conn()).await?;
    let key = find(tx, id).await?;
    let read = Some(API_KEYS_MANAGE);
    tx.check_version(seen, Edited { kind: "api_key", id: id.0, version: key.version, read, facts: None }).await?;
    Ok(key)
}

/// Keys, newest first: all that fit, or the part that is asked for.
async fn select(
    tx: &mut Tx,
    only: Option<ApiKeyId>,
    of: Option<UserId>,
    part: Option<&Part>,
) -> Result<Vec<ApiKey>, AppError> {
    let (tenant, caller, now) = (tx.tenant()?, tx.cx().person()?.user, tx.now());
    let after = part.and_then(|part| part.after.as_ref());
    let rows = sqlx::query!(
        r#"select k.id, k.name, k.prefix, k.user_id, u.name as holder_name, k.scopes, k.networks, k.active, k.expires_at,
                  k.last_used_at, host(k.last_used_ip) as last_used_ip, k.previous_until, k.created_at, k.version
           from api_keys k join users u on u.id = k.user_id
           where k.tenant_id = $1 and ($2::uuid is null or k.id = $2) and ($3::uuid is null or k.user_id = $3)
             and (k.created_at, k.id) < (coalesce($4::timestamptz, 'infinity'), $5)
           order by k.created_at desc, k.id desc limit $6"#,
        tenant.0,
        only.map(|id| id.0),
        of.map(|user| user.0),
        after.and_then(Cursor::moment),
        after.map_or(Uuid::max(), |cursor| cursor.id),
        part.map(Part::rows),
    )
    .fetch_all(tx.conn())
    .await?;
    let keys = rows.into_iter().map(|row| ApiKey {
        id: ApiKeyId(row.id),
        name: row.name,
        prefix: row.prefix,
        holder_id: UserId(row.user_id),
        holder_name: row.holder_name,
        is_own: row.user_id == caller.0,
        scopes: row.scopes,
        networks: row.networks.iter().map(written).collect(),
        active: row.active,
        expires_at: row.expires_at.map(Into::into),
        last_used_at: row.last_used_at.map(Into::into),
        last_used_ip: row.last_used_ip,
        previous_until: row.previous_until.filter(|until| *until > now).map(Into::into),
        created_at: row.created_at.into(),
        version: row.version,
    });
    Ok(keys.collect())
}

/// A network as people write it; one address without its length.
fn written(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() { network.addr().to_string() } else { network.to_string() }
}
