//! Approvals: what is so high that a second person has to agree, who asked for it, and who decided.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    access::ApprovalRules,
    base::{
        errors::AppError,
        ids::{ApprovalId, UserId},
        time::Timestamp,
    },
};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Kind {
    /// Roles or overrides of a person.
    Rights,
    /// What a role gives.
    Role,
    /// Somebody asks for a permission for themselves.
    Access,
    /// What a group gives, or in which groups it lies.
    Group,
    /// Which version of a policy is enforced, or none.
    Policy,
    /// A catalogue that is read in.
    Catalogue,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Rights => "rights",
            Kind::Role => "role",
            Kind::Access => "access",
            Kind::Group => "group",
            Kind::Policy => "policy",
            Kind::Catalogue => "catalogue",
        }
    }

    /// What the log calls its subject; a catalogue has none.
    #[cfg(feature = "ssr")]
    fn subject(self) -> Option<&'static str> {
        match self {
            Kind::Rights | Kind::Access => Some("user"),
            Kind::Role => Some("role"),
            Kind::Group => Some("group"),
            Kind::Policy => Some("policy"),
            Kind::Catalogue => None,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let all = [Kind::Rights, Kind::Role, Kind::Access, Kind::Group, Kind::Policy, Kind::Catalogue];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum State {
    Waiting,
    Applied,
    Rejected,
    Withdrawn,
    /// It was agreed to, and could not be done any more.
    Failed,
    /// Nobody has answered in time.
    Expired,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Applied => "applied",
            State::Rejected => "rejected",
            State::Withdrawn => "withdrawn",
            State::Failed => "failed",
            State::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let all = [State::Waiting, State::Applied, State::Rejected, State::Withdrawn, State::Failed, State::Expired];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// What one person decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DecisionMade {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub decider_id: UserId,
    pub decider_name: String,
    pub approves: bool,
    pub comment: Option<String>,
    /// It was made on the request as it stands. One from before its subject changed does not count.
    pub counts: bool,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub decided_at: Timestamp,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Approval {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: ApprovalId,
    pub kind: Kind,
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub requester_id: UserId,
    pub requester_name: String,
    /// The person, role, group or policy it is about; the tenant for a catalogue.
    pub subject_id: uuid::Uuid,
    pub subject_name: String,
    /// What shall be done: `before` and `after`, and as `asked` what was when it was asked for where that has changed since.
    /// Of a role, a group or a catalogue also how many `people` have it now; `round` says how often it was renewed.
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub proposal: Value,
    /// Of everything above; whoever decides says what they decided on.
    pub digest: String,
    pub reason: String,
    /// What makes it high.
    pub permissions: Vec<String>,
    pub required: u32,
    pub state: State,
    /// Why it could not be done: the code of an error.
    pub failure: Option<String>,
    pub decisions: Vec<DecisionMade>,
    /// The caller may decide on it now.
    pub may_decide: bool,
    /// The caller has asked for it.
    pub is_own: bool,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// Which requests to list, newest first; those that wait for the longest come first where only they are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct ApprovalsQuery {
    /// `waiting`, `applied`, `rejected`, `withdrawn`, `failed` or `expired`.
    pub state: Option<String>,
}

/// A yes or no.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// Needed to reject.
    pub comment: Option<String>,
    /// The digest of what was seen; another one meanwhile is refused. Needed to agree to a request whose subject has changed
    /// since it was asked for.
    pub digest: Option<String>,
}

/// How many requests wait for the caller's decision.
#[server(prefix = "/api", endpoint = "approvals/count", input = PostUrl)]
pub async fn count_waiting() -> Result<i64, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::approvals::server::count(&cx).await
}

#[server(prefix = "/api", endpoint = "approvals/list", input = Json)]
pub async fn list_approvals(query: ApprovalsQuery) -> Result<Vec<Approval>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::approvals::server::list(&cx, query.into()).await
}

#[server(prefix = "/api", endpoint = "approvals/own", input = PostUrl)]
pub async fn list_own_approvals() -> Result<Vec<Approval>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::approvals::server::own(&cx).await
}

#[server(prefix = "/api", endpoint = "approvals/decide", input = Json)]
pub async fn decide_approval(id: ApprovalId, approves: bool, verdict: Verdict) -> Result<Approval, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::approvals::server::decide(&cx, crate::approvals::server::applier()?, id, approves, verdict.into()).await
}

#[server(prefix = "/api", endpoint = "approvals/withdraw", input = Json)]
pub async fn withdraw_approval(id: ApprovalId) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::approvals::server::withdraw(&cx, id).await
}

/// What others have to agree to.
#[server(prefix = "/api", endpoint = "approvals/rules", input = PostUrl)]
pub async fn get_approval_rules() -> Result<ApprovalRules, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::approvals::server::rules(&cx).await
}

#[server(prefix = "/api", endpoint = "approvals/set-rules", input = Json)]
pub async fn put_approval_rules(rules: ApprovalRules) -> Result<ApprovalRules, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::approvals::server::set_rules(&cx, rules.into()).await
}
