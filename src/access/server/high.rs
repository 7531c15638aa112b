//! Which grants are so high that a second person has to agree to them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    access::{
        ApprovalRules, EVERYTHING, Permission,
        server::{
            change::{self, Change},
            engine::{RoleGrant, RoleGrants, Snapshot},
        },
    },
    base::server::settings::Setting,
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
            // What is taken away is not high; a key that is gone gives nothing.
            Change::Person { .. }
            | Change::Active { .. }
            | Change::RemoveRole { .. }
            | Change::RemoveGroup { .. }
            | Change::RemovePermission { .. }
            | Change::Facts { .. } => {}
            // Also what it stops denying.
            Change::Policy { id, .. } => {
                let policies = [before.policy(*id), after.policy(*id)];
                let actions = policies.into_iter().flatten().flat_map(|policy| policy.actions.iter());
                found.extend(actions.filter(|action| rules.is_high(action)).cloned());
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
                let given = overrides.iter().filter(|new| new.allowed && !old.contains(new));
                let lifted = old.iter().filter(|old| !old.allowed && !overrides.contains(old));
                found.extend(
                    given.chain(lifted).map(|one| &one.pattern).filter(|pattern| rules.is_high(pattern)).cloned(),
                );
            }
            Change::RolePermissions { role, .. } => {
                // A role that nobody has gives nobody anything yet.
                if before.role(*role).is_none() || before.holders(*role, now).is_empty() {
                    continue;
                }
                let old = before.role(*role).map(|role| role.patterns.clone()).unwrap_or_default();
                let Some(new) = after.role(*role) else { continue };
                let listed = is_listed(after, new, rules);
                let more = new.patterns.iter().filter(|new| !old.contains(new));
                found.extend(more.filter(|new| listed || rules.is_high(new)).cloned());
            }
        }
    }
    found.extend(change::unfolded(before, after, changes, now).into_iter().filter(|pattern| rules.is_high(pattern)));
    found.sort();
    found.dedup();
    found
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

/// Whether the rules name a role, or one that it inherits from.
fn is_listed(snapshot: &Snapshot, role: &RoleGrants, rules: &ApprovalRules) -> bool {
    let above = role.lineage.iter().filter_map(|step| snapshot.role(step.id));
    rules.roles.contains(&role.name) || above.into_iter().any(|above| rules.roles.contains(&above.name))
}
