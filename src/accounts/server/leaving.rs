//! Leaving: people ask that their own account be deleted, may change their mind for two weeks, and then it is deleted as
//! an administrator would delete it.

use chrono::TimeDelta;
use tracing::error;
use uuid::Uuid;

use super::{find_for_update, letters, remove, rules::Email, tell, without_rights};
use crate::{
    access::{
        EVERYTHING, USERS_UPDATE,
        server::{
            Cx, Tx,
            change::Granter,
            record::{Action, Event},
        },
    },
    accounts::{DELETION_DAYS, DeletionRequest, Leaving, PendingDeletion},
    base::{
        errors::{AppError, DenialCode, FieldCode},
        ids::{TenantId, UserId},
        server::input::Input,
    },
};

/// How many deletions one look carries out at most.
const AT_ONCE: i64 = 100;
/// How often a person may ask within a day.
const MOST_A_DAY: i64 = 5;

/// Why a deletion no longer waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The person has changed their mind.
    Cancelled,
    /// An administrator has called it off.
    CalledOff,
    /// Somebody has suspended the account meanwhile.
    Suspended,
    /// Nobody else would have had `super-admin` when it was due.
    LastSuperAdmin,
    /// The account is deleted, by this or by somebody who may.
    Deleted,
}

impl Because {
    fn as_str(self) -> &'static str {
        match self {
            Because::Cancelled => "cancelled",
            Because::CalledOff => "called_off",
            Because::Suspended => "suspended",
            Because::LastSuperAdmin => "last_super_admin",
            Because::Deleted => "deleted",
        }
    }
}

/// Whether the caller's account waits to be deleted.
pub async fn state(cx: &Cx) -> Result<Leaving, AppError> {
    let cx = cx.before_consents();
    let mut tx = cx.own().await?;
    let pending = pending(&mut tx, cx.person()?.user).await?;
    Ok(Leaving { pending, wait_days: DELETION_DAYS })
}

/// Asks that the caller's account be deleted. They type its address, have proved themselves of late, and are told by mail,
/// so that a session in other hands cannot do it unseen. Asking again changes nothing.
pub async fn request(cx: &Cx, request: Input<DeletionRequest>) -> Result<PendingDeletion, AppError> {
    let cx = cx.before_consents();
    let mut tx = cx.own().await?;
    let user = cx.person()?.user;
    let typed = Email::parse(&request.read()?.email).map_err(|code| AppError::field("email", code))?;
    cx.fresh()?;
    tx.lock_grants(None).await?;
    let person = find_for_update(&mut tx, user, None).await?;
    if typed.as_str() != person.email {
        return Err(AppError::field("email", FieldCode::Different));
    }
    if let Some(pending) = pending(&mut tx, user).await? {
        return Ok(pending);
    }
    check_often(&mut tx, user).await?;
    if let (_, Some(denial)) = tx.what_if(&without_rights(user)).await? {
        return Err(AppError::Forbidden(denial));
    }
    let (tenant, now) = (tx.tenant()?, tx.now());
    let due = now + TimeDelta::days(DELETION_DAYS.into());
    sqlx::query!(
        "insert into account_deletions (id, tenant_id, user_id, requested_at, due_at) values ($1, $2, $3, $4, $5)",
        Uuid::now_v7(),
        tenant.0,
        user.0,
        now,
        due,
    )
    .execute(tx.conn())
    .await?;
    let account = cx.link("/console/account?tab=data");
    tx.mail(&letters::deletion_asked(person.reader(), due, &account)).await?;
    let pending = PendingDeletion { requested_at: now.into(), due_at: due.into() };
    let event = Event::done(Action::DeletionRequest).on("user", user, &person.name);
    tx.commit(event.meta("due_at", pending.due_at.to_string())).await?;
    Ok(pending)
}

/// Refuses whoever keeps asking and calling off: each time a letter goes to the account's mailbox.
async fn check_often(tx: &mut Tx, user: UserId) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let asked = sqlx::query_scalar!(
        r#"select count(*) as "n!" from account_deletions where user_id = $1 and tenant_id = $2 and requested_at > $3"#,
        user.0,
        tenant.0,
        now - TimeDelta::days(1),
    );
    if asked.fetch_one(tx.conn()).await? < MOST_A_DAY { Ok(()) } else { Err(AppError::TooMany { retry_after: 3_600 }) }
}

/// The caller has changed their mind.
pub async fn cancel(cx: &Cx) -> Result<(), AppError> {
    let cx = cx.before_consents();
    let mut tx = cx.own().await?;
    let person = cx.person()?;
    if !end(&mut tx, person.user, Because::Cancelled).await? {
        return Err(AppError::NotFound);
    }
    tell(&mut tx, person.user, letters::deletion_cancelled).await?;
    tx.commit(Event::done(Action::DeletionCancel).on("user", person.user, &person.name)).await
}

/// An administrator calls off the deletion that somebody has asked for. The person is told, and may ask again.
pub async fn call_off(cx: &Cx, id: UserId) -> Result<(), AppError> {
    let mut tx = cx.allow(USERS_UPDATE).await?;
    let person = find_for_update(&mut tx, id, None).await?;
    tx.outrank(id)?;
    if !end(&mut tx, id, Because::CalledOff).await? {
        return Err(AppError::NotFound);
    }
    tx.mail(&letters::deletion_called_off(person.reader())).await?;
    let event = Event::done(Action::UserDeletionCancel).on("user", id, &person.name);
    let due = person.deletion_due_at.map(|due| due.to_string());
    tx.commit(event.meta("due_at", due)).await
}

/// A deletion whose time has come.
struct Due {
    tenant: TenantId,
    user: UserId,
}

/// Deletes the accounts whose time has come, each in a transaction of its own. Gives back how many.
pub async fn carry_out(cx: &Cx) -> Result<u64, AppError> {
    let mut tx = cx.node().await?;
    let now = tx.now();
    let due = sqlx::query!(
        // Whose tenant is suspended cannot come and call it off.
        "select d.tenant_id, d.user_id from account_deletions d
         join tenants t on t.id = d.tenant_id and t.status = 'active'
         where d.ended_at is null and d.due_at <= $1 order by d.due_at, d.id limit $2",
        now,
        AT_ONCE,
    )
    .fetch_all(tx.conn())
    .await?;
    drop(tx);
    let mut deleted = 0;
    for row in due {
        let due = Due { tenant: TenantId(row.tenant_id), user: UserId(row.user_id) };
        match delete(cx, &due).await {
            Ok(is_deleted) => deleted += u64::from(is_deleted),
            Err(AppError::Forbidden(denial)) if denial.code == DenialCode::LastSuperAdmin => refuse(cx, &due).await?,
            // The others do not wait for it; the next look tries it again.
            Err(error) => error!(%error, user.id = %due.user, "the account {} could not be deleted", due.user),
        }
    }
    Ok(deleted)
}

/// Deletes one account, if that still waits: of two nodes one ends the wait, and a node that dies has done nothing.
async fn delete(cx: &Cx, due: &Due) -> Result<bool, AppError> {
    let mut tx = cx.node().await?;
    tx.enter(due.tenant).await?;
    // Grants are locked first, as by everybody who writes them.
    tx.lock_grants(None).await?;
    if !is_due(&mut tx, due.user).await? || !end(&mut tx, due.user, Because::Deleted).await? {
        return Ok(false);
    }
    let person = find_for_update(&mut tx, due.user, None).await?;
    // What goes with a person is granted to nobody: there is nothing that others would have to agree to.
    tx.approved(vec![EVERYTHING]);
    let event = remove(&mut tx, &person, Granter::Person(due.user)).await?;
    tx.mail(&letters::deletion_done(person.reader())).await?;
    tx.commit(event.by(due.user, &person.name).meta("own_request", true)).await?;
    Ok(true)
}

/// Calls off what would leave nobody with `super-admin`, and says so.
async fn refuse(cx: &Cx, due: &Due) -> Result<(), AppError> {
    let mut tx = cx.node().await?;
    tx.enter(due.tenant).await?;
    tx.lock_grants(None).await?;
    if !is_due(&mut tx, due.user).await? || !end(&mut tx, due.user, Because::LastSuperAdmin).await? {
        return Ok(());
    }
    let person = super::find(&mut tx, due.user).await?;
    tx.mail(&letters::deletion_refused(person.reader())).await?;
    let event = Event::denied(Action::UserDelete).on("user", due.user, &person.name).by(due.user, &person.name);
    tx.commit(event.meta("own_request", true).meta("reason", Because::LastSuperAdmin.as_str())).await
}

/// Whether what waits is due. Nobody asks anew while the grants are locked: what was called off stays so.
async fn is_due(tx: &mut Tx, user: UserId) -> Result<bool, AppError> {
    let now = tx.now().into();
    Ok(pending(tx, user).await?.is_some_and(|pending| pending.due_at <= now))
}

/// Ends the wait of a person's deletion. Whether there was one.
pub async fn end(tx: &mut Tx, user: UserId, because: Because) -> Result<bool, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let ended = sqlx::query!(
        "update account_deletions set ended_at = $3, ended_because = $4
         where user_id = $1 and tenant_id = $2 and ended_at is null",
        user.0,
        tenant.0,
        now,
        because.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(ended.rows_affected() == 1)
}

async fn pending(tx: &mut Tx, user: UserId) -> Result<Option<PendingDeletion>, AppError> {
    let tenant = tx.tenant()?;
    let row = sqlx::query!(
        "select requested_at, due_at from account_deletions where user_id = $1 and tenant_id = $2 and ended_at is null",
        user.0,
        tenant.0,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| PendingDeletion { requested_at: row.requested_at.into(), due_at: row.due_at.into() }))
}
