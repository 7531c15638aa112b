//! Beginning and ending to act as somebody else. That the rights of both still allow it is looked at with each request.

pub mod rest;

use axum::http::header;
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    access::{
        IMPERSONATE_USERS,
        server::{
            Cx, Tx,
            record::{Action, Event},
        },
    },
    accounts::{self, Person, Status, server::letters},
    base::{
        errors::{AppError, FieldCode},
        ids::UserId,
        server::{
            crypto::Secret,
            input::Input,
            settings::{self, Setting},
        },
        text::one_line,
    },
    impersonation::{Impersonate, Preview},
    sessions::server::{acting, recognise},
};

/// The tenant's rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// How long one may act as somebody else.
    pub minutes: u32,
    /// Tell the person by mail.
    pub notify: bool,
}

impl Default for Rule {
    fn default() -> Self {
        Rule { minutes: 30, notify: true }
    }
}

impl Setting for Rule {
    const KEY: &'static str = "impersonation.rules";
}

/// What was begun.
pub struct Begun {
    pub token: Secret<String>,
    pub expires_at: DateTime<Utc>,
}

/// What acting as somebody would open, without doing it.
pub async fn preview(cx: &Cx, target: UserId) -> Result<Preview, AppError> {
    let mut tx = cx.read(IMPERSONATE_USERS).await?;
    cx.in_person()?;
    let person = accounts::server::find(&mut tx, target).await?;
    let tenant = tx.tenant()?;
    let rule = settings::get::<Rule>(tx.conn(), tenant).await?;
    let refused = match check(&tx, &person) {
        Ok(()) => None,
        Err(AppError::Forbidden(denial)) => Some(denial),
        Err(error) => return Err(error),
    };
    let permissions = tx.snapshot()?.held(target, tx.now());
    Ok(Preview { permissions, refused, minutes: rule.minutes, is_told: rule.notify })
}

/// Only somebody else, who is active, and who holds nothing that the caller does not.
fn check(tx: &Tx, person: &Person) -> Result<(), AppError> {
    let caller = tx.cx().in_person()?.user;
    if person.id == caller || person.status != Status::Active {
        return Err(AppError::field("target_user_id", FieldCode::Unknown));
    }
    tx.outrank(person.id)
}

/// Begins to act as somebody.
pub async fn begin(cx: &Cx, request: Input<Impersonate>) -> Result<Begun, AppError> {
    let mut tx = cx.allow(IMPERSONATE_USERS).await?;
    let by = cx.in_person()?.clone();
    cx.at_home()?;
    cx.fresh()?;
    let request = request.read()?;
    let reason = one_line(&request.reason, 1, 500).map_err(|code| AppError::field("reason", code))?;
    let person = accounts::server::find(&mut tx, request.target_user_id).await?;
    check(&tx, &person)?;
    let tenant = tx.tenant()?;
    let rule = settings::get::<Rule>(tx.conn(), tenant).await?;
    let expires_at = tx.now() + TimeDelta::minutes(rule.minutes.clamp(1, 240).into());
    let (session, token) = acting::begin(&mut tx, person.id, &reason, expires_at).await?;
    if rule.notify {
        let letter = letters::impersonated(person.reader(), &by.name, &reason, tx.now());
        tx.mail(&letter).await?;
    }
    let event = Event::done(Action::ImpersonationBegin).on("user", person.id, &person.name);
    tx.commit(event.meta("reason", reason).meta("session", json!(session)).meta("until", expires_at.to_rfc3339()))
        .await?;
    Ok(Begun { token, expires_at })
}

/// Ends it, as the one who acts.
pub async fn end(cx: &Cx) -> Result<(), AppError> {
    acting::stop(cx).await
}

/// Begins in a browser: beside its own session it gets the cookie of the other.
pub async fn begin_in_browser(cx: &Cx, request: Input<Impersonate>) -> Result<(), AppError> {
    let begun = begin(cx, request).await?;
    let seconds = (begun.expires_at - cx.now()).num_seconds();
    answer_with(recognise::acting_cookie(&begun.token, seconds));
    Ok(())
}

/// Ends in a browser. The cookie goes also where the session had ended by itself.
pub async fn end_in_browser(cx: &Cx) -> Result<(), AppError> {
    answer_with(recognise::no_acting());
    end(cx).await
}

fn answer_with(cookie: axum::http::HeaderValue) {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.append_header(header::SET_COOKIE, cookie);
    }
}
