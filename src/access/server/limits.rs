//! What an API key may hand on: nothing that its own scopes do not reach, whatever its holder could.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    access::{
        EVERYTHING, Permission,
        server::{
            PersonCaller,
            change::{self, Change},
            engine::{RoleGrant, Snapshot},
        },
    },
    base::errors::{AppError, Denial, DenialCode},
};

/// Refuses a change by a key that touches rights beyond its scopes. It is stricter than the ceiling of its holder: also
/// what is kept or taken away has to lie within.
pub fn check(
    before: &Arc<Snapshot>,
    after: &Snapshot,
    changes: &[Change],
    caller: &PersonCaller,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    if caller.reaches(&EVERYTHING) {
        return Ok(());
    }
    let mut touched = Vec::<Permission>::new();
    for change in changes {
        match change {
            // The account as such: what it holds was given by others.
            Change::Person { .. } | Change::Active { .. } | Change::Facts { .. } => {}
            Change::Policy { id, .. } => touched.extend(change::actions_of(before, after, *id).cloned()),
            Change::Roles { user, roles } => touched.extend(moved(before, after, before.roles_of(*user), roles)),
            Change::Overrides { user, overrides } => {
                let old = before.overrides_of(*user);
                let come = overrides.iter().filter(|new| !old.contains(new));
                let gone = old.iter().filter(|old| !overrides.contains(old));
                touched.extend(come.chain(gone).map(|given| given.pattern.clone()));
            }
            Change::RolePermissions { role, .. } | Change::RemoveRole { role } => {
                for role in [before.role(*role), after.role(*role)].into_iter().flatten() {
                    touched.extend(role.patterns.iter().cloned());
                }
            }
            Change::Memberships { user, groups } => {
                let (old, new) = (before.of_groups(before.groups_of(*user), now), after.of_groups(groups, now));
                touched.extend(moved(before, after, &old, &new));
            }
            Change::Group { group, .. } | Change::RemoveGroup { group } => {
                for snapshot in [&**before, after] {
                    let roles = snapshot.of_group(*group, now);
                    for role in roles.iter().filter_map(|grant| snapshot.role(grant.role)) {
                        touched.extend(role.patterns.iter().cloned());
                    }
                }
            }
            Change::RemovePermission { key } => touched.push(key.clone()),
        }
    }
    touched.extend(change::unfolded(before, after, changes, now));
    touched.retain(|pattern| !caller.reaches(pattern));
    touched.sort();
    touched.dedup();
    if touched.is_empty() {
        return Ok(());
    }
    let permissions = touched.iter().map(ToString::to_string).collect();
    Err(AppError::Forbidden(Denial::new(DenialCode::Ceiling, permissions)))
}

/// What the roles give that come and go.
fn moved(before: &Snapshot, after: &Snapshot, old: &[RoleGrant], new: &[RoleGrant]) -> Vec<Permission> {
    let come = new.iter().filter(|new| !old.contains(new)).filter_map(|grant| after.role(grant.role));
    let gone = old.iter().filter(|old| !new.contains(old)).filter_map(|grant| before.role(grant.role));
    let roles = come.chain(gone).filter(|role| !role.is_baseline());
    roles.flat_map(|role| role.patterns.iter().cloned()).collect()
}
