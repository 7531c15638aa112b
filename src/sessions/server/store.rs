//! The rows of sessions, devices and refresh tokens.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    access::server::{Acting, Entered, Impersonator, PersonCaller, Tx},
    accounts::server::letters::Reader,
    base::{
        errors::AppError,
        ids::{SessionId, TenantId, UserId},
        search::fold,
        server::settings::Setting as _,
    },
    sessions::{SignIn, StepFactors},
};

/// Who holds a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Browser,
    Program,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Browser => "browser",
            Kind::Program => "program",
        }
    }
}

/// Somebody who wants to sign in.
pub struct Candidate {
    pub user: UserId,
    pub tenant: TenantId,
    pub name: String,
    pub is_active: bool,
    pub password_hash: Option<String>,
    pub rights_version: i64,
    pub email: String,
    pub locale: String,
    /// A password or link alone does not let them in.
    pub has_second_factor: bool,
}

impl Candidate {
    /// The person as the reader of a letter.
    pub fn reader(&self) -> Reader<'_> {
        Reader { email: &self.email, name: &self.name, locale: &self.locale }
    }
}

/// Finds a person by e-mail address or user name, in their one form. Through the door.
pub async fn candidate(tx: &mut Tx, login: &str) -> Result<Option<Candidate>, AppError> {
    let row = sqlx::query!(
        r#"select u.id, u.tenant_id, u.name, u.status = 'active' and t.status = 'active' as "is_active!",
                  u.password_hash, u.email, u.locale,
                  greatest(u.rights_version, (select rights_version from grant_versions where tenant_id = t.id))
                      as "rights_version!",
                  (u.second_factor_at is not null or u.passkeys > 0) as "has_second_factor!"
           from users u join tenants t on t.id = u.tenant_id
           where u.status <> 'deleted' and (u.email = $1 or u.username_key = $2)"#,
        login,
        fold(login),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Candidate {
        user: UserId(row.id),
        tenant: TenantId(row.tenant_id),
        name: row.name,
        is_active: row.is_active,
        password_hash: row.password_hash,
        rights_version: row.rights_version,
        email: row.email,
        locale: row.locale,
        has_second_factor: row.has_second_factor,
    }))
}

/// Whether the account of an address asks for a second factor. Through the door.
pub async fn has_second_factor(tx: &mut Tx, email: &str) -> Result<bool, AppError> {
    Ok(candidate(tx, email).await?.is_some_and(|candidate| candidate.has_second_factor))
}

/// Keeps that somebody has proved the first factor.
pub async fn insert_step(
    tx: &mut Tx,
    user: UserId,
    digest: &[u8],
    method: &str,
    expires_at: DateTime<Utc>,
) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!(
        "insert into sign_in_steps (id, tenant_id, user_id, digest, method, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        Uuid::now_v7(),
        tenant.0,
        user.0,
        digest,
        method,
        expires_at,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Somebody half-way in: how they proved the first factor, and their address. Not who was given another address since: the
/// proof was of the one before. Through the door.
pub async fn step(tx: &mut Tx, digest: &[u8]) -> Result<Option<(Uuid, String, String)>, AppError> {
    let now = tx.now();
    let row = sqlx::query!(
        "select s.id, s.method, u.email from sign_in_steps s join users u on u.id = s.user_id
         where s.digest = $1 and s.used_at is null and s.expires_at > $2 and u.status = 'active'
           and (u.email_moved_at is null or s.created_at > u.email_moved_at)",
        digest,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.id, row.method, row.email)))
}

/// What somebody half-way in may show as the second factor. Through the door.
pub async fn step_factors(tx: &mut Tx, digest: &[u8]) -> Result<Option<StepFactors>, AppError> {
    let now = tx.now();
    let factors = sqlx::query_as!(
        StepFactors,
        r#"select u.second_factor_at is not null as "app!", u.passkeys > 0 as "passkeys!"
           from sign_in_steps s join users u on u.id = s.user_id
           where s.digest = $1 and s.used_at is null and s.expires_at > $2 and u.status = 'active'"#,
        digest,
        now,
    );
    Ok(factors.fetch_optional(tx.conn()).await?)
}

/// Spends a step. Of two at the same time one finds it spent.
pub async fn spend_step(tx: &mut Tx, id: Uuid) -> Result<bool, AppError> {
    let now = tx.now();
    let spent = sqlx::query!(
        "update sign_in_steps set used_at = $2 where id = $1 and used_at is null and expires_at > $2",
        id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(spent.rows_affected() == 1)
}

/// Whoever is half-way in with the password of before has to begin again.
pub async fn void_steps(tx: &mut Tx, user: UserId) -> Result<(), AppError> {
    let now = tx.now();
    sqlx::query!("update sign_in_steps set used_at = $2 where user_id = $1 and used_at is null", user.0, now)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Whether somebody has a role of the platform. The transaction has entered their tenant.
pub async fn has_platform_role(tx: &mut Tx, user: UserId) -> Result<bool, AppError> {
    let has = sqlx::query_scalar!(
        r#"select exists (select from user_roles ur join roles r on r.id = ur.role_id
                          where ur.user_id = $1 and r.tenant_id is null) as "has!""#,
        user.0,
    );
    Ok(has.fetch_one(tx.conn()).await?)
}

/// A device as a request shows it.
#[derive(Clone)]
pub struct Device {
    pub fingerprint: Vec<u8>,
    pub name: String,
    pub kind: &'static str,
    pub browser: String,
}

/// Finds the person's device again or keeps it as a new one.
pub async fn upsert_device(tx: &mut Tx, user: UserId, device: &Device, ip: Option<IpAddr>) -> Result<Uuid, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let id = sqlx::query_scalar!(
        "insert into devices (id, tenant_id, user_id, fingerprint, name, kind, browser, ip, last_seen_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::inet, $9, $9)
         on conflict (user_id, fingerprint) do update set
             name = excluded.name, kind = excluded.kind, browser = excluded.browser, ip = excluded.ip,
             last_seen_at = excluded.last_seen_at
         returning id",
        Uuid::now_v7(),
        tenant.0,
        user.0,
        device.fingerprint,
        device.name,
        device.kind,
        device.browser,
        ip.map(|ip| ip.to_string()),
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(id)
}

/// Whether somebody has signed in with this device.
pub async fn knows(tx: &mut Tx, user: UserId, fingerprint: &[u8]) -> Result<bool, AppError> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from devices where user_id = $1 and fingerprint = $2) as "known!""#,
        user.0,
        fingerprint,
    );
    Ok(known.fetch_one(tx.conn()).await?)
}

/// Whether a session was opened by this device. One whose device is no longer kept is anybody's.
pub async fn is_device_of(tx: &mut Tx, session: SessionId, fingerprint: &[u8]) -> Result<bool, AppError> {
    let kept = sqlx::query_scalar!(
        "select d.fingerprint from sessions s join devices d on d.id = s.device_id where s.id = $1",
        session.0,
    );
    Ok(kept.fetch_optional(tx.conn()).await?.is_none_or(|kept| kept == fingerprint))
}

/// The session goes on with another device.
pub async fn move_to(tx: &mut Tx, session: SessionId, device: Uuid) -> Result<(), AppError> {
    sqlx::query!("update sessions set device_id = $2 where id = $1 and ended_at is null", session.0, device)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A session to be kept.
pub struct NewSession<'a> {
    pub id: SessionId,
    pub user: UserId,
    pub device: Uuid,
    pub kind: Kind,
    /// Digest of the browser's secret; programs have refresh tokens instead.
    pub digest: Option<&'a [u8]>,
    pub rights_version: i64,
    /// How many factors were proved.
    pub assurance: i16,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<&'a str>,
    pub country: Option<&'a str>,
    pub expires_at: DateTime<Utc>,
    pub absolute_expires_at: DateTime<Utc>,
}

pub async fn insert(tx: &mut Tx, session: &NewSession<'_>) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!(
        "insert into sessions
             (id, tenant_id, user_id, device_id, kind, digest, keyed_rights_version, ip, user_agent, created_at,
              last_seen_at, proved_at, expires_at, absolute_expires_at, assurance, country)
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::inet, $9, $10, $10, $10, $11, $12, $13, $14)",
        session.id.0,
        tenant.0,
        session.user.0,
        session.device,
        session.kind.as_str(),
        session.digest,
        session.rights_version,
        session.ip.map(|ip| ip.to_string()),
        session.user_agent,
        now,
        session.expires_at,
        session.absolute_expires_at,
        session.assurance,
        session.country,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("update users set last_login_at = $2 where id = $1", session.user.0, now).execute(tx.conn()).await?;
    Ok(())
}

/// A live session with its person.
#[derive(Debug)]
pub struct Live {
    pub caller: PersonCaller,
    pub is_browser: bool,
    /// It was found by the secret before the last renewal, so the newer one may never have arrived.
    pub by_previous: bool,
    pub rights_version: i64,
    pub keyed_rights_version: i64,
    pub absolute_expires_at: DateTime<Utc>,
}

/// By which proof a session is looked for.
pub enum By<'a> {
    /// A verified access token names it.
    Id(SessionId),
    /// The digest of a browser's secret: the current one, or the one before while it is good.
    Digest(&'a [u8]),
}

/// Finds a session that is good now: not ended, not run out, its person and tenant active. Through the door.
pub async fn live(tx: &mut Tx, by: By<'_>) -> Result<Option<Live>, AppError> {
    let now = tx.now();
    let (id, digest) = match by {
        By::Id(id) => (Some(id.0), None),
        By::Digest(digest) => (None, Some(digest)),
    };
    let row = sqlx::query!(
        r#"select s.id, s.tenant_id, s.user_id, s.kind, s.seen_version, s.keyed_rights_version, s.absolute_expires_at,
                  s.proved_at, s.assurance, s.digest is distinct from $2 as "by_previous!", u.name, u.passkeys > 0 as "has_passkeys!",
                  (u.second_factor_at is not null or u.passkeys > 0) as "has_second_factor!",
                  greatest(u.rights_version, (select rights_version from grant_versions where tenant_id = s.tenant_id))
                      as "rights_version!",
                  (select value from settings where tenant_id = s.tenant_id and key = $4) as rule,
                  owes_consent(coalesce(i.tenant_id, s.tenant_id), coalesce(i.id, s.user_id)) as "owes_consent!",
                  s.entered_tenant, s.entered_version, s.entered_until, e.name as "entered_name?",
                  s.impersonation_reason, i.id as "impersonator_id?", i.name as "impersonator_name?"
           from sessions s
           join users u on u.id = s.user_id and u.status = 'active'
           join tenants t on t.id = s.tenant_id and t.status = 'active'
           left join tenants e on e.id = s.entered_tenant
           left join users i on i.id = s.impersonator_id and i.status = 'active'
           where (s.impersonator_id is null or i.id is not null) and (s.id = $1 or s.digest = $2 or (s.previous_digest = $2 and (s.previous_until is null or s.previous_until > $3)))
             and s.ended_at is null and s.expires_at > $3 and s.absolute_expires_at > $3"#,
        id,
        digest,
        now,
        SignIn::KEY,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let rule = SignIn::read(row.rule)?;
    let acting = match (row.impersonator_id, row.impersonator_name, row.impersonation_reason) {
        (Some(id), Some(name), Some(reason)) => {
            Acting::Impersonated(Impersonator { user: UserId(id), name, reason, until: row.absolute_expires_at })
        }
        _ => Acting::Themselves,
    };
    let in_person = acting == Acting::Themselves;
    Ok(Some(Live {
        caller: PersonCaller {
            user: UserId(row.user_id),
            name: row.name,
            tenant: TenantId(row.tenant_id),
            session: SessionId(row.id),
            seen_version: row.seen_version,
            // Whoever acts as somebody proves nothing as them, and sets nothing up.
            proved_at: if in_person { row.proved_at } else { DateTime::UNIX_EPOCH },
            has_second_factor: row.has_second_factor || !in_person,
            has_passkeys: row.has_passkeys,
            assurance: u8::try_from(row.assurance).unwrap_or(0),
            factor_roles: rule.second_factor_roles,
            owes_consent: row.owes_consent,
            acting,
            entered: row.entered_tenant.zip(row.entered_name).zip(row.entered_until).map(|((tenant, name), until)| {
                Box::new(Entered { tenant: TenantId(tenant), name, seen_version: row.entered_version, until })
            }),
        },
        is_browser: row.kind == "browser",
        by_previous: digest.is_some() && row.by_previous,
        rights_version: row.rights_version,
        keyed_rights_version: row.keyed_rights_version,
        absolute_expires_at: row.absolute_expires_at,
    }))
}

/// Moves the end of a live session on.
pub async fn slide(tx: &mut Tx, session: SessionId, expires_at: DateTime<Utc>) -> Result<(), AppError> {
    let now = tx.now();
    sqlx::query!(
        "update sessions set last_seen_at = $2, expires_at = least($3, absolute_expires_at)
         where id = $1 and ended_at is null",
        session.0,
        now,
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives a browser session a new secret in the place of the one that was shown: of the current one once the rights have
/// moved on, or of the one before where the current one was never shown since `before`, because its answer has been lost.
/// Of parallel requests with the same secret one is given it. What was shown stays good until the new one is.
pub async fn rekey(
    tx: &mut Tx,
    live: &Live,
    shown_digest: &[u8],
    new_digest: &[u8],
    before: DateTime<Utc>,
) -> Result<bool, AppError> {
    let now = tx.now();
    let done = sqlx::query!(
        "update sessions
         set digest = $3, previous_digest = $2, previous_until = null, rekeyed_at = $6, keyed_rights_version = $4
         where id = $1 and ended_at is null
           and ((digest = $2 and keyed_rights_version < $4)
                or (previous_digest = $2 and previous_until is null and rekeyed_at < $5))",
        live.caller.session.0,
        shown_digest,
        new_digest,
        live.rights_version,
        before,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The current secret has been shown: from `until` on it is the only one.
pub async fn settle(tx: &mut Tx, session: SessionId, until: DateTime<Utc>) -> Result<(), AppError> {
    sqlx::query!(
        "update sessions set previous_until = $2
         where id = $1 and previous_digest is not null and previous_until is null",
        session.0,
        until,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends one session, or all of a person. Gives back how many.
pub async fn end(tx: &mut Tx, user: UserId, only: Option<SessionId>, because: &str) -> Result<u64, AppError> {
    let now = tx.now();
    let ended = sqlx::query!(
        "update sessions set ended_at = $3, ended_because = $4
         where user_id = $1 and ($2::uuid is null or id = $2) and ended_at is null",
        user.0,
        only.map(|session| session.0),
        now,
        because,
    )
    .execute(tx.conn())
    .await?;
    Ok(ended.rows_affected())
}

/// The session has proved again who holds it, by so many factors.
pub async fn prove(tx: &mut Tx, session: SessionId, assurance: i16) -> Result<(), AppError> {
    let now = tx.now();
    sqlx::query!(
        "update sessions set proved_at = $2, assurance = greatest(assurance, $3) where id = $1 and ended_at is null",
        session.0,
        now,
        assurance,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends every session of a person but the one they are in. Gives back how many.
pub async fn end_others(tx: &mut Tx, person: &PersonCaller, because: &str) -> Result<u64, AppError> {
    let now = tx.now();
    let ended = sqlx::query!(
        "update sessions set ended_at = $3, ended_because = $4 where user_id = $1 and id <> $2 and ended_at is null",
        person.user.0,
        person.session.0,
        now,
        because,
    )
    .execute(tx.conn())
    .await?;
    Ok(ended.rows_affected())
}

/// A refresh token as it stands.
pub struct RefreshToken {
    pub id: Uuid,
    pub tenant: TenantId,
    pub session: SessionId,
    pub spent_at: Option<DateTime<Utc>>,
    pub is_expired: bool,
}

/// Finds a refresh token by its digest. Through the door.
pub async fn refresh_token(tx: &mut Tx, digest: &[u8]) -> Result<Option<RefreshToken>, AppError> {
    let now = tx.now();
    let row = sqlx::query!(
        r#"select id, tenant_id, session_id, spent_at, expires_at <= $2 as "is_expired!"
           from refresh_tokens where digest = $1"#,
        digest,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| RefreshToken {
        id: row.id,
        tenant: TenantId(row.tenant_id),
        session: SessionId(row.session_id),
        spent_at: row.spent_at,
        is_expired: row.is_expired,
    }))
}

/// Spends a refresh token. Of parallel uses one wins.
pub async fn spend_refresh_token(tx: &mut Tx, id: Uuid) -> Result<bool, AppError> {
    let now = tx.now();
    let spent = sqlx::query!(
        "update refresh_tokens set spent_at = $2 where id = $1 and spent_at is null and expires_at > $2",
        id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(spent.rows_affected() == 1)
}

pub async fn insert_refresh_token(
    tx: &mut Tx,
    session: SessionId,
    parent: Option<Uuid>,
    digest: &[u8],
    expires_at: DateTime<Utc>,
) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!(
        "insert into refresh_tokens (id, tenant_id, session_id, parent_id, digest, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        Uuid::now_v7(),
        tenant.0,
        session.0,
        parent,
        digest,
        expires_at,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
