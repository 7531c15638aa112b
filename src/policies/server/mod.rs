//! Questions to the decision engine, and nothing decided beside it.

pub mod approved;
mod asking;
pub mod authzen;
pub mod graph;
pub mod kept;
pub mod rest;
pub mod searches;
pub mod store;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::task::yield_now;
use uuid::Uuid;

use self::asking::Asking;
use crate::{
    access::{
        Answer, Facts, PERMISSIONS_READ, Permission, Reason, USERS_READ,
        server::{
            Cx, Tx,
            engine::{About, Snapshot},
            outside,
            policy::Env,
        },
    },
    accounts,
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::{RoleId, UserId},
        paging,
        server::{agents, input::Input},
    },
    policies::{
        Able, AblePage, AbleQuery, Evaluation, Evaluations, ManyQuestions, Question, Questions, Remedy, Request,
        Resource, Thing,
    },
};

/// How many questions may be asked at once.
const MOST: usize = 200;
/// How many roles are named that would give a permission.
const ROLES: usize = 12;

/// Answers questions about anybody, as enforcement would. Needs `permissions.read` and `users.read`.
pub async fn evaluate(cx: &Cx, questions: Input<Questions>) -> Result<Evaluations, AppError> {
    let mut asking = Asking::open(cx).await?;
    match questions.read()? {
        Questions::One(question) => {
            let asked = asked(&mut asking, *question, "").await?;
            let (snapshot, now) = (asking.snapshot().clone(), asking.now());
            // Nothing is held while somebody else is asked.
            drop(asking);
            Ok(Evaluations::One(answer(cx.clone(), snapshot, asked, now).await))
        }
        Questions::Many(ManyQuestions { evaluations }) => {
            if evaluations.is_empty() || evaluations.len() > MOST {
                return Err(AppError::field("evaluations", FieldCode::TooLong));
            }
            let mut all = Vec::new();
            for (at, question) in evaluations.into_iter().enumerate() {
                all.push(asked(&mut asking, question, &format!("evaluations[{at}].")).await?);
            }
            let (snapshot, now) = (asking.snapshot().clone(), asking.now());
            drop(asking);
            let asked = all.into_iter().map(|asked| answer(cx.clone(), snapshot.clone(), asked, now));
            let answers = stream::iter(asked.collect::<Vec<_>>()).buffered(outside::AT_ONCE);
            Ok(Evaluations::Many { evaluations: answers.collect().await })
        }
    }
}

/// A question that can be decided.
struct Asked {
    user: UserId,
    key: Permission,
    facts: Option<Facts>,
    env: Option<Env>,
    context: Option<Value>,
}

async fn answer(cx: Cx, snapshot: Arc<Snapshot>, asked: Asked, now: DateTime<Utc>) -> Evaluation {
    // Modules may take their time, and others wait for this thread.
    yield_now().await;
    let Asked { user, key, facts, env, context } = &asked;
    let (facts, env, context) = (facts.as_ref(), env.as_ref(), context.as_ref());
    let about = About { facts, env, context, ..About::at(now) };
    let told = cx.outside(&snapshot, *user, key, about).await;
    explain(&snapshot, *user, key, About { told: Some(&told), ..about })
}

async fn asked(asking: &mut Asking, question: Question, at: &str) -> Result<Asked, AppError> {
    let (kind, facts) = match question.resource {
        Resource::Kind(kind) => (kind, None),
        Resource::Thing(thing) => {
            let (kind, facts) = facts(thing);
            (kind, Some(facts))
        }
    };
    let mut errors = FieldErrors::default();
    let key = asking.snapshot().known(&format!("{}.{}", kind.trim(), question.action.trim()));
    let key = errors.take(&format!("{at}action"), key);
    let user = asking.find(&question.user).await?;
    let user = errors.take(&format!("{at}user"), user.ok_or(FieldCode::Unknown));
    let env = request(question.env.as_ref(), at, &mut errors);
    errors.check()?;
    let (Some(key), Some(user)) = (key, user) else { return Err(AppError::NotFound) };
    let context = said(question.env.as_ref());
    Ok(Asked { user, key, facts, env, context })
}

/// Somebody by id, address or username. Whoever is outside the caller's scopes is nobody.
async fn find(tx: &mut Tx, named: &str) -> Result<Option<UserId>, AppError> {
    let Some(user) = accounts::server::store::find_named(tx, named).await? else { return Ok(None) };
    Ok(accounts::server::store::within(tx, &[user]).await?.pop())
}

/// What is known of a thing, beside its kind.
fn facts(thing: Thing) -> (String, Facts) {
    let Thing { kind, department, region, attributes } = thing;
    (kind, Facts { department, region, other: Value::Object(attributes) })
}

/// What a program would say of a request.
fn said(request: Option<&Request>) -> Option<Value> {
    request?.context.clone().map(Value::Object)
}

/// What is known of a request, where anything is said of it.
fn request(request: Option<&Request>, at: &str, errors: &mut FieldErrors) -> Option<Env> {
    let request = request?;
    let address = request.address.as_deref().map(|text| text.trim().parse::<IpAddr>());
    let address = address.transpose().map_err(|_not_an_address| FieldCode::Malformed);
    let address = errors.take(&format!("{at}env.address"), address).flatten();
    let device = request
        .device
        .as_deref()
        .map(|text| agents::KINDS.iter().find(|kind| **kind == text).copied().ok_or(FieldCode::Unknown));
    let device = errors.take(&format!("{at}env.device"), device.transpose()).flatten();
    let assurance = request.assurance.map(|level| if level <= 2 { Ok(level) } else { Err(FieldCode::Range) });
    let assurance = errors.take(&format!("{at}env.assurance"), assurance.transpose()).flatten();
    Some(Env { address: address.map(|address| address.to_canonical()), device, assurance: assurance.unwrap_or(0) })
}

fn explain(snapshot: &Snapshot, user: UserId, key: &Permission, about: About<'_>) -> Evaluation {
    let decision = snapshot.decide_about(user, key, about);
    let now = about.now;
    let allow = decision.answer == Answer::Yes;
    let would_allow = if allow { Vec::new() } else { remedies(snapshot, user, key, &decision.because, now) };
    Evaluation {
        allow,
        reason: in_words(decision.answer, decision.because.first()),
        permission: key.to_string(),
        answer: decision.answer,
        because: decision.because,
        would_allow,
    }
}

fn in_words(answer: Answer, first: Option<&Reason>) -> String {
    match (answer, first) {
        (_, Some(Reason::Inactive)) => "the account is not active".to_owned(),
        (_, Some(Reason::Denied { through, .. })) => format!("an override denies {through}"),
        (_, Some(Reason::Allowed { through, .. })) => format!("an override allows {through}"),
        (_, Some(Reason::PolicyAllows { policy })) => format!("the policy {} allows it", policy.name),
        (_, Some(Reason::PolicyDenies { policy })) => format!("the policy {} denies it", policy.name),
        (_, Some(Reason::PolicyFails { policy })) => {
            format!("the policy {} could not be evaluated, so it denies", policy.name)
        }
        (_, Some(Reason::PolicyOpen { policy })) => {
            format!("the policy {} decides by what was not said", policy.name)
        }
        (_, Some(Reason::PolicyOutside { policy })) => {
            format!("the policy {} depends on an external decision", policy.name)
        }
        (_, Some(Reason::Protected { through })) => format!("a super-admin keeps {through}"),
        (Answer::Yes, Some(Reason::Role { role, through, .. })) => format!("the role {} gives {through}", role.name),
        (Answer::Depends, Some(Reason::Role { role, .. })) => format!("the role {} counts in a scope only", role.name),
        (Answer::No, Some(Reason::Role { role, .. })) => format!("the role {} does not count there", role.name),
        (_, Some(Reason::NothingGrants) | None) => "nothing grants it".to_owned(),
    }
}

/// Everything that stands in the way, each with what would remove it. What gives it comes last, and only where nothing
/// does yet.
fn remedies(
    snapshot: &Snapshot,
    user: UserId,
    key: &Permission,
    because: &[Reason],
    now: DateTime<Utc>,
) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    let mut is_given = false;
    for reason in because {
        match reason {
            Reason::Inactive => remedies.push(Remedy::Activate),
            Reason::Denied { through, .. } => remedies.push(Remedy::LiftDeny { through: through.clone() }),
            Reason::Role { role, scope, .. } if !scope.is_everything() => {
                is_given = true;
                remedies.push(Remedy::Widen { role: role.clone(), scope: scope.clone() });
            }
            Reason::Role { .. } | Reason::Allowed { .. } | Reason::PolicyAllows { .. } | Reason::Protected { .. } => {
                is_given = true
            }
            Reason::PolicyDenies { policy }
            | Reason::PolicyFails { policy }
            | Reason::PolicyOpen { policy }
            | Reason::PolicyOutside { policy } => {
                remedies.push(Remedy::Policy { policy: policy.clone() });
            }
            Reason::NothingGrants => {}
        }
    }
    if !is_given {
        let person = snapshot.person(user);
        let has = |id| person.is_some_and(|person| snapshot.given(person, now).any(|given| given.id == id));
        let gives = |id: &RoleId| {
            let role = snapshot.role(*id);
            role.is_some_and(|role| !role.platform && role.patterns.iter().any(|pattern| pattern.covers(key)))
        };
        let roles = snapshot.role_ids().into_iter().filter(gives).filter(|id| !has(*id));
        let mut roles = roles.map(|id| snapshot.role_ref(id)).collect::<Vec<_>>();
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        roles.truncate(ROLES);
        remedies.push(if roles.is_empty() {
            Remedy::Allow { permission: key.to_string() }
        } else {
            Remedy::GiveRole { roles }
        });
    }
    remedies
}

/// Everybody who may do something now, a page at a time. One pass over the snapshot; only the page's people are read.
pub async fn who_can(cx: &Cx, key: &str, query: Input<AbleQuery>) -> Result<AblePage, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let query = query.read()?;
    let key = Permission::parse(key).map_err(|code| AppError::field("key", code))?;
    if !tx.snapshot()?.knows(&key) {
        return Err(AppError::NotFound);
    }
    let limit = paging::size(query.limit).map_err(|code| AppError::field("limit", code))?;
    let after = query.after.filter(|after| !after.is_empty()).map(|after| after.parse::<Uuid>());
    let after = after.transpose().map_err(|_not_an_id| AppError::field("after", FieldCode::Malformed))?;
    let (snapshot, now) = (tx.snapshot()?.clone(), tx.now());
    let can = snapshot.asked(|id| snapshot.check(id, &key, None, now) != Answer::No);
    let can = can.filter_map(|(id, can)| can.then_some(id)).collect::<Vec<_>>();
    let can = accounts::server::store::within(&mut tx, &can).await?;
    let total = u32::try_from(can.len()).unwrap_or(u32::MAX);
    let (can, next) = page_of(can, after, limit);
    let people = accounts::server::store::brief(&mut tx, &can).await?;
    let people = people.into_iter().map(|person| (person.id, person)).collect::<BTreeMap<_, _>>();
    let items = can.iter().filter_map(|id| {
        let person = people.get(id)?;
        let decision = snapshot.decide(*id, &key, None, now);
        Some(Able {
            id: *id,
            name: person.name.clone(),
            email: person.email.clone(),
            status: person.status,
            answer: decision.answer,
            because: decision.because,
        })
    });
    Ok(AblePage { items: items.collect(), next, total })
}

/// The people of one page in the order of their ids, and where the next one starts.
fn page_of(mut all: Vec<UserId>, after: Option<Uuid>, limit: u32) -> (Vec<UserId>, Option<String>) {
    all.retain(|id| after.is_none_or(|after| id.0 > after));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = all.len() > limit;
    if more {
        all.select_nth_unstable(limit);
        all.truncate(limit);
    }
    all.sort_unstable();
    let next = all.last().filter(|_| more).map(ToString::to_string);
    (all, next)
}
