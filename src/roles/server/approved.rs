//! Changes of rights that others have to agree to: asking for them, and doing them once they were agreed to.

use axum::{
    Extension, Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{audited_roles, changeable, exchange, halves, keys, parents, rights_of, staged, store, stored};
use crate::{
    access::{
        Answer, GivenRole, HeldRole, PERMISSIONS_ASSIGN, Permission, ROLES_UPDATE,
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
        server::{
            Agreed, Asked, NewApproval, Renewed, ask,
            change::{Proposal, bound, carried_over, is_as_agreed, needs_approval, read, renewed, shown, still_may},
            follow_renamed_role, parse_reason,
        },
    },
    base::{
        errors::{AppError, Conflict, DenialCode, FieldCode, FieldErrors, Stale},
        ids::{ApprovalId, RoleId, UserId},
        server::{http::Sent, input::Input, names},
    },
    roles::{AccessRequest, ApprovalRequest, Override, Overrides, PersonRights, RightsEdit, Role, RoleEdit},
};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Access {
    permissions: Vec<String>,
    days: Option<u32>,
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

/// Asks that others agree to a change of a person's or a role's rights, or to a catalogue that is read in. The change has
/// to be one that the caller could make but for them (C12).
pub async fn request(cx: &Cx, request: Input<ApprovalRequest>) -> Result<ApprovalId, AppError> {
    let mut door = door(cx).await?;
    let mut tx = cx.allow(door.clone()).await?;
    cx.in_person()?;
    cx.at_home()?;
    let request = request.read()?;
    if door != ROLES_UPDATE && (request.role_id.is_some() || request.catalogue.is_some()) {
        // Whoever gives rights in one department only may change roles all the same.
        drop(tx);
        door = ROLES_UPDATE;
        tx = cx.allow(ROLES_UPDATE).await?;
    }
    let reason = parse_reason(&request.reason).map_err(|code| AppError::field("reason", code))?;
    tx.lock_grants(Some(&door)).await?;
    let ApprovalRequest { user_id, rights, role_id, permissions, role: edit, catalogue, .. } = request;
    let (new, changes) = match (user_id, role_id, catalogue) {
        (Some(user), None, None) => {
            if door != PERMISSIONS_ASSIGN {
                tx.require(PERMISSIONS_ASSIGN).await?;
            }
            about_person(&mut tx, user, rights, reason).await?
        }
        (None, Some(role), None) => {
            let edit = edit.unwrap_or_default();
            let edit = RoleEdit { permissions: edit.permissions.or(permissions), ..edit };
            about_role(&mut tx, role, edit, reason).await?
        }
        (None, None, Some(file)) => exchange::proposed(&mut tx, file, reason).await?,
        _ => return Err(AppError::field("user_id", FieldCode::Required)),
    };
    let permissions = needs_approval(&mut tx, &changes, cx.person()?.user).await?;
    let proposal = bound(&tx, &new.proposal, &changes)?;
    let (id, event) = ask(&mut tx, NewApproval { proposal, permissions, ..new }).await?;
    tx.commit(event).await?;
    Ok(id)
}

/// What whoever asks has to hold first: to give rights, or, for those who may not do that, to change roles.
async fn door(cx: &Cx) -> Result<Permission, AppError> {
    let (tx, user) = (cx.of_caller().await?, cx.person()?.user);
    let snapshot = tx.snapshot()?;
    let may = |permission: &Permission| snapshot.check(user, permission, None, cx.now());
    match (may(&PERMISSIONS_ASSIGN), may(&ROLES_UPDATE)) {
        (Answer::No, Answer::Yes) => Ok(ROLES_UPDATE),
        (Answer::No, Answer::No | Answer::Depends) | (Answer::Yes | Answer::Depends, _) => Ok(PERMISSIONS_ASSIGN),
    }
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
    let proposal = rights_proposal(tx, &rights_of(tx, person)?, edit)?;
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

fn rights_proposal(tx: &Tx, before: &PersonRights, edit: RightsEdit) -> Result<Proposal<RightsEdit>, AppError> {
    // What it is asked for says why.
    let edit = RightsEdit { reason: None, version: None, ..edit };
    let base = RightsEdit {
        roles: Some(before.roles.iter().map(GivenRole::from).collect()),
        overrides: Some(before.overrides.clone()),
        ..RightsEdit::default()
    };
    Ok(Proposal {
        before: given(before),
        after: proposed(tx, before, &edit)?,
        asked: None,
        version: Some(before.version),
        base: Some(base),
        edit,
    })
}

/// What was wanted for a person, done to what they have by now.
fn rights_by_now(edit: RightsEdit, base: Option<RightsEdit>, now: &PersonRights) -> RightsEdit {
    let Some(RightsEdit { roles: base_roles, overrides: base_overrides, .. }) = base else { return edit };
    let roles = edit.roles.map(|wanted| {
        let has = now.roles.iter().map(GivenRole::from).collect::<Vec<_>>();
        carried_over(&base_roles.unwrap_or_default(), &wanted, &has, |given| given.role)
    });
    let overrides = edit.overrides.map(|wanted| {
        let was = base_overrides.unwrap_or_default();
        let over = |was: &[Override], wanted: &[Override], has: &[Override]| {
            carried_over(was, wanted, has, |given| given.key.clone())
        };
        let allow = over(&was.allow, &wanted.allow, &now.overrides.allow);
        let deny = over(&was.deny, &wanted.deny, &now.overrides.deny);
        Overrides { allow, deny }
    });
    RightsEdit { roles, overrides, ..edit }
}

/// The same about a role.
async fn about_role(
    tx: &mut Tx,
    role: RoleId,
    edit: RoleEdit,
    reason: String,
) -> Result<(NewApproval, Vec<Change>), AppError> {
    tx.decide(&Default::default())?;
    tx.require(ROLES_UPDATE).await?;
    let before = changeable(tx, role, edit.version).await?;
    let (proposal, change) = role_proposal(tx, &before, edit)?;
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

/// What an edit of a role comes to: for those who decide, and as a change.
fn role_proposal(tx: &Tx, before: &Role, edit: RoleEdit) -> Result<(Proposal<RoleEdit>, Change), AppError> {
    let mut errors = FieldErrors::default();
    let (name, description) = names::parse_edit(edit.name.as_deref(), edit.description.as_deref(), &mut errors);
    let permissions = match &edit.permissions {
        Some(permissions) => keys(tx, "permissions", permissions, &mut errors)?,
        None => stored(before)?,
    };
    let above = match &edit.parents {
        Some(ids) => parents(tx, ids, &mut errors)?,
        None => before.parents.iter().map(|parent| parent.id).collect(),
    };
    errors.check()?;
    if before.built_in && name.as_ref().is_some_and(|name| *name != before.name) {
        return Err(AppError::denied(DenialCode::BuiltIn));
    }
    let edit = RoleEdit { name, description, reason: None, version: None, ..edit };
    let snapshot = tx.snapshot()?;
    let mut after = before.clone();
    after.name = edit.name.clone().unwrap_or(after.name);
    after.description = edit.description.clone().unwrap_or(after.description);
    after.permissions = permissions.iter().map(ToString::to_string).collect();
    after.parents = above.iter().map(|id| snapshot.role_ref(*id)).collect();
    // In one order, so that what is the same reads the same.
    let mut was = before.clone();
    for role in [&mut was, &mut after] {
        role.permissions.sort();
        role.parents.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let base = RoleEdit {
        permissions: Some(before.permissions.clone()),
        parents: Some(before.parents.iter().map(|parent| parent.id).collect()),
        ..RoleEdit::default()
    };
    let told = |role: &Role| shown(super::audited(role), edit.name.is_some(), edit.description.is_some());
    let proposal = Proposal {
        before: told(&was),
        after: told(&after),
        asked: None,
        version: Some(before.version),
        base: Some(base),
        edit,
    };
    let change = Change::RolePermissions { role: before.id, name: after.name, permissions, parents: above };
    Ok((proposal, change))
}

/// What was wanted of a role, done to what it is by now.
fn role_by_now(agreed: &Agreed, now: &Role) -> Result<RoleEdit, AppError> {
    let Proposal { after, base, mut edit, .. } = read::<Proposal<RoleEdit>>(agreed)?;
    let Some(base) = base else {
        // Older requests say only what the role shall give.
        let permissions = after.get("permissions").cloned().unwrap_or_default();
        let permissions = serde_json::from_value(permissions).map_err(anyhow::Error::from)?;
        return Ok(RoleEdit { permissions: Some(permissions), ..RoleEdit::default() });
    };
    edit.permissions = edit
        .permissions
        .map(|wanted| carried_over(&base.permissions.unwrap_or_default(), &wanted, &now.permissions, String::clone));
    let above = now.parents.iter().map(|parent| parent.id).collect::<Vec<_>>();
    edit.parents =
        edit.parents.map(|wanted| carried_over(&base.parents.unwrap_or_default(), &wanted, &above, |id| *id));
    Ok(edit)
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
        proposal: json!(access_proposal(Access { permissions: vec![request.permission], days: request.days }, &own)),
        reason,
        permissions: key.into_iter().collect(),
    };
    let (id, event) = ask(&mut tx, new).await?;
    tx.commit(event).await?;
    Ok(id)
}

fn access_proposal(wanted: Access, person: &accounts::Person) -> Proposal<()> {
    let version = Some(person.version);
    Proposal { before: Value::Null, after: json!(wanted), asked: None, version, base: None, edit: () }
}

/// What has to be decided on instead where the subject has changed since it was asked for.
pub async fn renew_rights(tx: &mut Tx, agreed: &Agreed) -> Result<Option<Renewed>, AppError> {
    let old = read::<Proposal<RightsEdit>>(agreed)?;
    let person = accounts::server::find_for_update(tx, UserId(agreed.subject), None).await?;
    let now = rights_of(tx, &person)?;
    let facts = accounts::server::store::facts(&person);
    let edit = rights_by_now(old.edit, old.base, &now);
    let changes = staged(tx, person.id, edit.clone())?;
    let fresh = rights_proposal(tx, &now, edit)?;
    renewed(tx, agreed, facts, &changes, fresh).await
}

/// The same about a role.
pub async fn renew_role(tx: &mut Tx, agreed: &Agreed) -> Result<Option<Renewed>, AppError> {
    let now = changeable(tx, RoleId(agreed.subject), None).await?;
    let edit = role_by_now(agreed, &now)?;
    let (fresh, change) = role_proposal(tx, &now, edit)?;
    let changes = if fresh.before == fresh.after { Vec::new() } else { vec![change] };
    renewed(tx, agreed, Default::default(), &changes, fresh).await
}

/// Whom it is about may be elsewhere by now, where others decide.
pub async fn renew_access(tx: &mut Tx, agreed: &Agreed) -> Result<Option<Renewed>, AppError> {
    let wanted = wanted_access(agreed)?;
    let person = accounts::server::find_for_update(tx, UserId(agreed.subject), None).await?;
    let facts = accounts::server::store::facts(&person);
    if facts.department == agreed.facts.department && facts.region == agreed.facts.region {
        return Ok(None);
    }
    let snapshot = tx.snapshot()?;
    let known = wanted.permissions.iter().map(|key| snapshot.known(key)).collect::<Result<Vec<_>, _>>();
    let permissions = known.map_err(|code| AppError::field("permission", code))?;
    Ok(Some(Renewed { facts, proposal: json!(access_proposal(wanted, &person)), permissions }))
}

fn wanted_access(agreed: &Agreed) -> Result<Access, AppError> {
    let after = agreed.proposal.get("after").cloned().unwrap_or_default();
    Ok(serde_json::from_value(after).map_err(anyhow::Error::from)?)
}

/// The person that a request is about, who must still be where they were: elsewhere others decide.
async fn unmoved(tx: &mut Tx, agreed: &Agreed) -> Result<accounts::Person, AppError> {
    let person = accounts::server::find_for_update(tx, UserId(agreed.subject), None).await?;
    let is_there = person.department == agreed.facts.department && person.region == agreed.facts.region;
    if is_there { Ok(person) } else { Err(AppError::Conflict(Conflict::Stale(Stale::default()))) }
}

/// Does what was agreed to. The ceiling is that of whoever asked, as it is now.
pub async fn apply_rights(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    let proposal = read::<Proposal<RightsEdit>>(agreed)?;
    let person = unmoved(tx, agreed).await?;
    // They may assign in one department only.
    let facts = accounts::server::store::facts(&person);
    still_may(tx, agreed.requester, &PERMISSIONS_ASSIGN, Some(&facts)).await?;
    let user = person.id;
    let before = rights_of(tx, &person)?;
    is_as_agreed(agreed, &given(&before))?;
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
    Ok(halves((&before.overrides, &before.roles), (&after.overrides, &after.roles), event))
}

/// The same about a role.
pub async fn apply_role(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    still_may(tx, agreed.requester, &ROLES_UPDATE, None).await?;
    let role = RoleId(agreed.subject);
    let before = changeable(tx, role, None).await?;
    let edit = role_by_now(agreed, &before)?;
    let (now, change) = role_proposal(tx, &before, edit)?;
    is_as_agreed(agreed, &now.before)?;
    let name = now.edit.name.unwrap_or_else(|| before.name.clone());
    let description = now.edit.description.unwrap_or_else(|| before.description.clone());
    store::update(tx, role, &name, &description).await?;
    if name != before.name {
        follow_renamed_role(tx, &before.name, &name).await?;
    }
    tx.grant(&[change], Granter::Person(agreed.requester)).await?;
    let after = store::uncounted(tx, role).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::RoleUpdate).on("role", role, &after.name).version(after.version);
    let event = event.meta("asked_by", json!(agreed.requester));
    Ok(vec![event.change(super::audited(&before), super::audited(&after))])
}

/// The same for access that somebody asked for themselves: the ceiling is that of the last who agreed.
pub async fn apply_access(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    tx.require(PERMISSIONS_ASSIGN).await?;
    let wanted = wanted_access(agreed)?;
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

/// Ask that others agree to a change of rights: `permissions.assign`, for a role or a file `roles.update`, and whatever the change needs
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
