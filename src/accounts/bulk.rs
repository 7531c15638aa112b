//! Acts on many people at once: for whom, what, and what comes of it for each of them (C10).

use serde::{Deserialize, Serialize};

use crate::{
    accounts::Status,
    base::{
        errors::Denial,
        ids::{RoleId, UserId},
    },
};

/// For so many people an act can be at most.
pub const MOST_AT_ONCE: usize = 200;

/// Suspends people, or makes them active again: all of them or nobody, unless those who are refused are skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BulkStatus {
    /// 1 to 200 ids, each once.
    #[cfg_attr(feature = "ssr", schema(value_type = Vec<uuid::Uuid>))]
    pub users: Vec<UserId>,
    /// `active` or `suspended`.
    pub status: Status,
    /// Goes on with the others where it is refused for some; each of those is recorded as refused. Where nobody is left, it
    /// is refused as without it.
    #[serde(default)]
    pub skip_refused: bool,
    /// Only tells what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// Gives people a role, or takes it from them: all of them or nobody, unless those who are refused are skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BulkRole {
    /// 1 to 200 ids, each once.
    #[cfg_attr(feature = "ssr", schema(value_type = Vec<uuid::Uuid>))]
    pub users: Vec<UserId>,
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub role: RoleId,
    pub act: RoleAct,
    /// Why, for those whose change others have to agree to: it is then asked for. Without it such a change is refused.
    #[serde(default)]
    pub reason: Option<String>,
    /// Goes on with the others where it is refused for some; each of those is recorded as refused. Where nobody is left, it
    /// is refused as without it.
    #[serde(default)]
    pub skip_refused: bool,
    /// Only tells what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// What is done with a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum RoleAct {
    /// For good and everywhere; whoever has it already keeps its end and its scope.
    Give,
    Take,
}

/// What comes of an act for each person, in the order in which they were named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BulkAnswer {
    pub people: Vec<BulkLine>,
}

/// What comes of an act for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BulkLine {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub user: UserId,
    /// Empty where there is no such person for the caller.
    pub name: String,
    pub email: String,
    pub fate: Fate,
    /// Why not, where it is refused or others have to agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<Denial>,
}

/// How an act ends for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Fate {
    Changes,
    /// It is so already.
    Stays,
    /// Others have to agree first.
    NeedsApproval,
    /// Others were asked to agree.
    Asked,
    Refused,
    /// There is no such person, or not for the caller.
    Unknown,
}
