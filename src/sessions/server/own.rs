//! What people change about their own way in: the address, confirmed at both ends, and the password.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::{check_choice, joining::count_letter, prove_password, store, throttle};
use crate::{
    access::server::{
        Cx, Tx,
        record::{Action, Event},
    },
    accounts::{
        Password,
        server::{
            letters::{self, Address, Reader},
            links,
            rules::Email,
            store as people, tell,
        },
    },
    base::{
        errors::{AppError, Conflict, FieldCode, FieldErrors},
        ids::{SessionId, TenantId, UserId},
        password::PasswordRule,
        server::{choice::Choice, crypto, input::Input, settings},
        time::Timestamp,
    },
    sessions::LinkInfo,
};

/// How long the new mailbox may take.
const CONFIRM: TimeDelta = TimeDelta::hours(24);
/// How long the old mailbox may take, and how long it may call it off, also after it has happened.
const CANCEL: TimeDelta = TimeDelta::hours(72);
/// Keep these tokens from being taken for others.
const CONFIRM_KIND: &str = "email-confirm";
const CANCEL_KIND: &str = "email-cancel";

/// The two ends of a change. Both have to confirm it; the old one can also call it off, with the same link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The mailbox that is to be a person's.
    New,
    /// The one that is theirs until then.
    Old,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            End::New => "new",
            End::Old => "old",
        }
    }
}

/// What a confirmation has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// Both ends have confirmed: the person has the new address.
    Changed,
    /// The other end has not confirmed yet.
    Waits,
}

/// A change of address that can still be confirmed or called off.
struct EmailChange {
    id: Uuid,
    tenant: TenantId,
    user: UserId,
    user_name: String,
    old_email: String,
    new_email: String,
    session: Option<SessionId>,
    /// Whether the end that was looked for has confirmed.
    is_confirmed: bool,
}

/// Asks for another address of the caller. Both mailboxes get a letter and have to confirm: whoever no longer reaches the
/// old one is given another address by an administrator. Whoever asks learns nothing of whether the address
/// has an account already.
pub async fn request_email(cx: &Cx, email: Input<String>) -> Result<(), AppError> {
    let person = cx.person()?.clone();
    let email = Email::parse(email.read()?.trim()).map_err(|code| AppError::field("email", code))?;
    cx.fresh()?;
    count_letter(cx, &email).await?;
    let mut tx = cx.door().await?;
    let known = store::candidate(&mut tx, email.as_str()).await?;
    drop(tx);
    let mut tx = cx.own().await?;
    people::lock(&mut tx, person.user).await?;
    let own = people::by_id(&mut tx, person.user).await?.ok_or_else(AppError::signed_out)?;
    if own.email == email.as_str() {
        return Err(AppError::field("email", FieldCode::Taken));
    }
    let (tenant, now) = (tx.tenant()?, tx.now());
    let (confirm, cancel) = (crypto::token(), crypto::token());
    // Earlier ones that have not come about are void.
    sqlx::query!(
        "update email_changes set cancelled_at = $2
         where user_id = $1 and (confirmed_at is null or old_confirmed_at is null) and cancelled_at is null",
        person.user.0,
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into email_changes
             (id, tenant_id, user_id, old_email, new_email, session_id, confirm_digest, cancel_digest, confirm_until,
              cancel_until, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        Uuid::now_v7(),
        tenant.0,
        person.user.0,
        own.email,
        email.as_str(),
        person.session.0,
        crypto::token_digest(CONFIRM_KIND, confirm.expose()),
        crypto::token_digest(CANCEL_KIND, cancel.expose()),
        now + CONFIRM,
        now + CANCEL,
        now,
    )
    .execute(tx.conn())
    .await?;
    let link = cx.link(&format!("/email/leave?token={}", cancel.expose()));
    let address = Address { link: &link, until: now + CANCEL };
    tx.mail(&letters::email_leaves(own.reader(), email.as_str(), address)).await?;
    match &known {
        // Its owner is told; the link that would confirm is sent to nobody.
        Some(known) => tx.mail(&letters::already_known(known.reader(), &cx.link("/forgot"))).await?,
        None => {
            let link = cx.link(&format!("/email/confirm?token={}", confirm.expose()));
            let reader = Reader { email: email.as_str(), ..own.reader() };
            tx.mail(&letters::email_arrives(reader, Address { link: &link, until: now + CONFIRM })).await?;
        }
    }
    let event = Event::done(Action::EmailRequest).on("user", person.user, &person.name);
    tx.commit(event.new_value(json!({"email": email.as_str()}))).await
}

/// Finds a change that can still be confirmed or called off. Through the door.
async fn find(tx: &mut Tx, end: End, token: &str) -> Result<EmailChange, AppError> {
    let now = tx.now();
    let (confirm, cancel) = match end {
        End::New => (Some(crypto::token_digest(CONFIRM_KIND, token)), None),
        End::Old => (None, Some(crypto::token_digest(CANCEL_KIND, token))),
    };
    let row = sqlx::query!(
        r#"select c.id, c.tenant_id, c.user_id, u.name, c.old_email, c.new_email, c.session_id,
                  (case when c.cancel_digest = $2 then c.old_confirmed_at else c.confirmed_at end) is not null
                      as "is_confirmed!"
           from email_changes c join users u on u.id = c.user_id and u.status = 'active'
           join tenants t on t.id = c.tenant_id and t.status = 'active'
           where c.cancelled_at is null
             and ((c.confirm_digest = $1 and c.confirmed_at is null and c.confirm_until > $3)
                  or (c.cancel_digest = $2 and c.cancel_until > $3))"#,
        confirm,
        cancel,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    let row = row.ok_or(AppError::Conflict(Conflict::LinkSpent))?;
    Ok(EmailChange {
        id: row.id,
        tenant: TenantId(row.tenant_id),
        user: UserId(row.user_id),
        user_name: row.name,
        old_email: row.old_email,
        new_email: row.new_email,
        session: row.session_id.map(SessionId),
        is_confirmed: row.is_confirmed,
    })
}

/// A change of address that is still kept, without its tokens.
#[derive(Debug, serde::Serialize)]
pub struct KeptChange {
    pub old_email: String,
    pub new_email: String,
    pub requested_at: Timestamp,
    /// When the new mailbox confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When the old one did. With both the address has changed.
    pub old_confirmed_at: Option<Timestamp>,
    pub cancelled_at: Option<Timestamp>,
}

/// The changes of the caller's address that are still kept, newest first.
pub async fn email_changes(cx: &Cx) -> Result<Vec<KeptChange>, AppError> {
    let mut tx = cx.own().await?;
    let (tenant, user) = (tx.tenant()?, cx.person()?.user);
    let rows = sqlx::query!(
        "select old_email, new_email, created_at, confirmed_at, old_confirmed_at, cancelled_at from email_changes
         where user_id = $1 and tenant_id = $2 order by created_at desc, id desc limit 500",
        user.0,
        tenant.0,
    )
    .fetch_all(tx.conn())
    .await?;
    let changes = rows.into_iter().map(|row| KeptChange {
        old_email: row.old_email,
        new_email: row.new_email,
        requested_at: row.created_at.into(),
        confirmed_at: row.confirmed_at.map(Into::into),
        old_confirmed_at: row.old_confirmed_at.map(Into::into),
        cancelled_at: row.cancelled_at.map(Into::into),
    });
    Ok(changes.collect())
}

/// Looks at a change without doing anything to it.
pub async fn look_at_email(cx: &Cx, end: End, token: &str) -> Result<LinkInfo, AppError> {
    let mut tx = cx.door().await?;
    let change = find(&mut tx, end, token).await?;
    Ok(LinkInfo {
        name: Some(change.user_name),
        email: Some(change.new_email),
        password_shortest: 0,
        is_confirmed: change.is_confirmed,
    })
}

/// One end confirms. With both the person has the new address from now on: open links of the old one are void, and every
/// session ends but the one that asked.
pub async fn confirm_email(cx: &Cx, end: End, token: &str) -> Result<Confirmed, AppError> {
    throttle::by_token(cx, try_confirm(cx, end, token)).await
}

async fn try_confirm(cx: &Cx, end: End, token: &str) -> Result<Confirmed, AppError> {
    let mut tx = cx.door().await?;
    let change = find(&mut tx, end, token).await?;
    tx.enter(change.tenant).await?;
    let of_them = |action| Event::done(action).by(change.user, &change.user_name);
    if !note(&mut tx, end, change.id).await? {
        let event = of_them(Action::EmailConfirm).on("user", change.user, &change.user_name);
        tx.commit(event.meta("end", end.as_str())).await?;
        return Ok(Confirmed::Waits);
    }
    let (old, new) = (change.old_email.clone(), change.new_email.clone());
    let ended = readdress(&mut tx, &change, &old, &new, change.session).await?;
    let event = of_them(Action::EmailChange).on("user", change.user, &change.user_name);
    let event = event.meta("ended", ended).meta("end", end.as_str());
    tx.commit(event.change(json!({"email": old}), json!({"email": new}))).await?;
    Ok(Confirmed::Changed)
}

/// Notes that an end has confirmed, once. Whether the other one had: of two at the same time one waits for the row and sees
/// the other. Where both have, the old mailbox may call it off for three days from now.
async fn note(tx: &mut Tx, end: End, change: Uuid) -> Result<bool, AppError> {
    let now = tx.now();
    let both = match end {
        End::New => {
            let noted = sqlx::query_scalar!(
                r#"update email_changes set confirmed_at = $2,
                       cancel_until = case when old_confirmed_at is null then cancel_until else $3 end
                   where id = $1 and confirmed_at is null and cancelled_at is null and confirm_until > $2
                   returning old_confirmed_at is not null as "both!""#,
                change,
                now,
                now + CANCEL,
            );
            noted.fetch_optional(tx.conn()).await?
        }
        End::Old => {
            let noted = sqlx::query_scalar!(
                r#"update email_changes set old_confirmed_at = $2,
                       cancel_until = case when confirmed_at is null then cancel_until else $3 end
                   where id = $1 and old_confirmed_at is null and cancelled_at is null and cancel_until > $2
                   returning confirmed_at is not null as "both!""#,
                change,
                now,
                now + CANCEL,
            );
            noted.fetch_optional(tx.conn()).await?
        }
    };
    both.ok_or(AppError::Conflict(Conflict::LinkSpent))
}

/// The old mailbox calls it off. Where it has happened already, the person has the old address again, and every session
/// ends: somebody else may hold one.
pub async fn cancel_email(cx: &Cx, token: &str) -> Result<(), AppError> {
    throttle::by_token(cx, try_cancel(cx, token)).await
}

async fn try_cancel(cx: &Cx, token: &str) -> Result<(), AppError> {
    let mut tx = cx.door().await?;
    let change = find(&mut tx, End::Old, token).await?;
    tx.enter(change.tenant).await?;
    let now = tx.now();
    let spent = sqlx::query_scalar!(
        r#"update email_changes set cancelled_at = $2 where id = $1 and cancelled_at is null and cancel_until > $2
           returning confirmed_at is not null and old_confirmed_at is not null as "has_changed!""#,
        change.id,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    let has_changed = spent.ok_or(AppError::Conflict(Conflict::LinkSpent))?;
    let event = Event::done(Action::EmailCancel).by(change.user, &change.user_name);
    let event = event.on("user", change.user, &change.user_name);
    if !has_changed {
        return tx.commit(event).await;
    }
    let (old, new) = (change.old_email.clone(), change.new_email.clone());
    let ended = readdress(&mut tx, &change, &new, &old, None).await?;
    tx.commit(event.meta("ended", ended).change(json!({"email": new}), json!({"email": old}))).await
}

/// Moves a person from one address to another, if they still have the one. Gives back how many sessions ended.
async fn readdress(
    tx: &mut Tx,
    change: &EmailChange,
    from: &str,
    to: &str,
    but: Option<SessionId>,
) -> Result<u64, AppError> {
    let now = tx.now();
    let moved = sqlx::query!(
        "update users set email = $3, email_confirmed_at = $4, version = version + 1
         where id = $1 and email = $2 and status = 'active'",
        change.user.0,
        from,
        to,
        now,
    )
    .execute(tx.conn())
    .await;
    // Somebody else has it by now, or an administrator has given the person another one.
    let moved = match moved.map_err(AppError::from) {
        Ok(moved) => moved.rows_affected() == 1,
        Err(AppError::Invalid(_)) => false,
        Err(other) => return Err(other),
    };
    if !moved {
        return Err(AppError::Conflict(Conflict::LinkSpent));
    }
    links::void(tx, change.user).await?;
    store::void_steps(tx, change.user).await?;
    let ended = sqlx::query!(
        "update sessions set ended_at = $3, ended_because = 'email_changed'
         where user_id = $1 and id is distinct from $2 and ended_at is null",
        change.user.0,
        but.map(|session| session.0),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(ended.rows_affected())
}

/// Changes the caller's password. Whoever has one shows it (ASVS 6.2.3), and everybody a fresh proof.
pub async fn change_password(
    cx: &Cx,
    current: Password,
    password: Password,
    again: &Password,
    end_others: bool,
) -> Result<(), AppError> {
    let person = cx.person()?.clone();
    cx.fresh()?;
    let mut tx = cx.own().await?;
    let rule = settings::get::<PasswordRule>(tx.conn(), person.tenant).await?;
    let own = people::by_id(&mut tx, person.user).await?.ok_or_else(AppError::signed_out)?;
    let about = [own.name.as_str(), own.email.as_str()];
    let choice = Choice { password: &password, has_second_factor: person.has_second_factor, about: &about };
    let mut errors = FieldErrors::default();
    check_choice(&mut errors, &rule, choice, again).await;
    errors.check()?;
    let had_password = people::has_password(&mut tx, person.user).await?;
    drop(tx);
    if had_password {
        prove_password(cx, &current).await?;
        throttle::forgive(cx, &super::subjects_of(cx, person.user)).await?;
    }
    let hash = cx.hasher().hash(&password).await?;
    let mut tx = cx.own().await?;
    people::renew_password(&mut tx, person.user, &hash).await?;
    links::void(&mut tx, person.user).await?;
    store::void_steps(&mut tx, person.user).await?;
    let ended = if end_others { store::end_others(&mut tx, &person, "password_changed").await? } else { 0 };
    let now = tx.now();
    tell(&mut tx, person.user, |reader| letters::password_changed(reader, now)).await?;
    let event = Event::done(Action::PasswordChange).on("user", person.user, &person.name);
    tx.commit(event.meta("ended", ended)).await
}
