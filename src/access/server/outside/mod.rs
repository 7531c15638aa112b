//! Decisions from outside: what a policy of the language `opa` says is asked at the tenant's own Open Policy Agent, before
//! a transaction is opened, with the input document of a module of Rego (C6). Without a good answer in time it denies.

mod agent;
mod setting;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use tracing::warn;

use self::agent::Agent;
pub(super) use self::agent::Outside;
pub use self::{
    agent::parse_path,
    setting::{put, put_sealed, sealed},
};
use crate::{
    access::{
        Permission,
        opa::{BearerToken, Opa},
        server::{
            Cx,
            engine::{About, Snapshot},
            node::begin,
            rego::{self, Verdict},
        },
    },
    base::{
        errors::AppError,
        ids::{PolicyId, TenantId, UserId},
        server::settings,
    },
};

/// How long one request of a caller waits for answers from outside, however many questions it has: less than a page waits
/// for the first sign of it.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How many questions of one request are under way at a time.
pub const AT_ONCE: usize = 8;

/// What was answered from outside to one question, by policy (C6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told(BTreeMap<PolicyId, Verdict>);

impl Told {
    pub fn get(&self, policy: PolicyId) -> Option<Verdict> {
        self.0.get(&policy).copied()
    }
}

/// A policy, the path at which it is asked, and about whom and which permission.
type Question = (PolicyId, Arc<str>, UserId, Permission);

/// What is asked outside about somebody and a permission.
fn questions(snapshot: &Snapshot, user: UserId, permission: &Permission) -> impl Iterator<Item = Question> {
    snapshot.outside(permission).map(move |(policy, path)| (policy, path.clone(), user, permission.clone()))
}

/// What was answered about the caller of one request, and about whoever is behind them: asked once, however often it is
/// decided on.
#[derive(Debug, Default)]
pub(super) struct Heard {
    answers: Mutex<BTreeMap<Question, Verdict>>,
    /// The agents of the tenants that this request is about; none where the setting could not be read.
    agents: Mutex<BTreeMap<TenantId, Option<Arc<Agent>>>>,
    /// When the first question was asked.
    began: OnceLock<Instant>,
}

impl Cx {
    /// What the policies that ask outside say of somebody and a permission, asked now. Nothing is asked where they decide
    /// nothing: where it is a yes or a no without them. No transaction may be open: somebody else is waited for.
    pub async fn outside(&self, snapshot: &Snapshot, user: UserId, permission: &Permission, about: About<'_>) -> Told {
        if !snapshot.waits_outside(user, permission, about) {
            return Told::default();
        }
        self.know_agent(snapshot).await;
        self.told_of(snapshot, user, permission, about).await
    }

    /// The same with a transaction open, which was opened by somebody who may do something of the tenant. Few wait at a time;
    /// of whom nobody is asked it depends.
    pub(super) async fn outside_within(
        &self,
        snapshot: &Snapshot,
        user: UserId,
        permission: &Permission,
        about: About<'_>,
    ) -> Told {
        if !snapshot.waits_outside(user, permission, about) {
            return Told::default();
        }
        let Some(_turn) = self.0.heart.outside.turn() else { return Told::default() };
        self.told_of(snapshot, user, permission, about).await
    }

    async fn told_of(&self, snapshot: &Snapshot, user: UserId, permission: &Permission, about: About<'_>) -> Told {
        let questions = questions(snapshot, user, permission).collect();
        let answers = self.ask(snapshot, user, questions, about).await;
        Told(answers.into_iter().map(|((policy, ..), verdict)| (policy, verdict)).collect())
    }

    /// Asks what has to be asked before it is decided whether the caller may do this. The thing that is acted on is not
    /// known yet, and so not told. No transaction may be open.
    pub(super) async fn ask_outside(&self, snapshot: &Snapshot, user: UserId, permission: &Permission) {
        self.know_agent(snapshot).await;
        self.hear(snapshot, user, permission, false).await;
    }

    /// The same with a transaction open: few wait at a time.
    pub(super) async fn ask_within(&self, snapshot: &Snapshot, user: UserId, permission: &Permission) {
        self.hear(snapshot, user, permission, true).await;
    }

    async fn hear(&self, snapshot: &Snapshot, user: UserId, permission: &Permission, is_within: bool) {
        if snapshot.outside(permission).next().is_none() {
            return;
        }
        let (env, told) = (self.env(snapshot), self.told(snapshot, user, permission));
        let about = About { env: Some(&env), told: told.as_ref(), ..About::at(self.now()) };
        if !snapshot.waits_outside(user, permission, about) {
            return;
        }
        let questions = {
            let answers = self.0.heard.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let asked = questions(snapshot, user, permission);
            asked.filter(|question| !answers.contains_key(question)).collect::<Vec<_>>()
        };
        if questions.is_empty() {
            return;
        }
        let turn = if is_within { self.0.heart.outside.turn() } else { None };
        if is_within && turn.is_none() {
            return;
        }
        let answers = self.ask(snapshot, user, questions, about).await;
        self.0.heard.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(answers);
    }

    /// What was answered about the caller, or whoever is behind them, and a permission; nothing where nobody is asked outside
    /// about it.
    pub(super) fn told(&self, snapshot: &Snapshot, user: UserId, permission: &Permission) -> Option<Told> {
        let mut asked = questions(snapshot, user, permission).peekable();
        asked.peek()?;
        let answers = self.0.heard.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let told = asked.filter_map(|question| Some((question.0, *answers.get(&question)?)));
        Some(Told(told.collect()))
    }

    async fn ask(
        &self,
        snapshot: &Snapshot,
        user: UserId,
        questions: Vec<Question>,
        about: About<'_>,
    ) -> Vec<(Question, Verdict)> {
        let known = self.0.heard.agents.lock().unwrap_or_else(PoisonError::into_inner).get(&snapshot.tenant).cloned();
        // A policy that came into force after the request began: nobody was asked.
        let Some(agent) = known else { return Vec::new() };
        let Some(agent) = agent else {
            return questions.into_iter().map(|question| (question, Verdict::Failed)).collect();
        };
        let Some(person) = snapshot.person(user) else { return Vec::new() };
        let began = *self.0.heard.began.get_or_init(Instant::now);
        let asked = questions.into_iter().map(|question| {
            let (_, path, _, permission) = &question;
            let on = snapshot.situation(user, person, Some(permission), About { told: None, ..about });
            let (input, path) = (rego::whole_input(on), path.clone());
            let (agent, outside) = (agent.clone(), self.0.heart.outside.clone());
            async move {
                let timeout = Duration::from_millis(u64::from(agent.opa.timeout_ms));
                let left = timeout.min(PATIENCE.saturating_sub(began.elapsed()));
                let verdict = outside.ask(&agent, &path, &input, left).await;
                (question, verdict)
            }
        });
        // Made before any is asked: none of them looks at anything that is borrowed.
        let asked = asked.collect::<Vec<_>>();
        stream::iter(asked).buffered(AT_ONCE).collect().await
    }

    /// Reads the agent of a tenant whose policies may ask it, once for a request and before it holds a transaction.
    pub(super) async fn know_agent(&self, snapshot: &Snapshot) {
        let tenant = snapshot.tenant;
        let is_known = || self.0.heard.agents.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&tenant);
        if !snapshot.policies().iter().any(|policy| policy.outside.is_some()) || is_known() {
            return;
        }
        let agent = match self.agent(tenant).await {
            Ok(agent) => Some(Arc::new(agent)),
            Err(error) => {
                warn!(%error, "the setting of the policy agent could not be read, so what asks it denies");
                None
            }
        };
        self.0.heard.agents.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, agent);
    }

    /// The tenant's agent, read in a transaction that is over before anybody is asked.
    async fn agent(&self, tenant: TenantId) -> Result<Agent, AppError> {
        let mut tx = begin(&self.0.heart.pool, Some(tenant), "", self.now(), true).await?;
        let opa = settings::get::<Opa>(&mut tx, tenant).await?;
        let sealed = sqlx::query_scalar!("select sealed from opa_tokens where tenant_id = $1", tenant.0)
            .fetch_optional(&mut *tx)
            .await?;
        tx.rollback().await?;
        let token = sealed.map(|sealed| self.keys().open(&setting::place(tenant), &sealed)).transpose()?;
        let token = token.map(String::from_utf8).transpose().context("read the token of the policy agent")?;
        Ok(Agent { opa, token: token.map(BearerToken) })
    }
}
