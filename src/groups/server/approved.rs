//! What of a group others have to agree to: it is asked for here, and done when they have agreed (C12).

use axum::{
    Extension, Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{audited, changeable, is_givable, parse_parents, store};
use crate::{
    access::{
        GROUPS_MANAGE, GivenRole, HeldRole, PERMISSIONS_ASSIGN,
        server::{
            Cx, Tx,
            change::{Change, Granter},
            engine::RoleGrant,
            given,
            record::{Action, Event},
        },
    },
    approvals::{
        Kind,
        server::{
            Agreed, Asked, NewApproval, Renewed, ask,
            change::{Proposal, bound, carried_over, is_as_agreed, needs_approval, read, renewed, shown, still_may},
            parse_reason,
        },
    },
    base::{
        errors::{AppError, FieldErrors},
        ids::{ApprovalId, GroupId},
        server::{
            http::{Id, Sent},
            input::Input,
            names,
        },
    },
    groups::{AskedEdit, Group, GroupEdit},
};

/// Asks that others agree to a change of a group, which has to be one that the caller could make but for them.
pub async fn request(cx: &Cx, id: GroupId, asked: Input<AskedEdit>) -> Result<ApprovalId, AppError> {
    let mut tx = cx.allow(GROUPS_MANAGE).await?;
    cx.in_person()?;
    cx.at_home()?;
    let seen = asked.seen;
    let AskedEdit { edit, reason } = asked.read()?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&GROUPS_MANAGE)).await?;
    tx.require(PERMISSIONS_ASSIGN).await?;
    let reason = parse_reason(&reason).map_err(|code| AppError::field("reason", code))?;
    let before = changeable(&mut tx, id, edit.version.or(seen)).await?;
    let (proposal, change) = proposal(&tx, &before, edit)?;
    let changes = [change];
    let permissions = needs_approval(&mut tx, &changes, cx.person()?.user).await?;
    let new = NewApproval {
        kind: Kind::Group,
        subject: id.0,
        subject_name: before.name,
        facts: Default::default(),
        proposal: bound(&tx, proposal, &changes)?,
        reason,
        permissions,
    };
    let (id, event) = ask(&mut tx, new).await?;
    tx.commit(event).await?;
    Ok(id)
}

/// What an edit of a group comes to: for those who decide, and as a change.
fn proposal(tx: &Tx, before: &Group, edit: GroupEdit) -> Result<(Proposal<GroupEdit>, Change), AppError> {
    let snapshot = tx.snapshot()?;
    let mut errors = FieldErrors::default();
    let (name, description) = names::parse_edit(edit.name.as_deref(), edit.description.as_deref(), &mut errors);
    let above = match &edit.parents {
        Some(ids) => parse_parents(tx, ids, &mut errors)?,
        None => before.parents.iter().map(|parent| parent.id).collect(),
    };
    // What has run out meanwhile stays as it was written where nothing new is said.
    let roles = match edit.roles.clone() {
        Some(roles) => given::parse(snapshot, roles, is_givable, tx.now(), &mut errors),
        None => snapshot.group(before.id).map(|group| group.roles.clone()).unwrap_or_default(),
    };
    errors.check()?;
    let edit = GroupEdit { name, description, reason: None, version: None, ..edit };
    let mut after = before.clone();
    after.name = edit.name.clone().unwrap_or(after.name);
    after.description = edit.description.clone().unwrap_or(after.description);
    after.parents = above.iter().map(|id| snapshot.group_ref(*id)).collect();
    if edit.roles.is_some() {
        let held = |grant: &RoleGrant| HeldRole {
            role: snapshot.role_ref(grant.role),
            scope: grant.scope.clone(),
            expires_at: grant.expires_at.map(Into::into),
        };
        after.roles = roles.iter().map(held).collect();
    }
    // In one order, so that what is the same reads the same.
    let mut was = before.clone();
    for group in [&mut was, &mut after] {
        group.parents.sort_by(|a, b| a.name.cmp(&b.name));
        group.roles.sort_by(|a, b| a.role.name.cmp(&b.role.name));
    }
    let base = GroupEdit {
        parents: Some(before.parents.iter().map(|parent| parent.id).collect()),
        roles: Some(before.roles.iter().map(GivenRole::from).collect()),
        ..GroupEdit::default()
    };
    let told = |group: &Group| shown(audited(group), edit.name.is_some(), edit.description.is_some());
    let proposal = Proposal {
        before: told(&was),
        after: told(&after),
        asked: None,
        version: Some(before.version),
        base: Some(base),
        edit,
    };
    Ok((proposal, Change::Group { group: before.id, name: after.name, parents: above, roles }))
}

/// What was wanted of a group, done to what it is by now.
fn by_now(agreed: &Agreed, now: &Group) -> Result<GroupEdit, AppError> {
    let Proposal { base, mut edit, .. } = read::<Proposal<GroupEdit>>(agreed)?;
    let base = base.unwrap_or_default();
    let above = now.parents.iter().map(|parent| parent.id).collect::<Vec<_>>();
    let has = now.roles.iter().map(GivenRole::from).collect::<Vec<_>>();
    edit.parents =
        edit.parents.map(|wanted| carried_over(&base.parents.unwrap_or_default(), &wanted, &above, |id| *id));
    edit.roles =
        edit.roles.map(|wanted| carried_over(&base.roles.unwrap_or_default(), &wanted, &has, |given| given.role));
    Ok(edit)
}

/// What has to be decided on instead where the group has changed since it was asked for.
pub async fn renew(tx: &mut Tx, agreed: &Agreed) -> Result<Option<Renewed>, AppError> {
    let now = changeable(tx, GroupId(agreed.subject), None).await?;
    let edit = by_now(agreed, &now)?;
    let (fresh, change) = proposal(tx, &now, edit)?;
    let changes = if fresh.before == fresh.after { Vec::new() } else { vec![change] };
    renewed(tx, agreed, Default::default(), &changes, fresh).await
}

/// Changes the group as it was agreed to. The ceiling is that of whoever asked, as it is now.
pub async fn apply(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    still_may(tx, agreed.requester, &GROUPS_MANAGE, None).await?;
    still_may(tx, agreed.requester, &PERMISSIONS_ASSIGN, None).await?;
    let id = GroupId(agreed.subject);
    let before = changeable(tx, id, None).await?;
    let edit = by_now(agreed, &before)?;
    let (now, change) = proposal(tx, &before, edit)?;
    is_as_agreed(agreed, &now.before)?;
    let name = now.edit.name.unwrap_or_else(|| before.name.clone());
    let description = now.edit.description.unwrap_or_else(|| before.description.clone());
    store::update(tx, id, &name, &description).await?;
    tx.grant(&[change], Granter::Person(agreed.requester)).await?;
    let after = store::uncounted(tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::GroupUpdate).on("group", id, &after.name).version(after.version);
    let event = event.meta("asked_by", json!(agreed.requester));
    Ok(vec![event.change(audited(&before), audited(&after))])
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(request_rest))
}

/// Ask that others agree to a change of a group: `groups.manage`, `permissions.assign`, and whatever the change needs
#[utoipa::path(post, path = "/admin/groups/{id}/approvals", operation_id = "request", tag = "groups", params(("id" = uuid::Uuid, Path)), request_body = AskedEdit, responses((status = 201, body = Asked)))]
async fn request_rest(
    cx: Extension<Cx>,
    Id(id): Id<GroupId>,
    Sent(body): Sent<AskedEdit>,
) -> Result<Response, AppError> {
    let id = request(&cx, id, body).await?;
    Ok((StatusCode::CREATED, Json(Asked { id })).into_response())
}
