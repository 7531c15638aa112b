//! Rights of many people at once: a role given to them or taken from them (C10), and what the studio makes of each (C3).

use super::{approved, audited_roles, halves, held_roles, overrides_of, staged, stated_reason};
use crate::{
    access::{
        GivenRole, HeldRole, PERMISSIONS_ASSIGN, PERMISSIONS_READ, Scope, USERS_READ,
        server::{
            Cx, Tx,
            change::Granter,
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
    approvals::server::{MOST_WAITING, NewApproval, ask, change::keys_of, parse_reason},
    base::{
        errors::{AppError, Denial, DenialCode, FieldCode},
        ids::{RoleId, UserId},
        server::input::Input,
    },
    roles::{ManyEdits, PersonRightsEdit, PersonStand, RightsEdit},
};

impl From<PersonRightsEdit> for RightsEdit {
    fn from(edit: PersonRightsEdit) -> Self {
        let PersonRightsEdit { user: _, roles, overrides, version } = edit;
        RightsEdit { roles, overrides, reason: None, version }
    }
}

/// The people that edits are about.
pub fn named(edits: &ManyEdits) -> Result<Vec<UserId>, AppError> {
    let users = edits.people.iter().map(|one| one.user).collect::<Vec<_>>();
    check_named(&users)?;
    Ok(users)
}

/// One of several people: each of them has to lie inside the caller's scope, not only the first.
pub async fn find(tx: &mut Tx, user: UserId) -> Result<Person, AppError> {
    let person = accounts::server::find(tx, user).await?;
    if tx.also_decides(&accounts::server::store::facts(&person))? { Ok(person) } else { Err(AppError::NotFound) }
}

/// What many people were given, in the order in which they are named (C3).
pub async fn stands(cx: &Cx, users: Vec<UserId>) -> Result<Vec<PersonStand>, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    check_named(&users)?;
    let mut stands = Vec::new();
    for user in users {
        let person = find(&mut tx, user).await?;
        stands.push(stand(&tx, person)?);
    }
    Ok(stands)
}

fn stand(tx: &Tx, person: Person) -> Result<PersonStand, AppError> {
    Ok(PersonStand {
        user: person.id,
        roles: held_roles(tx, person.id)?,
        overrides: overrides_of(tx, person.id)?,
        version: person.version,
        name: person.name,
    })
}

/// Replaces the roles or overrides of many people: of all of them or of nobody, as one transaction with the rows that it
/// would have for each alone (C3, D1).
pub async fn edit_rights(cx: &Cx, edits: Input<ManyEdits>) -> Result<Vec<PersonStand>, AppError> {
    let mut tx = cx.allow(PERMISSIONS_ASSIGN).await?;
    // The answer is what everybody then has.
    tx.require(USERS_READ).await?;
    let edits = edits.read()?;
    let users = named(&edits)?;
    // Whoever decides has to be told why.
    let asked_for = edits.ask.then(|| parse_reason(edits.reason.as_deref().unwrap_or_default())).transpose();
    let asked_for = asked_for.map_err(|code| AppError::field("reason", code))?;
    let reason = match &asked_for {
        Some(reason) => Some(reason.clone()),
        None => stated_reason(edits.reason.as_deref()).map_err(|code| AppError::field("reason", code))?,
    };
    if asked_for.is_some() {
        cx.at_home()?;
    }
    tx.lock_grants(Some(&PERMISSIONS_ASSIGN)).await?;
    // In the order of their ids: two such acts never wait for each other.
    let mut people = edits.people;
    people.sort_by_key(|one| one.user);
    let granter = Granter::Person(cx.person()?.user);
    let (mut changes, mut changed, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for (at, one) in people.into_iter().enumerate() {
        // Whoever lies outside does not exist, whichever version was seen of them.
        find(&mut tx, one.user).await?;
        let person = accounts::server::find_for_update(&mut tx, one.user, one.version).await?;
        let facts = accounts::server::store::facts(&person);
        if !tx.also_decides(&facts)? {
            return Err(AppError::NotFound);
        }
        if !tx.also_holds_about(&PERMISSIONS_READ, &facts)? {
            tx.require(PERMISSIONS_READ).await?;
        }
        let edit = RightsEdit::from(one);
        let own = staged(&tx, person.id, edit.clone())?;
        if own.is_empty() {
            continue;
        }
        if asked_for.is_some()
            && let Some(denial) = tx.try_grant(&own, granter).await?
            && denial.code == DenialCode::ApprovalNeeded
        {
            waiting.push(Waiting { at, person, edit, denial });
            continue;
        }
        changes.extend(own);
        changed.push(stand(&tx, person)?);
    }
    // Asking about more of them could never succeed, however long it were put off.
    if i64::try_from(waiting.len()).unwrap_or(i64::MAX) > MOST_WAITING {
        return Err(AppError::field("people", FieldCode::TooLong));
    }
    let mut events = Vec::new();
    if !changes.is_empty() {
        tx.grant(&changes, granter).await?;
        // What this transaction has written, as the engine will see it.
        tx.lock_grants(None).await?;
        for before in &changed {
            // Whoever invited somebody does not come into what others give them later.
            links::void_of_others(&mut tx, before.user).await?;
            let person = find(&mut tx, before.user).await?;
            events.extend(edited(before, &stand(&tx, person)?, reason.as_deref()));
        }
    }
    for one in waiting {
        events.push(ask_about(&mut tx, one, asked_for.clone().unwrap_or_default()).await?);
    }
    let mut after = Vec::new();
    for user in users {
        let person = find(&mut tx, user).await?;
        after.push(stand(&tx, person)?);
    }
    finish(tx, events, false).await?;
    Ok(after)
}

/// What to record of one of them: a row for each half that changed.
fn edited(before: &PersonStand, after: &PersonStand, reason: Option<&str>) -> Vec<Event> {
    let event = |action| {
        let event = Event::done(action).on("user", after.user, &after.name).version(after.version);
        event.stated(reason.map(ToOwned::to_owned))
    };
    halves((&before.overrides, &before.roles), (&after.overrides, &after.roles), event)
}

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
    let event = Event::done(Action::AssignRoles).on("user", person.id, &person.name).version(version);
    Ok(event.change(audited_roles(before), audited_roles(&after)))
}

/// Asks others to agree to the change of one person.
async fn ask_about(tx: &mut Tx, one: Waiting, reason: String) -> Result<Event, AppError> {
    tx.cx().in_person()?;
    let permissions = keys_of(&one.denial)?;
    let new = approved::of_person(tx, &one.person, one.edit, reason)?;
    let (_id, event) = ask(tx, NewApproval { permissions, ..new }).await?;
    Ok(event)
}
