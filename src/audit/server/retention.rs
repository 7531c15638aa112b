//! How long a tenant keeps its log, and whether a legal hold stops all removing.

use serde_json::json;

use crate::{
    access::{
        AUDIT_READ, SETTINGS_UPDATE,
        server::{
            Cx, Tx,
            record::{Action, Event},
        },
    },
    audit::RetentionRule,
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        server::{
            input::Input,
            settings::{self, Setting},
        },
        text::optional_line,
    },
};

impl Setting for RetentionRule {
    const KEY: &'static str = "audit.retention";
}

/// The shortest time that rows are kept, and the longest that a rule can name.
const DAYS: std::ops::RangeInclusive<u32> = 30..=36_500;

pub async fn get(cx: &Cx) -> Result<RetentionRule, AppError> {
    let mut tx = cx.read(AUDIT_READ).await?;
    tx.decide(&Default::default())?;
    read(&mut tx).await
}

pub async fn read(tx: &mut Tx) -> Result<RetentionRule, AppError> {
    let tenant = tx.tenant()?;
    Ok(settings::get::<RetentionRule>(tx.conn(), tenant).await?)
}

pub async fn set(cx: &Cx, rule: Input<RetentionRule>) -> Result<RetentionRule, AppError> {
    let mut tx = cx.allow(SETTINGS_UPDATE).await?;
    tx.decide(&Default::default())?;
    let rule = rule.read()?;
    let mut errors = FieldErrors::default();
    if rule.keep_days.is_some_and(|days| !DAYS.contains(&days)) {
        errors.add("keep_days", FieldCode::Malformed);
    }
    let reason = errors.take("hold_reason", optional_line(rule.hold_reason.as_deref(), 500)).flatten();
    if rule.legal_hold && reason.is_none() {
        errors.add("hold_reason", FieldCode::Required);
    }
    errors.check()?;
    let rule = RetentionRule { hold_reason: reason.filter(|_why| rule.legal_hold), ..rule };
    let before = read(&mut tx).await?;
    let tenant = tx.tenant()?;
    settings::put(tx.conn(), tenant, &rule).await?;
    let version = settings::version(tx.conn(), tenant).await?;
    let event = Event::done(Action::RetentionUpdate).on("settings", tenant, RetentionRule::KEY).version(version);
    tx.commit(event.change(json!(before), json!(rule))).await?;
    Ok(rule)
}
