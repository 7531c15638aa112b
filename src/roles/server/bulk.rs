//! A role given to many people at once, or taken from them (C10).

use serde_json::json;

use super::{approved, held_roles, staged};
use crate::{
    access::{
        GivenRole, HeldRole, PERMISSIONS_ASSIGN, Permission, Scope,
        server::{
            Cx, Tx,
            change::Granter,
            given,
            record::{Action, Event},
        },
    },
    accounts::{
        self, Person,
        bulk::{BulkAnswer, BulkRole, Fate, RoleAct},
        server::{
            bulk::{Bulk, check_named, finish},
            links,
        },
    },
    approvals::server::{NewApproval, ask, parse_reason},
    base::{
        errors::{AppError, Denial, FieldCode},
        ids::RoleId,
        server::input::Input,
    },
    roles::RightsEdit,
};

/// Somebody for whom others have to agree, with the change that they are asked about.
struct Waiting {
    at: usize,
    person: Person,
    edit: RightsEdit,
    denial: Denial,
}

/// Gives people a role or takes it from them. With a reason, what others have to agree to is asked for in the same
/// transaction.
pub async fn change_role(cx: &Cx, change: Input<BulkRole>) -> Result<BulkAnswer, AppError> {
    let mut tx = cx.allow(PERMISSIONS_ASSIGN).await?;
    let BulkRole { users, role, act, reason, skip_refused, dry_run } = change.read()?;
    let reason = reason.filter(|_| !dry_run).map(|reason| parse_reason(&reason)).transpose();
    let reason = reason.map_err(|code| AppError::field("reason", code))?;
    check_named(&users)?;
    tx.lock_grants(Some(&PERMISSIONS_ASSIGN)).await?;
    if tx.snapshot()?.role(role).is_none() {
        return Err(AppError::field("role", FieldCode::Unknown));
    }
    let granter = Granter::Person(cx.person()?.user);
    let (mut bulk, people) = Bulk::hold(&mut tx, &users).await?;
    let (mut changes, mut changed, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for (at, person) in people {
        let before = held_roles(&tx, person.id)?;
        let edit = RightsEdit { roles: Some(with(&before, role, act)), ..RightsEdit::default() };
        let own = staged(&tx, person.id, edit.clone())?;
        if own.is_empty() {
            bulk.set(at, Fate::Stays, None);
            continue;
        }
        let denial = tx.try_grant(&own, granter).await?;
        let fate = bulk.judge(at, denial.clone());
        if fate == Fate::Changes {
            changes.extend(own);
            changed.push((person, before));
        } else if let Some(denial) = denial.filter(|_| fate == Fate::NeedsApproval) {
            waiting.push(Waiting { at, person, edit, denial });
        }
    }
    if !dry_run {
        bulk.check(reason.is_some(), skip_refused)?;
    }
    let mut events = Vec::new();
    if !changes.is_empty() {
        tx.grant(&changes, granter).await?;
        // What this transaction has written, as the engine will see it.
        tx.lock_grants(None).await?;
        for (person, before) in &changed {
            events.push(given_to(&mut tx, person, before).await?);
        }
    }
    if let Some(reason) = reason {
        for one in waiting {
            bulk.set(one.at, Fate::Asked, None);
            events.push(ask_about(&mut tx, one, reason.clone()).await?);
        }
    }
    events.extend(bulk.refusals(Action::AssignRoles));
    finish(tx, events, dry_run).await?;
    Ok(bulk.answer())
}

/// The roles of somebody once one is given to them, or taken. One that stays keeps its bounds.
fn with(before: &[HeldRole], role: RoleId, act: RoleAct) -> Vec<GivenRole> {
    let kept = before.iter().filter(|has| act == RoleAct::Give || has.role.id != role);
    let mut roles = kept.map(GivenRole::from).collect::<Vec<_>>();
    if act == RoleAct::Give && !roles.iter().any(|has| has.role == role) {
        roles.push(GivenRole { role, scope: Scope::default(), expires_at: None });
    }
    roles
}

/// What to record of somebody whose roles were changed.
async fn given_to(tx: &mut Tx, person: &Person, before: &[HeldRole]) -> Result<Event, AppError> {
    // Whoever invited somebody does not come into what others give them later.
    links::void_of_others(tx, person.id).await?;
    let after = held_roles(tx, person.id)?;
    let version = accounts::server::store::version(tx, person.id).await?;
    let told = |roles: &[HeldRole]| json!({"roles": given::audited(roles)});
    let event = Event::done(Action::AssignRoles).on("user", person.id, &person.name).version(version);
    Ok(event.change(told(before), told(&after)))
}

/// Asks others to agree to the change of one person.
async fn ask_about(tx: &mut Tx, one: Waiting, reason: String) -> Result<Event, AppError> {
    tx.cx().in_person()?;
    let keys = one.denial.permissions.iter().map(|key| Permission::parse(key)).collect::<Result<Vec<_>, _>>();
    let permissions = keys.map_err(|code| anyhow::anyhow!("a key of the catalogue is {code:?}"))?;
    let new = approved::of_person(tx, &one.person, one.edit, reason)?;
    let (_id, event) = ask(tx, NewApproval { permissions, ..new }).await?;
    Ok(event)
}
