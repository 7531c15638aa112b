//! Operations on groups. What they give is a grant like any other: staged, held against the ceiling, written by `access`.

pub mod approved;
pub mod rest;
pub mod store;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    access::{
        GROUPS_MANAGE, GROUPS_READ, HeldRole, PERMISSIONS_ASSIGN, USERS_READ,
        server::{
            Cx, Edited, Tx,
            change::{Change, Granter},
            engine::{Membership, RoleGrants, is_live},
            given,
            record::{Action, Event},
        },
    },
    accounts::{self, PeopleQuery},
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::{GroupId, UserId},
        paging::Page,
        server::{cursor::Part, input::Input, names, search::Words},
        text::optional_line,
    },
    groups::{Group, GroupEdit, GroupsQuery, Member, MembersQuery, NewGroup, NewMember, PersonGroup},
};

/// A page of the groups of the tenant that are asked for, by name.
pub async fn list(cx: &Cx, query: Input<GroupsQuery>) -> Result<Page<Group>, AppError> {
    let mut tx = cx.read(GROUPS_READ).await?;
    let query = query.read()?;
    let mut errors = FieldErrors::default();
    let words = errors.take("q", Words::parse(query.q)).unwrap_or_default();
    let part = Part::parse(query.after, query.limit, &mut errors);
    errors.check()?;
    store::list(&mut tx, &words, &part).await
}

/// All of them, for whatever has to choose from all.
pub async fn all(cx: &Cx) -> Result<Vec<Group>, AppError> {
    let mut tx = cx.read(GROUPS_READ).await?;
    store::all(&mut tx).await
}

pub async fn get(cx: &Cx, id: GroupId) -> Result<Group, AppError> {
    let mut tx = cx.read(GROUPS_READ).await?;
    store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)
}

/// Creates a group. What it gives, and lying in another one, needs `permissions.assign` as well.
pub async fn create(cx: &Cx, group: Input<NewGroup>) -> Result<Group, AppError> {
    let mut tx = cx.allow(GROUPS_MANAGE).await?;
    let group = group.read()?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&GROUPS_MANAGE)).await?;
    // On the locked grants: whoever lost it meanwhile is refused.
    if !group.roles.is_empty() || !group.parents.is_empty() {
        tx.require(PERMISSIONS_ASSIGN).await?;
    }
    let mut errors = FieldErrors::default();
    let name = errors.take("name", names::parse(&group.name, 120));
    let description = errors.take("description", optional_line(Some(&group.description), 1000));
    let parents = parse_parents(&tx, &group.parents, &mut errors)?;
    let roles = given::parse(tx.snapshot()?, group.roles, is_givable, tx.now(), &mut errors);
    errors.check()?;
    let (name, description) = (name.unwrap_or_default(), description.flatten().unwrap_or_default());
    let id = GroupId(Uuid::now_v7());
    store::insert(&mut tx, id, &name, &description).await?;
    let change = Change::Group { group: id, name, parents, roles };
    tx.grant(&[change], Granter::Person(cx.person()?.user)).await?;
    let created = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.commit(Event::done(Action::GroupCreate).on("group", id, &created.name).new_value(audited(&created))).await?;
    Ok(created)
}

pub async fn edit(cx: &Cx, id: GroupId, edit: Input<GroupEdit>) -> Result<Group, AppError> {
    let mut tx = cx.allow(GROUPS_MANAGE).await?;
    let seen = edit.seen;
    let edit = edit.read()?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&GROUPS_MANAGE)).await?;
    if edit.roles.is_some() || edit.parents.is_some() {
        tx.require(PERMISSIONS_ASSIGN).await?;
    }
    let before = changeable(&mut tx, id, edit.version.or(seen)).await?;
    let mut errors = FieldErrors::default();
    let (name, description) = names::parse_edit(edit.name.as_deref(), edit.description.as_deref(), &mut errors);
    let reason = errors.take("reason", optional_line(edit.reason.as_deref(), 500)).flatten();
    let parents = match &edit.parents {
        Some(ids) => parse_parents(&tx, ids, &mut errors)?,
        None => before.parents.iter().map(|parent| parent.id).collect(),
    };
    // What has run out meanwhile stays as it was written where nothing new is said.
    let roles = match edit.roles {
        Some(roles) => given::parse(tx.snapshot()?, roles, is_givable, tx.now(), &mut errors),
        None => tx.snapshot()?.group(id).map(|group| group.roles.clone()).unwrap_or_default(),
    };
    errors.check()?;
    let name = name.unwrap_or_else(|| before.name.clone());
    let description = description.unwrap_or_else(|| before.description.clone());
    store::update(&mut tx, id, &name, &description).await?;
    let change = Change::Group { group: id, name, parents, roles };
    tx.grant(&[change], Granter::Person(cx.person()?.user)).await?;
    let after = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::GroupUpdate).on("group", id, &after.name).version(after.version).stated(reason);
    tx.commit(event.change(audited(&before), audited(&after))).await?;
    Ok(after)
}

pub async fn delete(cx: &Cx, id: GroupId, version: Option<i64>) -> Result<(), AppError> {
    let mut tx = cx.allow(GROUPS_MANAGE).await?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&GROUPS_MANAGE)).await?;
    let before = changeable(&mut tx, id, version).await?;
    tx.grant(&[Change::RemoveGroup { group: id }], Granter::Person(cx.person()?.user)).await?;
    store::delete(&mut tx, id).await?;
    tx.commit(Event::done(Action::GroupDelete).on("group", id, &before.name).old_value(audited(&before))).await
}

/// Who is in a group themselves, inside the caller's scope. Needs `users.read` beside what the group needs.
pub async fn members(cx: &Cx, id: GroupId, query: Input<MembersQuery>) -> Result<Page<Member>, AppError> {
    get(cx, id).await?;
    let mut tx = cx.read(USERS_READ).await?;
    let MembersQuery { q, after, limit } = query.read()?;
    let people = PeopleQuery { q, after, limit, group: Some(id.to_string()), ..PeopleQuery::default() };
    let filter = accounts::server::store::Filter::parse(people)?;
    let people = accounts::server::store::list(&mut tx, &filter).await?;
    let snapshot = tx.snapshot()?;
    Ok(people.map(|person| {
        let given = snapshot.groups_of(person.id).iter().find(|membership| membership.group == id);
        Member { expires_at: given.and_then(|given| given.expires_at).map(Into::into), person }
    }))
}

/// Takes somebody into a group, or gives their stay another end. It needs all that the group gives.
pub async fn put_member(cx: &Cx, id: GroupId, member: Input<NewMember>) -> Result<(), AppError> {
    let tx = cx.allow(PERMISSIONS_ASSIGN).await?;
    let NewMember { user, expires_at } = member.read()?;
    let expires_at = expires_at.map(chrono::DateTime::from);
    if !is_live(expires_at, tx.now()) {
        return Err(AppError::field("expires_at", FieldCode::Past));
    }
    change_membership(cx, tx, id, user, Some(Membership { group: id, expires_at })).await
}

/// Takes somebody out of a group.
pub async fn remove_member(cx: &Cx, id: GroupId, user: UserId) -> Result<(), AppError> {
    let tx = cx.allow(PERMISSIONS_ASSIGN).await?;
    change_membership(cx, tx, id, user, None).await
}

/// Writes that somebody is in a group until then, or no longer.
async fn change_membership(
    cx: &Cx,
    mut tx: Tx,
    id: GroupId,
    user: UserId,
    stay: Option<Membership>,
) -> Result<(), AppError> {
    tx.lock_grants(Some(&PERMISSIONS_ASSIGN)).await?;
    let person = accounts::server::find_for_update(&mut tx, user, None).await?;
    let group = store::uncounted(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let before = tx.snapshot()?.groups_of(user).to_vec();
    let old = before.iter().find(|membership| membership.group == id).cloned();
    if old == stay {
        return Ok(());
    }
    let mut groups = before.into_iter().filter(|membership| membership.group != id).collect::<Vec<_>>();
    groups.extend(stay.clone());
    tx.grant(&[Change::Memberships { user, groups }], Granter::Person(cx.person()?.user)).await?;
    // Whoever invited somebody does not come into what others give them later.
    accounts::server::links::void_of_others(&mut tx, user).await?;
    let told = |membership: &Option<Membership>| match membership {
        None => json!({"groups": []}),
        Some(Membership { expires_at: None, .. }) => json!({"groups": [group.name]}),
        Some(Membership { expires_at: Some(end), .. }) => {
            json!({"groups": [{"group": group.name, "expires_at": end}]})
        }
    };
    let after = accounts::server::find(&mut tx, user).await?;
    let event = Event::done(Action::GroupMember).on("user", user, &person.name).version(after.version);
    let event = event.meta("group", id.to_string());
    tx.commit(event.change(told(&old), told(&stay))).await
}

/// The groups that somebody is in, each with everything that it gives.
pub async fn of_person(cx: &Cx, user: UserId) -> Result<Vec<PersonGroup>, AppError> {
    let mut tx = cx.read(GROUPS_READ).await?;
    tx.require(USERS_READ).await?;
    accounts::server::find(&mut tx, user).await?;
    groups_in(&tx, user)
}

/// The groups that the caller is in.
pub async fn own(cx: &Cx) -> Result<Vec<PersonGroup>, AppError> {
    let tx = cx.own().await?;
    groups_in(&tx, cx.person()?.user)
}

fn groups_in(tx: &Tx, user: UserId) -> Result<Vec<PersonGroup>, AppError> {
    let (snapshot, now) = (tx.snapshot()?, tx.now());
    let live = snapshot.groups_of(user).iter().filter(|membership| is_live(membership.expires_at, now));
    let groups = live.map(|membership| {
        let roles = snapshot.of_group(membership.group, now).into_iter().map(|grant| HeldRole {
            role: snapshot.role_ref(grant.role),
            scope: grant.scope,
            expires_at: grant.expires_at.map(Into::into),
        });
        PersonGroup {
            group: snapshot.group_ref(membership.group),
            expires_at: membership.expires_at.map(Into::into),
            roles: roles.collect(),
        }
    });
    let mut groups = groups.collect::<Vec<_>>();
    groups.sort_by(|a, b| a.group.name.cmp(&b.group.name));
    Ok(groups)
}

/// A group of the tenant, still the version that was seen.
async fn changeable(tx: &mut Tx, id: GroupId, version: Option<i64>) -> Result<Group, AppError> {
    let group = store::uncounted(tx, id).await?.ok_or(AppError::NotFound)?;
    let read = Some(GROUPS_READ);
    tx.check_version(version, Edited { kind: "group", id: id.0, version: group.version, read, facts: None }).await?;
    Ok(group)
}

fn parse_parents(tx: &Tx, ids: &[GroupId], errors: &mut FieldErrors) -> Result<Vec<GroupId>, AppError> {
    let snapshot = tx.snapshot()?;
    let known = |id: &GroupId| snapshot.group(*id).map(|_| *id).ok_or(FieldCode::Unknown);
    Ok(errors.take_each("parents", ids, known))
}

/// The platform's role is given to people by name.
pub fn is_givable(role: &RoleGrants) -> bool {
    !role.platform
}

fn audited(group: &Group) -> Value {
    let parents = group.parents.iter().map(|parent| parent.name.as_str()).collect::<Vec<_>>();
    json!({
        "name": group.name,
        "description": group.description,
        "parents": parents,
        "roles": given::audited(&group.roles),
    })
}
