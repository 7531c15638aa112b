//! A client that keeps its connections.

use std::time::Duration;

use anyhow::ensure;
use serde_json::Value;

/// No request waits longer: a server that hangs is told as that.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    url: String,
}

/// What came back, whatever it says.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// The first answer to this key, given again.
    pub is_replayed: bool,
    /// When the server believes that this was.
    pub date: String,
    pub text: String,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Null where it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A text at the top of it; empty without.
    pub fn text_of(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }
}

impl Client {
    pub fn new(url: String) -> anyhow::Result<Self> {
        let inner = reqwest::Client::builder().user_agent("bawwab-running").timeout(PATIENCE).build()?;
        Ok(Client { inner, url })
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> anyhow::Result<()> {
        let answer = self.send("GET", path, None, token, None).await?;
        ensure!(answer.is_success(), "GET {path}: {}", answer.status);
        Ok(())
    }

    pub async fn post(&self, path: &str, body: &Value, token: Option<&str>) -> anyhow::Result<Value> {
        let Answer { status, text, .. } = self.send("POST", path, Some(body), token, None).await?;
        ensure!((200..300).contains(&status), "POST {path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// The status alone: what is measured may be a refusal.
    pub async fn post_for_status(&self, path: &str, body: &Value) -> anyhow::Result<u16> {
        Ok(self.send("POST", path, Some(body), None, None).await?.status)
    }

    /// An error only where no answer came. `key`: the `Idempotency-Key`.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        token: Option<&str>,
        key: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let mut request = self.inner.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let is_replayed = answer.headers().contains_key("idempotent-replayed");
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Answer { status, is_replayed, date, text: answer.text().await? })
    }
}
