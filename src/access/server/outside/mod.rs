//! Decisions from outside: what a policy of the language `opa` says is asked at the tenant's own Open Policy Agent, before
//! a transaction is opened, with the input document of a module of Rego (C6). Without a good answer in time it denies.

mod agent;
mod setting;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
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
        opa::Opa,
        server::{
            Cx,
            engine::{About, Snapshot},
            node::begin,
            policy::Situation,
            rego::{self, Verdict},
        },
    },
    base::{
        errors::AppError,
        ids::{PolicyId, TenantId, UserId},
        server::settings,
    },
};

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
        let token = sealed.map(|sealed| self.keys().open(&setting::place(tenant), &sealed)).transpose()?;
        let token = token.map(String::from_utf8).transpose().context("read the token of the policy agent")?;
        Ok(Agent { opa, token })
    }
}
