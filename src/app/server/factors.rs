//! Taking every second factor off the account of somebody who has lost theirs. Apps and passkeys belong to two capabilities
//! that do not know each other.

use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::{
        USERS_RESET_PASSWORD,
        server::{
            Cx,
            record::{Action, Event},
        },
    },
    accounts::{
        Status,
        server::{find_for_update, letters, links, store as people},
    },
    app::server::cli::enter_first_tenant,
    base::{
        errors::AppError,
        ids::UserId,
        server::http::{Done, Id},
    },
    passkeys, second_factor,
    sessions::server::{store as sessions, throttle},
};

/// Takes the app, the backup codes and the passkeys off, ends every session, and tells the person. It needs all that they
/// hold and a fresh proof.
pub async fn reset_for(cx: &Cx, id: UserId) -> Result<(), AppError> {
    let mut tx = cx.allow(USERS_RESET_PASSWORD).await?;
    let person = find_for_update(&mut tx, id, None).await?;
    tx.outrank(id)?;
    cx.fresh()?;
    let keys = passkeys::server::take_off(&mut tx, id).await?;
    let app = second_factor::server::take_off(&mut tx, id).await?;
    if !app && keys == 0 {
        return Err(AppError::NotFound);
    }
    sessions::void_steps(&mut tx, id).await?;
    // Whoever has found the device may be signed in with it.
    let ended = sessions::end(&mut tx, id, None, "factor_reset").await?;
    tx.mail(&letters::factors_reset(person.reader())).await?;
    let event = Event::done(Action::FactorReset).on("user", id, &person.name);
    tx.commit(event.meta("app", app).meta("passkeys", keys).meta("ended", ended)).await
}

/// For an operator, from whom somebody has asked to be let in again: takes every factor off, ends every session, gives their
/// tries back, and gives back a link by which they choose a password. `None`: nobody active has this address or name.
pub async fn recover(cx: &Cx, named: &str) -> anyhow::Result<Option<(String, DateTime<Utc>)>> {
    let mut tx = cx.node().await?;
    enter_first_tenant(&mut tx).await?;
    let Some(id) = people::find_named(&mut tx, named).await? else { return Ok(None) };
    let person = find_for_update(&mut tx, id, None).await?;
    if person.status != Status::Active {
        return Ok(None);
    }
    let keys = passkeys::server::take_off(&mut tx, id).await?;
    let app = second_factor::server::take_off(&mut tx, id).await?;
    sessions::void_steps(&mut tx, id).await?;
    let ended = sessions::end(&mut tx, id, None, "factor_reset").await?;
    links::void(&mut tx, id).await?;
    let link = links::make_reset(&mut tx, id).await?;
    let event = Event::done(Action::FactorReset).on("user", id, &person.name).meta("by", "command line");
    tx.commit(event.meta("app", app).meta("passkeys", keys).meta("ended", ended)).await?;
    throttle::forgive_all(cx, id).await?;
    Ok(Some(link))
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(reset_rest))
}

/// Take the lost second factors off somebody's account, passkeys included, and end their sessions: `users.reset_password`
#[utoipa::path(delete, path = "/admin/users/{id}/2fa", operation_id = "reset_for", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn reset_rest(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Done>, AppError> {
    reset_for(&cx, id).await.map(|()| Json(Done::OK))
}
