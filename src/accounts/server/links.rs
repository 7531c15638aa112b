//! One-time links: spent by one conditional UPDATE, kept as digests, void as soon as a newer one exists.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    access::server::Tx,
    base::{
        errors::{AppError, Conflict},
        ids::{TenantId, UserId},
        server::crypto::{self, Secret},
    },
};

/// How long a set-up link opens.
const SETUP: TimeDelta = TimeDelta::hours(24);
/// How long a person has to choose their first password.
const WELCOME: TimeDelta = TimeDelta::hours(72);
/// How long a link to a new password opens.
const RESET: TimeDelta = TimeDelta::minutes(30);
/// How long a link signs in (ASVS 6.5.5).
const MAGIC: TimeDelta = TimeDelta::minutes(10);

/// Invitations that one mailbox may be sent within an hour, whoever asks for them.
const MOST_MAILED: i64 = 5;

/// What a link is for. A link of one purpose is unknown at another's door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Setup,
    Welcome,
    Reset,
    Magic,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Setup => "setup",
            Purpose::Welcome => "welcome",
            Purpose::Reset => "reset",
            Purpose::Magic => "magic",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Purpose::Setup, Purpose::Welcome, Purpose::Reset, Purpose::Magic]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }
}

/// Whom a live link belongs to.
#[derive(Debug)]
pub struct Link {
    pub id: Uuid,
    pub tenant: TenantId,
    pub user: Option<UserId>,
    pub user_name: Option<String>,
    pub user_email: Option<String>,
}

/// A link at which a person chooses a password; the ones before are void.
pub async fn make_welcome(tx: &mut Tx, user: UserId) -> Result<(String, DateTime<Utc>), AppError> {
    void(tx, user).await?;
    let expires_at = tx.now() + WELCOME;
    let token = insert(tx, Purpose::Welcome, Some(user), expires_at).await?;
    Ok((tx.cx().link(&format!("/welcome?token={}", token.expose())), expires_at))
}

/// Refuses to fill a mailbox with invitations, also under accounts that are gone. The person's row is held or new: two at
/// the same time are counted one after the other.
pub async fn check_often(tx: &mut Tx, email: &str) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let made = sqlx::query_scalar!(
        r#"select count(*) as "n!" from links l join users u on u.id = l.user_id
           where l.tenant_id = $1 and u.tenant_id = $1 and u.email = $2 and l.purpose = 'welcome'
             and l.created_at > $3"#,
        tenant.0,
        email,
        now - TimeDelta::hours(1),
    );
    if made.fetch_one(tx.conn()).await? < MOST_MAILED { Ok(()) } else { Err(AppError::TooMany { retry_after: 3_600 }) }
}

/// A link at which a person chooses a new password; their earlier ones of this kind are void.
pub async fn make_reset(tx: &mut Tx, user: UserId) -> Result<(String, DateTime<Utc>), AppError> {
    make_mailed(tx, user, Purpose::Reset, RESET, "/reset").await
}

/// A link that signs a person in; their earlier ones of this kind are void.
pub async fn make_magic(tx: &mut Tx, user: UserId) -> Result<(String, DateTime<Utc>), AppError> {
    make_mailed(tx, user, Purpose::Magic, MAGIC, "/auth/magic-link/verify").await
}

async fn make_mailed(
    tx: &mut Tx,
    user: UserId,
    purpose: Purpose,
    life: TimeDelta,
    path: &str,
) -> Result<(String, DateTime<Utc>), AppError> {
    let now = tx.now();
    sqlx::query!(
        "update links set used_at = $3 where user_id = $1 and purpose = $2 and used_at is null",
        user.0,
        purpose.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    let expires_at = now + life;
    let token = insert(tx, purpose, Some(user), expires_at).await?;
    Ok((tx.cx().link(&format!("{path}?token={}", token.expose())), expires_at))
}

/// The link at which the first super-admin is made; the ones before are void.
pub async fn make_setup(tx: &mut Tx) -> Result<String, AppError> {
    let now = tx.now();
    sqlx::query!("update links set used_at = $1 where purpose = 'setup' and used_at is null", now)
        .execute(tx.conn())
        .await?;
    let token = insert(tx, Purpose::Setup, None, now + SETUP).await?;
    Ok(tx.cx().link(&format!("/setup?token={}", token.expose())))
}

/// Voids a person's open links.
pub async fn void(tx: &mut Tx, user: UserId) -> Result<(), AppError> {
    let now = tx.now();
    sqlx::query!("update links set used_at = $2 where user_id = $1 and used_at is null", user.0, now)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Voids a person's open links that somebody else than the caller has made.
pub async fn void_of_others(tx: &mut Tx, user: UserId) -> Result<(), AppError> {
    let (now, caller) = (tx.now(), tx.cx().person()?.user);
    sqlx::query!(
        "update links set used_at = $2 where user_id = $1 and used_at is null and created_by is distinct from $3",
        user.0,
        now,
        caller.0,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Finds a live link without spending it. Through the door: the tenant is not known yet.
pub async fn find(tx: &mut Tx, purpose: Purpose, token: &str) -> Result<Link, AppError> {
    let now = tx.now();
    let digest = crypto::token_digest(purpose.as_str(), token);
    let row = sqlx::query!(
        r#"select l.id, l.tenant_id, l.user_id, u.name as "name?", u.email as "email?"
           from links l join tenants t on t.id = l.tenant_id and t.status = 'active'
           left join users u on u.id = l.user_id
           where l.digest = $1 and l.purpose = $2 and l.used_at is null and l.expires_at > $3
             and (u.id is null or u.status = 'active' or (u.status = 'invited' and l.purpose = 'welcome'))"#,
        digest,
        purpose.as_str(),
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    let row = row.ok_or(AppError::Conflict(Conflict::LinkSpent))?;
    Ok(Link {
        id: row.id,
        tenant: TenantId(row.tenant_id),
        user: row.user_id.map(UserId),
        user_name: row.name,
        user_email: row.email,
    })
}

/// Spends a link. Of two at the same time one finds it spent.
pub async fn spend(tx: &mut Tx, link: &Link) -> Result<(), AppError> {
    let now = tx.now();
    let spent = sqlx::query!(
        "update links set used_at = $2 where id = $1 and used_at is null and expires_at > $2",
        link.id,
        now,
    )
    .execute(tx.conn())
    .await?;
    if spent.rows_affected() == 1 { Ok(()) } else { Err(AppError::Conflict(Conflict::LinkSpent)) }
}

async fn insert(
    tx: &mut Tx,
    purpose: Purpose,
    user: Option<UserId>,
    expires_at: DateTime<Utc>,
) -> Result<Secret<String>, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let token = crypto::token();
    let digest = crypto::token_digest(purpose.as_str(), token.expose());
    sqlx::query!(
        "insert into links (id, purpose, tenant_id, user_id, digest, expires_at, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        Uuid::now_v7(),
        purpose.as_str(),
        tenant.0,
        user.map(|user| user.0),
        digest,
        expires_at,
        tx.cx().person().ok().map(|person| person.user.0),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(token)
}
