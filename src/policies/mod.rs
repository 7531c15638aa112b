//! Asking the decision engine: may somebody do something, why, what would have to change, and who can.

use serde::{Deserialize, Serialize};

use crate::{
    access::{Answer, Reason, RoleRef, Scope},
    accounts::Status,
    base::ids::UserId,
};

pub mod calls;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// A question: may this person do this to that?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Question {
    /// Id, e-mail address or username.
    pub user: String,
    /// What it is done to: the first part of a permission, as `users`, or that with what is known of the thing.
    pub resource: Resource,
    /// The last part of a permission, as `read`.
    pub action: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Resource {
    Kind(String),
    Thing(Thing),
}

/// One thing that is acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Thing {
    #[serde(rename = "type")]
    pub kind: String,
    /// A scoped right counts where the thing lies.
    #[serde(default)]
    pub department: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
}

/// One question, or many at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Questions {
    One(Question),
    Many(ManyQuestions),
}

/// At most 200 questions, answered in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ManyQuestions {
    pub evaluations: Vec<Question>,
}

/// The engine's own answer, with every source of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Evaluation {
    pub allow: bool,
    /// What decides, in a few words that do not change.
    pub reason: String,
    pub permission: String,
    /// `depends` where the right is held in a scope only and nothing is said of the thing.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub answer: Answer,
    pub because: Vec<Reason>,
    /// What each would have to change for a yes; nothing where it is one.
    pub would_allow: Vec<Remedy>,
}

/// One answer, or many in the order of the questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Evaluations {
    One(Evaluation),
    Many { evaluations: Vec<Evaluation> },
}

/// What would have to change so that the answer is yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Remedy {
    /// The account has to be active.
    Activate,
    /// This deny has to be lifted.
    LiftDeny { through: String },
    /// A role that they have in a part of the tenant has to count everywhere, or where the thing lies.
    Widen { role: RoleRef, scope: Scope },
    /// One of these roles has to be given; each gives it.
    GiveRole { roles: Vec<RoleRef> },
    /// No role gives it yet: the permission itself has to be allowed, or put into a role.
    Allow { permission: String },
}

/// Somebody who may do something now, at least somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Able {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub status: Status,
    /// `depends` where it is held in a scope only.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub answer: Answer,
    pub because: Vec<Reason>,
}

/// Which of those who can to list, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct AbleQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// A page of those who can, and how many there are altogether.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AblePage {
    pub items: Vec<Able>,
    pub next: Option<String>,
    pub total: u32,
}
