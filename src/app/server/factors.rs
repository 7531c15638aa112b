//! Taking every second factor off the account of somebody who has lost theirs. Apps and passkeys belong to two capabilities
//! that do not know each other.

use axum::{Extension, Json};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::{
        USERS_RESET_PASSWORD,
        server::{
            Cx,
            record::{Action, Event},
        },
    },
    accounts::server::{find_for_update, letters},
    base::{
        errors::AppError,
        ids::UserId,
        server::http::{Done, Id},
    },
    passkeys, second_factor,
    sessions::server::store as sessions,
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

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(reset_rest))
}

/// Take the lost second factors off somebody's account, passkeys included, and end their sessions: `users.reset_password`
#[utoipa::path(delete, path = "/admin/users/{id}/2fa", operation_id = "reset_for", tag = "users", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Done)))]
async fn reset_rest(cx: Extension<Cx>, Id(id): Id<UserId>) -> Result<Json<Done>, AppError> {
    reset_for(&cx, id).await.map(|()| Json(Done::OK))
}
