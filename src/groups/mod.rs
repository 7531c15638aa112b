//! Groups of people: whoever is in one has its roles, and those of every group around it.

use serde::{Deserialize, Serialize};

use crate::{
    access::{GivenRole, GroupRef, HeldRole},
    accounts::PersonRow,
    base::{
        ids::{GroupId, UserId},
        time::Timestamp,
    },
};

pub mod calls;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// A group with what it gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Group {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: GroupId,
    pub name: String,
    pub description: String,
    /// The groups it lies in: its people have their roles too.
    pub parents: Vec<GroupRef>,
    /// The groups that lie in it.
    pub children: Vec<GroupRef>,
    /// The roles that it gives by itself.
    pub roles: Vec<HeldRole>,
    /// How many people are in it themselves now.
    pub people: i64,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    pub version: i64,
}

/// Which groups to list, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct GroupsQuery {
    /// Words of the name or the description, in any order; Arabic spellings fold together.
    pub q: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// A group to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewGroup {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Vec<uuid::Uuid>))]
    pub parents: Vec<GroupId>,
    #[serde(default)]
    pub roles: Vec<GivenRole>,
}

/// A change of a group: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GroupEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Vec<uuid::Uuid>>))]
    pub parents: Option<Vec<GroupId>>,
    pub roles: Option<Vec<GivenRole>>,
    /// Why, for whoever reads the log: one line.
    pub reason: Option<String>,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

/// A change of a group that others are asked to agree to (C12).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AskedEdit {
    pub edit: GroupEdit,
    /// Why: for whoever decides.
    pub reason: String,
}

/// Somebody who is in a group themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Member {
    pub person: PersonRow,
    /// Until when; without it for good.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

/// Whom of a group's people to list, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct MembersQuery {
    /// Part of a name, address or department; Arabic spellings fold together.
    pub q: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// Somebody comes into a group, or stays in it until another moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewMember {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub user: UserId,
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

/// A group that somebody is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PersonGroup {
    pub group: GroupRef,
    /// Until when they are in it; without it for good.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// Everything that it gives now, with what the groups around it give.
    pub roles: Vec<HeldRole>,
}
