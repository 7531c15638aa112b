//! Requests, decisions, and doing what was agreed to. What that is the capability knows that asked for it.

pub mod change;
mod letters;
pub mod rest;
mod store;

use std::{future::Future, pin::Pin};

use chrono::TimeDelta;
use leptos::prelude::use_context;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    access::{
        APPROVALS_DECIDE, ApprovalRules, Facts, Permission, SETTINGS_READ, SETTINGS_UPDATE,
        server::{
            Cx, Tx,
            record::{Action, Event},
        },
    },
    approvals::{Approval, ApprovalsQuery, Kind, State, Verdict},
    base::{
        errors::{AppError, Conflict, DenialCode, FieldCode, FieldErrors, Stale},
        ids::{ApprovalId, UserId},
        server::{
            crypto::{is_same, sha256},
            input::Input,
            settings::{self, Setting as _},
        },
        text::{one_line, optional_line},
    },
};

/// What a capability does for a request, in the transaction of whoever decides.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, AppError>> + Send + 'a>>;

/// The capabilities that do it, which the router hands in.
#[derive(Clone, Copy)]
pub struct Applier {
    /// What has to be decided on instead where the subject has changed since. Writes nothing.
    pub renew: for<'a> fn(&'a mut Tx, &'a Agreed) -> Answering<'a, Option<Renewed>>,
    /// Does what was agreed to; gives back what to record.
    pub apply: for<'a> fn(&'a mut Tx, &'a Agreed) -> Answering<'a, Vec<Event>>,
}

/// The applier of the request that a server function answers.
pub fn applier() -> Result<Applier, AppError> {
    let parts = use_context::<axum::http::request::Parts>();
    let applier = parts.and_then(|parts| parts.extensions.get::<Applier>().copied());
    Ok(applier.ok_or_else(|| anyhow::anyhow!("the router hands in who applies approvals"))?)
}

/// What is to be done.
pub struct Agreed {
    pub kind: Kind,
    pub requester: UserId,
    /// The last who agreed.
    pub decider: UserId,
    pub subject: Uuid,
    /// Where the subject was when it was asked for.
    pub facts: Facts,
    pub proposal: Value,
    pub reason: String,
}

/// A request whose subject has changed, on what it is by now.
pub struct Renewed {
    pub facts: Facts,
    pub proposal: Value,
    pub permissions: Vec<Permission>,
}

/// A request that was kept.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Asked {
    #[schema(value_type = uuid::Uuid)]
    pub id: ApprovalId,
}

/// A request as it is asked for.
pub struct NewApproval {
    pub kind: Kind,
    pub subject: Uuid,
    pub subject_name: String,
    pub facts: Facts,
    pub proposal: Value,
    pub reason: String,
    pub permissions: Vec<Permission>,
}

/// The most requests that one person may have waiting (C12).
pub const MOST_WAITING: i64 = 20;

/// The field of a proposal that says how often it was renewed: each time is another to decide on, also where its subject is
/// again what it was before.
const ROUND: &str = "round";

/// A reason, which every request has.
pub fn parse_reason(reason: &str) -> Result<String, FieldCode> {
    one_line(reason, 1, 1000)
}

/// What a decision is bound to.
fn digest(kind: Kind, subject: Uuid, requester: UserId, proposal: &Value, reason: &str) -> Vec<u8> {
    let text = json!({
        "kind": kind, "subject": subject, "requester": requester, "proposal": proposal, "reason": reason,
    });
    sha256(text.to_string().as_bytes())
}

/// Keeps a request and tells those who may decide. The caller commits with the event that comes back.
pub async fn ask(tx: &mut Tx, new: NewApproval) -> Result<(ApprovalId, Event), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let cx = tx.cx().clone();
    let person = cx.in_person()?;
    cx.at_home()?;
    let rules = settings::get::<ApprovalRules>(tx.conn(), tenant).await?;
    let waiting = sqlx::query_scalar!(
        r#"select count(*) as "n!" from approvals where requester_id = $1 and status = 'waiting' and expires_at > $2"#,
        person.user.0,
        now,
    );
    if waiting.fetch_one(tx.conn()).await? >= MOST_WAITING {
        return Err(AppError::TooMany { retry_after: 3_600 });
    }
    let id = ApprovalId(Uuid::now_v7());
    let digest = digest(new.kind, new.subject, person.user, &new.proposal, &new.reason);
    let expires_at = now + TimeDelta::hours(rules.expires_hours.into());
    let permissions = new.permissions.iter().map(ToString::to_string).collect::<Vec<_>>();
    sqlx::query!(
        "insert into approvals
             (id, tenant_id, requester_id, requester_name, kind, subject_id, subject_name, department, region, proposal,
              digest, reason, permissions, required, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        id.0,
        tenant.0,
        person.user.0,
        person.name,
        new.kind.as_str(),
        new.subject,
        new.subject_name,
        new.facts.department,
        new.facts.region,
        new.proposal,
        digest,
        new.reason,
        &permissions,
        i16::from(rules.required.max(1)),
        expires_at,
        now,
    )
    .execute(tx.conn())
    .await?;
    let deciders = tx.snapshot()?.who_might(&APPROVALS_DECIDE, now);
    let deciders = deciders.into_iter().filter(|who| *who != person.user).take(50).collect::<Vec<_>>();
    let link = cx.link("/console/approvals");
    for reader in store::readers(tx, &deciders).await? {
        let letter = letters::asked(&reader, &person.name, &new.subject_name, &new.reason, &link, expires_at);
        tx.mail(&letter).await?;
    }
    let event = Event::done(Action::ApprovalRequest).on("approval", id, &new.subject_name).new_value(
        json!({"kind": new.kind, "reason": new.reason, "permissions": permissions, "digest": hex::encode(digest)}),
    );
    Ok((id, event))
}

/// The tenant's requests, as far as the caller's right to decide reaches.
pub async fn list(cx: &Cx, query: Input<ApprovalsQuery>) -> Result<Vec<Approval>, AppError> {
    let mut tx = cx.read(APPROVALS_DECIDE).await?;
    let state = query.read()?.state.filter(|text| !text.is_empty());
    let state = state.map(|text| State::parse(&text).ok_or(FieldCode::Unknown)).transpose();
    let state = state.map_err(|code| AppError::field("state", code))?;
    let scopes = tx.filter().map(<[_]>::to_vec);
    let user = cx.person()?.user;
    let found = store::list(&mut tx, store::Which::All(state)).await?;
    let within = found
        .into_iter()
        .filter(|(_, facts)| scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|scope| scope.holds(facts))));
    Ok(within
        .map(|(mut approval, _)| {
            let decided = has_decided(&approval, user);
            approval.may_decide = approval.state == State::Waiting && !approval.is_own && !decided;
            approval
        })
        .collect())
}

/// How many wait for the caller; none where they do not decide. Every page of the console asks for it.
pub async fn count(cx: &Cx) -> Result<i64, AppError> {
    let mut tx = cx.read(APPROVALS_DECIDE).await?;
    store::count_waiting(&mut tx, cx.person()?.user).await
}

/// What the caller has asked for.
pub async fn own(cx: &Cx) -> Result<Vec<Approval>, AppError> {
    let mut tx = cx.of_caller().await?;
    let user = cx.person()?.user;
    let found = store::list(&mut tx, store::Which::Of(user)).await?;
    Ok(found.into_iter().map(|(approval, _)| approval).collect())
}

/// Whether somebody has decided on the request as it stands.
fn has_decided(approval: &Approval, who: UserId) -> bool {
    approval.decisions.iter().any(|decision| decision.counts && decision.decider_id == who)
}

/// Agrees or refuses. The last yes that is needed does what was asked for, in the same transaction. Where the subject has
/// changed since it was asked for, nobody agrees to anything: the request stands on what is now, to be decided on again
/// (C12).
pub async fn decide(
    cx: &Cx,
    applier: Applier,
    id: ApprovalId,
    approves: bool,
    verdict: Input<Verdict>,
) -> Result<Approval, AppError> {
    let mut tx = cx.allow(APPROVALS_DECIDE).await?;
    let person = cx.in_person()?.clone();
    cx.at_home()?;
    let verdict = verdict.read_or_default()?;
    // Grants are locked first, as by everybody who writes them; then the request.
    tx.lock_grants(None).await?;
    let (approval, facts) = store::for_update(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.decide(&facts)?;
    if approval.requester_id == person.user {
        return Err(AppError::denied(DenialCode::OwnRequest));
    }
    // Nobody agrees unseen to what has become of a request since it was asked for.
    let has_moved = approval.proposal.get(ROUND).is_some();
    let seen = verdict.digest.as_deref().map_or(!(approves && has_moved), |seen| seen == approval.digest);
    let decided = has_decided(&approval, person.user);
    if approval.state != State::Waiting || !seen || decided {
        return Err(stale(&mut tx, id).await?);
    }
    let mut errors = FieldErrors::default();
    let comment = errors.take("comment", optional_line(verdict.comment.as_deref(), 1000)).flatten();
    if !approves && comment.is_none() {
        errors.add("comment", FieldCode::Required);
    }
    errors.check()?;
    let bound = digest(approval.kind, approval.subject_id, approval.requester_id, &approval.proposal, &approval.reason);
    if !is_same(hex::encode(&bound).as_bytes(), approval.digest.as_bytes()) {
        return Err(anyhow::anyhow!("request {id} is not what was asked for").into());
    }
    let agreed = Agreed {
        kind: approval.kind,
        requester: approval.requester_id,
        decider: person.user,
        subject: approval.subject_id,
        facts,
        proposal: approval.proposal.clone(),
        reason: approval.reason.clone(),
    };
    if approves {
        match (applier.renew)(&mut tx, &agreed).await {
            Ok(None) => {}
            Ok(Some(renewed)) => return Err(renew(tx, &approval, renewed).await?),
            Err(error) if is_final(&error) => {
                drop(tx);
                fail(cx, id, &approval, error.code()).await?;
                return reread(cx, id).await;
            }
            Err(error) => return Err(error),
        }
    }
    store::insert_decision(&mut tx, id, &person, approves, comment.as_deref(), &bound).await?;
    let made = 1 + i64::try_from(approval.decisions.len()).unwrap_or(i64::MAX - 1);
    let event = |action| {
        let event = Event::done(action).on("approval", id, &approval.subject_name).version(made);
        event.meta("comment", comment.clone()).meta("digest", approval.digest.clone())
    };
    if !approves {
        store::end(&mut tx, id, State::Rejected, None).await?;
        tell(&mut tx, cx, &approval, State::Rejected, comment.as_deref()).await?;
        tx.commit(event(Action::ApprovalReject)).await?;
        return reread(cx, id).await;
    }
    let yes = 1 + approval.decisions.iter().filter(|decision| decision.counts && decision.approves).count();
    if yes < usize::try_from(approval.required).unwrap_or(usize::MAX) {
        tx.commit(event(Action::ApprovalApprove)).await?;
        return reread(cx, id).await;
    }
    check_agreed(&tx, &approval, &agreed.facts, person.user).await?;
    let permissions = approval.permissions.iter().map(|key| Permission::parse(key)).collect::<Result<Vec<_>, _>>();
    tx.approved(permissions.map_err(|code| anyhow::anyhow!("a key of request {id} is {code:?}"))?);
    match (applier.apply)(&mut tx, &agreed).await {
        Ok(events) => {
            for done in &events {
                tx.record(done).await?;
            }
            store::end(&mut tx, id, State::Applied, None).await?;
            tell(&mut tx, cx, &approval, State::Applied, comment.as_deref()).await?;
            tx.record(&event(Action::ApprovalApprove)).await?;
            tx.commit(Event::done(Action::ApprovalApply).on("approval", id, &approval.subject_name)).await?;
        }
        Err(error) if is_final(&error) => {
            // Nothing of it may stay: what it can no longer do is told in a transaction of its own.
            drop(tx);
            fail(cx, id, &approval, error.code()).await?;
        }
        Err(error) => return Err(error),
    }
    reread(cx, id).await
}

/// Whether it can never be done any more, whoever agrees.
fn is_final(error: &AppError) -> bool {
    matches!(
        error,
        AppError::Forbidden(_) | AppError::NotFound | AppError::Conflict(_) | AppError::Invalid(_) | AppError::Cycle(_)
    )
}

/// Puts the request on what its subject is by now, tells those who had agreed that they are asked again, and gives back
/// the refusal that says what was changed meanwhile, when, and by whom.
async fn renew(mut tx: Tx, approval: &Approval, mut renewed: Renewed) -> Result<AppError, AppError> {
    let (cx, id) = (tx.cx().clone(), approval.id);
    let round = approval.proposal.get(ROUND).and_then(Value::as_u64).unwrap_or_default() + 1;
    if let Some(fields) = renewed.proposal.as_object_mut() {
        fields.insert(ROUND.to_owned(), json!(round));
    }
    let digest = digest(approval.kind, approval.subject_id, approval.requester_id, &renewed.proposal, &approval.reason);
    let permissions = renewed.permissions.iter().map(ToString::to_string).collect::<Vec<_>>();
    store::renew(&mut tx, id, &renewed, &permissions, &digest).await?;
    let again = approval.decisions.iter().filter(|decision| decision.counts).map(|decision| decision.decider_id);
    let again = again.collect::<Vec<_>>();
    let (link, until) = (cx.link("/console/approvals"), approval.expires_at.into());
    for reader in store::readers(&mut tx, &again).await? {
        let letter =
            letters::asked(&reader, &approval.requester_name, &approval.subject_name, &approval.reason, &link, until);
        tx.mail(&letter).await?;
    }
    let seen = approval.proposal.get("version").and_then(Value::as_i64);
    let current = renewed.proposal.get("version").and_then(Value::as_i64);
    // Whoever decides elsewhere is not told what happened there.
    let may_read = tx.also_decides(&renewed.facts)?;
    let changes = match (approval.kind.subject(), seen) {
        (Some(kind), Some(seen)) if may_read => tx.changes_since(kind, approval.subject_id, seen).await?,
        (Some(_) | None, _) => Vec::new(),
    };
    let made = 1 + i64::try_from(approval.decisions.len()).unwrap_or(i64::MAX - 1);
    let event = Event::done(Action::ApprovalRenew).on("approval", id, &approval.subject_name).version(made);
    tx.commit(event.new_value(json!({"permissions": permissions, "digest": hex::encode(digest)}))).await?;
    Ok(AppError::Conflict(Conflict::Stale(Stale { current, changes })))
}

/// Whoever agreed earlier must still be allowed to, and have decided on the same thing.
async fn check_agreed(tx: &Tx, approval: &Approval, facts: &Facts, last: UserId) -> Result<(), AppError> {
    let others = approval.decisions.iter().filter(|decision| decision.counts && decision.approves);
    let others = others.filter(|decision| decision.decider_id != last);
    for decision in others {
        change::still_may(tx, decision.decider_id, &APPROVALS_DECIDE, Some(facts)).await?;
    }
    Ok(())
}

async fn fail(cx: &Cx, id: ApprovalId, approval: &Approval, failure: &str) -> Result<(), AppError> {
    let mut tx = cx.allow(APPROVALS_DECIDE).await?;
    let (current, facts) = store::for_update(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.decide(&facts)?;
    if current.state != State::Waiting || current.digest != approval.digest {
        // Between the two transactions somebody was quicker.
        return Err(stale(&mut tx, id).await?);
    }
    store::end(&mut tx, id, State::Failed, Some(failure)).await?;
    tell(&mut tx, cx, approval, State::Failed, None).await?;
    let event = Event::failed(Action::ApprovalApply).on("approval", id, &approval.subject_name);
    tx.commit(event.meta("failure", failure)).await
}

async fn reread(cx: &Cx, id: ApprovalId) -> Result<Approval, AppError> {
    let mut tx = cx.read(APPROVALS_DECIDE).await?;
    let (approval, facts) = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.decide(&facts)?;
    Ok(approval)
}

/// Tells whoever asked.
async fn tell(tx: &mut Tx, cx: &Cx, approval: &Approval, state: State, comment: Option<&str>) -> Result<(), AppError> {
    let link = cx.link("/console/approvals?show=mine");
    for reader in store::readers(tx, &[approval.requester_id]).await? {
        tx.mail(&letters::decided(&reader, &approval.subject_name, state, comment, &link)).await?;
    }
    Ok(())
}

/// Takes back what the caller has asked for.
pub async fn withdraw(cx: &Cx, id: ApprovalId) -> Result<(), AppError> {
    let mut tx = cx.own().await?;
    let user = cx.person()?.user;
    let found = store::for_update(&mut tx, id).await?;
    let (approval, _) = found.filter(|(approval, _)| approval.requester_id == user).ok_or(AppError::NotFound)?;
    if approval.state != State::Waiting {
        return Err(stale(&mut tx, id).await?);
    }
    store::end(&mut tx, id, State::Withdrawn, None).await?;
    let made = 1 + i64::try_from(approval.decisions.len()).unwrap_or(i64::MAX - 1);
    tx.commit(Event::done(Action::ApprovalWithdraw).on("approval", id, &approval.subject_name).version(made)).await
}

/// Somebody was quicker: who, and when. A request changes with each decision and when it is taken back.
async fn stale(tx: &mut Tx, id: ApprovalId) -> Result<AppError, AppError> {
    let changes = tx.changes_of("approval", id.0).await?;
    Ok(AppError::Conflict(Conflict::Stale(Stale { current: None, changes })))
}

/// The tenant's rule.
pub async fn rules(cx: &Cx) -> Result<ApprovalRules, AppError> {
    let mut tx = cx.read(SETTINGS_READ).await?;
    tx.decide(&Default::default())?;
    let tenant = tx.tenant()?;
    Ok(settings::get::<ApprovalRules>(tx.conn(), tenant).await?)
}

/// A role that the rule names goes on being high under its new name.
pub async fn follow_renamed_role(tx: &mut Tx, old: &str, new: &str) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    let mut rules = settings::get::<ApprovalRules>(tx.conn(), tenant).await?;
    let Some(listed) = rules.roles.iter_mut().find(|listed| *listed == old) else { return Ok(()) };
    new.clone_into(listed);
    settings::put(tx.conn(), tenant, &rules).await?;
    Ok(())
}

/// Replaces the rule. Requests that wait keep what held when they were made.
pub async fn set_rules(cx: &Cx, rules: Input<ApprovalRules>) -> Result<ApprovalRules, AppError> {
    let mut tx = cx.allow(SETTINGS_UPDATE).await?;
    cx.in_person()?;
    tx.decide(&Default::default())?;
    let rules = rules.read()?;
    let mut errors = FieldErrors::default();
    let snapshot = tx.snapshot()?;
    for (at, _unknown) in rules.permissions.iter().enumerate().filter(|(_, key)| snapshot.known(key).is_err()) {
        errors.add(format!("permissions[{at}]"), FieldCode::Unknown);
    }
    let names = sqlx::query_scalar!("select name from roles").fetch_all(tx.conn()).await?;
    for (at, _unknown) in rules.roles.iter().enumerate().filter(|(_, role)| !names.contains(role)) {
        errors.add(format!("roles[{at}]"), FieldCode::Unknown);
    }
    if !(1..=5).contains(&rules.required) {
        errors.add("required", FieldCode::Malformed);
    }
    if !(1..=720).contains(&rules.expires_hours) {
        errors.add("expires_hours", FieldCode::Malformed);
    }
    errors.check()?;
    let tenant = tx.tenant()?;
    let before = settings::get::<ApprovalRules>(tx.conn(), tenant).await?;
    settings::put(tx.conn(), tenant, &rules).await?;
    let version = settings::version(tx.conn(), tenant).await?;
    let event = Event::done(Action::ApprovalRules).on("settings", tenant, ApprovalRules::KEY).version(version);
    tx.commit(event.change(json!(before), json!(rules))).await?;
    Ok(rules)
}
