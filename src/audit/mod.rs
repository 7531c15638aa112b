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
    /// Who acted as the actor, by the name of that time.
    pub impersonator_name: Option<String>,
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

/// A signed head of a chain: whoever keeps it elsewhere can tell later whether anything before it was touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// `bawwab.audit.checkpoint.v1`
    pub format: String,
    /// The tenant; the nil id for what belongs to none.
    pub chain: Uuid,
    /// How many rows it covers.
    pub seq: i64,
    /// The last link, in hexadecimal.
    pub hash: String,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub signed_at: Timestamp,
    /// Ed25519, in hexadecimal.
    pub public_key: String,
    pub signature: String,
}

impl Checkpoint {
    pub const FORMAT: &str = "bawwab.audit.checkpoint.v1";
}

/// What is wrong with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Fault {
    /// A row says something else than what was written.
    Changed,
    /// A row that was sealed is not there, and no rule has removed it.
    Missing,
    /// A row that the program did not write.
    NotOurs,
    /// Another row stands in its place.
    Moved,
    /// The chain itself was altered.
    Chain,
    /// The end of the chain was cut off: a signed head lies beyond it.
    CutOff,
    /// The checkpoint is not genuine, or of another chain.
    Checkpoint,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BadRow {
    /// Its place in the chain; none where it has none.
    pub seq: Option<i64>,
    pub id: Option<Uuid>,
    pub fault: Fault,
}

/// One look at the whole of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Report {
    /// How many places were looked at.
    pub rows: i64,
    /// The last place.
    pub head: i64,
    /// Rows of which personal data was erased; what remains is as it was.
    pub erased: i64,
    /// Rows that the rule for keeping has removed; their digests remain.
    pub removed: i64,
    /// Rows without a place yet, each looked at.
    pub unsealed: i64,
    pub first_bad: Option<BadRow>,
}

/// Whether the tenant's log is as it was written, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Verification {
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub verified_at: Option<Timestamp>,
    /// None before the first look.
    pub intact: Option<bool>,
    pub report: Option<Report>,
    /// How many rows wait for their place in the chain now, and since when the oldest does.
    pub unsealed: i64,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub unsealed_since: Option<Timestamp>,
    /// The newest signed head.
    pub checkpoint: Option<Checkpoint>,
}

/// How long the tenant keeps its log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RetentionRule {
    /// 30 to 36500; none keeps everything.
    pub keep_days: Option<u32>,
    /// While it holds nothing is removed.
    pub legal_hold: bool,
    /// Why: needed with a hold.
    pub hold_reason: Option<String>,
}

#[server(prefix = "/api", endpoint = "audit/verification", input = PostUrl)]
pub async fn audit_verification() -> Result<Verification, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::audit::server::verify::known(&cx).await
}

#[server(prefix = "/api", endpoint = "audit/verify", input = PostUrl)]
pub async fn verify_audit() -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::audit::server::verify::ask(&cx).await
}

#[server(prefix = "/api", endpoint = "audit/retention", input = PostUrl)]
pub async fn audit_retention() -> Result<RetentionRule, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::audit::server::retention::get(&cx).await
}

#[server(prefix = "/api", endpoint = "audit/set-retention", input = Json)]
pub async fn set_audit_retention(rule: RetentionRule) -> Result<RetentionRule, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::audit::server::retention::set(&cx, rule.into()).await
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
    /// Id of whoever acted as somebody else.
    pub impersonator: Option<String>,
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

/// Where a page of one's own activity begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct After {
    /// The `next` of the page before.
    pub after: Option<String>,
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

/// What the caller has done, and what was done to their account, newest first.
#[server(prefix = "/api", endpoint = "audit/own", input = Json)]
pub async fn own_activity(from: After) -> Result<Page<AuditEntry>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::audit::server::own::activity(&cx, from.into()).await
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
