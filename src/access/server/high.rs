//! Which grants are so high that a second person has to agree to them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    access::{
        ApprovalRules, EVERYTHING, Permission,
        server::{
            change::{self, Change, overridden, set_free},
            engine::{RoleGrant, RoleGrants, Snapshot},
        },
    },
    base::{
        ids::{RoleId, UserId},
        server::settings::Setting,
    },
};

impl Setting for ApprovalRules {
    const KEY: &'static str = "approvals.rules";
}

impl ApprovalRules {
    fn is_high(&self, pattern: &Permission) -> bool {
        let listed = self.permissions.iter().filter_map(|key| Permission::parse(key).ok());
        let mut listed = listed.chain([EVERYTHING]);
        // A wildcard gives what lies below it, and is given by what lies above.
        listed.any(|high| high == *pattern || (high != EVERYTHING && (high.covers(pattern) || pattern.covers(&high))))
    }
}

/// What of `changes` is high: keys and wildcards that are newly given, or that a lifted deny sets free.
pub fn high(
    before: &Arc<Snapshot>,
    after: &Snapshot,
    changes: &[Change],
    rules: &ApprovalRules,
    now: DateTime<Utc>,
) -> Vec<Permission> {
    let mut found = Vec::new();
    for change in changes {
        match change {
            // What is taken away is not high. The role that everybody gets is guarded where it is changed.
            Change::Person { .. }
            | Change::Active { .. }
            | Change::RemoveRole { .. }
            | Change::RemoveGroup { .. }
            | Change::Facts { .. } => {}
            // Also what it stops denying.
            Change::Policy { id, .. } => {
                found.extend(change::actions_of(before, after, *id).filter(|action| rules.is_high(action)).cloned());
            }
            Change::Roles { user, roles } => {
                found.extend(newly_given(after, before.roles_of(*user), roles, rules));
            }
            Change::Memberships { user, groups } => {
                let (old, new) = (before.of_groups(before.groups_of(*user), now), after.of_groups(groups, now));
                found.extend(newly_given(after, &old, &new, rules));
            }
            Change::Group { group, .. } => {
                // A group that nobody is in gives nobody anything yet.
                if before.group(*group).is_none() || before.members(*group, now).is_empty() {
                    continue;
                }
                let (old, new) = (before.of_group(*group, now), after.of_group(*group, now));
                found.extend(newly_given(after, &old, &new, rules));
            }
            Change::Overrides { user, overrides } => {
                let old = before.overrides_of(*user);
                let given = overrides.iter().filter(|new| new.allowed && !old.contains(new)).map(|one| &one.pattern);
                found.extend(given.filter(|pattern| rules.is_high(pattern)).cloned());
                found.extend(freed(before, after, *user, rules, now));
            }
            Change::RemovePermission { key } => {
                // Its deny goes with it, and another key or wildcard may still give what that held down.
                for user in overridden(before, key) {
                    found.extend(freed(before, after, user, rules, now));
                }
            }
            Change::RolePermissions { role, .. } => {
                // Whatever inherits from it gives it too.
                let heirs = after.role_ids().into_iter();
                for heir in heirs.filter(|id| after.role(*id).is_some_and(|heir| heir.includes(*role))) {
                    found.extend(more_of(before, after, heir, rules, now));
                }
            }
        }
    }
    found.extend(change::unfolded(before, after, changes, now).into_iter().filter(|pattern| rules.is_high(pattern)));
    found.sort();
    found.dedup();
    found
}

/// What is high of that which a role gives and did not give before.
fn more_of(
    before: &Snapshot,
    after: &Snapshot,
    role: RoleId,
    rules: &ApprovalRules,
    now: DateTime<Utc>,
) -> Vec<Permission> {
    let Some(new) = after.role(role) else { return Vec::new() };
    let old = before.role(role);
    let listed = is_listed(after, new, rules);
    let was_listed = old.is_some_and(|old| is_listed(after, old, rules));
    let had = |pattern: &Permission| old.is_some_and(|old| old.patterns.contains(pattern));
    // A role that begins to be as high as a listed one is high with everything it gives.
    let more = new.patterns.iter().filter(|pattern| (listed && !was_listed) || !had(pattern));
    let more = more.filter(|pattern| listed || rules.is_high(pattern)).cloned().collect::<Vec<_>>();
    // A role that nobody has gives nobody anything yet; the one that everybody gets, whoever registers next.
    if more.is_empty() || new.is_baseline() || before.has_holders(role, now) { more } else { Vec::new() }
}

/// What is high of that which becomes effective because a deny of somebody's ends.
fn freed(
    before: &Snapshot,
    after: &Snapshot,
    user: UserId,
    rules: &ApprovalRules,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Permission> {
    let freed = set_free(before, after, user, now).into_iter().map(|(pattern, _last)| pattern);
    freed.filter(|pattern| rules.is_high(pattern))
}

/// What is high of the roles that come to those there were.
fn newly_given(after: &Snapshot, old: &[RoleGrant], new: &[RoleGrant], rules: &ApprovalRules) -> Vec<Permission> {
    let mut found = Vec::new();
    for role in new.iter().filter(|new| !old.contains(new)).filter_map(|new| after.role(new.role)) {
        if role.platform {
            found.push(EVERYTHING);
        } else if is_listed(after, role, rules) {
            found.extend(role.patterns.iter().cloned());
        } else {
            found.extend(role.patterns.iter().filter(|pattern| rules.is_high(pattern)).cloned());
        }
    }
    found
}

/// Whether the rules name a role, one that it inherits from, or one that gives no more than it does: a copy under another
/// name is as high.
fn is_listed(snapshot: &Snapshot, role: &RoleGrants, rules: &ApprovalRules) -> bool {
    let is_named = |role: &RoleGrants| rules.roles.contains(&role.name);
    let gives_all_of = |listed: &RoleGrants| {
        let covered = |pattern: &Permission| role.patterns.iter().any(|own| own.covers(pattern));
        !listed.patterns.is_empty() && listed.patterns.iter().all(covered)
    };
    let mut lineage = role.lineage.iter().filter_map(|step| snapshot.role(step.id));
    if rules.roles.is_empty() {
        return false;
    }
    let mut all = snapshot.role_ids().into_iter().filter_map(|id| snapshot.role(id));
    is_named(role) || lineage.any(|above| is_named(above)) || all.any(|listed| is_named(listed) && gives_all_of(listed))
}
