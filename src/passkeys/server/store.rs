//! The rows of passkeys and of the challenges that they answer.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use webauthn_rs::prelude::{Credential, Passkey};

use crate::{
    access::server::Tx,
    base::{
        errors::AppError,
        ids::{PasskeyId, SessionId, TenantId, UserId},
        server::crypto::{self, SEALED_AT_ONCE, SealedAfter, SealedValue},
    },
    passkeys::PasskeyInfo,
};

fn place(id: Uuid) -> String {
    format!("passkeys:credential:{id}")
}

fn state_place(id: Uuid) -> String {
    format!("passkey_challenges:state:{id}")
}

fn digest(credential_id: &[u8]) -> Vec<u8> {
    crypto::token_digest("passkey", &URL_SAFE_NO_PAD.encode(credential_id))
}

/// What a challenge was made for. An answer to it counts for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Register { user: UserId, session: SessionId },
    SignIn,
    SecondFactor { user: UserId, step: Uuid },
    Reauthenticate { user: UserId, session: SessionId },
}

impl Bound {
    fn purpose(&self) -> &'static str {
        match self {
            Bound::Register { .. } => "register",
            Bound::SignIn => "sign_in",
            Bound::SecondFactor { .. } => "second_factor",
            Bound::Reauthenticate { .. } => "reauthenticate",
        }
    }

    /// Whom it was made for; to sign in, nobody in particular.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Bound::SignIn => None,
            Bound::Register { user, .. } | Bound::SecondFactor { user, .. } | Bound::Reauthenticate { user, .. } => {
                Some(*user)
            }
        }
    }

    fn session(&self) -> Option<SessionId> {
        match self {
            Bound::Register { session, .. } | Bound::Reauthenticate { session, .. } => Some(*session),
            Bound::SignIn | Bound::SecondFactor { .. } => None,
        }
    }

    fn step(&self) -> Option<Uuid> {
        match self {
            Bound::SecondFactor { step, .. } => Some(*step),
            Bound::Register { .. } | Bound::SignIn | Bound::Reauthenticate { .. } => None,
        }
    }
}

/// Keeps a challenge; a session registers one passkey at a time. `false`: this address has asked too often of late.
pub async fn insert_challenge(
    tx: &mut Tx,
    bound: Bound,
    digest: &[u8],
    state: &[u8],
    until: DateTime<Utc>,
    most: i64,
) -> Result<bool, AppError> {
    let (id, now, ip) = (Uuid::now_v7(), tx.now(), tx.cx().origin().ip.map(|ip| ip.to_string()));
    if let Bound::Register { session, .. } = bound {
        sqlx::query!("delete from passkey_challenges where session_id = $1 and purpose = 'register'", session.0)
            .execute(tx.conn())
            .await?;
    }
    let sealed = tx.cx().keys().seal(&state_place(id), state);
    let kept = sqlx::query!(
        "insert into passkey_challenges (id, purpose, digest, user_id, session_id, step_id, state, ip, expires_at, created_at)
         select $1, $2, $3, $4, $5, $6, $7, $8::text::inet, $9, $10
         where (select count(*) from passkey_challenges where ip = $8::text::inet and expires_at > $10) < $11",
        id,
        bound.purpose(),
        digest,
        bound.user().map(|user| user.0),
        bound.session().map(|session| session.0),
        bound.step(),
        sealed,
        ip,
        until,
        now,
        most,
    )
    .execute(tx.conn())
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Which challenge is answered.
pub enum Asked<'a> {
    /// By the digest of its handle.
    Digest(&'a [u8]),
    /// The one registration of a session.
    Registration(SessionId),
}

/// Takes a challenge out, whoever answers and whatever for: of parallel answers one finds it. What it was made for, and
/// its state.
pub async fn take_challenge(tx: &mut Tx, asked: Asked<'_>) -> Result<Option<(Bound, Vec<u8>)>, AppError> {
    let now = tx.now();
    let (digest, session) = match asked {
        Asked::Digest(digest) => (Some(digest), None),
        Asked::Registration(session) => (None, Some(session.0)),
    };
    let row = sqlx::query!(
        r#"delete from passkey_challenges
           where digest = $1 or (session_id = $2 and purpose = 'register')
           returning id, purpose, user_id, session_id, step_id, state, expires_at > $3 as "is_live!""#,
        digest,
        session,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row.filter(|row| row.is_live) else { return Ok(None) };
    let bound = match (row.purpose.as_str(), row.user_id.map(UserId), row.session_id.map(SessionId), row.step_id) {
        ("sign_in", None, None, None) => Bound::SignIn,
        ("register", Some(user), Some(session), None) => Bound::Register { user, session },
        ("reauthenticate", Some(user), Some(session), None) => Bound::Reauthenticate { user, session },
        ("second_factor", Some(user), None, Some(step)) => Bound::SecondFactor { user, step },
        _ => return Ok(None),
    };
    let state = tx.cx().keys().open(&state_place(row.id), &row.state)?;
    Ok(Some((bound, state)))
}

/// What stands between a person and their last way in. The row is held: two removals wait for each other.
pub struct Ways {
    pub has_password: bool,
    pub has_app: bool,
    pub passkeys: i32,
}

pub async fn lock_ways(tx: &mut Tx, user: UserId) -> Result<Ways, AppError> {
    let ways = sqlx::query_as!(
        Ways,
        r#"select password_hash is not null as "has_password!", second_factor_at is not null as "has_app!", passkeys
           from users where id = $1 for update"#,
        user.0,
    );
    ways.fetch_optional(tx.conn()).await?.ok_or(AppError::NotFound)
}

/// A person's passkeys, the oldest first.
pub async fn list(tx: &mut Tx, user: UserId) -> Result<Vec<PasskeyInfo>, AppError> {
    let rows = sqlx::query!(
        "select id, name, backed_up, verifies, transports, last_used_at, created_at from passkeys where user_id = $1
         order by created_at, id",
        user.0,
    )
    .fetch_all(tx.conn())
    .await?;
    let passkeys = rows.into_iter().map(|row| PasskeyInfo {
        id: PasskeyId(row.id),
        name: row.name,
        synced: row.backed_up,
        verifies: row.verifies,
        transports: row.transports,
        last_used_at: row.last_used_at.map(Into::into),
        created_at: row.created_at.into(),
    });
    Ok(passkeys.collect())
}

/// What a browser is told of a person's passkeys: their ids and how they are reached.
pub async fn descriptors(tx: &mut Tx, user: UserId) -> Result<Vec<(Vec<u8>, Vec<String>)>, AppError> {
    let rows = sqlx::query!("select id, credential, transports from passkeys where user_id = $1 order by id", user.0)
        .fetch_all(tx.conn())
        .await?;
    let keys = tx.cx().keys().clone();
    rows.into_iter().map(|row| Ok((open(&keys, row.id, &row.credential)?.cred_id().clone(), row.transports))).collect()
}

fn open(keys: &crypto::Keys, id: Uuid, sealed: &[u8]) -> Result<Passkey, AppError> {
    let text = keys.open(&place(id), sealed)?;
    Ok(serde_json::from_slice(&text).context("read a kept passkey")?)
}

/// Keeps a new passkey. One that anybody in the installation has is refused by its constraint.
pub async fn insert(
    tx: &mut Tx,
    user: UserId,
    name: String,
    passkey: &Passkey,
    transports: Vec<String>,
) -> Result<PasskeyInfo, AppError> {
    let (id, tenant, now) = (Uuid::now_v7(), tx.tenant()?, tx.now());
    let credential = Credential::from(passkey.clone());
    let sealed = seal(tx, id, passkey)?;
    sqlx::query!(
        "insert into passkeys
             (id, tenant_id, user_id, digest, name, credential, transports, backup_eligible, backed_up, verifies, counter,
              created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        id,
        tenant.0,
        user.0,
        digest(passkey.cred_id()),
        name,
        sealed,
        &transports,
        credential.backup_eligible,
        credential.backup_state,
        credential.user_verified,
        i64::from(credential.counter),
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("update users set passkeys = passkeys + 1 where id = $1", user.0).execute(tx.conn()).await?;
    Ok(PasskeyInfo {
        id: PasskeyId(id),
        name,
        synced: credential.backup_state,
        verifies: credential.user_verified,
        transports,
        last_used_at: None,
        created_at: now.into(),
    })
}

fn seal(tx: &Tx, id: Uuid, passkey: &Passkey) -> Result<Vec<u8>, AppError> {
    let text = serde_json::to_vec(passkey).context("write a passkey")?;
    Ok(tx.cx().keys().seal(&place(id), &text))
}

/// Whose a passkey is.
pub struct Found {
    pub id: Uuid,
    pub tenant: TenantId,
    pub user: UserId,
    pub user_name: String,
    pub email: String,
}

/// Finds a passkey by the id that its authenticator tells. Through the door.
pub async fn find(tx: &mut Tx, credential_id: &[u8]) -> Result<Option<Found>, AppError> {
    let row = sqlx::query!(
        "select p.id, p.tenant_id, p.user_id, u.name, u.email from passkeys p join users u on u.id = p.user_id
         where p.digest = $1",
        digest(credential_id),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Found {
        id: row.id,
        tenant: TenantId(row.tenant_id),
        user: UserId(row.user_id),
        user_name: row.name,
        email: row.email,
    }))
}

/// Holds a passkey's row and opens it: of two answers of one key the second is judged by what the first has left.
pub async fn lock(tx: &mut Tx, id: Uuid) -> Result<Option<Passkey>, AppError> {
    let sealed = sqlx::query_scalar!("select credential from passkeys where id = $1 for update", id)
        .fetch_optional(tx.conn())
        .await?;
    sealed.map(|sealed| open(&tx.cx().keys().clone(), id, &sealed)).transpose()
}

/// Keeps what a good answer has brought: counter, flags, the moment.
pub async fn used(tx: &mut Tx, id: Uuid, passkey: &Passkey) -> Result<(), AppError> {
    let (now, sealed, credential) = (tx.now(), seal(tx, id, passkey)?, Credential::from(passkey.clone()));
    sqlx::query!(
        "update passkeys set credential = $2, counter = $3, backed_up = $4, last_used_at = $5 where id = $1",
        id,
        sealed,
        i64::from(credential.counter),
        credential.backup_state,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives a person's passkey another name; the one before.
pub async fn rename(tx: &mut Tx, user: UserId, id: PasskeyId, name: &str) -> Result<Option<String>, AppError> {
    let before = sqlx::query_scalar!(
        "update passkeys p set name = $3 from (select id, name from passkeys where id = $1 for update) as old
         where p.id = old.id and p.user_id = $2 returning old.name",
        id.0,
        user.0,
        name,
    );
    Ok(before.fetch_optional(tx.conn()).await?)
}

/// Removes a person's passkey; its name.
pub async fn remove(tx: &mut Tx, user: UserId, id: PasskeyId) -> Result<Option<String>, AppError> {
    let name = sqlx::query_scalar!("delete from passkeys where id = $1 and user_id = $2 returning name", id.0, user.0)
        .fetch_optional(tx.conn())
        .await?;
    if name.is_some() {
        sqlx::query!("update users set passkeys = passkeys - 1 where id = $1", user.0).execute(tx.conn()).await?;
    }
    Ok(name)
}

/// Whether a person has a passkey that is a way in by itself.
pub async fn has_verifying(tx: &mut Tx, user: UserId) -> Result<bool, AppError> {
    let has = sqlx::query_scalar!(
        r#"select exists (select from passkeys where user_id = $1 and verifies) as "has!""#,
        user.0,
    );
    Ok(has.fetch_one(tx.conn()).await?)
}

/// Removes every passkey of a person.
pub async fn remove_all(tx: &mut Tx, user: UserId) -> Result<u64, AppError> {
    let gone = sqlx::query!("delete from passkeys where user_id = $1", user.0).execute(tx.conn()).await?;
    sqlx::query!("update users set passkeys = 0 where id = $1 and passkeys > 0", user.0).execute(tx.conn()).await?;
    Ok(gone.rows_affected())
}

/// The tenant's sealed passkeys, some at a time.
pub async fn sealed(tx: &mut Tx, after: SealedAfter) -> Result<Vec<SealedValue>, AppError> {
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        "select id, credential from passkeys
         where tenant_id = $1 and id > $2 and ($3::bytea is null or substring(credential from 2 for 4) <> $3)
         order by id limit $4",
        tenant.0,
        after.id,
        after.unless.as_ref().map(|id| &id[..]),
        SEALED_AT_ONCE,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| SealedValue { id: row.id, place: place(row.id), value: row.credential }).collect())
}

/// Keeps a passkey as it was sealed anew, unless it has counted on since.
pub async fn put_sealed(tx: &mut Tx, old: &SealedValue, new: &[u8]) -> Result<(), AppError> {
    sqlx::query!("update passkeys set credential = $3 where id = $1 and credential = $2", old.id, old.value, new)
        .execute(tx.conn())
        .await?;
    Ok(())
}
