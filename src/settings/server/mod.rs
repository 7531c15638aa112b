//! Reading and changing settings.

pub mod branding;
pub mod forms;
pub mod mail;
pub mod rest;

use serde_json::{Value, json};

use crate::{
    access::{
        SETTINGS_READ, SETTINGS_UPDATE,
        opa::Opa,
        server::{
            Cx, Edited, Tx, outside,
            record::{Action, Event},
        },
    },
    accounts::Registration,
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        password::PasswordRule,
        server::{
            input::Input,
            settings::{self, Setting},
        },
    },
    roles::Reminders,
    sessions::{
        SignIn,
        rules::{Lifetimes, Limits, Risk},
    },
    settings::{Settings, SettingsEdit},
    tenants::branding::Branding,
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
        passwords: settings::get::<PasswordRule>(tx.conn(), tenant).await?,
        lifetimes: settings::get::<Lifetimes>(tx.conn(), tenant).await?,
        risk: settings::get::<Risk>(tx.conn(), tenant).await?,
        limits: settings::get::<Limits>(tx.conn(), tenant).await?,
        reminders: settings::get::<Reminders>(tx.conn(), tenant).await?,
        branding: settings::get::<Branding>(tx.conn(), tenant).await?,
        opa: settings::get::<Opa>(tx.conn(), tenant).await?,
        version: settings::version(tx.conn(), tenant).await?,
    })
}

/// Replaces the groups that are given, all or none, and records each.
pub async fn edit(cx: &Cx, edit: Input<SettingsEdit>) -> Result<Settings, AppError> {
    let mut tx = cx.allow(SETTINGS_UPDATE).await?;
    tx.decide(&Default::default())?;
    let seen = edit.seen;
    let edit = edit.read()?;
    hold(&mut tx, edit.version.or(seen)).await?;
    // Every group is judged before the answer.
    let mut errors = FieldErrors::default();
    let registration = judged(&mut errors, edit.registration.map(Registration::parse))?;
    let passwords = judged(&mut errors, edit.passwords.map(PasswordRule::parse))?;
    let lifetimes = judged(&mut errors, edit.lifetimes.map(Lifetimes::parse))?;
    let limits = judged(&mut errors, edit.limits.map(Limits::parse))?;
    let reminders = judged(&mut errors, edit.reminders.map(Reminders::parse))?;
    let branding = match edit.branding {
        Some(group) => judged(&mut errors, Some(parse_branding(&mut tx, group).await))?,
        None => None,
    };
    let opa = judged(&mut errors, edit.opa.map(Opa::parse))?;
    if let Some(group) = &edit.sign_in {
        judged(&mut errors, Some(check_roles(&mut tx, group).await))?;
    }
    errors.check()?;
    let mut events = Vec::new();
    put(&mut tx, &mut events, registration).await?;
    put(&mut tx, &mut events, edit.sign_in).await?;
    put(&mut tx, &mut events, passwords).await?;
    put(&mut tx, &mut events, lifetimes).await?;
    put(&mut tx, &mut events, edit.risk).await?;
    put(&mut tx, &mut events, limits).await?;
    put(&mut tx, &mut events, reminders).await?;
    put(&mut tx, &mut events, branding).await?;
    if let Some(opa) = opa {
        events.extend(outside::put(&mut tx, opa).await?);
    }
    finish(tx, events).await
}

/// Holds the settings until the transaction ends, if they are still those that were seen.
async fn hold(tx: &mut Tx, seen: Option<i64>) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    settings::lock(tx.conn(), tenant).await?;
    let version = settings::version(tx.conn(), tenant).await?;
    let thing = Edited { kind: "settings", id: tenant.0, version, read: Some(SETTINGS_READ), facts: None };
    tx.check_version(seen, thing).await
}

/// Records what was changed, if anything was, and gives back what there is now.
async fn finish(mut tx: Tx, mut events: Vec<Event>) -> Result<Settings, AppError> {
    let after = read(&mut tx).await?;
    let Some(last) = events.pop() else { return Ok(after) };
    for event in &events {
        tx.record(event).await?;
    }
    tx.commit(last).await?;
    Ok(after)
}

/// A branding that was sent as a group: its logo stays as it is. The settings are held, so nobody puts another meanwhile.
async fn parse_branding(tx: &mut Tx, group: Branding) -> Result<Branding, AppError> {
    let tenant = tx.tenant()?;
    let now = settings::get::<Branding>(tx.conn(), tenant).await?;
    group.parse()?.with_logo_of(&now)
}

/// Keeps the parsed group, or notes what is wrong with it.
fn judged<T>(errors: &mut FieldErrors, parsed: Option<Result<T, AppError>>) -> Result<Option<T>, AppError> {
    match parsed.transpose() {
        Ok(group) => Ok(group),
        Err(AppError::Invalid(fields)) => {
            errors.0.extend(fields.0);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Keeps a group that is given and differs, and adds the event of it.
async fn put<S: Setting + PartialEq>(tx: &mut Tx, events: &mut Vec<Event>, group: Option<S>) -> Result<(), AppError> {
    let Some(group) = group else { return Ok(()) };
    let tenant = tx.tenant()?;
    let before = settings::get::<S>(tx.conn(), tenant).await?;
    if before == group {
        return Ok(());
    }
    settings::put(tx.conn(), tenant, &group).await?;
    let version = settings::version(tx.conn(), tenant).await?;
    let event = Event::done(Action::SettingsUpdate).on("settings", tenant, S::KEY).version(version);
    events.push(event.change(json!(before), json!(group)));
    Ok(())
}

/// Replaces one group by its key, at the operator's command. Gives the event of it, if it changed anything.
pub async fn set(tx: &mut Tx, key: &str, value: Value) -> Result<Option<Event>, AppError> {
    let mut events = Vec::new();
    match key {
        Registration::KEY => put(tx, &mut events, Some(group::<Registration>(key, value)?.parse()?)).await?,
        SignIn::KEY => {
            let group = group::<SignIn>(key, value)?;
            check_roles(tx, &group).await?;
            put(tx, &mut events, Some(group)).await?;
        }
        PasswordRule::KEY => put(tx, &mut events, Some(group::<PasswordRule>(key, value)?.parse()?)).await?,
        Lifetimes::KEY => put(tx, &mut events, Some(group::<Lifetimes>(key, value)?.parse()?)).await?,
        Risk::KEY => put(tx, &mut events, Some(group::<Risk>(key, value)?)).await?,
        Limits::KEY => put(tx, &mut events, Some(group::<Limits>(key, value)?.parse()?)).await?,
        Reminders::KEY => put(tx, &mut events, Some(group::<Reminders>(key, value)?.parse()?)).await?,
        Branding::KEY => {
            let (group, tenant) = (group::<Branding>(key, value)?, tx.tenant()?);
            settings::lock(tx.conn(), tenant).await?;
            let branding = parse_branding(tx, group).await?;
            put(tx, &mut events, Some(branding)).await?;
        }
        _ => return Err(AppError::field(key, FieldCode::Unknown)),
    }
    Ok(events.pop())
}

fn group<S: Setting>(key: &str, value: Value) -> Result<S, AppError> {
    serde_json::from_value(value).map_err(|_not_of_this_form| AppError::field(key, FieldCode::Malformed))
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
