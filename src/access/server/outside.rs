//! Decisions from outside: what a policy of the language `opa` says is asked at the tenant's own Open Policy Agent, before
//! a transaction is opened, with the input document of a module of Rego (C6). Without a good answer in time it denies.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use reqwest::{StatusCode, Url, header::CONTENT_TYPE, redirect};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

use crate::{
    access::{
        Permission, SETTINGS_UPDATE,
        opa::{BearerToken, Opa},
        server::{
            Cx, Tx,
            change::{Change, Granter},
            engine::{About, Snapshot},
            node::begin,
            policy::Situation,
            record::{Action, Event},
            rego::{self, Verdict},
        },
    },
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::{PolicyId, TenantId, UserId},
        server::{
            crypto::{SealedAfter, SealedValue},
            settings::{self, Setting},
        },
    },
};

/// How long an address may be.
const LONGEST_URL: usize = 500;
/// How long a token may be.
const LONGEST_TOKEN: usize = 4_096;
/// How many parts the path of a decision may have, and how long each may be.
const PARTS: usize = 8;
const LONGEST_PART: usize = 60;
/// How large a question may be, in bytes of JSON. What is larger is not asked, and so denies.
const LARGEST_INPUT: usize = 64 * 1024;
/// How large an answer may be, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;
/// How long one request of a caller waits for answers from outside, however many questions it has.
const PATIENCE: Duration = Duration::from_millis(2_000);

/// What was answered from outside to one question, by policy (C6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told(BTreeMap<PolicyId, Verdict>);

impl Told {
    pub fn get(&self, policy: PolicyId) -> Option<Verdict> {
        self.0.get(&policy).copied()
    }
}

/// A policy, the path at which it is asked, and the permission it is asked about.
type Question = (PolicyId, Arc<str>, Permission);

/// What was answered about the caller of one request: asked once, however often it is decided on.
#[derive(Debug, Default)]
pub(super) struct Heard {
    answers: Mutex<BTreeMap<Question, Verdict>>,
    /// The time that was spent on waiting, in microseconds.
    waited: AtomicU64,
}

/// The client of this node, made when it is first needed.
#[derive(Clone, Debug, Default)]
pub(super) struct Outside {
    client: Arc<OnceLock<reqwest::Client>>,
    failed: Arc<AtomicU64>,
}

/// A tenant's agent, as it is asked.
struct Agent {
    opa: Opa,
    token: Option<String>,
}

impl Outside {
    fn client(&self) -> anyhow::Result<reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        // It goes where the setting says and nowhere else: not where an answer leads, not where the environment does.
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent("bawwab")
            .build()
            .context("make a client")?;
        Ok(self.client.get_or_init(|| client).clone())
    }

    async fn ask(&self, agent: &Agent, path: &str, input: &Value, left: Duration) -> Verdict {
        let started = Instant::now();
        match self.answer(agent, path, input, left).await {
            Ok((denies, allows)) => Verdict::Says { denies, allows },
            Err(why) => {
                let times = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
                // Each question may fail, and there are many.
                if times.is_power_of_two() {
                    let after = started.elapsed();
                    warn!(times, ?after, "an external decision was not had, so it denies: {why:#}");
                }
                Verdict::Failed
            }
        }
    }

    async fn answer(&self, agent: &Agent, path: &str, input: &Value, left: Duration) -> anyhow::Result<(bool, bool)> {
        anyhow::ensure!(!left.is_zero(), "the time of this request is spent");
        anyhow::ensure!(is_allowed(&agent.opa.url), "no agent is set");
        let url = format!("{}/v1/data/{path}", agent.opa.url);
        let body = json!({"input": input}).to_string();
        anyhow::ensure!(body.len() <= LARGEST_INPUT, "the question is too large");
        let mut request = self.client()?.post(url).timeout(left).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(token) = &agent.token {
            request = request.bearer_auth(token);
        }
        let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
        anyhow::ensure!(response.status() == StatusCode::OK, "it answered {}", response.status());
        let mut text = Vec::new();
        while let Some(part) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            anyhow::ensure!(text.len() + part.len() <= LARGEST_ANSWER, "its answer is too large");
            text.extend_from_slice(&part);
        }
        read(&text)
    }
}

/// Whether it denies, and whether it allows. What is true alone allows, as in a module of Rego.
fn read(answer: &[u8]) -> anyhow::Result<(bool, bool)> {
    #[derive(Deserialize)]
    struct Answer {
        result: Value,
    }
    let Answer { result } = serde_json::from_slice(answer).context("read its answer")?;
    match &result {
        Value::Bool(allows) => Ok((false, *allows)),
        Value::Object(result) => {
            let denies = match result.get("deny") {
                None => false,
                Some(Value::Bool(denies)) => *denies,
                Some(_) => anyhow::bail!("deny is no boolean"),
            };
            Ok((denies, result.get("allow") == Some(&Value::Bool(true))))
        }
        _ => anyhow::bail!("its answer is neither a boolean nor an object"),
    }
}

/// The path of a decision under `/v1/data`: plain names, so that it leads nowhere else.
pub fn parse_path(text: &str) -> Result<String, FieldCode> {
    let text = text.trim().trim_matches('/');
    if text.is_empty() {
        return Err(FieldCode::Required);
    }
    let parts = text.split('/').collect::<Vec<_>>();
    if parts.len() > PARTS || parts.iter().any(|part| part.len() > LONGEST_PART) {
        return Err(FieldCode::TooLong);
    }
    let is_plain = |part: &&str| {
        !part.is_empty() && part.chars().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-'))
    };
    if parts.iter().all(is_plain) { Ok(text.to_owned()) } else { Err(FieldCode::Malformed) }
}

/// Whether an agent may be there: by https, or on this machine itself and then without a path, so that nothing else that
/// listens here is spoken to.
fn is_allowed(text: &str) -> bool {
    let Ok(url) = text.parse::<Url>() else { return false };
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && !text.ends_with('/');
    let host = url.host_str().unwrap_or_default();
    let is_here = || {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    is_plain
        && match url.scheme() {
            "https" => !host.is_empty(),
            "http" => is_here() && url.path() == "/",
            _ => false,
        }
}

impl Setting for Opa {
    const KEY: &'static str = "access.opa";
}

impl Opa {
    /// Says what is wrong with it.
    pub fn parse(self) -> Result<Self, AppError> {
        let mut errors = FieldErrors::default();
        let url = self.url.trim().trim_end_matches('/').to_owned();
        if url.len() > LONGEST_URL {
            errors.add("opa.url", FieldCode::TooLong);
        } else if !url.is_empty() && !is_allowed(&url) {
            errors.add("opa.url", FieldCode::Malformed);
        }
        if !(Self::TIMEOUT_MS.0..=Self::TIMEOUT_MS.1).contains(&self.timeout_ms) {
            errors.add("opa.timeout_ms", FieldCode::Range);
        }
        if let Some(BearerToken(token)) = &self.token {
            if token.len() > LONGEST_TOKEN {
                errors.add("opa.token", FieldCode::TooLong);
            } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                errors.add("opa.token", FieldCode::Malformed);
            }
        }
        errors.check()?;
        Ok(Opa { url, ..self })
    }
}

impl Cx {
    /// What the policies that ask outside say of somebody and a permission, asked now. Nothing is asked where they decide
    /// nothing: where it is a yes or a no without them. No transaction may be open: somebody else is waited for.
    pub async fn outside(&self, snapshot: &Snapshot, user: UserId, permission: &Permission, about: About<'_>) -> Told {
        if !snapshot.waits_outside(user, permission, about) {
            return Told::default();
        }
        let asked = snapshot.outside(permission).map(|(policy, path)| (policy, path.clone(), permission.clone()));
        let questions = asked.collect::<Vec<_>>();
        let answers = self.ask(snapshot, user, &questions, about).await;
        Told(answers.into_iter().map(|((policy, ..), verdict)| (policy, verdict)).collect())
    }

    /// Asks what has to be asked before it is decided whether the caller may do this. The thing that is acted on is not
    /// known yet, and so not told.
    pub(super) async fn ask_outside(&self, snapshot: &Snapshot, user: UserId, permission: &Permission) {
        if snapshot.outside(permission).next().is_none() {
            return;
        }
        let (env, told) = (self.env(snapshot), self.told(snapshot, permission));
        let about = About { facts: None, env: Some(&env), context: None, told: told.as_ref(), now: self.now() };
        if !snapshot.waits_outside(user, permission, about) {
            return;
        }
        let asked = snapshot.outside(permission).map(|(policy, path)| (policy, path.clone(), permission.clone()));
        let questions = {
            let answers = self.0.heard.answers.lock().unwrap_or_else(PoisonError::into_inner);
            asked.filter(|question| !answers.contains_key(question)).collect::<Vec<_>>()
        };
        let answers = self.ask(snapshot, user, &questions, about).await;
        self.0.heard.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(answers);
    }

    /// What was answered about the caller and a permission; nothing where nobody is asked outside about it.
    pub(super) fn told(&self, snapshot: &Snapshot, permission: &Permission) -> Option<Told> {
        let mut asked = snapshot.outside(permission).peekable();
        asked.peek()?;
        let answers = self.0.heard.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let told = asked.filter_map(|(policy, path)| {
            let verdict = answers.get(&(policy, path.clone(), permission.clone()))?;
            Some((policy, *verdict))
        });
        Some(Told(told.collect()))
    }

    async fn ask(
        &self,
        snapshot: &Snapshot,
        user: UserId,
        questions: &[Question],
        about: About<'_>,
    ) -> Vec<(Question, Verdict)> {
        let agent = match self.agent(snapshot.tenant).await {
            Ok(agent) => agent,
            Err(error) => {
                warn!(%error, "the setting of the policy agent could not be read, so what asks it denies");
                return questions.iter().map(|question| (question.clone(), Verdict::Failed)).collect();
            }
        };
        let Some(person) = snapshot.person(user) else { return Vec::new() };
        let About { facts, env, context, now, told: _ } = about;
        let timeout = Duration::from_millis(u64::from(agent.opa.timeout_ms));
        let mut answers = Vec::new();
        for question in questions {
            let (_, path, permission) = question;
            let action = Some(permission);
            let on = Situation { snapshot, user, person, action, facts, env, context, told: None, now };
            let waited = Duration::from_micros(self.0.heard.waited.load(Ordering::Relaxed));
            let left = timeout.min(PATIENCE.saturating_sub(waited));
            let started = Instant::now();
            let verdict = self.0.heart.outside.ask(&agent, path, &rego::whole_input(on), left).await;
            let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.0.heard.waited.fetch_add(took, Ordering::Relaxed);
            answers.push((question.clone(), verdict));
        }
        answers
    }

    /// The tenant's agent, read in a transaction that is over before anybody is asked.
    async fn agent(&self, tenant: TenantId) -> Result<Agent, AppError> {
        let mut tx = begin(&self.0.heart.pool, Some(tenant), "", self.now(), true).await?;
        let opa = settings::get::<Opa>(&mut tx, tenant).await?;
        let sealed = sqlx::query_scalar!("select sealed from opa_tokens where tenant_id = $1", tenant.0)
            .fetch_optional(&mut *tx)
            .await?;
        tx.rollback().await?;
        let token = sealed.map(|sealed| self.keys().open(&place(tenant), &sealed)).transpose()?;
        let token = token.map(String::from_utf8).transpose().context("read the token of the policy agent")?;
        Ok(Agent { opa, token })
    }
}

/// Keeps the tenant's agent, and gives the event of it if anything changed. Whoever answers at another address decides all
/// that the policies in force ask there, so naming one needs what putting each of them into force does; and a token goes to
/// no other address than the one it was given for.
pub async fn put(tx: &mut Tx, wanted: Opa) -> Result<Option<Event>, AppError> {
    let tenant = tx.tenant()?;
    let before = settings::get::<Opa>(tx.conn(), tenant).await?;
    let is_elsewhere = before.url != wanted.url;
    let token = wanted.token.map(|BearerToken(token)| token).or_else(|| is_elsewhere.then(String::new));
    let has_token = token.as_ref().map_or(before.has_token, |token| !token.is_empty());
    let after = Opa { url: wanted.url, timeout_ms: wanted.timeout_ms, has_token, token: None };
    let is_new_token = token.as_ref().is_some_and(|token| !token.is_empty());
    if after == before && !is_new_token {
        return Ok(None);
    }
    if is_elsewhere || token.is_some() {
        tx.lock_grants(Some(&SETTINGS_UPDATE)).await?;
        let policies = tx.snapshot()?.policies().iter().filter(|policy| policy.outside.is_some());
        let again = policies.map(|policy| Change::Policy { id: policy.id, policy: Some(policy.clone()) });
        let again = again.collect::<Vec<_>>();
        if !again.is_empty() {
            let granter = Granter::Person(tx.cx().person()?.user);
            tx.grant(&again, granter).await?;
        }
    }
    if let Some(token) = token {
        keep_token(tx, tenant, &token).await?;
    }
    settings::put(tx.conn(), tenant, &after).await?;
    let version = settings::version(tx.conn(), tenant).await?;
    let mut told = json!(after);
    if is_new_token {
        told["token"] = json!("new");
    }
    let event = Event::done(Action::SettingsUpdate).on("settings", tenant, Opa::KEY).version(version);
    Ok(Some(event.change(json!(before), told)))
}

/// Where a token is sealed for.
fn place(tenant: TenantId) -> String {
    format!("opa:token:{tenant}")
}

/// An empty token is none.
async fn keep_token(tx: &mut Tx, tenant: TenantId, token: &str) -> Result<(), AppError> {
    if token.is_empty() {
        sqlx::query!("delete from opa_tokens where tenant_id = $1", tenant.0).execute(tx.conn()).await?;
        return Ok(());
    }
    let (sealed, now) = (tx.cx().keys().seal(&place(tenant), token.as_bytes()), tx.now());
    sqlx::query!(
        "insert into opa_tokens (tenant_id, sealed, created_at) values ($1, $2, $3)
         on conflict (tenant_id) do update set sealed = excluded.sealed, created_at = excluded.created_at",
        tenant.0,
        sealed,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The tenant's sealed token, if there is one.
pub async fn sealed(tx: &mut Tx, after: SealedAfter) -> Result<Vec<SealedValue>, AppError> {
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        "select tenant_id, sealed from opa_tokens
         where tenant_id = $1 and tenant_id > $2 and ($3::bytea is null or substring(sealed from 2 for 4) <> $3)",
        tenant.0,
        after.id,
        after.unless.as_ref().map(|id| &id[..]),
    )
    .fetch_all(tx.conn())
    .await?;
    let value = |id, value| SealedValue { id, place: place(tenant), value };
    Ok(rows.into_iter().map(|row| value(row.tenant_id, row.sealed)).collect())
}

/// Keeps a token as it was sealed anew, unless it has changed since.
pub async fn put_sealed(tx: &mut Tx, old: &SealedValue, new: &[u8]) -> Result<(), AppError> {
    sqlx::query!("update opa_tokens set sealed = $3 where tenant_id = $1 and sealed = $2", old.id, old.value, new)
        .execute(tx.conn())
        .await?;
    Ok(())
}

#[cfg(test)]
#[path = "outside_tests.rs"]
mod tests;
