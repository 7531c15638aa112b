//! People: who they are, how they are added, edited, suspended and removed.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::base::password::Password;
use crate::base::{
    ids::{RoleId, UserId},
    time::Timestamp,
};

pub mod bulk;
pub mod calls;
pub mod erasure;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// Where an account stands. Derived: it is active exactly when it is `Active`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Status {
    /// Added, has not chosen a password yet.
    Invited,
    Active,
    /// May not sign in; every session has ended.
    Suspended,
    Deleted,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Invited => "invited",
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Deleted => "deleted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Status::Invited, Status::Active, Status::Suspended, Status::Deleted].into_iter().find(|s| s.as_str() == text)
    }
}

/// A line of the list of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PersonRow {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    pub number: i64,
    pub name: String,
    pub email: String,
    pub username: Option<String>,
    pub department: Option<String>,
    pub region: Option<String>,
    pub status: Status,
    /// Names of the roles, sorted.
    pub roles: Vec<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub last_login_at: Option<Timestamp>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When the first of their grants ends; told only by a list of people whose grants end soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub ends_at: Option<Timestamp>,
}

/// Everything about a person but their rights (A11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Person {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    pub number: i64,
    pub external_id: Option<String>,
    pub username: Option<String>,
    pub email: String,
    pub name: String,
    pub department: Option<String>,
    pub region: Option<String>,
    pub locale: String,
    pub status: Status,
    pub is_active: bool,
    pub is_super_admin: bool,
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub attributes: Value,
    /// Names of the roles, sorted.
    pub roles: Vec<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub tenant_id: crate::base::ids::TenantId,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub email_confirmed_at: Option<Timestamp>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub last_login_at: Option<Timestamp>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// When the account is deleted, where its person has asked for that and may still change their mind.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub deletion_due_at: Option<Timestamp>,
    /// What was erased and what stayed, where the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<erasure::ErasureReport>,
    /// Grows with each change of the person or their rights; send it back to be told of somebody else's change.
    pub version: i64,
}

/// What the list of people is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeopleSort {
    #[default]
    Name,
    /// Who has none comes last.
    Department,
    /// Newest first.
    Created,
    /// Latest sign-in first; who never signed in comes last.
    LastLogin,
}

impl PeopleSort {
    pub const ALL: [PeopleSort; 4] =
        [PeopleSort::Name, PeopleSort::Department, PeopleSort::Created, PeopleSort::LastLogin];

    pub fn as_str(self) -> &'static str {
        match self {
            PeopleSort::Name => "name",
            PeopleSort::Department => "department",
            PeopleSort::Created => "created",
            PeopleSort::LastLogin => "last_login",
        }
    }
}

/// The order of the list of people, as it is or turned round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeopleOrder {
    pub by: PeopleSort,
    pub reversed: bool,
}

impl PeopleOrder {
    /// `last_login`, or turned round `-last_login`.
    pub fn parse(text: &str) -> Option<Self> {
        let (reversed, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let by = PeopleSort::ALL.into_iter().find(|sort| sort.as_str() == name)?;
        Some(PeopleOrder { by, reversed })
    }

    pub fn written(self) -> String {
        format!("{}{}", if self.reversed { "-" } else { "" }, self.by.as_str())
    }
}

/// The role filter of a list of people who have none.
pub const NO_ROLE: &str = "none";

/// Grants that end within so many days are worth a look.
pub const SOON_DAYS: u32 = 7;

/// What to list. The same words as in the query of `GET /admin/users` and of the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct PeopleQuery {
    /// Part of a name, address or department; Arabic spellings fold together.
    pub q: Option<String>,
    /// `invited`, `active`, `suspended` or `deleted`; without it everybody who is not deleted.
    pub status: Option<String>,
    pub department: Option<String>,
    /// Id of a role, or `none` for people without one.
    pub role: Option<String>,
    /// Id of a group: only people who are in it themselves.
    pub group: Option<String>,
    /// Only people with a grant that ends within so many days, 1 to 366. Needs `permissions.read`.
    #[cfg_attr(feature = "ssr", param(value_type = Option<u32>))]
    pub ends_within: Option<String>,
    /// `name`, `department`, `created` (newest first) or `last_login` (latest first); with a `-` before it the other way
    /// round.
    pub sort: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// A person to be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewPerson {
    pub email: String,
    pub name: String,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub external_id: Option<String>,
    #[serde(default)]
    pub department: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    /// `ar` or `en`; `ar` without it.
    #[serde(default)]
    pub locale: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Object>))]
    pub attributes: Option<Value>,
    /// Without one the answer carries a one-time link at which the person chooses theirs.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub password: Option<Password>,
    /// Ids of roles to begin with. Needs `permissions.assign`. Without it: role `standard-user`.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Vec<uuid::Uuid>>))]
    pub roles: Option<Vec<RoleId>>,
    /// Without a password: mail the one-time link to the person instead of giving it back.
    #[serde(default)]
    pub mail_link: bool,
}

/// What to do with a fresh one-time link; nothing sent means that it is given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LinkRequest {
    /// Mail it to the person instead of giving it back.
    pub mail: bool,
}

/// Who may make themselves an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum RegistrationMode {
    /// Nobody: people are added by administrators.
    #[default]
    Closed,
    /// Nobody; the page says that an invitation is what leads in.
    Invitation,
    /// Whoever has an address of one of the domains.
    Domains,
    /// Everybody.
    Open,
}

/// The tenant's rule for registering. Nobody may until somebody decides otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Registration {
    pub mode: RegistrationMode,
    /// The domains of the mode `domains`; subdomains count only where they are named.
    #[serde(default)]
    pub domains: Vec<String>,
}

/// A person that was added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AddedPerson {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    /// Shown this once: the address at which the person chooses a password.
    pub link: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub link_expires_at: Option<Timestamp>,
    /// Where the link was mailed to instead.
    pub mailed_to: Option<String>,
}

impl fmt::Debug for AddedPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddedPerson").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A change of a person: what is absent stays; an empty text clears an optional field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PersonEdit {
    pub email: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub external_id: Option<String>,
    pub department: Option<String>,
    pub region: Option<String>,
    pub locale: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Object>))]
    pub attributes: Option<Value>,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

/// What people see of themselves, and may partly change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OwnProfile {
    pub name: String,
    pub username: Option<String>,
    pub email: String,
    pub department: Option<String>,
    pub region: Option<String>,
    /// The language of letters: `ar` or `en`.
    pub locale: String,
    pub version: i64,
}

/// What people change of themselves. What is absent stays; an empty user name removes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ProfileEdit {
    pub name: Option<String>,
    pub username: Option<String>,
    pub locale: Option<String>,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

/// For so many days people who asked that their account be deleted may change their mind.
pub const DELETION_DAYS: u16 = 14;

/// Whether one's own account waits to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Leaving {
    pub pending: Option<PendingDeletion>,
    /// For how many days a deletion waits.
    pub wait_days: u16,
}

/// A deletion that can still be called off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PendingDeletion {
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub requested_at: Timestamp,
    /// When the account is deleted.
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub due_at: Timestamp,
}

/// Asks that one's own account be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DeletionRequest {
    /// The address of the account, typed to confirm it.
    pub email: String,
}

/// A change of state: `active` or `suspended`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct StatusChange {
    pub status: Status,
    /// The version that was seen; another one meanwhile is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
}

/// What the home page of the console counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleCounts {
    pub active: i64,
    pub invited: i64,
    pub suspended: i64,
    /// Whoever has an account and no role.
    pub without_role: i64,
}
