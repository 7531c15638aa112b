//! Searches as OpenID's Authorization API 1.0 asks them (AuthZEN): who may, what somebody may, and on which things (C18).
//! Each result is what the evaluation of the same question says yes to: both ask the engine with the same words.

use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    asking::Asking,
    authzen::{AuthzenAction, AuthzenResource, AuthzenSubject, check_context, facts_of, key, known, part},
    kept, page_of,
};
use crate::{
    access::{Answer, Permission, server::Cx},
    accounts::server::store,
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::UserId,
        paging,
        server::{http::Sent, input::Input},
    },
    groups,
    policies::PoliciesQuery,
    roles,
};

/// Where one asks who may do something (Authorization API 1.0, Subject Search API).
pub const SUBJECT: &str = "/access/v1/search/subject";
/// Where one asks on which things somebody may do something.
pub const RESOURCE: &str = "/access/v1/search/resource";
/// Where one asks what somebody may do to a thing.
pub const ACTION: &str = "/access/v1/search/action";

/// How many people are looked at in one go.
const AT_ONCE: u32 = 500;

/// A search (Authorization API 1.0, Search APIs): what is searched for is left out, or has its `type` alone. What is not
/// known is ignored.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct AuthzenSearch {
    #[schema(value_type = Option<AuthzenSubject>)]
    subject: Option<Value>,
    #[schema(value_type = Option<AuthzenAction>)]
    action: Option<Value>,
    #[schema(value_type = Option<AuthzenResource>)]
    resource: Option<Value>,
    /// As in an evaluation: believed where the caller holds `requests.vouch`.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
    #[schema(value_type = Option<AuthzenPage>)]
    page: Option<Value>,
}

/// Which part of the results is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct AuthzenPage {
    /// The `next_token` of the page before.
    #[serde(default)]
    token: Option<String>,
    /// 1 to 200, 50 without it.
    #[serde(default)]
    limit: Option<u32>,
}

/// How the results go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthzenNext {
    /// Empty on the last page.
    next_token: String,
    /// How many results this page has.
    count: usize,
}

/// A person or thing that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthzenFound {
    #[serde(rename = "type")]
    kind: String,
    /// A person's username, or their id where they have none; a thing's id.
    id: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
}

/// A page of people or things.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthzenFoundPage {
    results: Vec<AuthzenFound>,
    page: AuthzenNext,
}

/// Something that may be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthzenFoundAction {
    name: String,
}

/// A page of what may be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthzenActionPage {
    results: Vec<AuthzenFoundAction>,
    page: AuthzenNext,
}

/// What is searched for.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

/// Where a page starts, and how long it is.
struct Start {
    token: Option<String>,
    limit: u32,
}

impl Start {
    fn read(page: Option<Value>, errors: &mut FieldErrors) -> Result<Self, AppError> {
        let page = match page {
            Some(page) => part::<AuthzenPage>("page", Some(page), errors)?.unwrap_or_default(),
            None => AuthzenPage::default(),
        };
        let limit = errors.take("page.limit", paging::size(page.limit)).unwrap_or(paging::PAGE_SIZE);
        Ok(Start { token: page.token.filter(|token| !token.is_empty()), limit })
    }

    fn id(&self) -> Result<Option<Uuid>, AppError> {
        let id = self.token.as_deref().map(str::parse).transpose();
        id.map_err(|_not_an_id| AppError::field("page.token", FieldCode::Malformed))
    }
}

impl AuthzenNext {
    fn of(next: Option<String>, count: usize) -> Self {
        AuthzenNext { next_token: next.unwrap_or_default(), count }
    }
}

impl AuthzenFoundPage {
    fn of(results: Vec<AuthzenFound>, next: Option<String>) -> Self {
        AuthzenFoundPage { page: AuthzenNext::of(next, results.len()), results }
    }
}

/// Everybody of the caller's who may do something to a thing. Needs what an evaluation needs.
pub async fn subjects(cx: &Cx, asked: Input<AuthzenSearch>) -> Result<AuthzenFoundPage, AppError> {
    let mut asking = Asking::open(cx).await?;
    let AuthzenSearch { subject, action, resource, context, page } = asked.read()?;
    let mut errors = FieldErrors::default();
    let subject = part::<Kind>("subject", subject, &mut errors)?;
    let action = part::<AuthzenAction>("action", action, &mut errors)?;
    let resource = part::<AuthzenResource>("resource", resource, &mut errors)?;
    check_context(context.as_ref(), &mut errors);
    let from = Start::read(page, &mut errors)?;
    errors.check()?;
    let (Some(subject), Some(action), Some(resource)) = (subject, action, resource) else {
        return Err(AppError::NotFound);
    };
    let after = from.id()?;
    let key = key(&asking, &resource.kind, &action.name);
    let Some(key) = key.filter(|_| subject.kind == "user") else {
        return Ok(AuthzenFoundPage::of(Vec::new(), None));
    };
    let facts = resource.facts();
    let can = {
        let about = asking.about(facts.as_ref(), context.as_ref())?;
        let snapshot = asking.snapshot();
        let all = snapshot.asked(|id| snapshot.check_about(id, &key, about) == Answer::Yes);
        all.filter_map(|(id, can)| can.then_some(id)).collect::<Vec<_>>()
    };
    let can = store::within(asking.tx().await?, &can).await?;
    let (can, next) = page_of(can, after, from.limit);
    let named = store::usernames(asking.tx().await?, &can).await?;
    let found = can.iter().map(|id| AuthzenFound {
        kind: "user".to_owned(),
        id: named.get(id).cloned().unwrap_or_else(|| id.to_string()),
        properties: Map::from_iter([("user_id".to_owned(), Value::String(id.to_string()))]),
    });
    Ok(AuthzenFoundPage::of(found.collect(), next))
}

/// What somebody may do to a thing. Needs what an evaluation needs.
pub async fn actions(cx: &Cx, asked: Input<AuthzenSearch>) -> Result<AuthzenActionPage, AppError> {
    let mut asking = Asking::open(cx).await?;
    let AuthzenSearch { subject, resource, context, page, .. } = asked.read()?;
    let mut errors = FieldErrors::default();
    let subject = part::<AuthzenSubject>("subject", subject, &mut errors)?;
    let resource = part::<AuthzenResource>("resource", resource, &mut errors)?;
    check_context(context.as_ref(), &mut errors);
    let from = Start::read(page, &mut errors)?;
    errors.check()?;
    let (Some(subject), Some(resource)) = (subject, resource) else { return Err(AppError::NotFound) };
    let mut names = Vec::new();
    if let Some(user) = known(&mut asking, &subject).await? {
        let facts = resource.facts();
        let about = asking.about(facts.as_ref(), context.as_ref())?;
        let snapshot = asking.snapshot();
        let keys = snapshot.plain_keys().map(|(_, key)| key).filter(|key| key.resource() == resource.kind.trim());
        let may = keys.filter(|key| snapshot.check_about(user, key, about) == Answer::Yes);
        names.extend(may.filter_map(|key| Some(key.as_str().rsplit_once('.')?.1.to_owned())));
    }
    names.sort_unstable();
    names.dedup();
    names.retain(|name| from.token.as_ref().is_none_or(|token| name > token));
    let page = paging::Page::of(names, from.limit, String::clone);
    let results = page.items.into_iter().map(|name| AuthzenFoundAction { name }).collect::<Vec<_>>();
    Ok(AuthzenActionPage { page: AuthzenNext::of(page.next, results.len()), results })
}

/// On which of the things that are kept here somebody may do something: people, roles, groups, policies. What lies in the
/// caller's own programs is not known here: such a `type` is refused. Needs what an evaluation needs, and what seeing the
/// things needs.
pub async fn resources(cx: &Cx, asked: Input<AuthzenSearch>) -> Result<AuthzenFoundPage, AppError> {
    let mut asking = Asking::open(cx).await?;
    let AuthzenSearch { subject, action, resource, context, page } = asked.read()?;
    let mut errors = FieldErrors::default();
    let subject = part::<AuthzenSubject>("subject", subject, &mut errors)?;
    let action = part::<AuthzenAction>("action", action, &mut errors)?;
    let resource = part::<Kind>("resource", resource, &mut errors)?;
    check_context(context.as_ref(), &mut errors);
    let from = Start::read(page, &mut errors)?;
    let kind = resource.as_ref().map(|resource| resource.kind.trim()).unwrap_or_default();
    if resource.is_some() && !["users", "roles", "groups", "policies"].contains(&kind) {
        errors.add("resource.type", FieldCode::Unknown);
    }
    errors.check()?;
    let (Some(subject), Some(action)) = (subject, action) else { return Err(AppError::NotFound) };
    let (user, key) = (known(&mut asking, &subject).await?, key(&asking, kind, &action.name));
    let (Some(user), Some(key)) = (user, key) else { return Ok(AuthzenFoundPage::of(Vec::new(), None)) };
    if kind == "users" {
        return people(&mut asking, user, &key, context.as_ref(), &from).await;
    }
    // Nothing is known of one of these that is not known of all of them.
    let may = asking.snapshot().check_about(user, &key, asking.about(None, context.as_ref())?) == Answer::Yes;
    drop(asking);
    let (ids, next) = match kind {
        "roles" => some_of(roles::server::all(cx).await?.iter().map(|role| role.id.0).collect(), &from)?,
        "groups" => some_of(groups::server::all(cx).await?.iter().map(|group| group.id.0).collect(), &from)?,
        _ => {
            let query = PoliciesQuery { q: None, after: from.token.clone(), limit: Some(from.limit) };
            let page = kept::list(cx, query.into()).await?;
            (page.items.iter().map(|policy| policy.id.0).collect(), page.next)
        }
    };
    if !may {
        return Ok(AuthzenFoundPage::of(Vec::new(), None));
    }
    let found = ids.iter().map(|id| AuthzenFound { kind: kind.to_owned(), id: id.to_string(), properties: Map::new() });
    Ok(AuthzenFoundPage::of(found.collect(), next))
}

/// The part of some things that was asked for, in the order of their ids.
fn some_of(mut ids: Vec<Uuid>, from: &Start) -> Result<(Vec<Uuid>, Option<String>), AppError> {
    let after = from.id()?;
    ids.sort_unstable();
    ids.retain(|id| after.is_none_or(|after| *id > after));
    let page = paging::Page::of(ids, from.limit, ToString::to_string);
    Ok((page.items, page.next))
}

/// The people of the caller's on whom somebody may do something, each with what decides about them.
async fn people(
    asking: &mut Asking,
    user: UserId,
    key: &Permission,
    context: Option<&Value>,
    from: &Start,
) -> Result<AuthzenFoundPage, AppError> {
    let wanted = usize::try_from(from.limit).unwrap_or(usize::MAX);
    let (mut after, mut found, mut next) = (from.id()?, Vec::new(), None);
    'all: loop {
        let some = store::some_facts(asking.tx().await?, after, AT_ONCE).await?;
        let ids = some.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let Some(last) = ids.last() else { break };
        after = Some(last.0);
        let within = store::within(asking.tx().await?, &ids).await?;
        for (id, properties) in some {
            if !within.contains(&id) {
                continue;
            }
            let facts = facts_of(&properties);
            let about = asking.about(facts.as_ref(), context)?;
            if asking.snapshot().check_about(user, key, about) != Answer::Yes {
                continue;
            }
            if found.len() == wanted {
                next = found.last().map(|last: &AuthzenFound| last.id.clone());
                break 'all;
            }
            found.push(AuthzenFound { kind: "users".to_owned(), id: id.to_string(), properties });
        }
    }
    Ok(AuthzenFoundPage::of(found, next))
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(subjects_rest)).routes(routes!(resources_rest)).routes(routes!(actions_rest))
}

/// Who may do something to a resource (AuthZEN): `permissions.read` and `users.read`
#[utoipa::path(post, path = "/access/v1/search/subject", operation_id = "search_subject", tag = "authzen", request_body = AuthzenSearch, responses((status = 200, body = AuthzenFoundPage)))]
async fn subjects_rest(
    cx: Extension<Cx>,
    Sent(asked): Sent<AuthzenSearch>,
) -> Result<Json<AuthzenFoundPage>, AppError> {
    subjects(&cx, asked).await.map(Json)
}

/// On which things kept here somebody may do something (AuthZEN): `permissions.read`, `users.read`, and to see those
#[utoipa::path(post, path = "/access/v1/search/resource", operation_id = "search_resource", tag = "authzen", request_body = AuthzenSearch, responses((status = 200, body = AuthzenFoundPage)))]
async fn resources_rest(
    cx: Extension<Cx>,
    Sent(asked): Sent<AuthzenSearch>,
) -> Result<Json<AuthzenFoundPage>, AppError> {
    resources(&cx, asked).await.map(Json)
}

/// What somebody may do to a resource (AuthZEN): `permissions.read` and `users.read`
#[utoipa::path(post, path = "/access/v1/search/action", operation_id = "search_action", tag = "authzen", request_body = AuthzenSearch, responses((status = 200, body = AuthzenActionPage)))]
async fn actions_rest(
    cx: Extension<Cx>,
    Sent(asked): Sent<AuthzenSearch>,
) -> Result<Json<AuthzenActionPage>, AppError> {
    actions(&cx, asked).await.map(Json)
}
