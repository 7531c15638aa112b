//! What an API key may hand on: nothing that its own scopes do not reach, whatever its holder could.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    access::{
        EVERYTHING, Permission,
        server::{
            PersonCaller,
            change::{Change, of_groups},
            engine::{Membership, Snapshot},
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
            Change::Person { .. } | Change::Active { .. } => {}
            Change::Roles { user, roles } => {
                let old = before.person(*user).map(|person| person.roles.as_slice()).unwrap_or_default();
                let moved =
                    roles.iter().filter(|new| !old.contains(new)).chain(old.iter().filter(|old| !roles.contains(old)));
                for role in moved.filter_map(|grant| after.role(grant.role)).filter(|role| !role.is_baseline()) {
                    touched.extend(role.patterns.iter().cloned());
                }
            }
            Change::Overrides { user, overrides } => {
                let old = before.person(*user).map(|person| person.overrides.as_slice()).unwrap_or_default();
                let moved = overrides
                    .iter()
                    .filter(|new| !old.contains(new))
                    .chain(old.iter().filter(|old| !overrides.contains(old)));
                touched.extend(moved.map(|given| given.pattern.clone()));
            }
            Change::RolePermissions { role, .. } => {
                for role in [before.role(*role), after.role(*role)].into_iter().flatten() {
                    touched.extend(role.patterns.iter().cloned());
                }
            }
            Change::Memberships { user, groups } => {
                let old = before.person(*user).map(|person| person.groups.clone()).unwrap_or_default();
                let (old, new) = (of_groups(before, &old, now), of_groups(after, groups, now));
                let come = new.iter().filter(|new| !old.contains(new)).filter_map(|grant| after.role(grant.role));
                let gone = old.iter().filter(|old| !new.contains(old)).filter_map(|grant| before.role(grant.role));
                for role in come.chain(gone).filter(|role| !role.is_baseline()) {
                    touched.extend(role.patterns.iter().cloned());
                }
            }
            Change::Group { group, .. } | Change::RemoveGroup { group } => {
                let inside = [Membership { group: *group, expires_at: None }];
                for snapshot in [&**before, after].into_iter().filter(|snapshot| snapshot.group(*group).is_some()) {
                    let roles = of_groups(snapshot, &inside, now);
                    for role in roles.iter().filter_map(|grant| snapshot.role(grant.role)) {
                        touched.extend(role.patterns.iter().cloned());
                    }
                }
            }
            Change::RemovePermission { key } => touched.push(key.clone()),
            Change::RemoveRole { role } => {
                touched.extend(before.role(*role).map(|role| role.patterns.clone()).unwrap_or_default());
            }
        }
    }
    touched.retain(|pattern| !caller.reaches(pattern));
    touched.sort();
    touched.dedup();
    if touched.is_empty() {
        return Ok(());
    }
    let permissions = touched.iter().map(ToString::to_string).collect();
    Err(AppError::Forbidden(Denial { code: DenialCode::Ceiling, permissions }))
}
