//! Changes of rights that others have to agree to: asking for them, and doing them once they were agreed to.

use std::{future::Future, pin::Pin};

use axum::{
    Extension, Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{audited_roles, changeable, keys, rights_of, staged, store};
use crate::{
    access::{
        Answer, HeldRole, PERMISSIONS_ASSIGN, Permission, ROLES_UPDATE,
        server::{
            Cx, Tx,
            change::{Change, Granter},
            engine::OverrideGrant,
            record::{Action, Event},
        },
    },
    accounts::{self, server::links},
    approvals::{
        Kind,
        server::{Agreed, NewApproval, ask, parse_reason},
    },
    base::{
        errors::{AppError, Conflict, DenialCode, FieldCode, FieldErrors, Stale},
        ids::{ApprovalId, RoleId, UserId},
        server::{http::Sent, input::Input},
    },
    roles::{AccessRequest, ApprovalRequest, PersonRights, RightsEdit, RoleGives},
};

/// What is kept of a request about a person: what shall be, and what was, so that nothing that happens meanwhile is undone.
#[derive(Serialize, Deserialize)]
struct RightsProposal {
    before: Value,
    after: Value,
    edit: RightsEdit,
}

#[derive(Serialize, Deserialize)]
struct RoleProposal {
    before: RoleGives,
    after: RoleGives,
}

#[derive(Serialize, Deserialize)]
struct AccessProposal {
    after: Access,
}

#[derive(Serialize, Deserialize)]
struct Access {
    permissions: Vec<String>,
    days: Option<u32>,
}

/// A request that was kept.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Asked {
    #[schema(value_type = uuid::Uuid)]
    pub id: ApprovalId,
}

/// What a person was given, as whoever decides reads it.
fn given(rights: &PersonRights) -> Value {
    json!({
        "roles": audited_roles(&rights.roles)["roles"],
        "allow": rights.overrides.allow,
        "deny": rights.overrides.deny,
    })
}

/// The same as an edit would leave it.
fn proposed(tx: &Tx, before: &PersonRights, edit: &RightsEdit) -> Result<Value, AppError> {
    let snapshot = tx.snapshot()?;
    let mut after = before.clone();
    if let Some(roles) = &edit.roles {
        let named = roles.iter().map(|given| HeldRole {
            role: snapshot.role_ref(given.role),
            scope: given.scope.clone(),
            expires_at: given.expires_at,
        });
        after.roles = named.collect();
    }
    if let Some(overrides) = &edit.overrides {
        after.overrides = overrides.clone();
    }
    Ok(given(&after))
}

/// Asks that others agree to a change of a person's or a role's rights. The change has to be one that the caller could
/// make but for them.
pub async fn request(cx: &Cx, request: Input<ApprovalRequest>) -> Result<ApprovalId, AppError> {
    let mut tx = cx.allow(PERMISSIONS_ASSIGN).await?;
    cx.in_person()?;
    cx.at_home()?;
    let request = request.read()?;
    let reason = parse_reason(&request.reason).map_err(|code| AppError::field("reason", code))?;
    tx.lock_grants(Some(&PERMISSIONS_ASSIGN)).await?;
    let (new, changes) = match (request.user_id, request.role_id) {
        (Some(user), None) => about_person(&mut tx, user, request.rights, reason).await?,
        (None, Some(role)) => about_role(&mut tx, role, request.permissions, reason).await?,
        _ => return Err(AppError::field("user_id", FieldCode::Required)),
    };
    let permissions = needs_approval(&mut tx, &changes, cx.person()?.user).await?;
    let (id, event) = ask(&mut tx, NewApproval { permissions, ..new }).await?;
    tx.commit(event).await?;
    Ok(id)
}

/// A request about a person, still without what makes it high, and the changes that it is for.
async fn about_person(
    tx: &mut Tx,
    user: UserId,
    rights: Option<RightsEdit>,
    reason: String,
) -> Result<(NewApproval, Vec<Change>), AppError> {
    let edit = rights.ok_or_else(|| AppError::field("rights", FieldCode::Required))?;
    let person = accounts::server::find_for_update(tx, user, edit.version).await?;
    let changes = staged(tx, user, edit.clone())?;
    Ok((of_person(tx, &person, edit, reason)?, changes))
}

/// The request that an edit comes to of somebody who is held, still without what makes it high.
pub(super) fn of_person(
    tx: &Tx,
    person: &accounts::Person,
    edit: RightsEdit,
    reason: String,
) -> Result<NewApproval, AppError> {
    let before = rights_of(tx, person)?;
    // What it is asked for says why.
    let edit = RightsEdit { reason: None, version: None, ..edit };
    let proposal = RightsProposal { before: given(&before), after: proposed(tx, &before, &edit)?, edit };
    Ok(NewApproval {
        kind: Kind::Rights,
        subject: person.id.0,
        subject_name: person.name.clone(),
        facts: accounts::server::store::facts(person),
        proposal: json!(proposal),
        reason,
        permissions: Vec::new(),
    })
}

/// The same about a role.
async fn about_role(
    tx: &mut Tx,
    role: RoleId,
    permissions: Option<Vec<String>>,
    reason: String,
) -> Result<(NewApproval, Vec<Change>), AppError> {
    tx.decide(&Default::default())?;
    tx.require(ROLES_UPDATE).await?;
    let wanted = permissions.ok_or_else(|| AppError::field("permissions", FieldCode::Required))?;
    let before = changeable(tx, role, None).await?;
    let mut errors = FieldErrors::default();
    let permissions = keys(tx, "permissions", &wanted, &mut errors)?;
    errors.check()?;
    let proposal = RoleProposal {
        before: RoleGives { permissions: before.permissions.clone(), parents: None },
        after: RoleGives { permissions: permissions.iter().map(ToString::to_string).collect(), parents: None },
    };
    let parents = before.parents.iter().map(|parent| parent.id).collect();
    let change = Change::RolePermissions { role, name: before.name.clone(), permissions, parents };
    let new = NewApproval {
        kind: Kind::Role,
        subject: role.0,
        subject_name: before.name,
        facts: Default::default(),
        proposal: json!(proposal),
        reason,
        permissions: Vec::new(),
    };
    Ok((new, vec![change]))
}

/// What of a change others have to agree to. One that needs nobody is refused: it can simply be made.
async fn needs_approval(tx: &mut Tx, changes: &[Change], granter: UserId) -> Result<Vec<Permission>, AppError> {
    if changes.is_empty() {
        return Err(AppError::field("rights", FieldCode::Required));
    }
    match tx.try_grant(changes, Granter::Person(granter)).await? {
        None => Err(AppError::field("rights", FieldCode::Contradiction)),
        Some(denial) if denial.code == DenialCode::ApprovalNeeded => {
            let keys = denial.permissions.iter().map(|key| Permission::parse(key)).collect::<Result<Vec<_>, _>>();
            Ok(keys.map_err(|code| anyhow::anyhow!("a key of the catalogue is {code:?}"))?)
        }
        Some(denial) => Err(AppError::Forbidden(denial)),
    }
}

/// Asks for a permission for oneself: whoever holds it and may assign it can agree.
pub async fn request_access(cx: &Cx, request: Input<AccessRequest>) -> Result<ApprovalId, AppError> {
    let mut tx = cx.own().await?;
    let person = cx.person()?.clone();
    let request = request.read()?;
    let mut errors = FieldErrors::default();
    let reason = errors.take("reason", parse_reason(&request.reason)).unwrap_or_default();
    let snapshot = tx.snapshot()?;
    let key = errors.take("permission", snapshot.known(&request.permission));
    if request.days.is_some_and(|days| !(1..=365).contains(&days)) {
        errors.add("days", FieldCode::Malformed);
    }
    if key.as_ref().is_some_and(|key| snapshot.check(person.user, key, None, cx.now()) == Answer::Yes) {
        errors.add("permission", FieldCode::Taken);
    }
    errors.check()?;
    let own = accounts::server::store::by_id(&mut tx, person.user).await?.ok_or(AppError::NotFound)?;
    let new = NewApproval {
        kind: Kind::Access,
        subject: person.user.0,
        subject_name: person.name.clone(),
        facts: accounts::server::store::facts(&own),
        proposal: json!(AccessProposal { after: Access { permissions: vec![request.permission], days: request.days } }),
        reason,
        permissions: key.into_iter().collect(),
    };
    let (id, event) = ask(&mut tx, new).await?;
    tx.commit(event).await?;
    Ok(id)
}

/// Does what was agreed to. The ceiling is that of whoever asked, as it is now; for access that somebody asked for
/// themselves it is that of the last who agreed.
pub fn apply<'a>(
    tx: &'a mut Tx,
    agreed: &'a Agreed,
) -> Pin<Box<dyn Future<Output = Result<Vec<Event>, AppError>> + Send + 'a>> {
    Box::pin(async move {
        match agreed.kind {
            Kind::Rights => apply_rights(tx, agreed).await,
            Kind::Role => apply_role(tx, agreed).await,
            Kind::Access => apply_access(tx, agreed).await,
        }
    })
}

fn read<T: serde::de::DeserializeOwned>(agreed: &Agreed) -> Result<T, AppError> {
    Ok(serde_json::from_value(agreed.proposal.clone()).map_err(anyhow::Error::from)?)
}

/// Whoever asked must still be allowed to.
fn still_may(tx: &Tx, who: UserId, permission: &Permission) -> Result<(), AppError> {
    match tx.snapshot()?.check(who, permission, None, tx.now()) {
        Answer::Yes => Ok(()),
        Answer::No | Answer::Depends => Err(AppError::denied(DenialCode::MissingPermission)),
    }
}

/// The person that a request is about, who must still be where they were: elsewhere others decide.
async fn unmoved(tx: &mut Tx, agreed: &Agreed) -> Result<accounts::Person, AppError> {
    let person = accounts::server::find_for_update(tx, UserId(agreed.subject), None).await?;
    let is_there = person.department == agreed.facts.department && person.region == agreed.facts.region;
    if is_there { Ok(person) } else { Err(AppError::Conflict(Conflict::Stale(Stale::default()))) }
}

async fn apply_rights(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    still_may(tx, agreed.requester, &PERMISSIONS_ASSIGN)?;
    let proposal = read::<RightsProposal>(agreed)?;
    let person = unmoved(tx, agreed).await?;
    let user = person.id;
    let before = rights_of(tx, &person)?;
    if given(&before) != proposal.before {
        return Err(AppError::Conflict(Conflict::Stale(Stale::default())));
    }
    let changes = staged(tx, user, proposal.edit)?;
    grant_person(tx, &changes, user, agreed.requester, before).await
}

async fn grant_person(
    tx: &mut Tx,
    changes: &[Change],
    user: UserId,
    granter: UserId,
    before: PersonRights,
) -> Result<Vec<Event>, AppError> {
    tx.grant(changes, Granter::Person(granter)).await?;
    links::void_of_others(tx, user).await?;
    tx.lock_grants(None).await?;
    let person = accounts::server::store::by_id(tx, user).await?.ok_or(AppError::NotFound)?;
    let after = rights_of(tx, &person)?;
    let event = |action| {
        let event = Event::done(action).on("user", user, &person.name).version(person.version);
        event.meta("asked_by", json!(granter))
    };
    let mut events = Vec::new();
    if before.overrides != after.overrides {
        events.push(event(Action::GrantPermission).change(json!(before.overrides), json!(after.overrides)));
    }
    if before.roles != after.roles {
        events.push(event(Action::AssignRoles).change(audited_roles(&before.roles), audited_roles(&after.roles)));
    }
    Ok(events)
}

async fn apply_role(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    still_may(tx, agreed.requester, &ROLES_UPDATE)?;
    let proposal = read::<RoleProposal>(agreed)?;
    let role = RoleId(agreed.subject);
    let before = changeable(tx, role, None).await?;
    if before.permissions != proposal.before.permissions {
        return Err(AppError::Conflict(Conflict::Stale(Stale::default())));
    }
    let mut errors = FieldErrors::default();
    let permissions = keys(tx, "permissions", &proposal.after.permissions, &mut errors)?;
    errors.check()?;
    store::update(tx, role, &before.name, &before.description).await?;
    let parents = before.parents.iter().map(|parent| parent.id).collect();
    let change = Change::RolePermissions { role, name: before.name.clone(), permissions, parents };
    tx.grant(&[change], Granter::Person(agreed.requester)).await?;
    let after = store::by_id(tx, role).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::RoleUpdate).on("role", role, &after.name).version(after.version);
    let event = event.meta("asked_by", json!(agreed.requester));
    Ok(vec![event.change(super::audited(&before), super::audited(&after))])
}

async fn apply_access(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    tx.require(PERMISSIONS_ASSIGN).await?;
    let wanted = read::<AccessProposal>(agreed)?.after;
    let key = wanted.permissions.first().map(String::as_str).unwrap_or_default();
    let person = unmoved(tx, agreed).await?;
    let user = person.id;
    let before = rights_of(tx, &person)?;
    let pattern = tx.snapshot()?.known(key).map_err(|code| AppError::field("permission", code))?;
    let expires_at = wanted.days.map(|days| tx.now() + TimeDelta::days(days.into()));
    let old = tx.snapshot()?.overrides_of(user).iter();
    let mut overrides = old.filter(|one| one.pattern != pattern).cloned().collect::<Vec<_>>();
    overrides.push(OverrideGrant { pattern, allowed: true, expires_at, reason: Some(short(&agreed.reason)) });
    grant_person(tx, &[Change::Overrides { user, overrides }], user, agreed.decider, before).await
}

/// A reason of a request, as long as an override's may be.
fn short(reason: &str) -> String {
    reason.chars().take(500).collect()
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(request_rest)).routes(routes!(request_access_rest))
}

/// Ask that others agree to a change of rights: `permissions.assign`, and whatever the change needs
#[utoipa::path(post, path = "/admin/approvals", operation_id = "request", tag = "approvals", request_body = ApprovalRequest, responses((status = 201, body = Asked)))]
async fn request_rest(cx: Extension<Cx>, Sent(body): Sent<ApprovalRequest>) -> Result<Response, AppError> {
    let id = request(&cx, body).await?;
    Ok((StatusCode::CREATED, Json(Asked { id })).into_response())
}

/// Ask for a permission for yourself
#[utoipa::path(post, path = "/auth/access-requests", operation_id = "request_access", tag = "approvals", request_body = AccessRequest, responses((status = 201, body = Asked)))]
async fn request_access_rest(cx: Extension<Cx>, Sent(body): Sent<AccessRequest>) -> Result<Response, AppError> {
    let id = request_access(&cx, body).await?;
    Ok((StatusCode::CREATED, Json(Asked { id })).into_response())
}
