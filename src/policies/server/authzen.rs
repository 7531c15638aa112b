//! The decision engine as OpenID's Authorization API 1.0 asks it (AuthZEN): one question, many at once, and where to ask
//! (C18). What the caller says of a request is believed of those who may vouch for it; for others it stays unknown, and what
//! depends on it is a no.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::Request,
    http::StatusCode,
    middleware::{Next, from_fn},
    response::Response,
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::task::yield_now;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{MOST, asking::Asking, searches};
use crate::{
    access::{
        Answer, Facts, Permission, Reason,
        server::{
            Cx,
            engine::{About, Snapshot},
            outside,
        },
    },
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::UserId,
        language::td_string,
        server::{http::Sent, input::Input},
    },
    i18n::Locale,
};

/// Where one question is asked (Authorization API 1.0, Transport).
const EVALUATION: &str = "/access/v1/evaluation";
/// Where many are.
const EVALUATIONS: &str = "/access/v1/evaluations";

/// A question, or the defaults of many (Authorization API 1.0, Access Evaluations API). What is not known is ignored:
/// the specification asks for it.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct AuthzenRequest {
    #[schema(value_type = Option<AuthzenSubject>)]
    subject: Option<Value>,
    #[schema(value_type = Option<AuthzenAction>)]
    action: Option<Value>,
    #[schema(value_type = Option<AuthzenResource>)]
    resource: Option<Value>,
    /// Policies see it as `env.context.…` where the caller holds `requests.vouch`. Anybody else's is not looked at, and what
    /// a policy decides by it is a no.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
    /// At most 200. Each takes from above what it does not say itself; where there are none, the question above is asked.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    evaluations: Vec<Value>,
    #[serde(default)]
    options: AuthzenOptions,
}

/// How many questions are gone through.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct AuthzenOptions {
    #[serde(default)]
    evaluations_semantic: AuthzenSemantic,
}

/// When to stop (Authorization API 1.0, Evaluations semantics).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthzenSemantic {
    /// Every question is answered.
    #[default]
    ExecuteAll,
    /// The first no is the last answer.
    DenyOnFirstDeny,
    /// The first yes is the last answer.
    PermitOnFirstPermit,
}

/// Who would act. What the caller says of them beyond this is not believed: their roles are those they were given here.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AuthzenSubject {
    /// `user`; nobody else can be asked about.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Id, e-mail address or username.
    pub(super) id: String,
}

/// What they would do; its properties are not looked at. The name is the last part of a permission, as `read`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AuthzenAction {
    pub(super) name: String,
}

/// What they would do it to.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AuthzenResource {
    /// The first part of a permission, as `users`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Whichever of them: what counts is where it lies.
    #[expect(dead_code, reason = "the specification wants it, and no right here is about one thing alone")]
    id: String,
    /// `department` and `region`: a right that is held in a scope counts where the thing lies.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    properties: Option<Map<String, Value>>,
}

/// A decision (Authorization API 1.0, Decision). No is no, whatever stands beside it.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuthzenDecision {
    decision: bool,
    context: AuthzenContext,
}

/// Why.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AuthzenContext {
    Because {
        reason: AuthzenReason,
        reason_admin: AuthzenWords,
    },
    /// The question itself is wrong; the others are answered.
    Wrong {
        error: AuthzenError,
    },
}

/// What decided. It does not tell somebody who is not known from somebody who was given nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthzenReason {
    Role,
    Allowed,
    Protected,
    PolicyAllows,
    PolicyDenies,
    PolicyFails,
    PolicyOpen,
    PolicyOutside,
    Denied,
    Inactive,
    ElsewhereOnly,
    SomewhereOnly,
    NothingGrants,
    UnknownPermission,
}

/// The same in words, in both languages.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuthzenWords {
    ar: &'static str,
    en: &'static str,
}

/// What is wrong with one question of many.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuthzenError {
    /// 400.
    status: u16,
    /// The field and what is wrong with it: `resource.id: required`.
    message: String,
}

/// One answer, or as many as questions were gone through.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AuthzenDecisions {
    One(AuthzenDecision),
    Many { evaluations: Vec<AuthzenDecision> },
}

/// Where to ask (Authorization API 1.0, Policy Decision Point Metadata).
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthzenMetadata {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    search_subject_endpoint: String,
    search_resource_endpoint: String,
    search_action_endpoint: String,
}

/// A question that can be decided.
struct Question {
    subject: AuthzenSubject,
    action: AuthzenAction,
    resource: AuthzenResource,
    /// An object.
    context: Option<Value>,
}

/// The parts of a question as they were sent.
#[derive(Default, Deserialize)]
struct Parts {
    subject: Option<Value>,
    action: Option<Value>,
    resource: Option<Value>,
    context: Option<Value>,
}

impl Parts {
    fn read(self) -> Result<Question, AppError> {
        let mut errors = FieldErrors::default();
        let subject = part::<AuthzenSubject>("subject", self.subject, &mut errors)?;
        let action = part::<AuthzenAction>("action", self.action, &mut errors)?;
        let resource = part::<AuthzenResource>("resource", self.resource, &mut errors)?;
        check_context(self.context.as_ref(), &mut errors);
        match (subject, action, resource) {
            (Some(subject), Some(action), Some(resource)) if errors.0.is_empty() => {
                Ok(Question { subject, action, resource, context: self.context })
            }
            _ => Err(AppError::Invalid(errors)),
        }
    }

    /// One of many questions over the defaults of all. A part replaces the default whole, but for what names it: `type`,
    /// `id` and `name` are taken from the default where the part leaves them out (certification scenario, "default value
    /// merging").
    fn over(self, defaults: &AuthzenRequest) -> Self {
        Parts {
            subject: over(self.subject, &defaults.subject),
            action: over(self.action, &defaults.action),
            resource: over(self.resource, &defaults.resource),
            context: self.context.or_else(|| defaults.context.clone()),
        }
    }
}

pub(super) fn check_context(context: Option<&Value>, errors: &mut FieldErrors) {
    if context.is_some_and(|context| !context.is_object()) {
        errors.add("context", FieldCode::Malformed);
    }
}

fn over(part: Option<Value>, default: &Option<Value>) -> Option<Value> {
    match (part, default) {
        (Some(Value::Object(mut part)), Some(Value::Object(default))) => {
            for name in ["type", "id", "name"] {
                if let (false, Some(value)) = (part.contains_key(name), default.get(name)) {
                    part.insert(name.to_owned(), value.clone());
                }
            }
            Some(Value::Object(part))
        }
        (part, default) => part.or_else(|| default.clone()),
    }
}

/// A part of a question, or what is wrong with it.
pub(super) fn part<T: DeserializeOwned>(
    name: &str,
    sent: Option<Value>,
    errors: &mut FieldErrors,
) -> Result<Option<T>, AppError> {
    let Some(sent) = sent else {
        errors.add(name, FieldCode::Required);
        return Ok(None);
    };
    // A list would be read as the fields in their order.
    if !sent.is_object() {
        errors.add(name, FieldCode::Malformed);
        return Ok(None);
    }
    match Input::of_json(&sent).read() {
        Ok(part) => Ok(Some(part)),
        Err(AppError::Invalid(wrong)) => {
            for (field, code) in wrong.0 {
                errors.add(if field == "body" { name.to_owned() } else { format!("{name}.{field}") }, code);
            }
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Answers one question. Needs what [`super::evaluate`] needs.
pub async fn evaluation(cx: &Cx, asked: Input<AuthzenRequest>) -> Result<AuthzenDecision, AppError> {
    let mut asking = Asking::open(cx).await?;
    let AuthzenRequest { subject, action, resource, context, .. } = asked.read()?;
    let question = Parts { subject, action, resource, context }.read()?;
    let asked = found(&mut asking, question).await?;
    Ok(Deciding::of(asking).decide(cx, &asked).await)
}

/// Answers many, in their order, or the one above where there are none.
pub async fn evaluations(cx: &Cx, asked: Input<AuthzenRequest>) -> Result<AuthzenDecisions, AppError> {
    let mut asking = Asking::open(cx).await?;
    let mut asked = asked.read()?;
    let questions = std::mem::take(&mut asked.evaluations);
    if questions.is_empty() {
        let AuthzenRequest { subject, action, resource, context, .. } = asked;
        let question = Parts { subject, action, resource, context }.read()?;
        let found = found(&mut asking, question).await?;
        return Ok(AuthzenDecisions::One(Deciding::of(asking).decide(cx, &found).await));
    }
    if questions.len() > MOST {
        return Err(AppError::field("evaluations", FieldCode::TooLong));
    }
    let mut all = Vec::new();
    for question in questions {
        let question = Input::<Parts>::of_json(&question).read().and_then(|parts| parts.over(&asked).read());
        all.push(match question {
            Ok(question) => Ok(found(&mut asking, question).await?),
            Err(AppError::Invalid(wrong)) => Err(wrong),
            Err(other) => return Err(other),
        });
    }
    let deciding = Deciding::of(asking);
    let decided = all.into_iter().map(|question| deciding.clone().answer(cx.clone(), question)).collect::<Vec<_>>();
    // Where one answer may end it, none is asked for before the one above it is known.
    let at_once = match asked.options.evaluations_semantic {
        AuthzenSemantic::ExecuteAll => outside::AT_ONCE,
        AuthzenSemantic::DenyOnFirstDeny | AuthzenSemantic::PermitOnFirstPermit => 1,
    };
    let mut decided = stream::iter(decided).buffered(at_once);
    let mut answers = Vec::new();
    while let Some(answer) = decided.next().await {
        let stops = match asked.options.evaluations_semantic {
            AuthzenSemantic::ExecuteAll => false,
            AuthzenSemantic::DenyOnFirstDeny => !answer.decision,
            AuthzenSemantic::PermitOnFirstPermit => answer.decision,
        };
        answers.push(answer);
        if stops {
            break;
        }
    }
    Ok(AuthzenDecisions::Many { evaluations: answers })
}

impl AuthzenError {
    fn of(errors: &FieldErrors) -> Self {
        let told = |(field, code): &(String, FieldCode)| {
            let code = serde_json::to_value(code).unwrap_or_default();
            format!("{field}: {}", code.as_str().unwrap_or_default())
        };
        AuthzenError { status: 400, message: errors.0.iter().map(told).collect::<Vec<_>>().join(", ") }
    }
}

/// A question with what it names.
struct Found {
    known: Option<UserId>,
    key: Option<Permission>,
    facts: Option<Facts>,
    /// Believed.
    context: Option<Value>,
}

/// Whom a subject names; nobody where it is none of ours, or out of the caller's bounds.
pub(super) async fn known(asking: &mut Asking, subject: &AuthzenSubject) -> Result<Option<UserId>, AppError> {
    let known = asking.find(&subject.id).await?;
    Ok(known.filter(|_| subject.kind == "user"))
}

/// The permission that an action on a kind of thing is, if there is one.
pub(super) fn key(asking: &Asking, kind: &str, action: &str) -> Option<Permission> {
    let key = Permission::parse(&format!("{}.{}", kind.trim(), action.trim())).ok();
    key.filter(|key| asking.snapshot().knows(key))
}

/// Whom and what a question is about.
async fn found(asking: &mut Asking, question: Question) -> Result<Found, AppError> {
    let known = known(asking, &question.subject).await?;
    let key = key(asking, &question.resource.kind, &question.action.name);
    let context = if question.context.is_some() && asking.vouches()? { question.context } else { None };
    Ok(Found { known, key, facts: question.resource.facts(), context })
}

/// On what it is decided.
#[derive(Clone)]
struct Deciding {
    snapshot: Arc<Snapshot>,
    now: DateTime<Utc>,
}

impl Deciding {
    /// Nothing is held while somebody else is asked: a transaction ends here.
    fn of(asking: Asking) -> Self {
        Deciding { snapshot: asking.snapshot().clone(), now: asking.now() }
    }

    async fn answer(self, cx: Cx, question: Result<Found, FieldErrors>) -> AuthzenDecision {
        // Modules may take their time, and others wait for this thread.
        yield_now().await;
        match question {
            Ok(found) => self.decide(&cx, &found).await,
            Err(wrong) => {
                AuthzenDecision { decision: false, context: AuthzenContext::Wrong { error: AuthzenError::of(&wrong) } }
            }
        }
    }

    /// The engine's answer, with what is asked for outside. Whoever is not known is decided on like anybody else.
    async fn decide(&self, cx: &Cx, found: &Found) -> AuthzenDecision {
        let Found { known, key, facts, context } = found;
        let Some(key) = key else {
            return AuthzenDecision::because(false, AuthzenReason::UnknownPermission);
        };
        let user = known.unwrap_or(UserId(Uuid::nil()));
        let about = About { facts: facts.as_ref(), context: context.as_ref(), ..About::at(self.now) };
        let told = cx.outside(&self.snapshot, user, key, about).await;
        let decision = self.snapshot.decide_about(user, key, About { told: Some(&told), ..about });
        let why = match known {
            Some(_) => AuthzenReason::of(decision.answer, decision.because.first()),
            None => AuthzenReason::NothingGrants,
        };
        AuthzenDecision::because(decision.answer == Answer::Yes, why)
    }
}

impl AuthzenResource {
    /// What is said of it, if anything: where it lies, and what else policies may look at.
    pub(super) fn facts(&self) -> Option<Facts> {
        facts_of(self.properties.as_ref()?)
    }
}

/// What properties say of a thing; nothing where there are none.
pub(super) fn facts_of(properties: &Map<String, Value>) -> Option<Facts> {
    if properties.is_empty() {
        return None;
    }
    let said = |name: &str| properties.get(name)?.as_str().map(str::to_owned);
    let other = Value::Object(properties.clone());
    Some(Facts { department: said("department"), region: said("region"), other })
}

impl AuthzenDecision {
    fn because(decision: bool, reason: AuthzenReason) -> Self {
        let reason_admin = AuthzenWords { ar: reason.in_words(Locale::ar), en: reason.in_words(Locale::en) };
        AuthzenDecision { decision, context: AuthzenContext::Because { reason, reason_admin } }
    }
}

impl AuthzenReason {
    fn of(answer: Answer, first: Option<&Reason>) -> Self {
        match (answer, first) {
            (_, Some(Reason::Inactive)) => AuthzenReason::Inactive,
            (_, Some(Reason::Denied { .. })) => AuthzenReason::Denied,
            (_, Some(Reason::Allowed { .. })) => AuthzenReason::Allowed,
            (_, Some(Reason::Protected { .. })) => AuthzenReason::Protected,
            (_, Some(Reason::PolicyAllows { .. })) => AuthzenReason::PolicyAllows,
            (_, Some(Reason::PolicyDenies { .. })) => AuthzenReason::PolicyDenies,
            (_, Some(Reason::PolicyFails { .. })) => AuthzenReason::PolicyFails,
            (_, Some(Reason::PolicyOpen { .. })) => AuthzenReason::PolicyOpen,
            (_, Some(Reason::PolicyOutside { .. })) => AuthzenReason::PolicyOutside,
            (Answer::Yes, Some(Reason::Role { .. })) => AuthzenReason::Role,
            (Answer::Depends, Some(Reason::Role { .. })) => AuthzenReason::SomewhereOnly,
            (Answer::No, Some(Reason::Role { .. })) => AuthzenReason::ElsewhereOnly,
            (_, Some(Reason::NothingGrants) | None) => AuthzenReason::NothingGrants,
        }
    }

    fn in_words(self, locale: Locale) -> &'static str {
        match self {
            AuthzenReason::Role => td_string!(locale, policies.why_role),
            AuthzenReason::Allowed => td_string!(locale, policies.why_allowed),
            AuthzenReason::Protected => td_string!(locale, policies.why_protected),
            AuthzenReason::PolicyAllows => td_string!(locale, policies.why_policy_allows),
            AuthzenReason::PolicyDenies => td_string!(locale, policies.why_policy_denies),
            AuthzenReason::PolicyFails => td_string!(locale, policies.why_policy_fails),
            AuthzenReason::PolicyOpen => td_string!(locale, policies.why_policy_open),
            AuthzenReason::PolicyOutside => td_string!(locale, policies.why_policy_outside),
            AuthzenReason::Denied => td_string!(locale, policies.why_denied),
            AuthzenReason::Inactive => td_string!(locale, policies.why_inactive),
            AuthzenReason::ElsewhereOnly => td_string!(locale, policies.why_elsewhere_only),
            AuthzenReason::SomewhereOnly => td_string!(locale, policies.why_somewhere_only),
            AuthzenReason::NothingGrants => td_string!(locale, policies.why_nothing_grants),
            AuthzenReason::UnknownPermission => td_string!(locale, policies.why_unknown_permission),
        }
    }
}

/// The routes. Their errors have the status that the specification gives them.
pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    let decisions = OpenApiRouter::new().routes(routes!(evaluation_rest)).routes(routes!(evaluations_rest));
    decisions.merge(searches::routes()).layer(from_fn(say_bad_request)).routes(routes!(metadata))
}

/// What is wrong with a body is 400 here (Authorization API 1.0, Error responses), and 422 elsewhere.
async fn say_bad_request(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

/// May a subject do something to a resource (AuthZEN): `permissions.read` and `users.read`
#[utoipa::path(post, path = "/access/v1/evaluation", operation_id = "evaluation", tag = "authzen", request_body = AuthzenRequest, responses((status = 200, body = AuthzenDecision)))]
async fn evaluation_rest(
    cx: Extension<Cx>,
    Sent(asked): Sent<AuthzenRequest>,
) -> Result<Json<AuthzenDecision>, AppError> {
    evaluation(&cx, asked).await.map(Json)
}

/// The same for many at once (AuthZEN): `permissions.read` and `users.read`
#[utoipa::path(post, path = "/access/v1/evaluations", operation_id = "evaluations", tag = "authzen", request_body = AuthzenRequest, responses((status = 200, body = AuthzenDecisions)))]
async fn evaluations_rest(
    cx: Extension<Cx>,
    Sent(asked): Sent<AuthzenRequest>,
) -> Result<Json<AuthzenDecisions>, AppError> {
    evaluations(&cx, asked).await.map(Json)
}

/// Where decisions are asked for (AuthZEN)
#[utoipa::path(get, path = "/.well-known/authzen-configuration", tag = "authzen", security(()), responses((status = 200, body = AuthzenMetadata)))]
async fn metadata(cx: Extension<Cx>) -> Json<AuthzenMetadata> {
    let at = |path: &str| format!("{}{path}", cx.public_url().origin());
    Json(AuthzenMetadata {
        policy_decision_point: at(""),
        access_evaluation_endpoint: at(EVALUATION),
        access_evaluations_endpoint: at(EVALUATIONS),
        search_subject_endpoint: at(searches::SUBJECT),
        search_resource_endpoint: at(searches::RESOURCE),
        search_action_endpoint: at(searches::ACTION),
    })
}
