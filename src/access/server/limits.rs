//! What an API key may hand on: nothing that its own scopes do not reach, whatever its holder could.

use crate::{
    access::{
        EVERYTHING, Permission,
        server::{PersonCaller, change::Change, engine::Snapshot},
    },
    base::errors::{AppError, Denial, DenialCode},
};

/// Refuses a change by a key that touches rights beyond its scopes. It is stricter than the ceiling of its holder: also
/// what is kept or taken away has to lie within.
pub fn check(before: &Snapshot, after: &Snapshot, changes: &[Change], caller: &PersonCaller) -> Result<(), AppError> {
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
            Change::RolePermissions { role, permissions, .. } => {
                let old = before.role(*role).map(|role| role.patterns.clone()).unwrap_or_default();
                touched.extend(permissions.iter().chain(&old).cloned());
            }
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
