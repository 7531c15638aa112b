//! The tenant's agent: where it may be, how it is asked, and how its answer is read.

use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use reqwest::{StatusCode, Url, header::CONTENT_TYPE, redirect};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::warn;

use crate::{
    access::{
        opa::{BearerToken, Opa},
        server::rego::Verdict,
    },
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        server::{seldom::Seldom, settings::Setting},
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

/// How many may ask with a transaction open. Each holds a connection meanwhile, which nobody else then has.
const WITHIN: usize = 4;

/// The client of this node, made when it is first needed.
#[derive(Clone, Debug)]
pub struct Outside {
    client: Arc<OnceLock<reqwest::Client>>,
    failed: Arc<AtomicU64>,
    warned: Arc<Seldom>,
    within: Arc<Semaphore>,
}

impl Default for Outside {
    fn default() -> Self {
        let within = Arc::new(Semaphore::new(WITHIN));
        Outside { client: Arc::default(), failed: Arc::default(), warned: Arc::default(), within }
    }
}

/// A tenant's agent, as it is asked.
#[derive(Debug)]
pub struct Agent {
    pub opa: Opa,
    pub token: Option<BearerToken>,
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

    /// How many decisions were not had, each of which denied.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// A place among those who ask with a transaction open. Where there is none nobody is asked, and what nobody was asked is
    /// not held.
    pub fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let turn = self.within.try_acquire().ok();
        if turn.is_none() {
            warn!("too many transactions wait for external decisions, so one is not asked for");
        }
        turn
    }

    pub async fn ask(&self, agent: &Agent, path: &str, input: &Value, left: Duration) -> Verdict {
        let started = Instant::now();
        match self.answer(agent, path, input, left).await {
            Ok((denies, allows)) => Verdict::Says { denies, allows },
            Err(why) => {
                let times = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
                // Each question may fail, and there are many.
                if self.warned.is_due(Instant::now()) {
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
        if let Some(BearerToken(token)) = &agent.token {
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

/// Whether an agent is on this machine itself.
pub fn is_here(text: &str) -> bool {
    text.parse::<Url>().is_ok_and(|url| url.scheme() == "http")
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

#[cfg(test)]
#[path = "agent_tests.rs"]
mod tests;
