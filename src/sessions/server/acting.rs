//! Sessions in which somebody acts as somebody else. Who may, `impersonation` decides.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::tokens;
use crate::{
    access::server::{
        Acting, Cx, Tx,
        record::{Action, Event},
    },
    base::{
        errors::AppError,
        ids::{SessionId, UserId},
        server::crypto::Secret,
    },
};

/// Opens one, and gives its token, which lives as long as the session.
pub async fn begin(
    tx: &mut Tx,
    target: UserId,
    reason: &str,
    until: DateTime<Utc>,
) -> Result<(SessionId, Secret<String>), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let cx = tx.cx().clone();
    let by = cx.in_person()?;
    let id = SessionId(Uuid::now_v7());
    sqlx::query!(
        "insert into sessions
             (id, tenant_id, user_id, kind, ip, user_agent, created_at, last_seen_at, proved_at, expires_at,
              absolute_expires_at, assurance, impersonator_id, impersonation_reason)
         values ($1, $2, $3, 'program', $4::text::inet, $5, $6, $6, $6, $7, $7, 1, $8, $9)",
        id.0,
        tenant.0,
        target.0,
        cx.origin().ip.map(|ip| ip.to_string()),
        cx.origin().user_agent,
        now,
        until,
        by.user.0,
        reason,
    )
    .execute(tx.conn())
    .await?;
    let issuer = cx.link("");
    let token = tokens::sign_acting(cx.keys(), &issuer, (target, id, tenant), by.user, now, until)?;
    Ok((id, Secret::new(token)))
}

/// Ends it, as the one who acts, whatever became of the rights of either.
pub async fn stop(cx: &Cx) -> Result<(), AppError> {
    let person = cx.person()?.clone();
    let Acting::Impersonated(by) = &person.acting else { return Err(AppError::NotFound) };
    let mut tx = cx.door().await?;
    tx.enter(person.tenant).await?;
    let now = tx.now();
    let ended = sqlx::query!(
        "update sessions set ended_at = $2, ended_because = 'impersonation'
         where id = $1 and impersonator_id is not null and ended_at is null",
        person.session.0,
        now,
    )
    .execute(tx.conn())
    .await?;
    if ended.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    let event = Event::done(Action::ImpersonationEnd).on("user", person.user, &person.name);
    tx.commit(event.meta("reason", by.reason.clone())).await
}
