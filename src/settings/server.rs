//! Reading and changing settings; letters that could not be sent.

use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::{
        SETTINGS_READ, SETTINGS_UPDATE,
        server::{
            Cx, Tx,
            record::{Action, Event},
        },
    },
    accounts::Registration,
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        server::{
            http::Sent,
            input::Input,
            mail,
            settings::{self, Setting as _},
        },
    },
    sessions::SignIn,
    settings::{Settings, SettingsEdit, Undelivered},
};

/// The tenant's settings.
pub async fn get(cx: &Cx) -> Result<Settings, AppError> {
    let mut tx = cx.read(SETTINGS_READ).await?;
    tx.decide(&Default::default())?;
    read(&mut tx).await
}

async fn read(tx: &mut Tx) -> Result<Settings, AppError> {
    let tenant = tx.tenant()?;
    Ok(Settings {
        registration: settings::get::<Registration>(tx.conn(), tenant).await?,
        sign_in: settings::get::<SignIn>(tx.conn(), tenant).await?,
    })
}

/// Replaces the groups that are given.
pub async fn edit(cx: &Cx, edit: Input<SettingsEdit>) -> Result<Settings, AppError> {
    let mut tx = cx.allow(SETTINGS_UPDATE).await?;
    tx.decide(&Default::default())?;
    let edit = edit.read()?;
    let registration = edit.registration.map(Registration::parse).transpose()?;
    let before = read(&mut tx).await?;
    let tenant = tx.tenant()?;
    if let Some(group) = &registration {
        settings::put(tx.conn(), tenant, group).await?;
    }
    if let Some(group) = &edit.sign_in {
        check_roles(&mut tx, group).await?;
        settings::put(tx.conn(), tenant, group).await?;
    }
    let after = read(&mut tx).await?;
    let keys = format!("{}, {}", Registration::KEY, SignIn::KEY);
    let event = Event::done(Action::SettingsUpdate).on("settings", tenant, keys);
    tx.commit(event.change(json!(before), json!(after))).await?;
    Ok(after)
}

/// Replaces one group by its key, at the operator's command. Gives the event of it.
pub async fn set(tx: &mut Tx, key: &str, value: serde_json::Value) -> Result<Event, AppError> {
    let tenant = tx.tenant()?;
    let malformed = |_not_of_this_form| AppError::field(key, FieldCode::Malformed);
    let before = read(tx).await?;
    match key {
        Registration::KEY => {
            let group = serde_json::from_value::<Registration>(value).map_err(malformed)?.parse()?;
            settings::put(tx.conn(), tenant, &group).await?;
        }
        SignIn::KEY => {
            let group = serde_json::from_value::<SignIn>(value).map_err(malformed)?;
            check_roles(tx, &group).await?;
            settings::put(tx.conn(), tenant, &group).await?;
        }
        _ => return Err(AppError::field(key, FieldCode::Unknown)),
    }
    let after = read(tx).await?;
    let event = Event::done(Action::SettingsUpdate).on("settings", tenant, key);
    Ok(event.change(json!(before), json!(after)))
}

/// A rule about a role that does not exist would protect nobody.
async fn check_roles(tx: &mut Tx, group: &SignIn) -> Result<(), AppError> {
    let known = sqlx::query_scalar!("select name from roles").fetch_all(tx.conn()).await?;
    let mut errors = FieldErrors::default();
    for (at, role) in group.second_factor_roles.iter().enumerate() {
        if !known.contains(role) {
            errors.add(format!("sign_in.second_factor_roles[{at}]"), FieldCode::Unknown);
        }
    }
    errors.check()
}

/// Letters that will not be sent, newest first.
pub async fn undelivered(cx: &Cx) -> Result<Vec<Undelivered>, AppError> {
    let mut tx = cx.read(SETTINGS_READ).await?;
    tx.decide(&Default::default())?;
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

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(get_rest, edit_rest)).routes(routes!(undelivered_rest))
}

/// The tenant's settings: `settings.read`
#[utoipa::path(get, path = "/admin/settings", operation_id = "get", tag = "settings", responses((status = 200, body = Settings)))]
async fn get_rest(cx: Extension<Cx>) -> Result<Json<Settings>, AppError> {
    get(&cx).await.map(Json)
}

/// Replace groups of settings: `settings.update`
#[utoipa::path(patch, path = "/admin/settings", operation_id = "edit", tag = "settings", request_body = SettingsEdit, responses((status = 200, body = Settings)))]
async fn edit_rest(cx: Extension<Cx>, Sent(body): Sent<SettingsEdit>) -> Result<Json<Settings>, AppError> {
    edit(&cx, body).await.map(Json)
}

/// Letters that could not be sent: `settings.read`
#[utoipa::path(get, path = "/admin/mail/undelivered", operation_id = "undelivered", tag = "settings", responses((status = 200, body = Vec<Undelivered>)))]
async fn undelivered_rest(cx: Extension<Cx>) -> Result<Json<Vec<Undelivered>>, AppError> {
    undelivered(&cx).await.map(Json)
}
