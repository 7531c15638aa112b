//! The permissions graph: people, groups, roles and permissions, and what leads from one to the next.

use serde::{Deserialize, Serialize};

use crate::{access::Scope, base::time::Timestamp};

/// What of the graph is wanted. Nothing said: an overview of all groups and roles, with permissions put together by what
/// they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct GraphQuery {
    /// The `id` of a node: only what leads to it and where it leads.
    pub focus: Option<String>,
    /// Words of a role, group or permission, or whom an id, an address or a username names: as `focus`, on all that are found.
    pub q: Option<String>,
    /// `all`, `no_people` or `no_permissions`.
    #[cfg_attr(feature = "ssr", param(value_type = Option<String>))]
    pub show: Option<String>,
}

/// What a node stands for, in the order in which they lead to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum NodeKind {
    Person,
    Group,
    Role,
    /// What several permissions are about, as `oauth.clients`.
    Resource,
    /// A key or wildcard.
    Permission,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Node {
    /// `person:…`, `group:…`, `role:…` with an id, `resource:…` or `permission:…` with a key.
    pub id: String,
    pub kind: NodeKind,
    pub name: String,
    /// The people who have the role or are in the group; the keys and wildcards of a resource that somebody could get. Absent
    /// where the caller may not know.
    pub count: Option<u32>,
    /// Its layer; a line leads from a lower to a higher one.
    pub column: u32,
    /// The graph was asked about it.
    pub focused: bool,
}

/// How one leads to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum LineKind {
    /// A person is in a group.
    Member,
    /// A person or a group has a role.
    Has,
    /// A group lies in another.
    LiesIn,
    /// A role inherits from another.
    Inherits,
    /// A role gives a permission.
    Gives,
    /// A wildcard covers another or a key.
    Covers,
    /// An override allows a person.
    Allows,
    /// An override denies a person.
    Denies,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Line {
    /// Place in `nodes`.
    pub from: u32,
    /// Place in `nodes`.
    pub to: u32,
    pub kind: LineKind,
    /// How far a role counts, where that is not everywhere.
    pub scope: Option<Scope>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

/// Nodes layer after layer, each in the order in which the fewest lines cross, and the lines between them. Policies are
/// not drawn: what one says is not known before there is a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub lines: Vec<Line>,
    /// How many nodes would belong here and were left out: more could not be read.
    pub left_out: u32,
}
