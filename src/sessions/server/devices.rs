//! Where people are signed in: sessions and devices, seen and ended by themselves or by whoever may.

use chrono::{DateTime, Utc};

use super::store;
use crate::{
    access::{
        DEVICES_READ, DEVICES_REVOKE, SESSIONS_READ, SESSIONS_REVOKE,
        server::{
            Cx, Tx,
            record::{Action, Event},
        },
    },
    accounts::server::find,
    base::{
        errors::AppError,
        ids::{DeviceId, SessionId, UserId},
        time::Timestamp,
    },
    sessions::{DeviceInfo, SessionInfo},
};

/// The caller's live sessions, the latest used first.
pub async fn own_sessions(cx: &Cx) -> Result<Vec<SessionInfo>, AppError> {
    let mut tx = cx.own().await?;
    let person = cx.person()?;
    list(&mut tx, person.user, Some(person.session)).await
}

/// Somebody's live sessions.
pub async fn sessions_of(cx: &Cx, user: UserId) -> Result<Vec<SessionInfo>, AppError> {
    let mut tx = cx.read(SESSIONS_READ).await?;
    find(&mut tx, user).await?;
    let current = cx.person()?.session;
    list(&mut tx, user, Some(current)).await
}

/// Ends one of the caller's sessions.
pub async fn end_own(cx: &Cx, id: SessionId) -> Result<(), AppError> {
    let mut tx = cx.own().await?;
    let person = cx.person()?;
    if store::end(&mut tx, person.user, Some(id), "ended").await? == 0 {
        return Err(AppError::NotFound);
    }
    tx.commit(Event::done(Action::SessionEnd).on("session", id, "")).await
}

/// Ends all of the caller's sessions but this one. Gives back how many.
pub async fn end_others(cx: &Cx) -> Result<u64, AppError> {
    let mut tx = cx.own().await?;
    let person = cx.person()?;
    let ended = store::end_others(&mut tx, person, "ended").await?;
    let event = Event::done(Action::SessionEnd).on("user", person.user, &person.name);
    tx.commit(event.meta("ended", ended)).await?;
    Ok(ended)
}

/// Ends one session of somebody, or all of them. Gives back how many.
pub async fn end_of(cx: &Cx, user: UserId, only: Option<SessionId>) -> Result<u64, AppError> {
    let mut tx = cx.allow(SESSIONS_REVOKE).await?;
    let person = find(&mut tx, user).await?;
    let ended = store::end(&mut tx, user, only, "revoked").await?;
    if only.is_some() && ended == 0 {
        return Err(AppError::NotFound);
    }
    let event = Event::done(Action::SessionEnd).on("user", user, &person.name);
    tx.commit(event.meta("ended", ended)).await?;
    Ok(ended)
}

/// The caller's devices, the latest used first.
pub async fn own_devices(cx: &Cx) -> Result<Vec<DeviceInfo>, AppError> {
    let mut tx = cx.own().await?;
    let user = cx.person()?.user;
    list_devices(&mut tx, user).await
}

/// Somebody's devices.
pub async fn devices_of(cx: &Cx, user: UserId) -> Result<Vec<DeviceInfo>, AppError> {
    let mut tx = cx.read(DEVICES_READ).await?;
    find(&mut tx, user).await?;
    list_devices(&mut tx, user).await
}

/// Forgets one of the caller's devices and ends its sessions.
pub async fn revoke_own_device(cx: &Cx, id: DeviceId) -> Result<(), AppError> {
    let mut tx = cx.own().await?;
    let person = cx.person()?;
    let ended = forget(&mut tx, person.user, id).await?;
    let event = Event::done(Action::SessionEnd).on("user", person.user, &person.name);
    tx.commit(event.meta("ended", ended).meta("device", id.to_string())).await
}

/// The same with somebody's.
pub async fn revoke_device_of(cx: &Cx, user: UserId, id: DeviceId) -> Result<(), AppError> {
    let mut tx = cx.allow(DEVICES_REVOKE).await?;
    let person = find(&mut tx, user).await?;
    let ended = forget(&mut tx, user, id).await?;
    let event = Event::done(Action::SessionEnd).on("user", user, &person.name);
    tx.commit(event.meta("ended", ended).meta("device", id.to_string())).await
}

/// A network that somebody has signed in from, kept to notice when another is new.
#[derive(Debug, serde::Serialize)]
pub struct KnownPlace {
    pub network: String,
    pub country: Option<String>,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// The networks that are remembered of the caller, the latest used first.
pub async fn own_places(cx: &Cx) -> Result<Vec<KnownPlace>, AppError> {
    let mut tx = cx.own().await?;
    let (tenant, user) = (tx.tenant()?, cx.person()?.user);
    let rows = sqlx::query!(
        "select network, country, first_seen_at, last_seen_at from known_places where user_id = $1 and tenant_id = $2
         order by last_seen_at desc, network limit 500",
        user.0,
        tenant.0,
    )
    .fetch_all(tx.conn())
    .await?;
    let places = rows.into_iter().map(|row| KnownPlace {
        network: row.network,
        country: row.country,
        first_seen_at: row.first_seen_at.into(),
        last_seen_at: row.last_seen_at.into(),
    });
    Ok(places.collect())
}

async fn list(tx: &mut Tx, user: UserId, current: Option<SessionId>) -> Result<Vec<SessionInfo>, AppError> {
    let now = tx.now();
    let rows = sqlx::query!(
        r#"select s.id, s.kind, s.assurance, host(s.ip) as ip, s.country, s.created_at, s.last_seen_at,
                  least(s.expires_at, s.absolute_expires_at) as "expires_at!: DateTime<Utc>",
                  d.name as "device?", d.kind as "device_kind?"
           from sessions s left join devices d on d.id = s.device_id
           where s.user_id = $1 and s.ended_at is null and s.expires_at > $2 and s.absolute_expires_at > $2
           order by s.last_seen_at desc, s.id desc limit 500"#,
        user.0,
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    let sessions = rows.into_iter().map(|row| SessionInfo {
        id: SessionId(row.id),
        is_browser: row.kind == "browser",
        device: row.device.unwrap_or_default(),
        device_kind: row.device_kind.unwrap_or_else(|| "other".to_owned()),
        ip: row.ip,
        country: row.country,
        two_factors: row.assurance > 1,
        is_current: current == Some(SessionId(row.id)),
        created_at: row.created_at.into(),
        last_seen_at: row.last_seen_at.into(),
        expires_at: row.expires_at.into(),
    });
    Ok(sessions.collect())
}

async fn list_devices(tx: &mut Tx, user: UserId) -> Result<Vec<DeviceInfo>, AppError> {
    let now = tx.now();
    let rows = sqlx::query!(
        r#"select d.id, d.name, d.kind, d.browser, host(d.ip) as ip, d.last_seen_at, d.created_at,
                  (select count(*) from sessions s where s.device_id = d.id and s.ended_at is null
                       and s.expires_at > $2 and s.absolute_expires_at > $2) as "sessions!"
           from devices d where d.user_id = $1 order by d.last_seen_at desc, d.id desc limit 500"#,
        user.0,
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    let devices = rows.into_iter().map(|row| DeviceInfo {
        id: DeviceId(row.id),
        name: row.name,
        kind: row.kind,
        browser: row.browser,
        ip: row.ip,
        sessions: row.sessions,
        last_seen_at: row.last_seen_at.into(),
        created_at: row.created_at.into(),
    });
    Ok(devices.collect())
}

/// Ends the sessions of a device and forgets it. Gives back how many.
async fn forget(tx: &mut Tx, user: UserId, id: DeviceId) -> Result<u64, AppError> {
    let now = tx.now();
    let ended = sqlx::query!(
        "update sessions set ended_at = $3, ended_because = 'device_revoked'
         where user_id = $1 and device_id = $2 and ended_at is null",
        user.0,
        id.0,
        now,
    )
    .execute(tx.conn())
    .await?;
    let gone =
        sqlx::query!("delete from devices where id = $1 and user_id = $2", id.0, user.0).execute(tx.conn()).await?;
    if gone.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    Ok(ended.rows_affected())
}

/// How many there were.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Ended {
    pub ended: u64,
}
