//! Which grants are so high that a second person has to agree to them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    access::{
        ApprovalRules, EVERYTHING, Permission,
        server::{change::Change, engine::Snapshot},
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
            Change::Person { .. } | Change::Active { .. } | Change::RemoveRole { .. } => {}
            Change::Roles { user, roles } => {
                let old = before.person(*user).map(|person| person.roles.as_slice()).unwrap_or_default();
                for role in roles.iter().filter(|new| !old.contains(new)).filter_map(|new| after.role(new.role)) {
                    if role.platform {
                        found.push(EVERYTHING);
                    } else if rules.roles.contains(&role.name) {
                        found.extend(role.patterns.iter().cloned());
                    } else {
                        found.extend(role.patterns.iter().filter(|pattern| rules.is_high(pattern)).cloned());
                    }
                }
            }
            Change::Overrides { user, overrides } => {
                let old = before.person(*user).map(|person| person.overrides.as_slice()).unwrap_or_default();
                let given = overrides.iter().filter(|new| new.allowed && !old.contains(new));
                let lifted = old.iter().filter(|old| !old.allowed && !overrides.contains(old));
                found.extend(
                    given.chain(lifted).map(|one| &one.pattern).filter(|pattern| rules.is_high(pattern)).cloned(),
                );
            }
            Change::RolePermissions { role, name, permissions } => {
                // A role that nobody has gives nobody anything yet.
                if before.role(*role).is_none() || before.holders(*role, now).is_empty() {
                    continue;
                }
                let old = before.role(*role).map(|role| role.patterns.clone()).unwrap_or_default();
                let listed = rules.roles.contains(name);
                let new = permissions.iter().filter(|new| !old.contains(new));
                found.extend(new.filter(|new| listed || rules.is_high(new)).cloned());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
