//! The audit log: who did what, as whom, to what, from where, and how it ended.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use crate::access::Outcome;
use crate::base::{errors::AppError, ids::UserId, paging::Page, time::Timestamp};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub id: Uuid,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Uuid>))]
    pub user_id: Option<UserId>,
    /// The actor's name at that time.
    pub user_name: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Uuid>))]
    pub impersonator_id: Option<UserId>,
    /// A dotted name of the published catalogue: `auth.login`, `admin.grant_permission`.
    pub action: String,
    pub outcome: Outcome,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    /// The resource's name at that time.
    pub resource_name: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Object>))]
    pub old_value: Option<Value>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Object>))]
    pub new_value: Option<Value>,
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub meta: Value,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<Uuid>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// What to list, newest first. The same words as in the query of `GET /admin/audit` and of the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct AuditQuery {
    /// Part of a name or value anywhere in the row; Arabic spellings fold together.
    pub q: Option<String>,
    /// Id of the actor.
    pub actor: Option<String>,
    /// Id of a person: what they did and what was done to them.
    pub about: Option<String>,
    /// An action, or its beginning: `admin.`.
    pub action: Option<String>,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    /// `done`, `denied` or `failed`.
    pub outcome: Option<String>,
    pub ip: Option<String>,
    /// From this moment on (RFC 3339 or a date, UTC).
    pub from: Option<String>,
    /// Up to, not including, this moment.
    pub to: Option<String>,
    /// Only the last so many hours, 1 to 8784.
    #[cfg_attr(feature = "ssr", param(value_type = Option<u32>))]
    pub last_hours: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// What of the last day is worth a look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditCounts {
    pub failed_sign_ins: i64,
    /// Requests that were refused for want of a permission.
    pub refusals: i64,
}

/// For how long back [`AuditCounts`] counts.
pub const RECENT_HOURS: u32 = 24;

#[server(prefix = "/api", endpoint = "audit/counts", input = PostUrl)]
pub async fn count_audit() -> Result<AuditCounts, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::audit::server::counts(&cx).await
}

#[server(prefix = "/api", endpoint = "audit/list", input = Json)]
pub async fn list_audit(query: AuditQuery) -> Result<Page<AuditEntry>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::audit::server::list(&cx, query.into()).await
}

/// One line of a before-and-after comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    pub field: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// What changed between the old and the new value of a row, field by field, as short texts; equal fields are left out.
/// Lists are compared as sets, item by item.
pub fn diff(old: Option<&Value>, new: Option<&Value>) -> Vec<DiffLine> {
    let empty = serde_json::Map::new();
    let fields = |value: Option<&Value>| match value {
        Some(Value::Object(map)) => map.clone(),
        Some(Value::Null) | None => empty.clone(),
        Some(other) => serde_json::Map::from_iter([("value".to_owned(), other.clone())]),
    };
    let (old, new) = (fields(old), fields(new));
    let mut names = old.keys().chain(new.keys()).cloned().collect::<Vec<_>>();
    names.sort();
    names.dedup();
    let mut lines = Vec::new();
    for field in names {
        let (before, after) = (old.get(&field), new.get(&field));
        if before == after {
            continue;
        }
        if let (Some(Value::Array(_)) | None, Some(Value::Array(_)) | None) = (before, after) {
            let items = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
            let (before, after) = (items(before), items(after));
            for item in before.iter().filter(|item| !after.contains(item)) {
                lines.push(DiffLine { field: field.clone(), old: plain(item), new: None });
            }
            for item in after.iter().filter(|item| !before.contains(item)) {
                lines.push(DiffLine { field: field.clone(), old: None, new: plain(item) });
            }
        } else {
            lines.push(DiffLine { field, old: before.and_then(plain), new: after.and_then(plain) });
        }
    }
    lines
}

/// A value without quotes; nothing for null.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(map) => {
            let parts = map.iter().filter_map(|(key, value)| Some(format!("{key}: {}", plain(value)?)));
            Some(parts.collect::<Vec<_>>().join(" · "))
        }
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// E3: a change reads as what went and what came.
    #[test]
    fn a_diff_names_only_what_changed() {
        let old = json!({"name": "Sara", "email": "s@x", "roles": ["a", "b"]});
        let new = json!({"name": "Sara", "email": "t@x", "roles": ["b", "c"]});
        let line = |field: &str, old: Option<&str>, new: Option<&str>| DiffLine {
            field: field.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        assert_eq!(
            diff(Some(&old), Some(&new)),
            [line("email", Some("s@x"), Some("t@x")), line("roles", Some("a"), None), line("roles", None, Some("c"))]
        );
        assert_eq!(diff(None, Some(&json!({"name": "x"}))), [line("name", None, Some("x"))]);
        assert_eq!(diff(Some(&old), Some(&old)), []);
    }
}
