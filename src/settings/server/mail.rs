//! Mail as an administrator sees it: how it leaves, a test letter, letters that could not be sent.

use chrono::{DateTime, Utc};

use crate::{
    access::{
        SETTINGS_READ, SETTINGS_UPDATE,
        server::{
            Cx, Tx,
            record::{Action, Event},
        },
    },
    accounts::server::{
        letters::{self, Reader},
        store as people,
    },
    base::{errors::AppError, server::mail},
    sessions::server::throttle::{self, Subject},
    settings::{MailState, Undelivered},
};

/// How letters leave, and which have not.
pub async fn state(cx: &Cx) -> Result<MailState, AppError> {
    let mut tx = cx.read(SETTINGS_READ).await?;
    tx.decide(&Default::default())?;
    let user = cx.person()?.user;
    let own_address = people::by_id(&mut tx, user).await?.map(|person| person.email).unwrap_or_default();
    let post = cx.post();
    Ok(MailState {
        by_smtp: post.by_smtp,
        from: post.from.clone(),
        is_signed: post.is_signed,
        own_address,
        undelivered: list(&mut tx).await?,
    })
}

/// Letters that nobody tries to send any more, newest first.
pub async fn undelivered(cx: &Cx) -> Result<Vec<Undelivered>, AppError> {
    let mut tx = cx.read(SETTINGS_READ).await?;
    tx.decide(&Default::default())?;
    list(&mut tx).await
}

async fn list(tx: &mut Tx) -> Result<Vec<Undelivered>, AppError> {
    let rows = sqlx::query!(
        r#"select id, payload ->> 'about' as "about", attempts, last_error, dead_at as "dead_at!: DateTime<Utc>"
           from jobs where kind = $1 and dead_at is not null order by dead_at desc, id desc limit 200"#,
        mail::KIND,
    )
    .fetch_all(tx.conn())
    .await?;
    let letters = rows.into_iter().map(|row| Undelivered {
        id: row.id,
        about: row.about.unwrap_or_default(),
        attempts: row.attempts,
        error: row.last_error,
        failed_at: row.dead_at.into(),
    });
    Ok(letters.collect())
}

/// Sends a letter to the caller's own address, the way all letters go.
pub async fn send_test(cx: &Cx) -> Result<(), AppError> {
    let mut tx = cx.allow(SETTINGS_UPDATE).await?;
    cx.at_home()?;
    tx.decide(&Default::default())?;
    let user = cx.person()?.user;
    let person = people::by_id(&mut tx, user).await?.ok_or_else(AppError::signed_out)?;
    throttle::count(cx, &[Subject::Letters(person.email.clone())]).await?;
    let now = tx.now();
    let reader = Reader { email: &person.email, name: &person.name, locale: &person.locale };
    tx.mail(&letters::test(reader, now)).await?;
    tx.commit(Event::done(Action::MailTest).on("user", user, &person.name)).await
}

/// Tries a letter again that nobody tries any more.
pub async fn retry(cx: &Cx, id: i64) -> Result<(), AppError> {
    let mut tx = cx.allow(SETTINGS_UPDATE).await?;
    tx.decide(&Default::default())?;
    let (tenant, now) = (tx.tenant()?, tx.now());
    let revived = sqlx::query_scalar!(
        r#"update jobs set dead_at = null, attempts = 0, run_at = $3, locked_until = null
           where id = $1 and tenant_id = $2 and kind = $4 and dead_at is not null
           returning payload ->> 'about' as "about""#,
        id,
        tenant.0,
        now,
        mail::KIND,
    )
    .fetch_optional(tx.conn())
    .await?;
    let about = revived.ok_or(AppError::NotFound)?.unwrap_or_default();
    tx.wake_mail();
    tx.commit(Event::done(Action::MailRetry).on("letter", id, about)).await
}
