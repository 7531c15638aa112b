//! Roles that many need: created in one click.

use serde::{Deserialize, Serialize};

/// A role as it can be created; the texts stand in both languages, the viewer's is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    pub id: &'static str,
    pub permissions: &'static [&'static str],
}

/// In the order in which they are offered.
pub const TEMPLATES: &[Template] = &[
    Template {
        id: "support",
        permissions: &["users.read", "users.reset_password", "sessions.read", "devices.read", "audit.read"],
    },
    Template { id: "readonly", permissions: &["users.read", "roles.read", "permissions.read", "audit.read"] },
    Template { id: "analyst", permissions: &["reports.read", "results.read_all", "audit.read", "users.read"] },
    // Between an administrator and a person: they manage accounts, not rights (users-ask 23).
    Template {
        id: "user_manager",
        permissions: &[
            "users.read",
            "users.create",
            "users.update",
            "users.reset_password",
            "roles.read",
            "sessions.read",
            "sessions.revoke",
            "devices.read",
            "devices.revoke",
        ],
    },
    Template {
        id: "auditor",
        permissions: &[
            "users.read",
            "roles.read",
            "groups.read",
            "permissions.read",
            "policies.read",
            "sessions.read",
            "settings.read",
            "audit.read",
            "audit.export",
        ],
    },
];

/// A template as programs and pages see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleTemplate {
    pub id: String,
    pub name_ar: String,
    pub name_en: String,
    pub description_ar: String,
    pub description_en: String,
    pub permissions: Vec<String>,
}

/// A role to be made of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FromTemplate {
    pub template: String,
    /// What it is called; without it as the template, in Arabic.
    #[serde(default)]
    pub name: Option<String>,
}
