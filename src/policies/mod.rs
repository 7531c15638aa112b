//! Asking the decision engine: may somebody do something, why, what would have to change, and who can.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    access::{Answer, PolicyLanguage, PolicyMode, PolicyRef, Reason, RoleRef, Scope},
    accounts::Status,
    base::{
        ids::{PolicyId, UserId},
        time::Timestamp,
    },
};

pub mod calls;
pub mod graph;
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
    /// Where nothing is said of it, what a policy decides by it stays open.
    #[serde(default)]
    pub env: Option<Request>,
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
    /// What policies may look at beside them, as `resource.…`.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub attributes: Map<String, Value>,
}

/// What is known of the request that would be made, for policies; what is not said is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Request {
    /// An IPv4 or IPv6 address.
    pub address: Option<String>,
    /// `mobile`, `tablet`, `desktop` or `other`.
    pub device: Option<String>,
    /// 1: one factor was shown; 2: a second one as well, or a passkey.
    pub assurance: Option<u8>,
    /// What a program would say of it beside that, as `env.context.…`.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Object>))]
    pub context: Option<Map<String, Value>>,
}

/// One question, or many at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Questions {
    One(Box<Question>),
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
    /// What this policy decides by has to be otherwise.
    Policy { policy: PolicyRef },
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

/// What a policy says: everything that is versioned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Document {
    pub mode: PolicyMode,
    /// The keys and wildcards it is about, 1 to 50.
    pub actions: Vec<String>,
    /// `[{"effect": "allow" | "deny", "condition": {…}}]`, 1 to 50; without a condition a rule always holds. A condition is
    /// `{"and": […]}`, `{"or": […]}`, `{"not": {…}}`, or tests of attributes: `{"user.level": {"gte": 3}}`, in short
    /// `{"user.active": true}`. Attributes: `user.id`, `user.tenant`, `user.department`, `user.region`, `user.roles`,
    /// `user.groups`, `user.` with a path into the attributes of the account, `resource.` with what is known of the thing,
    /// `env.time`, `env.address`, `env.device`, `env.assurance`, and `env.context.` with a path into what a program that
    /// holds `requests.vouch` says when it asks by AuthZEN; it is not known where another one asks. Tests: `eq`, `ne`, `in`, `contains`, `starts_with`, `gt`,
    /// `gte`, `lt`, `lte`, `between`, `exists`; `eq`, `ne` and `contains` also take `{"ref": "user.department"}`.
    #[cfg_attr(feature = "ssr", schema(value_type = Vec<Object>))]
    #[serde(default)]
    pub rules: Value,
    /// What it is written in; it stays what it was made as. Rego and `opa` have no rules but a module.
    #[serde(default)]
    pub language: PolicyLanguage,
    /// A module of Rego, compatible with OPA. The booleans `allow` and `deny` of its package decide: anything but true is no
    /// allow, anything but a boolean is a deny, and a deny wins. `input` holds `user`, `resource`, `env` and `action` with
    /// the attributes of the rules. Of a policy in `opa`: the path of its decision there, as `bawwab/finance`, which is asked
    /// at `POST …/v1/data/bawwab/finance` with the same `input`. It answers with a boolean, or with an object that has `allow`
    /// and `deny`; what is no such answer in time denies.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub module: String,
    /// A module of Rego whose rules `test_…` have to be true before the policy is activated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tests: String,
}

/// A policy as it is shown: what was saved last, and which version is enforced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Policy {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: PolicyId,
    pub name: String,
    pub description: String,
    /// The document that was saved last.
    #[serde(flatten)]
    pub document: Document,
    /// The number of that document; each saved one has the next.
    pub latest: i32,
    /// The number of the document that is enforced; none where the policy is only a draft.
    pub active: Option<i32>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    pub version: i64,
}

/// Which policies to list, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct PoliciesQuery {
    /// Words of the name or description.
    pub q: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// A policy to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewPolicy {
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub mode: PolicyMode,
    pub actions: Vec<String>,
    /// As in the policy itself.
    #[cfg_attr(feature = "ssr", schema(value_type = Vec<Object>))]
    #[serde(default)]
    pub rules: Value,
    #[serde(default)]
    pub language: PolicyLanguage,
    #[serde(default)]
    pub module: String,
    #[serde(default)]
    pub tests: String,
    /// Enforce it at once.
    #[serde(default)]
    pub active: bool,
}

/// What of a policy shall change. A document that differs becomes its next version: a draft, until it is activated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PolicyEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub mode: Option<PolicyMode>,
    pub actions: Option<Vec<String>>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Vec<Object>>))]
    pub rules: Option<Value>,
    /// Of a policy in Rego, as are the tests, or the path of one in `opa`.
    pub module: Option<String>,
    pub tests: Option<String>,
    /// The version that was seen.
    pub version: Option<i64>,
}

/// Which document of a policy shall be enforced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Activation {
    /// The one that was saved last where nothing is said.
    pub number: Option<i32>,
    /// The version of the policy that was seen.
    pub version: Option<i64>,
}

/// Which version of a policy would be in force; none: no version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PolicyPreview {
    pub number: Option<i32>,
}

/// What of a policy others are asked to agree to (C12).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AskedPolicy {
    /// The version that shall be enforced; none: the policy shall be enforced no longer.
    #[serde(default)]
    pub number: Option<i32>,
    /// Why: for whoever decides.
    pub reason: String,
    /// The version of the policy that was seen.
    #[serde(default)]
    pub version: Option<i64>,
}

/// A document that was saved once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Saved {
    pub number: i32,
    #[serde(flatten)]
    pub document: Document,
    pub saved_by: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub saved_at: Timestamp,
}

/// A document tried on somebody before it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Trial {
    pub mode: PolicyMode,
    pub actions: Vec<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = Vec<Object>))]
    #[serde(default)]
    pub rules: Value,
    #[serde(default)]
    pub language: PolicyLanguage,
    #[serde(default)]
    pub module: String,
    /// The permission that is asked for; not known where nothing is said.
    #[serde(default)]
    pub action: Option<String>,
    /// Id, e-mail address or username.
    pub user: String,
    /// What it is done to; not known where nothing is said.
    #[serde(default)]
    pub resource: Option<Thing>,
    #[serde(default)]
    pub env: Option<Request>,
}

/// A module of Rego whose tests shall be run, without saving anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ModuleTests {
    pub module: String,
    pub tests: String,
}

/// How each test of a module went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TestResults {
    /// All of them hold.
    pub passed: bool,
    pub results: Vec<TestResult>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TestResult {
    pub name: String,
    pub passed: bool,
}

/// What a tried document says, and how each of its conditions stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Tried {
    /// It denies, whatever allows. Nothing: that depends on what was not said.
    pub denies: Option<bool>,
    /// It allows by itself.
    pub allows: Option<bool>,
    pub conditions: Vec<TriedCondition>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TriedCondition {
    /// Its place in the document, as `rules[0].condition.and[1]`.
    pub at: String,
    pub holds: Option<bool>,
}
