//! Roles, what they give, and who has which role or override.

use serde::{Deserialize, Serialize};

use crate::{
    access::{EffectivePermission, GivenRole, GroupRef, HeldRole, PermissionInfo, PolicyRef, Reason, RoleRef, Scope},
    accounts::PersonRow,
    base::{
        errors::Denial,
        ids::{RoleId, UserId},
        time::Timestamp,
    },
    roles::exchange::CatalogueFile,
};

pub mod calls;
pub mod exchange;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;
pub mod templates;

/// When people are reminded that something they were given ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Reminders {
    /// So many days before: 1 to 90; 0: not so early.
    pub first_days: i64,
    /// Again so many days before, fewer than the first: 1 to 30; 0: not again.
    pub last_days: i64,
}

impl Default for Reminders {
    fn default() -> Self {
        Reminders { first_days: 7, last_days: 1 }
    }
}

impl Reminders {
    pub const FIRST_DAYS: (i64, i64) = (0, 90);
    pub const LAST_DAYS: (i64, i64) = (0, 30);
}

/// A role with what it gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Role {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: RoleId,
    pub name: String,
    pub description: String,
    /// Came with the product: keeps its name and cannot be removed.
    pub built_in: bool,
    /// Belongs to the platform, not to this tenant: cannot be changed.
    pub platform: bool,
    /// Keys and wildcards that it gives by itself, sorted.
    pub permissions: Vec<String>,
    /// The roles whose permissions it gives as well, by name.
    #[serde(default)]
    pub parents: Vec<RoleRef>,
    /// The keys and wildcards that come from those roles and from what they inherit, sorted.
    #[serde(default)]
    pub inherited: Vec<String>,
    /// The roles that inherit from it, by name.
    #[serde(default)]
    pub heirs: Vec<RoleRef>,
    /// The groups that have it, by name.
    #[serde(default)]
    pub groups: Vec<GroupRef>,
    /// How many people have it now, given to them directly.
    pub people: i64,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    pub version: i64,
}

/// Which roles to list. The same words as in the query of `GET /admin/roles`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct RolesQuery {
    /// Words of the name, the description or the keys that it gives by itself, in any order; Arabic spellings fold
    /// together.
    pub q: Option<String>,
    /// Only roles that give this permission by themselves, also by a wildcard.
    pub gives: Option<String>,
    /// `name`, `permissions` (those that give most first) or `people` (those that most have first); with a `-` before it
    /// the other way round. Without it the platform's first, then by name.
    pub sort: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// What the list of roles is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleSort {
    Name,
    /// Those that give most by themselves first.
    Permissions,
    /// Those that most people have first.
    People,
}

impl RoleSort {
    fn as_str(self) -> &'static str {
        match self {
            RoleSort::Name => "name",
            RoleSort::Permissions => "permissions",
            RoleSort::People => "people",
        }
    }
}

/// The order of the list of roles, as it is or turned round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleOrder {
    pub by: RoleSort,
    pub reversed: bool,
}

impl RoleOrder {
    /// `people`, or turned round `-people`.
    pub fn parse(text: &str) -> Option<Self> {
        let (reversed, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let all = [RoleSort::Name, RoleSort::Permissions, RoleSort::People];
        let by = all.into_iter().find(|sort| sort.as_str() == name)?;
        Some(RoleOrder { by, reversed })
    }

    pub fn written(self) -> String {
        format!("{}{}", if self.reversed { "-" } else { "" }, self.by.as_str())
    }
}

/// A role to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewRole {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Roles of the tenant whose permissions it gives as well.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Vec<uuid::Uuid>))]
    pub parents: Vec<RoleId>,
}

/// A change of a role: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub permissions: Option<Vec<String>>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Vec<uuid::Uuid>>))]
    pub parents: Option<Vec<RoleId>>,
    /// Why, for whoever reads the log: one line.
    pub reason: Option<String>,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

/// Somebody who has a role, given to them directly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Holder {
    pub person: PersonRow,
    /// Until when; without it for good.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// For which part of the tenant the role counts.
    pub scope: Scope,
}

/// Whom of those who have a role to list, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct HoldersQuery {
    /// Part of a name, address or department; Arabic spellings fold together.
    pub q: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// An override: a permission allowed or denied to one person whatever their roles say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Override {
    pub key: String,
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    #[serde(default)]
    pub reason: Option<String>,
}

/// The whole override set of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Overrides {
    #[serde(default)]
    pub allow: Vec<Override>,
    #[serde(default)]
    pub deny: Vec<Override>,
}

/// What the page of a person shows about their rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRights {
    pub user_id: UserId,
    /// The roles they have now.
    pub roles: Vec<HeldRole>,
    pub overrides: Overrides,
    /// The whole catalogue without wildcards, each key with its answer and every reason.
    pub effective: Vec<EffectivePermission>,
    /// The version of the person.
    pub version: i64,
}

/// The new roles and overrides of a person, saved as one transaction. `None` leaves that half alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RightsEdit {
    /// Replaces the roles.
    pub roles: Option<Vec<GivenRole>>,
    /// Replaces the override set.
    pub overrides: Option<Overrides>,
    /// Why, for whoever reads the log: one line.
    pub reason: Option<String>,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

/// A change that others have to agree to: of a person's rights, of a role, or by a catalogue that is read in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ApprovalRequest {
    /// The person, with `rights`.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<uuid::Uuid>))]
    pub user_id: Option<UserId>,
    pub rights: Option<RightsEdit>,
    /// The role, with `permissions` or with all that shall change of it as `role`.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<uuid::Uuid>))]
    pub role_id: Option<RoleId>,
    pub permissions: Option<Vec<String>>,
    pub role: Option<RoleEdit>,
    /// The file to be read in.
    pub catalogue: Option<CatalogueFile>,
    /// Why: for whoever decides.
    pub reason: String,
}

/// Somebody asks for a permission for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccessRequest {
    pub permission: String,
    pub reason: String,
    /// For so many days, 1 to 365; without it for good.
    #[serde(default)]
    pub days: Option<u32>,
}

/// What a staged change would do, computed by the decision engine on the staged state. Nothing is written (C14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Effect {
    /// What is worth telling about single permissions, sorted by what happens and then by key.
    pub lines: Vec<EffectLine>,
    /// How many permissions of the catalogue keep their answer for everybody concerned.
    pub unchanged: u32,
    /// How many people would hold more than now; somebody can hold more of one thing and less of another.
    pub people_gaining: u32,
    /// How many people would hold less than now.
    pub people_losing: u32,
    /// How many people the change is about.
    pub people: u32,
    /// Some of those whose rights change, by name: the first of them, or of a thousand where they are more.
    pub names: Vec<String>,
    /// Why saving would be refused: the caller does not hold what would be given, nobody would be left to administer, or
    /// others have to agree first.
    pub refused: Option<Denial>,
    /// The policies in force that have a say about what is touched (C5).
    #[serde(default)]
    pub policies: Vec<EffectPolicy>,
    /// The roles that one person would have in a part of the tenant only, by whatever way (C11).
    #[serde(default)]
    pub scoped: Vec<HeldRole>,
    /// The version of the person or role that the answer stands on.
    pub version: i64,
}

/// A policy in force that has a say about permissions which a change touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct EffectPolicy {
    pub policy: PolicyRef,
    /// The touched permissions that it has a say about, sorted.
    pub keys: Vec<String>,
    /// What it says, a sentence; empty for whoever may not read policies.
    pub says_ar: String,
    pub says_en: String,
    /// How many of the people it denies them to, whatever else they hold, once the change is made.
    pub denied: u32,
}

/// What happens to one permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct EffectLine {
    pub key: String,
    pub name_ar: String,
    pub name_en: String,
    pub what: EffectKind,
    /// The reasons that count: of the new answer, or of the old one for what is lost because its source goes.
    pub because: Vec<Reason>,
    /// For how many people.
    pub people: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum EffectKind {
    Gained,
    Lost,
    /// Given, but a deny holds it down.
    Blocked,
    /// Given, but held already from elsewhere.
    Redundant,
    /// An external decision says whether it is held, now or afterwards, and nobody was asked for it.
    External,
}

/// What a role shall give instead of what it gives now, to be looked at before it is saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RoleGives {
    pub permissions: Vec<String>,
    /// Without it, it inherits as it does now.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Vec<uuid::Uuid>>))]
    pub parents: Option<Vec<RoleId>>,
}

/// What a group shall give instead of what it gives now, to be looked at before it is saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GroupGives {
    pub roles: Vec<GivenRole>,
}

/// The new roles and overrides of many people: of all of them or of nobody, as one transaction (C3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ManyEdits {
    /// 1 to 200 people, each once.
    pub people: Vec<PersonRightsEdit>,
    /// Why, for whoever reads the log: one line, kept with the change of each of them.
    #[serde(default)]
    pub reason: Option<String>,
    /// Asks others, with the reason, about those for whom they have to agree, and goes on with the rest. Without it nobody
    /// is changed where others have to agree.
    #[serde(default)]
    pub ask: bool,
}

/// What one of many people shall have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PersonRightsEdit {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub user: UserId,
    /// Replaces the roles; without it they stay.
    #[serde(default)]
    pub roles: Option<Vec<GivenRole>>,
    /// Replaces the override set; without it it stays.
    #[serde(default)]
    pub overrides: Option<Overrides>,
    /// The version that was seen; another one meanwhile is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
}

/// What one of many people was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PersonStand {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub user: UserId,
    pub name: String,
    /// The roles they have now, given to them directly.
    pub roles: Vec<HeldRole>,
    pub overrides: Overrides,
    pub version: i64,
}

/// Two roles side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Comparison {
    pub a: RoleRef,
    pub b: RoleRef,
    /// Every key that at least one of them gives, wildcards resolved, sorted.
    pub lines: Vec<ComparedKey>,
}

/// One permission in two roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ComparedKey {
    pub key: String,
    pub name_ar: String,
    pub name_en: String,
    pub in_a: bool,
    pub in_b: bool,
}

/// Which roles to compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct CompareQuery {
    #[cfg_attr(feature = "ssr", param(value_type = uuid::Uuid))]
    pub a: RoleId,
    #[cfg_attr(feature = "ssr", param(value_type = uuid::Uuid))]
    pub b: RoleId,
}

/// A copy of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CloneRole {
    /// What the copy is called.
    pub name: String,
}

/// A permission key of the tenant's own. A wildcard covers what lies under it, also what is added later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OwnPermission {
    pub key: String,
    pub name_ar: String,
    pub name_en: String,
    #[serde(default)]
    pub description_ar: String,
    #[serde(default)]
    pub description_en: String,
}

/// New words for a permission of the tenant's own; the key itself stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PermissionEdit {
    pub name_ar: Option<String>,
    pub name_en: Option<String>,
    pub description_ar: Option<String>,
    pub description_en: Option<String>,
}

/// What goes when a permission of the tenant's own is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RemovalEffect {
    pub permission: PermissionInfo,
    /// The roles that name it.
    pub roles: Vec<RoleRef>,
    /// How many overrides name it.
    pub overrides: u32,
    /// What people would gain and lose.
    pub effect: Effect,
}

/// The catalogue: every key of this tenant, wildcards included, sorted by key.
pub type Catalogue = Vec<PermissionInfo>;
