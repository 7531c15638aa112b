//! Which version of a policy is enforced, where others have to agree to it: it is asked for here, and done when they
//! have agreed (C12).

use std::sync::Arc;

use axum::{
    Extension, Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    kept::{changeable, check_tests, enforce, read as engine_policy},
    store,
};
use crate::{
    access::{
        POLICIES_UPDATE, PolicyLanguage,
        opa::Opa,
        server::{
            Cx, Tx,
            change::{Change, Granter},
            record::{Action, Event},
        },
    },
    approvals::{
        Kind,
        server::{
            Agreed, Asked, NewApproval, Renewed, ask,
            change::{Proposal, is_as_agreed, needs_approval, read, renewed, still_may},
            parse_reason,
        },
    },
    base::{
        errors::{AppError, FieldCode},
        ids::{ApprovalId, PolicyId},
        server::{
            http::{Id, Sent},
            input::Input,
            settings,
        },
    },
    policies::{AskedPolicy, Document, Policy, PolicyPreview},
};

/// Asks that others agree to a version of a policy that shall be enforced, or to none.
pub async fn request(cx: &Cx, id: PolicyId, asked: Input<AskedPolicy>) -> Result<ApprovalId, AppError> {
    let mut tx = cx.allow(POLICIES_UPDATE).await?;
    cx.in_person()?;
    cx.at_home()?;
    let seen = asked.seen;
    let AskedPolicy { number, reason, version } = asked.read()?;
    tx.decide(&Default::default())?;
    let reason = parse_reason(&reason).map_err(|code| AppError::field("reason", code))?;
    if let Some(number) = number {
        // What would be refused once they have agreed is refused now, and then not run again: what was saved stays as it is.
        // Nothing is held meanwhile.
        changeable(&mut tx, id, None).await?;
        let document = document(&mut tx, id, number).await?;
        drop(tx);
        check_tests(&document).await?;
        tx = cx.allow(POLICIES_UPDATE).await?;
        tx.decide(&Default::default())?;
    }
    tx.lock_grants(Some(&POLICIES_UPDATE)).await?;
    let before = changeable(&mut tx, id, version.or(seen)).await?;
    let (proposal, changes) = proposal(&mut tx, &before, number).await?;
    let permissions = needs_approval(&mut tx, &changes, cx.person()?.user).await?;
    let new = NewApproval {
        kind: Kind::Policy,
        subject: id.0,
        subject_name: before.name,
        facts: Default::default(),
        proposal: json!(proposal),
        reason,
        permissions,
    };
    let (id, event) = ask(&mut tx, new).await?;
    tx.commit(event).await?;
    Ok(id)
}

/// A version of a policy that is named.
async fn document(tx: &mut Tx, id: PolicyId, number: i32) -> Result<Document, AppError> {
    store::version(tx, id, number).await?.ok_or(AppError::field("number", FieldCode::Unknown))
}

/// The same with its number; nothing where none is named.
async fn numbered(tx: &mut Tx, id: PolicyId, number: Option<i32>) -> Result<Option<(i32, Document)>, AppError> {
    let Some(number) = number else { return Ok(None) };
    Ok(Some((number, document(tx, id, number).await?)))
}

/// What is enforced, as whoever decides reads it.
fn shown(enforced: Option<(i32, &Document)>) -> Value {
    let Some((number, document)) = enforced else { return Value::Null };
    let (mode, actions) = (&document.mode, &document.actions);
    match document.language {
        PolicyLanguage::Rules => {
            json!({"enforced": number, "mode": mode, "actions": actions, "rules": document.rules})
        }
        language @ (PolicyLanguage::Rego | PolicyLanguage::Opa) => json!({
            "enforced": number,
            "mode": mode,
            "actions": actions,
            "language": language,
            "module": document.module,
            "tests": document.tests,
        }),
    }
}

/// What enforcing a version, or none, comes to: for those who decide, and as a change, where it is one.
async fn proposal(
    tx: &mut Tx,
    policy: &Policy,
    number: Option<i32>,
) -> Result<(Proposal<PolicyPreview>, Vec<Change>), AppError> {
    let old = numbered(tx, policy.id, policy.active).await?;
    let new = numbered(tx, policy.id, number).await?;
    let mut changes = Vec::new();
    if number != policy.active {
        let wanted = match &new {
            Some((_, document)) => Some(engine_policy(policy.id, &policy.name, document).await?),
            None => None,
        };
        changes.push(Change::Policy { id: policy.id, policy: wanted.map(Arc::new) });
    }
    let [mut before, mut after] =
        [&old, &new].map(|one| shown(one.as_ref().map(|(number, document)| (*number, document))));
    if new.as_ref().is_some_and(|(_, document)| document.language == PolicyLanguage::Opa) {
        // Who answers is agreed to as well: about another address others are asked again.
        let tenant = tx.tenant()?;
        let agent = settings::get::<Opa>(tx.conn(), tenant).await?.url;
        if before.is_null() {
            before = json!({});
        }
        for side in [&mut before, &mut after] {
            side["agent"] = json!(agent);
        }
    }
    let proposal = Proposal {
        before,
        after,
        asked: None,
        version: Some(policy.version),
        base: None,
        edit: PolicyPreview { number },
    };
    Ok((proposal, changes))
}

/// What has to be decided on instead where another version is enforced than when it was asked for.
pub async fn renew(tx: &mut Tx, agreed: &Agreed) -> Result<Option<Renewed>, AppError> {
    let now = changeable(tx, PolicyId(agreed.subject), None).await?;
    let number = read::<Proposal<PolicyPreview>>(agreed)?.edit.number;
    let (fresh, changes) = proposal(tx, &now, number).await?;
    renewed(tx, agreed, Default::default(), &changes, fresh).await
}

/// Puts the version into force that was agreed to, or takes the policy out of it. The ceiling is that of whoever asked,
/// as it is now.
pub async fn apply(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    still_may(tx, agreed.requester, &POLICIES_UPDATE, None).await?;
    let id = PolicyId(agreed.subject);
    let before = changeable(tx, id, None).await?;
    let number = read::<Proposal<PolicyPreview>>(agreed)?.edit.number;
    let (now, _changes) = proposal(tx, &before, number).await?;
    is_as_agreed(agreed, &now.before)?;
    let wanted = numbered(tx, id, number).await?;
    let wanted = wanted.as_ref().map(|(number, document)| (*number, document));
    enforce(tx, id, &before.name, wanted, Granter::Person(agreed.requester)).await?;
    let after = store::by_id(tx, id).await?.ok_or(AppError::NotFound)?;
    let action = if number.is_some() { Action::PolicyActivate } else { Action::PolicyDeactivate };
    let event = Event::done(action).on("policy", id, &after.name).version(after.version);
    let event = event.meta("asked_by", json!(agreed.requester));
    Ok(vec![event.change(json!({"active": before.active}), json!({"active": after.active}))])
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(request_rest))
}

/// Ask that others agree to what a policy enforces: `policies.update`, and all that the policy is about
#[utoipa::path(post, path = "/admin/policies/{id}/approvals", operation_id = "request", tag = "policies", params(("id" = uuid::Uuid, Path)), request_body = AskedPolicy, responses((status = 201, body = Asked)))]
async fn request_rest(
    cx: Extension<Cx>,
    Id(id): Id<PolicyId>,
    Sent(body): Sent<AskedPolicy>,
) -> Result<Response, AppError> {
    let id = request(&cx, id, body).await?;
    Ok((StatusCode::CREATED, Json(Asked { id })).into_response())
}
