//! The words of "who may do what": permissions, decisions and the reasons for them.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use crate::base::{
    errors::FieldCode,
    ids::{GroupId, PolicyId, RoleId},
    time::Timestamp,
};

pub mod opa;
#[cfg(feature = "ssr")]
pub mod server;

/// A catalogue key (`users.read`) or a wildcard: `users.*`, `*`.
///
/// Dotted, lower case, two or more segments. A wildcard is a prefix of whole segments and covers keys that do not exist
/// yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Permission(Cow<'static, str>);

impl Permission {
    /// For the keys in this file, which a test parses.
    const fn constant(key: &'static str) -> Self {
        Permission(Cow::Borrowed(key))
    }

    pub fn parse(key: &str) -> Result<Self, FieldCode> {
        let segments = key.split('.').collect::<Vec<_>>();
        let is_word = |segment: &str| {
            segment.starts_with(|c: char| c.is_ascii_lowercase())
                && segment.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        let good = match segments.split_last() {
            Some((&"*", [])) => true,
            Some((last, rest)) if !rest.is_empty() => {
                (*last == "*" || is_word(last)) && rest.iter().all(|segment| is_word(segment))
            }
            _ => false,
        };
        if good && key.len() <= 120 { Ok(Permission(Cow::Owned(key.to_owned()))) } else { Err(FieldCode::Malformed) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_wildcard(&self) -> bool {
        self.0.ends_with('*')
    }

    /// Whether whoever holds this holds `other` as well.
    pub fn covers(&self, other: &Permission) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => other.0.starts_with(prefix),
            None => self.0 == other.0,
        }
    }

    /// Everything that covers it: the key itself, and each wildcard above it.
    pub fn covering(&self) -> Vec<String> {
        let above = self.0.match_indices('.').map(|(dot, _)| format!("{}.*", &self.0[..dot]));
        let mut all = above.chain(["*".to_owned(), self.0.to_string()]).collect::<Vec<_>>();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The part before the last dot, which groups keys in the catalogue: `oauth.clients` of `oauth.clients.manage`.
    pub fn resource(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(resource, _)| resource)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        Permission::parse(&key).map_err(|_code| serde::de::Error::custom("expected a permission key"))
    }
}

macro_rules! permissions {
    ($($name:ident = $key:literal;)*) => {
        $(pub const $name: Permission = Permission::constant($key);)*
        /// Every permission that this program asks for by name.
        pub const ASKED: &[Permission] = &[$($name),*];
    };
}

permissions! {
    USERS_READ = "users.read";
    USERS_CREATE = "users.create";
    USERS_UPDATE = "users.update";
    USERS_DELETE = "users.delete";
    USERS_RESET_PASSWORD = "users.reset_password";
    ROLES_READ = "roles.read";
    ROLES_CREATE = "roles.create";
    ROLES_UPDATE = "roles.update";
    ROLES_DELETE = "roles.delete";
    PERMISSIONS_READ = "permissions.read";
    PERMISSIONS_ASSIGN = "permissions.assign";
    PERMISSIONS_MANAGE = "permissions.manage";
    GROUPS_READ = "groups.read";
    GROUPS_MANAGE = "groups.manage";
    POLICIES_READ = "policies.read";
    POLICIES_CREATE = "policies.create";
    POLICIES_UPDATE = "policies.update";
    POLICIES_DELETE = "policies.delete";
    AUDIT_READ = "audit.read";
    AUDIT_EXPORT = "audit.export";
    CONSENTS_READ = "consents.read";
    CONSENTS_MANAGE = "consents.manage";
    API_KEYS_MANAGE = "api_keys.manage";
    APPROVALS_DECIDE = "approvals.decide";
    IMPERSONATE_USERS = "impersonate.users";
    REPORTS_READ = "reports.read";
    SESSIONS_READ = "sessions.read";
    SESSIONS_REVOKE = "sessions.revoke";
    DEVICES_READ = "devices.read";
    DEVICES_REVOKE = "devices.revoke";
    SETTINGS_READ = "settings.read";
    SETTINGS_UPDATE = "settings.update";
    TENANTS_READ = "tenants.read";
    TENANTS_CREATE = "tenants.create";
    TENANTS_UPDATE = "tenants.update";
    REQUESTS_VOUCH = "requests.vouch";
}

/// What a super-admin keeps whatever is denied to them, so that administration cannot be locked for good.
pub const PROTECTED: &[Permission] = &[
    USERS_READ,
    USERS_UPDATE,
    ROLES_READ,
    ROLES_UPDATE,
    PERMISSIONS_READ,
    PERMISSIONS_ASSIGN,
    POLICIES_READ,
    POLICIES_UPDATE,
];

/// Whatever there is and will be.
pub const EVERYTHING: Permission = Permission::constant("*");

/// The name of the one platform-wide role, from which the super-admin flag is derived.
pub const SUPER_ADMIN: &str = "super-admin";

/// The name of the built-in role that administers a tenant.
pub const ADMIN: &str = "admin";

/// The name of the built-in role that everybody gets who is given no other.
pub const STANDARD_USER: &str = "standard-user";

/// What is so high that others have to agree to it. The platform's `super-admin` is, whatever stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ApprovalRules {
    /// Keys and wildcards of the catalogue.
    pub permissions: Vec<String>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// How many have to agree, 1 to 5.
    pub required: u8,
    /// After so many hours without an answer a request is void, 1 to 720.
    pub expires_hours: u32,
}

impl Default for ApprovalRules {
    fn default() -> Self {
        ApprovalRules { permissions: Vec::new(), roles: Vec::new(), required: 1, expires_hours: 72 }
    }
}

/// One line of the permission catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PermissionInfo {
    pub key: String,
    pub name_ar: String,
    pub name_en: String,
    #[serde(default)]
    pub description_ar: String,
    #[serde(default)]
    pub description_en: String,
    /// The tenant has added it; the program itself asks for none of those.
    #[serde(default)]
    pub own: bool,
}

impl PermissionInfo {
    pub fn name(&self, arabic: bool) -> &str {
        if arabic { &self.name_ar } else { &self.name_en }
    }

    pub fn description(&self, arabic: bool) -> &str {
        if arabic { &self.description_ar } else { &self.description_en }
    }
}

/// A role where it is only referred to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleRef {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: RoleId,
    pub name: String,
}

/// A role that somebody or a group has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct HeldRole {
    pub role: RoleRef,
    pub scope: Scope,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

/// A role as it shall be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GivenRole {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub role: RoleId,
    /// Where it counts; the whole tenant where nothing is said.
    #[serde(default)]
    pub scope: Scope,
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

impl From<&HeldRole> for GivenRole {
    fn from(has: &HeldRole) -> Self {
        GivenRole { role: has.role.id, scope: has.scope.clone(), expires_at: has.expires_at }
    }
}

/// A group where it is only referred to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GroupRef {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: GroupId,
    pub name: String,
}

/// A policy where it is only referred to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PolicyRef {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: PolicyId,
    pub name: String,
}

/// What a policy does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum PolicyMode {
    /// May allow by itself.
    Grant,
    /// Has to hold, or what others allow does not stand.
    Require,
}

impl PolicyMode {
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyMode::Grant => "grant",
            PolicyMode::Require => "require",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "grant" => Some(PolicyMode::Grant),
            "require" => Some(PolicyMode::Require),
            _ => None,
        }
    }
}

/// What a policy is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum PolicyLanguage {
    /// Rules and conditions in JSON.
    #[default]
    Rules,
    /// A module of Rego.
    Rego,
    /// A decision of the tenant's own Open Policy Agent.
    Opa,
}

impl PolicyLanguage {
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyLanguage::Rules => "rules",
            PolicyLanguage::Rego => "rego",
            PolicyLanguage::Opa => "opa",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "rules" => Some(PolicyLanguage::Rules),
            "rego" => Some(PolicyLanguage::Rego),
            "opa" => Some(PolicyLanguage::Opa),
            _ => None,
        }
    }
}

/// What one rule of a policy says where its condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum PolicyEffect {
    Allow,
    Deny,
}

/// How far a grant reaches. Both parts must hold where both are given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Scope {
    pub department: Option<String>,
    pub region: Option<String>,
}

impl Scope {
    /// The whole tenant.
    pub fn is_everything(&self) -> bool {
        self.department.is_none() && self.region.is_none()
    }

    /// Whether something with these facts lies inside. What has no department lies in no department's scope.
    pub fn holds(&self, facts: &Facts) -> bool {
        let within = |bound: &Option<String>, fact: &Option<String>| match bound {
            None => true,
            Some(_) => bound == fact,
        };
        within(&self.department, &facts.department) && within(&self.region, &facts.region)
    }
}

/// What a decision may look at in the thing that is acted on, and what a policy may look at in whoever acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    pub department: Option<String>,
    pub region: Option<String>,
    /// Whatever else is known of it, for policies: an object.
    pub other: serde_json::Value,
}

impl Facts {
    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        let has_other = self.other.as_object().is_some_and(|other| !other.is_empty());
        self.department.is_none() && self.region.is_none() && !has_other
    }
}

/// One source of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Reason {
    /// A role gives it, through this key or wildcard.
    Role {
        role: RoleRef,
        through: String,
        scope: Scope,
        /// When the first part of the way ends.
        #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
        expires_at: Option<Timestamp>,
        /// The group they are in, and those around it up to the one that has the role; empty where they were given it
        /// themselves.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<GroupRef>,
        /// The roles from which it inherits, up to the one that gives it; empty where it gives it by itself.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        inherited: Vec<RoleRef>,
    },
    /// An override allows it.
    Allowed {
        through: String,
        #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
        expires_at: Option<Timestamp>,
        reason: Option<String>,
    },
    /// An override denies it, which beats every allow.
    Denied {
        through: String,
        #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
        expires_at: Option<Timestamp>,
        reason: Option<String>,
    },
    /// A policy allows it by itself.
    PolicyAllows { policy: PolicyRef },
    /// A policy denies it, which beats every allow: a deny of it holds, or what it requires does not.
    PolicyDenies { policy: PolicyRef },
    /// The module of a policy could not be evaluated, or an external decision was not had, and so it denies.
    PolicyFails { policy: PolicyRef },
    /// A policy decides on what is not known here: the thing that is acted on, or the request.
    PolicyOpen { policy: PolicyRef },
    /// A policy is decided outside, where nobody was asked now.
    PolicyOutside { policy: PolicyRef },
    /// A deny would hold, but a super-admin keeps what administration needs.
    Protected { through: String },
    /// The account is not active.
    Inactive,
    /// Nothing gives it.
    NothingGrants,
}

/// An answer and every source of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub answer: Answer,
    pub because: Vec<Reason>,
}

/// `Depends` on the thing acted on: the right is held inside a scope only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Yes,
    No,
    Depends,
}

impl Decision {
    /// Held everywhere in the tenant.
    pub fn allowed(&self) -> bool {
        self.answer == Answer::Yes
    }
}

/// One permission of a person with everything that speaks for or against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct EffectivePermission {
    pub key: String,
    pub name_ar: String,
    pub name_en: String,
    pub allowed: bool,
    pub because: Vec<Reason>,
}

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Outcome {
    Done,
    /// Refused: the caller may not.
    Denied,
    /// Tried with the wrong proof.
    Failed,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Denied => "denied",
            Outcome::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "done" => Some(Outcome::Done),
            "denied" => Some(Outcome::Denied),
            "failed" => Some(Outcome::Failed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// C16: the constants are keys that the catalogue's own rule accepts.
    #[test]
    fn every_permission_asked_for_is_a_valid_key() {
        for permission in ASKED {
            assert_eq!(Permission::parse(permission.as_str()).as_ref(), Ok(permission));
        }
    }

    /// C1: a wildcard is a prefix of whole segments.
    #[test]
    fn a_wildcard_covers_its_segments_and_nothing_beside_them() {
        let covers =
            |a: &str, b: &str| Permission::parse(a).expect("a key").covers(&Permission::parse(b).expect("a key"));
        assert!(covers("users.*", "users.read"));
        assert!(covers("users.*", "users.*"));
        assert!(covers("oauth.*", "oauth.clients.manage"));
        assert!(covers("*", "users.read"));
        assert!(covers("*", "*"));
        assert!(!covers("users.*", "usersx.read"));
        assert!(!covers("users.*", "*"));
        assert!(!covers("users.read", "users.*"));
        assert!(!covers("users.read", "users.read_all"));
    }

    /// CVE-2026-5006: nothing but plain segments is a key.
    #[test]
    fn malformed_keys_are_refused() {
        for key in [
            "",
            "users",
            "Users.read",
            "users.",
            ".read",
            "users..read",
            "users.re*d",
            "*.read",
            "users.*.x",
            "**",
            "users/read",
            "users.read ",
            "users.réad",
            "users.1x",
            "users.\u{202e}read",
            "users.read\n",
        ] {
            assert_eq!(Permission::parse(key), Err(FieldCode::Malformed), "{key:?}");
        }
    }

    proptest! {
        #[test]
        fn what_covers_a_wildcard_covers_all_below_it(a in "(\\*|[a-c]\\.(\\*|[a-c]))", b in "(\\*|[a-c]\\.(\\*|[a-c]))", c in "[a-c]\\.[a-c]") {
            let (a, b, c) = (Permission::parse(&a).unwrap(), Permission::parse(&b).unwrap(), Permission::parse(&c).unwrap());
            if a.covers(&b) && b.covers(&c) {
                prop_assert!(a.covers(&c));
            }
            prop_assert_eq!(a.covers(&b), b.covering().contains(&a.to_string()));
        }
    }
}
