//! A change of grants: staged on a snapshot, held against the ceiling, then written. Every writer of grants comes through
//! here, so that no route can climb around the rules.

use std::{cell::LazyCell, collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::{
    access::{
        ADMIN, EVERYTHING, Facts, Permission,
        server::{
            engine::{Membership, OverrideGrant, PersonGrants, RoleGrant, RoleGrants, Snapshot, is_live},
            nesting::{self, DEEPEST},
            node::Carriers,
            policy::{Policy, Say},
        },
    },
    base::{
        errors::{AppError, Denial, DenialCode, FieldCode},
        ids::{GroupId, PolicyId, RoleId, TenantId, UserId},
    },
};

/// One change. The row of the person or role itself is written by the capability that owns it.
#[derive(Clone, Debug)]
pub enum Change {
    /// A person who has no grants yet, with the role that everybody gets, if that role exists.
    Person {
        user: UserId,
        active: bool,
        first_role: Option<RoleId>,
    },
    /// The account becomes active or stops being so.
    Active {
        user: UserId,
        active: bool,
    },
    /// Replaces a person's roles.
    Roles {
        user: UserId,
        roles: Vec<RoleGrant>,
    },
    /// Replaces a person's override set.
    Overrides {
        user: UserId,
        overrides: Vec<OverrideGrant>,
    },
    /// Replaces what a role gives, by itself and by inheriting; also for a role that is new.
    RolePermissions {
        role: RoleId,
        name: String,
        permissions: Vec<Permission>,
        parents: Vec<RoleId>,
    },
    RemoveRole {
        role: RoleId,
    },
    /// Replaces what a group gives, by itself and by lying in others; also for a group that is new.
    Group {
        group: GroupId,
        name: String,
        parents: Vec<GroupId>,
        roles: Vec<RoleGrant>,
    },
    RemoveGroup {
        group: GroupId,
    },
    /// Replaces the groups that a person is in.
    Memberships {
        user: UserId,
        groups: Vec<Membership>,
    },
    /// The fields of an account that policies look at.
    Facts {
        user: UserId,
        facts: Facts,
    },
    /// Puts a policy into force, in the place of what it enforced before; none: takes it out of force.
    Policy {
        id: PolicyId,
        policy: Option<Arc<Policy>>,
    },
    /// Takes a key of the tenant's own out of the catalogue, and so out of roles and overrides.
    RemovePermission {
        key: Permission,
    },
}

/// Who answers for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granter {
    /// Somebody whose own rights are the ceiling.
    Person(UserId),
    /// The first administrator has nobody above: the one-time link, or the operator at the command line.
    Setup,
}

/// What `changes` make of `before`.
pub fn stage(before: &Arc<Snapshot>, changes: &[Change]) -> Snapshot {
    let mut after = Snapshot::above(before);
    for change in changes {
        let person = |after: &Snapshot, user| {
            after.person(user).map_or_else(PersonGrants::default, |person| PersonGrants::clone(person))
        };
        match change {
            Change::Person { user, active, first_role } => {
                let roles = first_role.map(|role| RoleGrant { role, scope: Default::default(), expires_at: None });
                let roles = roles.into_iter().collect();
                let grants = PersonGrants { active: *active, roles, ..PersonGrants::default() };
                after.put_person(*user, grants);
            }
            Change::Active { user, active } => {
                let grants = PersonGrants { active: *active, ..person(&after, *user) };
                after.put_person(*user, grants);
            }
            Change::Roles { user, roles } => {
                let grants = PersonGrants { roles: roles.clone(), ..person(&after, *user) };
                after.put_person(*user, grants);
            }
            Change::Overrides { user, overrides } => {
                let grants = PersonGrants { overrides: overrides.clone(), ..person(&after, *user) };
                after.put_person(*user, grants);
            }
            Change::Memberships { user, groups } => {
                let grants = PersonGrants { groups: groups.clone(), ..person(&after, *user) };
                after.put_person(*user, grants);
            }
            Change::Facts { user, facts } => {
                let grants = PersonGrants { facts: Some(Arc::new(facts.clone())), ..person(&after, *user) };
                after.put_person(*user, grants);
            }
            Change::Policy { id, policy } => after.put_policy(*id, policy.clone()),
            Change::RolePermissions { role, name, permissions, parents } => {
                let platform = after.role(*role).is_some_and(|role| role.platform);
                after.put_heir(*role, name.clone(), platform, permissions.clone(), parents.clone());
            }
            Change::RemoveRole { role } => {
                let name = after.role(*role).map_or_else(String::new, |role| role.name.clone());
                after.put_role(*role, name, false, Vec::new());
            }
            Change::Group { group, name, parents, roles } => {
                after.put_group(*group, name.clone(), parents.clone(), roles.clone());
            }
            Change::RemoveGroup { group } => {
                let name = after.group(*group).map_or_else(String::new, |group| group.name.clone());
                after.put_group(*group, name, Vec::new(), Vec::new());
            }
            Change::RemovePermission { key } => remove_permission(&mut after, key),
        }
    }
    after.link();
    after
}

/// What is left of roles and overrides without a key.
fn remove_permission(after: &mut Snapshot, key: &Permission) {
    for id in after.role_ids() {
        let Some(role) = after.role(id).filter(|role| role.own.contains(key)).cloned() else { continue };
        let own = role.own.iter().filter(|own| *own != key).cloned().collect();
        after.put_heir(id, role.name.clone(), role.platform, own, role.parents.clone());
    }
    for user in overridden(after, key) {
        let person = after.person(user).map_or_else(PersonGrants::default, |person| PersonGrants::clone(person));
        let overrides = person.overrides.iter().filter(|given| given.pattern != *key).cloned().collect();
        after.put_person(user, PersonGrants { overrides, ..person });
    }
}

/// Who has an override with exactly this key.
pub fn overridden(snapshot: &Snapshot, key: &Permission) -> Vec<UserId> {
    let has = |person: &PersonGrants| person.overrides.iter().any(|given| given.pattern == *key);
    snapshot.those_given(has).collect()
}

/// Refuses roles and groups that would contain themselves, or that would stand on too many levels, whoever makes them.
pub fn check_nesting(after: &Snapshot, changes: &[Change]) -> Result<(), AppError> {
    let role_up = |of: RoleId| after.role(of).map_or(&[][..], |role| role.parents.as_slice());
    let group_up = |of: GroupId| after.group(of).map_or(&[][..], |group| group.parents.as_slice());
    let (mut roles, mut groups) = (false, false);
    for change in changes {
        match change {
            Change::RolePermissions { role, parents, .. } => {
                if let Some(path) = nesting::circle(*role, role_up) {
                    return Err(AppError::Cycle(path.into_iter().map(|id| after.role_ref(id).name).collect()));
                }
                roles |= !parents.is_empty();
            }
            Change::Group { group, parents, .. } => {
                if let Some(path) = nesting::circle(*group, group_up) {
                    return Err(AppError::Cycle(path.into_iter().map(|id| after.group_ref(id).name).collect()));
                }
                groups |= !parents.is_empty();
            }
            Change::Person { .. }
            | Change::Active { .. }
            | Change::Roles { .. }
            | Change::Overrides { .. }
            | Change::Memberships { .. }
            | Change::RemoveRole { .. }
            | Change::RemoveGroup { .. }
            | Change::Facts { .. }
            | Change::Policy { .. }
            | Change::RemovePermission { .. } => {}
        }
    }
    // A new level in the middle makes what lies below it deeper.
    let too_deep = (roles && after.role_ids().into_iter().any(|id| nesting::height(id, &role_up) > DEEPEST))
        || (groups && after.group_ids().into_iter().any(|id| nesting::height(id, &group_up) > DEEPEST));
    if too_deep { Err(AppError::field("parents", FieldCode::TooDeep)) } else { Ok(()) }
}

/// Through whom rights may move with a change: the people it names, and the roles and groups that it touches with all that
/// inherit from them or lie in them.
pub fn carriers(before: &Snapshot, after: &Snapshot, changes: &[Change], now: DateTime<Utc>) -> Carriers {
    let (mut people, mut unnamed) = (Vec::new(), Vec::new());
    let (mut roles, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        match change {
            Change::Person { user, .. }
            | Change::Active { user, .. }
            | Change::Roles { user, .. }
            | Change::Overrides { user, .. }
            | Change::Memberships { user, .. } => people.push(*user),
            Change::RolePermissions { role, .. } | Change::RemoveRole { role } => {
                roles.insert(*role);
            }
            Change::Group { group, .. } | Change::RemoveGroup { group } => {
                groups.insert(*group);
            }
            Change::Facts { user, .. } => {
                let differs = |policy: &Arc<Policy>| {
                    let is = after.say(policy, *user, now);
                    before.say(policy, *user, now) != is || (policy.reads_people() && policy.may_move(is))
                };
                people.extend(after.policies().iter().any(differs).then_some(*user));
            }
            Change::Policy { id, .. } => unnamed.extend(moved_by_policy(before, after, *id, now)),
            Change::RemovePermission { key } => {
                unnamed.extend(overridden(before, key));
                let gives = |id: &RoleId| before.role(*id).is_some_and(|role| role.own.contains(key));
                roles.extend(before.role_ids().into_iter().filter(gives));
            }
        }
    }
    if !roles.is_empty() {
        let named = roles.clone();
        for snapshot in [before, after] {
            let inherits = |id: &RoleId| {
                snapshot.role(*id).is_some_and(|role| role.lineage.iter().any(|step| named.contains(&step.id)))
            };
            roles.extend(snapshot.role_ids().into_iter().filter(inherits));
        }
    }
    if !(roles.is_empty() && groups.is_empty()) {
        let named = groups.clone();
        for snapshot in [before, after] {
            let has = |grant: &RoleGrant| roles.contains(&grant.role);
            let is_touched = |id: GroupId| {
                named.contains(&id) || snapshot.group(id).is_some_and(|group| group.roles.iter().any(has))
            };
            let lies_in = |id: &GroupId| {
                snapshot.group(*id).is_some_and(|group| group.lineage.iter().any(|step| is_touched(step.id)))
            };
            groups.extend(snapshot.group_ids().into_iter().filter(lies_in));
        }
    }
    Carriers {
        people: people.into_iter().map(|user| user.0).collect(),
        roles: roles.into_iter().map(|role| role.0).collect(),
        groups: groups.into_iter().map(|group| group.0).collect(),
        unnamed: unnamed.into_iter().map(|user| user.0).collect(),
    }
}

/// The people about whom a policy says something else after a change of it, or may: it depends on what is not known yet.
pub fn moved_by_policy(before: &Snapshot, after: &Snapshot, id: PolicyId, now: DateTime<Utc>) -> Vec<UserId> {
    let says = |snapshot: &Snapshot, user| {
        let policy = snapshot.policy(id)?;
        let says = snapshot.say(policy, user, now);
        Some((says, policy.may_move(says)))
    };
    let moved = after.asked_beside(before, |user| {
        let (was, is) = (says(before, user), says(after, user));
        let is_open = |says: Option<(Say, bool)>| says.is_some_and(|(_, may_move)| may_move);
        was.map(|(says, _)| says) != is.map(|(says, _)| says) || is_open(was) || is_open(is)
    });
    moved.filter_map(|(user, is_moved)| is_moved.then_some(user)).collect()
}

/// Whether a change makes somebody an administrator: gives them the platform's role or the built-in one of that name, or
/// everything, by whatever way. A role or group that begins to give that counts whoever has it.
pub fn promotes(before: &Snapshot, after: &Snapshot, changes: &[Change], now: DateTime<Utc>) -> bool {
    let is_admin = |snapshot: &Snapshot, user: UserId| {
        snapshot.is_super_admin(user, now)
            || snapshot.has_role_named(user, &[ADMIN.to_owned()], now)
            || snapshot.is_given(user, &EVERYTHING, now)
    };
    let is_high = |snapshot: &Snapshot, role: &RoleGrants| {
        let mut lineage = role.lineage.iter().filter_map(|step| snapshot.role(step.id));
        role.patterns.contains(&EVERYTHING) || lineage.any(|role| !role.platform && role.name == ADMIN)
    };
    let role_is_high =
        |snapshot: &Snapshot, role: RoleId| snapshot.role(role).is_some_and(|role| is_high(snapshot, role));
    let group_is_high = |snapshot: &Snapshot, group: GroupId| {
        snapshot.of_group(group, now).iter().any(|grant| role_is_high(snapshot, grant.role))
    };
    // What a policy may give that cannot be asked now, where it said otherwise before.
    let is_more_by_policy = |user: UserId| {
        let mut giving = after.policies().iter().filter(|policy| policy.gives(&EVERYTHING));
        giving.any(|policy| {
            let says = after.say(policy, user, now);
            says.fails || (says.allows.is_none() && before.say(policy, user, now) != says)
        })
    };
    changes.iter().any(|change| match change {
        Change::Roles { user, .. }
        | Change::Overrides { user, .. }
        | Change::Facts { user, .. }
        | Change::Memberships { user, .. } => {
            (is_admin(after, *user) || is_more_by_policy(*user)) && !is_admin(before, *user)
        }
        Change::Policy { policy, .. } => policy.as_ref().is_some_and(|policy| policy.gives(&EVERYTHING)),
        Change::RolePermissions { role, permissions, .. } => {
            permissions.contains(&EVERYTHING) || (role_is_high(after, *role) && !role_is_high(before, *role))
        }
        Change::Group { group, .. } => group_is_high(after, *group) && !group_is_high(before, *group),
        Change::Person { .. }
        | Change::Active { .. }
        | Change::RemoveRole { .. }
        | Change::RemoveGroup { .. }
        | Change::RemovePermission { .. } => false,
    })
}

/// Refuses a change that hands on what the granter does not hold.
///
/// Nobody grants what they do not hold, and nobody ends with more than before plus what the granter holds: whatever is
/// newly given (also again, for longer, or wider) must be held whole, unscoped, and for as long; so must whatever the
/// lifting of a deny sets free. Acting on an account or a role needs all that it gives.
pub fn check_ceiling(
    before: &Arc<Snapshot>,
    after: &Snapshot,
    changes: &[Change],
    granter: Granter,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let Granter::Person(granter) = granter else { return Ok(()) };
    let mut missing = BTreeSet::new();
    for change in changes {
        // What is given, with the last moment at which it will count.
        let mut given = BTreeSet::new();
        match change {
            // A first role is what anybody gets by registering; it is nobody's grant.
            Change::Person { .. } => {}
            Change::Active { user, .. } => check_outranked(before, granter, *user, now)?,
            Change::Roles { user, roles } => {
                check_outranked(before, granter, *user, now)?;
                let is_super_admin = |last| before.is_super_admin(granter, now) && before.is_super_admin(granter, last);
                given.extend(handed_out(after, before.roles_of(*user), roles, is_super_admin)?);
            }
            Change::Overrides { user, overrides } => {
                check_outranked(before, granter, *user, now)?;
                let old = before.overrides_of(*user);
                let new_allows = overrides.iter().filter(|new| new.allowed);
                let kept = |new: &OverrideGrant| {
                    old.iter()
                        .any(|old| old.allowed && old.pattern == new.pattern && lasts(old.expires_at, new.expires_at))
                };
                let new_allows = new_allows.filter(|new| !kept(new));
                given.extend(new_allows.map(|new| (new.pattern.clone(), last_moment(new.expires_at))));
                given.extend(set_free(before, after, *user, now));
            }
            Change::Memberships { user, groups } => {
                check_outranked(before, granter, *user, now)?;
                let (old, new) = (before.of_groups(before.groups_of(*user), now), after.of_groups(groups, now));
                given.extend(handed_out(after, &old, &new, |_last| false)?);
            }
            Change::RolePermissions { role, .. } => {
                let new = after.role(*role).ok_or(AppError::field("parents", FieldCode::Unknown))?;
                // Nobody inherits from the platform's role.
                if new.lineage.iter().skip(1).any(|step| after.role(step.id).is_none_or(|role| role.platform)) {
                    return Err(beyond([EVERYTHING].into()));
                }
                let old = before.role(*role).map(|role| role.patterns.as_slice()).unwrap_or_default();
                given.extend(old.iter().map(|pattern| (pattern.clone(), now)));
                let more = new.patterns.iter().filter(|new| !old.contains(new));
                given.extend(more.map(|pattern| (pattern.clone(), last_moment(None))));
            }
            Change::RemoveRole { role } => {
                if let Some(role) = before.role(*role) {
                    given.extend(role.patterns.iter().map(|pattern| (pattern.clone(), now)));
                }
            }
            Change::Group { group, .. } => {
                let (old, new) = (before.of_group(*group, now), after.of_group(*group, now));
                given.extend(all_of(before, &old, now));
                given.extend(handed_out(after, &old, &new, |_last| false)?);
            }
            Change::RemoveGroup { group } => {
                given.extend(all_of(before, &before.of_group(*group, now), now));
            }
            Change::Facts { .. } => {}
            Change::Policy { id, .. } => {
                given.extend(actions_of(before, after, *id).map(|action| (action.clone(), last_moment(None))));
            }
            Change::RemovePermission { key } => {
                given.insert((key.clone(), now));
                // A deny that goes with its key would come back with neither.
                for user in overridden(before, key) {
                    given.extend(set_free(before, after, user, now));
                }
            }
        }
        // Many people, and asked for only where something is missing.
        let receivers = LazyCell::new(|| receivers(after, change, now));
        let holds = |pattern: &Permission, at| {
            before.may_hand_on(granter, pattern, at)
                || (*receivers).as_ref().is_some_and(|all| before.is_held_back_with(granter, pattern, after, all, at))
        };
        // Grants only run out: who holds it now and at its end holds it all the while.
        let beyond = given.into_iter().filter(|(pattern, last)| !(holds(pattern, now) && holds(pattern, *last)));
        missing.extend(beyond.map(|(pattern, _)| pattern));
    }
    let unfolded = unfolded(before, after, changes, now);
    missing.extend(unfolded.into_iter().filter(|pattern| !before.may_hand_on(granter, pattern, now)));
    if missing.is_empty() { Ok(()) } else { Err(beyond(missing)) }
}

/// What a policy is about that comes into force, goes out of it, or changes.
pub fn actions_of<'a>(before: &'a Snapshot, after: &'a Snapshot, id: PolicyId) -> impl Iterator<Item = &'a Permission> {
    let policies = [before.policy(id), after.policy(id)].into_iter().flatten();
    policies.flat_map(|policy| policy.actions.iter())
}

/// Who gets what a change gives; none where that is anybody.
fn receivers(after: &Snapshot, change: &Change, now: DateTime<Utc>) -> Option<Vec<UserId>> {
    match change {
        Change::Person { user, .. }
        | Change::Active { user, .. }
        | Change::Roles { user, .. }
        | Change::Overrides { user, .. }
        | Change::Facts { user, .. }
        | Change::Memberships { user, .. } => Some(vec![*user]),
        Change::RolePermissions { role, .. } | Change::RemoveRole { role } => Some(after.holders(*role, now)),
        Change::Group { group, .. } | Change::RemoveGroup { group } => Some(after.members(*group, now)),
        Change::Policy { .. } | Change::RemovePermission { .. } => None,
    }
}

/// What policies that were in force before and still are let people have who did not have it before: because of their
/// fields, of the roles they have, or of the groups they are in.
pub fn unfolded(before: &Snapshot, after: &Snapshot, changes: &[Change], now: DateTime<Utc>) -> BTreeSet<Permission> {
    let policies = after.policies().iter().filter(|policy| policy.reads_people());
    let policies = policies.filter(|policy| before.policy(policy.id) == Some(*policy)).collect::<Vec<_>>();
    let mut found = BTreeSet::new();
    if policies.is_empty() {
        return found;
    }
    for change in changes {
        let (is_about_facts, mut people) = match change {
            Change::Facts { user, .. } => (true, vec![*user]),
            Change::Person { user, .. } | Change::Roles { user, .. } | Change::Memberships { user, .. } => {
                (false, vec![*user])
            }
            // A name that changes counts, too.
            Change::RolePermissions { role, .. } | Change::RemoveRole { role } => {
                (false, [before.holders(*role, now), after.holders(*role, now)].concat())
            }
            Change::Group { group, .. } | Change::RemoveGroup { group } => {
                (false, [before.members(*group, now), after.members(*group, now)].concat())
            }
            Change::Active { .. }
            | Change::Overrides { .. }
            | Change::Policy { .. }
            | Change::RemovePermission { .. } => continue,
        };
        people.sort_unstable();
        people.dedup();
        for user in after.alike(before, &people).into_iter().filter_map(|alike| alike.first().copied()) {
            for policy in &policies {
                let (was, is) = (before.say(policy, user, now), after.say(policy, user, now));
                // What depends on the thing may depend on the fields as well.
                // A module that reads what is not known is not asked: any of what moves may count in it.
                let more = is.is_more_than(was) || (is_about_facts && is.is_open()) || policy.may_move(is);
                if more {
                    found.extend(let_through(before, after, user, policy, is, now));
                }
            }
        }
    }
    found
}

/// What somebody has because a policy allows it or denies it no longer: all it gives, and of what it denied what others
/// give.
fn let_through(
    before: &Snapshot,
    after: &Snapshot,
    user: UserId,
    policy: &Policy,
    says: Say,
    now: DateTime<Utc>,
) -> BTreeSet<Permission> {
    let mut found = BTreeSet::new();
    if policy.may_give(says) {
        found.extend(policy.actions.iter().cloned());
    }
    // Whoever is new had nothing that was held down.
    let Some(person) = after.person(user).filter(|_| before.person(user).is_some()) else { return found };
    let of_roles = after.given(person, now).flat_map(|given| given.role.patterns.iter());
    let own = person.overrides.iter().filter(|given| given.allowed && is_live(given.expires_at, now));
    for allow in of_roles.chain(own.map(|given| &given.pattern)) {
        for action in &policy.actions {
            if action.covers(allow) {
                found.insert(allow.clone());
            } else if allow.covers(action) {
                found.insert(action.clone());
            }
        }
    }
    found
}

/// What these grants give that no old one gives as far and as long. The platform's role is given to people by name, by
/// whoever has it up to the last moment at which it will count.
fn handed_out(
    after: &Snapshot,
    old: &[RoleGrant],
    new: &[RoleGrant],
    may_give_platform: impl Fn(DateTime<Utc>) -> bool,
) -> Result<Vec<(Permission, DateTime<Utc>)>, AppError> {
    let mut given = Vec::new();
    for grant in new.iter().filter(|grant| !old.iter().any(|old| outlasts(old, grant))) {
        let role = after.role(grant.role).ok_or(AppError::field("roles", FieldCode::Unknown))?;
        let last = last_moment(grant.expires_at);
        if role.platform && !may_give_platform(last) {
            return Err(beyond([EVERYTHING].into()));
        }
        if !role.is_baseline() {
            given.extend(role.patterns.iter().map(|pattern| (pattern.clone(), last)));
        }
    }
    Ok(given)
}

/// What acting on something that gives these needs: all of it, now.
fn all_of(before: &Snapshot, grants: &[RoleGrant], now: DateTime<Utc>) -> Vec<(Permission, DateTime<Utc>)> {
    let roles = grants.iter().filter_map(|grant| before.role(grant.role)).filter(|role| !role.is_baseline());
    roles.flat_map(|role| role.patterns.iter().map(|pattern| (pattern.clone(), now))).collect()
}

/// The last moment at which a grant with this end counts.
fn last_moment(expires_at: Option<DateTime<Utc>>) -> DateTime<Utc> {
    expires_at.map_or(DateTime::<Utc>::MAX_UTC, |end| end - TimeDelta::microseconds(1))
}

fn beyond(missing: BTreeSet<Permission>) -> AppError {
    let permissions = missing.iter().map(ToString::to_string).collect();
    AppError::Forbidden(Denial::new(DenialCode::Ceiling, permissions))
}

/// Refuses acting on the account of somebody who holds what the actor does not.
pub fn check_outranked(snapshot: &Snapshot, actor: UserId, target: UserId, now: DateTime<Utc>) -> Result<(), AppError> {
    let beyond = snapshot.beyond(actor, target, now);
    if beyond.is_empty() {
        return Ok(());
    }
    let permissions = beyond.iter().map(ToString::to_string).collect();
    Err(AppError::Forbidden(Denial::new(DenialCode::Outranked, permissions)))
}

/// The old grant of the role reaches as far and lasts as long as the new one.
fn outlasts(old: &RoleGrant, new: &RoleGrant) -> bool {
    old.role == new.role
        && (old.scope == new.scope || old.scope.is_everything())
        && lasts(old.expires_at, new.expires_at)
}

fn lasts(old: Option<DateTime<Utc>>, new: Option<DateTime<Utc>>) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => old >= new,
    }
}

/// What becomes effective because a deny ends: the narrower of the deny and each allow it held down. A deny that will
/// end sooner than it would have counts as ended.
pub fn set_free(
    before: &Snapshot,
    after: &Snapshot,
    user: UserId,
    now: DateTime<Utc>,
) -> Vec<(Permission, DateTime<Utc>)> {
    let (Some(old), Some(new)) = (before.person(user), after.person(user)) else { return Vec::new() };
    let ended = old.overrides.iter().filter(|deny| !deny.allowed && is_live(deny.expires_at, now)).filter(|deny| {
        !new.overrides
            .iter()
            .any(|kept| !kept.allowed && kept.pattern.covers(&deny.pattern) && lasts(kept.expires_at, deny.expires_at))
    });
    let of_roles = after.given(new, now).flat_map(|given| given.role.patterns.iter());
    let own = new.overrides.iter().filter(|given| given.allowed).map(|given| &given.pattern);
    let allows = of_roles.chain(own).collect::<Vec<_>>();
    ended
        .flat_map(|deny| {
            allows.iter().filter_map(|allow| {
                // Once the deny had run out by itself it held nothing down any more.
                let last = last_moment(deny.expires_at);
                if deny.pattern.covers(allow) {
                    Some((Permission::clone(allow), last))
                } else if allow.covers(&deny.pattern) {
                    Some((deny.pattern.clone(), last))
                } else {
                    None
                }
            })
        })
        .collect()
}

/// Whether somebody is given a role of the platform, or had it before, or such a role is changed.
pub fn is_of_platform(before: &Snapshot, after: &Snapshot, changes: &[Change]) -> bool {
    let platform = |role: RoleId| after.role(role).is_some_and(|role| role.platform);
    changes.iter().any(|change| match change {
        Change::Person { first_role, .. } => first_role.is_some_and(platform),
        Change::Roles { user, roles } => {
            let given = before.roles_of(*user).iter().chain(roles);
            given.into_iter().any(|given| platform(given.role))
        }
        Change::Group { roles, .. } => roles.iter().any(|given| platform(given.role)),
        Change::RolePermissions { role, .. } | Change::RemoveRole { role } => platform(*role),
        Change::Active { .. }
        | Change::Overrides { .. }
        | Change::Memberships { .. }
        | Change::RemoveGroup { .. }
        | Change::RemovePermission { .. }
        | Change::Facts { .. }
        | Change::Policy { .. } => false,
    })
}

/// Whether somebody counts among the super-admins of the installation: for good, everywhere, and with an account in use.
fn stands_as_super_admin(snapshot: &Snapshot, user: UserId, now: DateTime<Utc>) -> bool {
    snapshot.person(user).is_some_and(|person| {
        person.active
            && person.roles.iter().any(|given| {
                given.expires_at.is_none()
                    && given.scope.is_everything()
                    && snapshot.role(given.role).is_some_and(|role| role.platform)
            })
    }) && snapshot.is_super_admin(user, now)
}

/// Whether a change may cost the installation its last super-admin, so that they must be counted.
pub fn touches_super_admins(before: &Snapshot, after: &Snapshot, changes: &[Change], now: DateTime<Utc>) -> bool {
    changes.iter().any(|change| match change {
        Change::Person { user, .. }
        | Change::Active { user, .. }
        | Change::Roles { user, .. }
        | Change::Overrides { user, .. }
        | Change::Memberships { user, .. } => {
            stands_as_super_admin(before, *user, now) && !stands_as_super_admin(after, *user, now)
        }
        // The platform's role stands in no group and has none of a tenant's keys; no policy takes it.
        Change::Group { .. }
        | Change::RemoveGroup { .. }
        | Change::RemovePermission { .. }
        | Change::Facts { .. }
        | Change::Policy { .. } => false,
        Change::RolePermissions { role, .. } | Change::RemoveRole { role } => {
            before.role(*role).is_some_and(|role| role.platform)
        }
    })
}

/// By how many the people whom the changes are about become more or fewer super-admins: whoever hands over costs none.
pub fn super_admins_moved(before: &Snapshot, after: &Snapshot, changes: &[Change], now: DateTime<Utc>) -> i64 {
    let people = changes.iter().filter_map(|change| match change {
        Change::Person { user, .. }
        | Change::Active { user, .. }
        | Change::Roles { user, .. }
        | Change::Overrides { user, .. }
        | Change::Memberships { user, .. } => Some(*user),
        Change::RolePermissions { .. }
        | Change::RemoveRole { .. }
        | Change::Group { .. }
        | Change::RemoveGroup { .. }
        | Change::Facts { .. }
        | Change::Policy { .. }
        | Change::RemovePermission { .. } => None,
    });
    // Several changes may be about one person.
    let people = people.collect::<BTreeSet<_>>();
    let stands = |snapshot: &Snapshot, user: UserId| i64::from(stands_as_super_admin(snapshot, user, now));
    people.into_iter().map(|user| stands(after, user) - stands(before, user)).sum()
}

/// Writes the grants of a change. `before` has been locked and is current.
pub async fn write(
    connection: &mut PgConnection,
    tenant: TenantId,
    actor: Option<UserId>,
    changes: &[Change],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    for change in changes {
        match change {
            Change::Person { user, first_role, .. } => {
                if let Some(role) = first_role {
                    let grant = RoleGrant { role: *role, scope: Default::default(), expires_at: None };
                    insert_roles(connection, tenant, *user, actor, &[grant], now).await?;
                }
            }
            Change::Active { .. } => {}
            Change::Roles { user, roles } => {
                // Grants that stay keep who gave them and when.
                let kept = roles.iter().map(|grant| grant.role.0).collect::<Vec<_>>();
                sqlx::query!("delete from user_roles where user_id = $1 and role_id <> all($2)", user.0, &kept)
                    .execute(&mut *connection)
                    .await?;
                insert_roles(connection, tenant, *user, actor, roles, now).await?;
            }
            Change::Overrides { user, overrides } => {
                write_overrides(connection, tenant, *user, actor, overrides, now).await?;
            }
            Change::Memberships { user, groups } => {
                write_memberships(connection, tenant, *user, actor, groups, now).await?;
            }
            Change::Group { group, parents, roles, .. } => {
                write_group(connection, tenant, *group, actor, (parents, roles), now).await?;
            }
            Change::RolePermissions { role, permissions, parents, .. } => {
                let keys = permissions.iter().map(ToString::to_string).collect::<Vec<_>>();
                sqlx::query!(
                    "delete from role_permissions rp using permissions p
                     where p.id = rp.permission_id and rp.role_id = $1 and p.key <> all($2)",
                    role.0,
                    &keys,
                )
                .execute(&mut *connection)
                .await?;
                sqlx::query!(
                    "insert into role_permissions (tenant_id, role_id, permission_id)
                     select $1, $2, p.id from permissions p where p.key = any($3) on conflict do nothing",
                    tenant.0,
                    role.0,
                    &keys,
                )
                .execute(&mut *connection)
                .await?;
                let parents = parents.iter().map(|parent| parent.0).collect::<Vec<_>>();
                sqlx::query!("delete from role_parents where role_id = $1 and parent_id <> all($2)", role.0, &parents)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query!(
                    "insert into role_parents (tenant_id, role_id, parent_id)
                     select $1, $2, parent from unnest($3::uuid[]) parent on conflict do nothing",
                    tenant.0,
                    role.0,
                    &parents,
                )
                .execute(&mut *connection)
                .await?;
            }
            // The row takes its grants along.
            Change::RemoveRole { .. } | Change::RemoveGroup { .. } | Change::RemovePermission { .. } => {}
            // The rows are written by the capabilities that own them.
            Change::Facts { .. } | Change::Policy { .. } => {}
        }
    }
    Ok(())
}

async fn insert_roles(
    connection: &mut PgConnection,
    tenant: TenantId,
    user: UserId,
    actor: Option<UserId>,
    roles: &[RoleGrant],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    for grant in roles {
        sqlx::query!(
            "insert into user_roles
                 (tenant_id, user_id, role_id, scope_department, scope_region, expires_at, created_by, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (user_id, role_id) do update set
                 scope_department = excluded.scope_department, scope_region = excluded.scope_region,
                 expires_at = excluded.expires_at",
            tenant.0,
            user.0,
            grant.role.0,
            grant.scope.department.as_deref(),
            grant.scope.region.as_deref(),
            grant.expires_at,
            actor.map(|actor| actor.0),
            now,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn write_overrides(
    connection: &mut PgConnection,
    tenant: TenantId,
    user: UserId,
    actor: Option<UserId>,
    overrides: &[OverrideGrant],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let kept = overrides.iter().map(|given| given.pattern.to_string()).collect::<Vec<_>>();
    sqlx::query!(
        "delete from user_permissions up using permissions p
         where p.id = up.permission_id and up.user_id = $1 and p.key <> all($2)",
        user.0,
        &kept,
    )
    .execute(&mut *connection)
    .await?;
    for given in overrides {
        sqlx::query!(
            "insert into user_permissions
                 (tenant_id, user_id, permission_id, allowed, expires_at, reason, created_by, created_at)
             select $1, $2, p.id, $4, $5, $6, $7, $8 from permissions p where p.key = $3
             on conflict (user_id, permission_id) do update set
                 allowed = excluded.allowed, expires_at = excluded.expires_at, reason = excluded.reason",
            tenant.0,
            user.0,
            given.pattern.as_str(),
            given.allowed,
            given.expires_at,
            given.reason.as_deref(),
            actor.map(|actor| actor.0),
            now,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn write_memberships(
    connection: &mut PgConnection,
    tenant: TenantId,
    user: UserId,
    actor: Option<UserId>,
    groups: &[Membership],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (ids, ends): (Vec<_>, Vec<_>) = groups.iter().map(|given| (given.group.0, given.expires_at)).unzip();
    sqlx::query!("delete from group_members where user_id = $1 and group_id <> all($2)", user.0, &ids)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "insert into group_members (tenant_id, group_id, user_id, expires_at, created_by, created_at)
         select $1, given.id, $2, given.until, $5, $6
         from unnest($3::uuid[], $4::timestamptz[]) given (id, until)
         on conflict (group_id, user_id) do update set expires_at = excluded.expires_at",
        tenant.0,
        user.0,
        &ids,
        &ends as &[Option<DateTime<Utc>>],
        actor.map(|actor| actor.0),
        now,
    )
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn write_group(
    connection: &mut PgConnection,
    tenant: TenantId,
    group: GroupId,
    actor: Option<UserId>,
    (parents, roles): (&[GroupId], &[RoleGrant]),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let parents = parents.iter().map(|parent| parent.0).collect::<Vec<_>>();
    sqlx::query!("delete from group_parents where group_id = $1 and parent_id <> all($2)", group.0, &parents)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "insert into group_parents (tenant_id, group_id, parent_id)
         select $1, $2, parent from unnest($3::uuid[]) parent on conflict do nothing",
        tenant.0,
        group.0,
        &parents,
    )
    .execute(&mut *connection)
    .await?;
    let kept = roles.iter().map(|grant| grant.role.0).collect::<Vec<_>>();
    sqlx::query!("delete from group_roles where group_id = $1 and role_id <> all($2)", group.0, &kept)
        .execute(&mut *connection)
        .await?;
    for grant in roles {
        sqlx::query!(
            "insert into group_roles
                 (tenant_id, group_id, role_id, scope_department, scope_region, expires_at, created_by, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (group_id, role_id) do update set
                 scope_department = excluded.scope_department, scope_region = excluded.scope_region,
                 expires_at = excluded.expires_at",
            tenant.0,
            group.0,
            grant.role.0,
            grant.scope.department.as_deref(),
            grant.scope.region.as_deref(),
            grant.expires_at,
            actor.map(|actor| actor.0),
            now,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
