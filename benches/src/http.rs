//! A client that keeps its connections.

use anyhow::ensure;
use serde_json::Value;

#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    url: String,
}

impl Client {
    pub fn new(url: String) -> anyhow::Result<Self> {
        Ok(Client { inner: reqwest::Client::builder().user_agent("bawwab-bench").build()?, url })
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> anyhow::Result<()> {
        let request = self.inner.get(format!("{}{path}", self.url));
        let answer = signed(request, token).send().await?;
        ensure!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.bytes().await?;
        Ok(())
    }

    pub async fn post(&self, path: &str, body: &Value, token: Option<&str>) -> anyhow::Result<Value> {
        let request = self.inner.post(format!("{}{path}", self.url)).json(body);
        let answer = signed(request, token).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "POST {path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// The status alone: what is measured may be a refusal.
    pub async fn post_for_status(&self, path: &str, body: &Value) -> anyhow::Result<u16> {
        let answer = self.inner.post(format!("{}{path}", self.url)).json(body).send().await?;
        let status = answer.status().as_u16();
        answer.bytes().await?;
        Ok(status)
    }
}

/// With a token where there is one.
fn signed(request: reqwest::RequestBuilder, token: Option<&str>) -> reqwest::RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}
