//! The rows of secrets and backup codes.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::codes;
use crate::{
    access::server::Tx,
    base::{
        errors::AppError,
        ids::UserId,
        server::crypto::{self, SEALED_AT_ONCE, SealedAfter, SealedValue},
    },
};

/// A secret, opened.
pub struct Totp {
    pub secret: Vec<u8>,
    pub confirmed_at: Option<DateTime<Utc>>,
}

fn place(user: UserId) -> String {
    format!("totp:secret:{user}")
}

/// The digest of a backup code: under a key that is not in the database, so that whoever has that cannot try them out.
fn code_digest(key: [u8; 32], user: UserId, code: &str) -> Vec<u8> {
    crypto::token_digest("backup-code", &format!("{}:{user}:{code}", hex::encode(key)))
}

/// Derivation purpose of that key. Codes live longer than keys are used.
const PURPOSE: &str = "backup-codes";

pub async fn totp(tx: &mut Tx, user: UserId) -> Result<Option<Totp>, AppError> {
    let row = sqlx::query!("select secret, confirmed_at from totp where user_id = $1", user.0)
        .fetch_optional(tx.conn())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let secret = tx.cx().keys().open(&place(user), &row.secret)?;
    Ok(Some(Totp { secret, confirmed_at: row.confirmed_at }))
}

/// Keeps a new secret that has yet to be confirmed. `false`: one is on already.
pub async fn begin(tx: &mut Tx, user: UserId, secret: &[u8]) -> Result<bool, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let sealed = tx.cx().keys().seal(&place(user), secret);
    let kept = sqlx::query!(
        "insert into totp (user_id, tenant_id, secret, created_at) values ($1, $2, $3, $4)
         on conflict (user_id) do update set secret = excluded.secret, last_step = 0, created_at = excluded.created_at
         where totp.confirmed_at is null",
        user.0,
        tenant.0,
        sealed,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Turns the secret on, with the step of its first code, which is spent by that.
pub async fn confirm(tx: &mut Tx, user: UserId, step: i64) -> Result<bool, AppError> {
    let now = tx.now();
    let done = sqlx::query!(
        "update totp set confirmed_at = $3, last_step = $2 where user_id = $1 and confirmed_at is null and last_step < $2",
        user.0,
        step,
        now,
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    set_fact(tx, user, Some(now)).await?;
    Ok(true)
}

/// Spends a step: of parallel uses of one code one wins, and no earlier one counts after it.
pub async fn spend_step(tx: &mut Tx, user: UserId, step: i64) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update totp set last_step = $2 where user_id = $1 and confirmed_at is not null and last_step < $2",
        user.0,
        step,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The fact that sign-in asks about.
async fn set_fact(tx: &mut Tx, user: UserId, at: Option<DateTime<Utc>>) -> Result<(), AppError> {
    sqlx::query!("update users set second_factor_at = $2 where id = $1", user.0, at).execute(tx.conn()).await?;
    Ok(())
}

/// Takes the factor off. Whether there was one.
pub async fn remove(tx: &mut Tx, user: UserId) -> Result<bool, AppError> {
    let gone = sqlx::query!("delete from totp where user_id = $1 and confirmed_at is not null", user.0)
        .execute(tx.conn())
        .await?;
    // They go with passkeys as well.
    sqlx::query!(
        "delete from backup_codes where user_id = $1 and not exists (select from users where id = $1 and passkeys > 0)",
        user.0
    )
    .execute(tx.conn())
    .await?;
    set_fact(tx, user, None).await?;
    Ok(gone.rows_affected() == 1)
}

/// Makes a set of backup codes; the set before is void.
pub async fn new_codes(tx: &mut Tx, user: UserId) -> Result<Vec<String>, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!("delete from backup_codes where user_id = $1", user.0).execute(tx.conn()).await?;
    let made = (0..codes::CODES).map(|_| codes::backup_code()).collect::<Vec<_>>();
    let key = tx.cx().keys().derive(PURPOSE);
    for code in &made {
        let digest = code_digest(key, user, &code.replace('-', ""));
        sqlx::query!(
            "insert into backup_codes (id, tenant_id, user_id, digest, created_at) values ($1, $2, $3, $4, $5)",
            Uuid::now_v7(),
            tenant.0,
            user.0,
            digest,
            now,
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(made)
}

/// Spends a backup code. Of parallel uses one wins.
pub async fn spend_code(tx: &mut Tx, user: UserId, code: &str) -> Result<bool, AppError> {
    let keys = tx.cx().keys().derive_all(PURPOSE).into_iter();
    let (now, digests) = (tx.now(), keys.map(|key| code_digest(key, user, code)).collect::<Vec<_>>());
    let spent = sqlx::query!(
        "update backup_codes set used_at = $3 where user_id = $1 and digest = any($2) and used_at is null",
        user.0,
        &digests,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(spent.rows_affected() == 1)
}

pub async fn codes_left(tx: &mut Tx, user: UserId) -> Result<i64, AppError> {
    let left = sqlx::query_scalar!(
        r#"select count(*) as "left!" from backup_codes where user_id = $1 and used_at is null"#,
        user.0
    );
    Ok(left.fetch_one(tx.conn()).await?)
}

/// The tenant's sealed secrets, some at a time.
pub async fn sealed(tx: &mut Tx, after: SealedAfter) -> Result<Vec<SealedValue>, AppError> {
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        "select user_id, secret from totp
         where tenant_id = $1 and user_id > $2 and ($3::bytea is null or substring(secret from 2 for 4) <> $3)
         order by user_id limit $4",
        tenant.0,
        after.id,
        after.unless.as_ref().map(|id| &id[..]),
        SEALED_AT_ONCE,
    )
    .fetch_all(tx.conn())
    .await?;
    let sealed = |user: Uuid, value| SealedValue { id: user, place: place(UserId(user)), value };
    Ok(rows.into_iter().map(|row| sealed(row.user_id, row.secret)).collect())
}

/// Keeps a secret as it was sealed anew, unless it has changed since.
pub async fn put_sealed(tx: &mut Tx, old: &SealedValue, new: &[u8]) -> Result<(), AppError> {
    sqlx::query!("update totp set secret = $3 where user_id = $1 and secret = $2", old.id, old.value, new)
        .execute(tx.conn())
        .await?;
    Ok(())
}
