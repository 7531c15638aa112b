//! Erasing a person who was deleted. The database does it in one place and counts what it does; the counts are the report.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{find, store};
use crate::{
    access::{
        USERS_DELETE,
        server::{
            Cx, Tx,
            record::{Action, Event},
        },
    },
    accounts::{
        Person, Status,
        erasure::{ErasureKind, ErasureLine, ErasureReport},
    },
    base::{
        errors::{AppError, FieldCode},
        ids::UserId,
        server::mail,
    },
};

/// Every kind of the report, with its name in the database and the tables in which it looks. A table that holds something of
/// a person and stands nowhere here is found by a test.
pub const KINDS: &[(ErasureKind, &str, &[&str])] = &[
    // The id stays, and with it that the grants of this id have moved: nodes still have to read that.
    (ErasureKind::Account, "account", &["users", "grant_moves"]),
    (
        ErasureKind::SignIn,
        "sign_in",
        &["totp", "backup_codes", "passkeys", "passkey_challenges", "sign_in_steps", "links"],
    ),
    (ErasureKind::Sessions, "sessions", &["sessions", "refresh_tokens", "devices", "known_places"]),
    (ErasureKind::Grants, "grants", &["user_roles", "user_permissions", "group_members", "grant_reminders"]),
    (ErasureKind::Requests, "requests", &["registrations", "email_changes", "account_deletions"]),
    (ErasureKind::ApiKeys, "api_keys", &["api_keys"]),
    (ErasureKind::Letters, "letters", &["jobs"]),
    (ErasureKind::Answers, "answers", &["idempotency_keys"]),
    (ErasureKind::Consents, "consents", &["consent_records"]),
    (ErasureKind::Approvals, "approvals", &["approvals", "approval_decisions"]),
    (ErasureKind::Authorship, "authorship", &["access_policy_versions", "consent_versions"]),
    (ErasureKind::Given, "given", &["user_roles", "user_permissions", "group_members", "group_roles", "links"]),
    (ErasureKind::Log, "log", &["audit_logs"]),
    (ErasureKind::LogHeld, "log_held", &["audit_logs"]),
    (
        ErasureKind::Words,
        "words",
        &[
            "approvals",
            "approval_decisions",
            "user_roles",
            "user_permissions",
            "sessions",
            "groups",
            "roles",
            "permissions",
            "access_policies",
            "access_policy_versions",
            "consent_texts",
            "consent_versions",
            "api_keys",
            "settings",
            "audit_logs",
        ],
    ),
];

/// The report on a person who was erased; of one who was deleted only, what erasing them would do (E5).
pub async fn report(cx: &Cx, id: UserId) -> Result<ErasureReport, AppError> {
    let mut tx = cx.allow(USERS_DELETE).await?;
    let person = find_deleted(&mut tx, id).await?;
    if let Some(report) = person.erasure {
        return Ok(report);
    }
    // It is done and rolled back: what is foretold is what would come of it.
    let now = tx.now();
    let lines = act(&mut tx, &person, now).await?;
    Ok(ErasureReport { erased_at: None, lines })
}

/// Erases a person who was deleted. Once is enough, unless a legal hold kept something back (E5).
pub async fn erase(cx: &Cx, id: UserId) -> Result<ErasureReport, AppError> {
    let mut tx = cx.allow(USERS_DELETE).await?;
    let person = find_deleted(&mut tx, id).await?;
    // It cannot be undone.
    cx.fresh()?;
    if let Some(report) = person.erasure.clone().filter(|report| !report.is_held()) {
        return Ok(report);
    }
    let now = tx.now();
    let lines = act(&mut tx, &person, now).await?;
    let first = person.erasure.unwrap_or(ErasureReport { erased_at: Some(now.into()), lines: Vec::new() });
    let report = first.and(&lines);
    store::keep_erasure(&mut tx, id, &serde_json::to_value(&report.lines).map_err(anyhow::Error::from)?).await?;
    let counts = lines.iter().map(|line| (name(line.kind).to_owned(), Value::from(line.rows)));
    let counts = Value::Object(counts.collect::<Map<_, _>>());
    // What it is called from now on: nothing of the person.
    let event = Event::done(Action::UserErase).on("user", id, format!("#{}", person.number));
    tx.commit(event.new_value(counts)).await?;
    Ok(report)
}

/// A person who was deleted, held until the transaction ends. Whoever still has an account is deleted first: that ends what
/// they hold, and is refused where it would leave nobody in charge.
async fn find_deleted(tx: &mut Tx, id: UserId) -> Result<Person, AppError> {
    store::lock(tx, id).await?;
    let person = find(tx, id).await?;
    if person.status == Status::Deleted { Ok(person) } else { Err(AppError::field("status", FieldCode::Unknown)) }
}

/// What the database calls a kind.
fn name(kind: ErasureKind) -> &'static str {
    let named = KINDS.iter().find(|(one, ..)| *one == kind);
    named.map(|(_, name, _)| *name).expect("every kind is named")
}

/// Does it, and tells what was done in the order of the report.
async fn act(tx: &mut Tx, person: &Person, now: DateTime<Utc>) -> Result<Vec<ErasureLine>, AppError> {
    let (tenant, cx) = (tx.tenant()?, tx.cx().clone());
    // Letters are sealed: the database cannot tell to whom they go.
    let addresses = store::addresses(tx, person.id).await?;
    let letters = mail::addressed_to(tx.conn(), cx.keys(), tenant, &addresses).await?;
    let counted = store::erase(tx, person.id, &letters, now).await?;
    let lines = KINDS.iter().filter_map(|(kind, name, _)| {
        let (_, rows) = counted.iter().find(|(counted, _)| counted == name)?;
        let (fate, reason) = kind.outcome();
        Some(ErasureLine { kind: *kind, rows: *rows, fate, reason })
    });
    Ok(lines.collect())
}
