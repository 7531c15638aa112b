//! Tenants: organisations side by side in one installation, none of which sees another.

use serde::{Deserialize, Serialize};

use crate::{
    accounts::AddedPerson,
    base::{ids::TenantId, time::Timestamp},
};

pub mod accent;
pub mod branding;
pub mod calls;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// What a tenant has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Plan {
    #[default]
    Free,
    Pro,
    Enterprise,
}

impl Plan {
    pub const ALL: [Plan; 3] = [Plan::Free, Plan::Pro, Plan::Enterprise];

    pub fn as_str(self) -> &'static str {
        match self {
            Plan::Free => "free",
            Plan::Pro => "pro",
            Plan::Enterprise => "enterprise",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == text)
    }
}

/// Whether a tenant's people may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum TenantStatus {
    Active,
    /// Nobody of it signs in, no key of it is good; every session has ended. What it holds stays.
    Suspended,
}

impl TenantStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            TenantStatus::Active => "active",
            TenantStatus::Suspended => "suspended",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [TenantStatus::Active, TenantStatus::Suspended].into_iter().find(|status| status.as_str() == text)
    }
}

/// An organisation (D3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Tenant {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: TenantId,
    pub name: String,
    pub plan: Plan,
    pub status: TenantStatus,
    /// The one from the beginning, which is never suspended.
    pub is_first: bool,
    /// How many active people it has.
    pub people: i64,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    pub version: i64,
}

/// Which tenants to list, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct TenantsQuery {
    /// Words of the name, in any order; Arabic spellings fold together.
    pub q: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// A tenant to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewTenant {
    pub name: String,
    #[serde(default)]
    pub plan: Plan,
    /// Its first administrator, who is invited.
    #[serde(default)]
    pub admin: Option<NewAdmin>,
}

/// The first administrator of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewAdmin {
    pub email: String,
    pub name: String,
    /// `ar` or `en`; `ar` without it.
    #[serde(default)]
    pub locale: Option<String>,
    /// Mail the one-time link to them instead of giving it back.
    #[serde(default)]
    pub mail_link: bool,
}

/// A tenant that was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CreatedTenant {
    pub tenant: Tenant,
    /// The invitation of its first administrator.
    pub admin: Option<AddedPerson>,
}

/// A change of a tenant: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TenantEdit {
    pub name: Option<String>,
    pub plan: Option<Plan>,
    /// Why, for whoever reads the log: one line.
    pub reason: Option<String>,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

/// A super-admin goes into a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Visit {
    /// Why, for whoever reads the log of either tenant: one line.
    pub reason: String,
}

/// A tenant is suspended, or opened again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TenantStatusChange {
    pub status: TenantStatus,
    /// Why, for whoever reads the log: one line.
    #[serde(default)]
    pub reason: Option<String>,
    /// The version that was seen; another one meanwhile is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
}
