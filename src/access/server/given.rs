//! Roles as they are asked for: judged before they become grants, and told to the log, whoever is to have them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    access::{
        GivenRole, HeldRole, Scope,
        server::engine::{RoleGrant, RoleGrants, Snapshot, is_live},
    },
    base::{
        errors::{FieldCode, FieldErrors},
        text::optional_line,
    },
};

/// The grants, each role once. A role that `may_be` refuses does not exist there.
pub fn parse(
    snapshot: &Snapshot,
    roles: Vec<GivenRole>,
    may_be: impl Fn(&RoleGrants) -> bool,
    now: DateTime<Utc>,
    errors: &mut FieldErrors,
) -> Vec<RoleGrant> {
    let mut grants = BTreeMap::new();
    for (at, given) in roles.into_iter().enumerate() {
        let field = format!("roles[{at}]");
        if !snapshot.role(given.role).is_some_and(|role| may_be(role)) {
            errors.add(field.clone(), FieldCode::Unknown);
        }
        let mut part = |name: &str, text: Option<String>| {
            errors.take(&format!("{field}.{name}"), optional_line(text.as_deref(), 200)).flatten()
        };
        let scope = Scope {
            department: part("department", given.scope.department),
            region: part("region", given.scope.region),
        };
        let grant = RoleGrant { role: given.role, scope, expires_at: given.expires_at.map(DateTime::from) };
        if !is_live(grant.expires_at, now) {
            errors.add(format!("{field}.expires_at"), FieldCode::Past);
        }
        if grants.insert(grant.role, grant).is_some() {
            errors.add(field, FieldCode::Contradiction);
        }
    }
    grants.into_values().collect()
}

/// Roles as the log has them: by name, with their bounds where they have any.
pub fn audited(roles: &[HeldRole]) -> Value {
    let roles = roles.iter().map(|has| {
        if has.scope.is_everything() && has.expires_at.is_none() {
            return json!(has.role.name);
        }
        json!({
            "role": has.role.name,
            "department": has.scope.department,
            "region": has.scope.region,
            "expires_at": has.expires_at,
        })
    });
    roles.collect()
}
