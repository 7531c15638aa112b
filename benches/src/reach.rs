//! What is decided about everybody at once: a role that all have, and a policy that has a say about all. Looked at before and
//! then done, over HTTP, against the same about nobody: what lies between is what everybody costs. And pages that tell of all.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use bawwab_running::Client;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    Effort,
    report::{Measured, Words},
    server::{ADMIN, Server},
    turns::{in_turn, page_ms},
};

/// What a role gives, and then gives no more.
const MORE: [&str; 2] = ["users.read", "reports.read"];
const LESS: [&str; 1] = ["reports.read"];

/// C1, C5, C14.
pub async fn measure(server: &Server, effort: Effort, people: &str) -> anyhow::Result<Vec<Measured>> {
    let token = server.access_token(ADMIN).await?;
    let admin = Admin { client: &server.client, token: &token };
    let role = |name: &str| json!({"name": name, "description": "", "permissions": LESS});
    let nobodys = admin.make("/admin/roles", &role("bench nobody's")).await?;
    let everybodys =
        server.value("select id from roles where name = 'standard-user' and tenant_id is not null").await?;
    let before = server.client.send("GET", &format!("/admin/roles/{everybodys}"), None, Some(&token), None).await?;
    let policy = admin.make("/admin/policies", &policy()).await?;

    let words =
        |name: &str, what| Words { name: name.to_owned(), size: people.to_owned(), what, target: "–", unit: " ms" };
    let look = async |role: &str, time: Duration| {
        admin
            .each(time, async |_turn| {
                admin.post(&format!("/admin/roles/{role}/what-if"), &json!({"permissions": MORE})).await
            })
            .await
    };
    let change = async |role: &str, time: Duration| {
        let path = format!("/admin/roles/{role}");
        admin.each(time, async |turn| admin.patch(&path, &json!({"permissions": keys(turn)})).await).await
    };
    let preview = format!("/admin/policies/{policy}/what-if");
    let switch = async |time: Duration| {
        admin
            .each(time, async |turn| {
                let way = if turn % 2 == 0 { "activate" } else { "deactivate" };
                admin.post(&format!("/admin/policies/{policy}/{way}"), &json!({})).await
            })
            .await
    };
    let (of_nobody, of_all) = (nobodys.as_str(), everybodys.as_str());
    let against = "the same of a role that nobody has";
    let mut lines = vec![
        in_turn(
            words("effect of a role that everybody has, looked at before", against),
            effort,
            Some(server),
            async |time| look(of_all, time).await,
            async |time| look(of_nobody, time).await,
        )
        .await?,
        in_turn(
            words("change of a role that everybody has", against),
            effort,
            Some(server),
            async |time| change(of_all, time).await,
            async |time| change(of_nobody, time).await,
        )
        .await?,
        in_turn(
            words("effect of a policy about everybody, looked at before", "the effect of a role that nobody has"),
            effort,
            Some(server),
            async |time| admin.each(time, async |_turn| admin.post(&preview, &json!({"number": 1})).await).await,
            async |time| look(of_nobody, time).await,
        )
        .await?,
        in_turn(
            words("policy about everybody, switched on or off", "a change of a role that nobody has"),
            effort,
            Some(server),
            async |time| switch(time).await,
            async |time| change(of_nobody, time).await,
        )
        .await?,
    ];
    for (name, path) in [
        ("list of roles, by how many have them", "/admin/roles?limit=50&sort=people"),
        ("who may do something", "/admin/permissions/reports.read/users?limit=50"),
        ("picture of all rights", "/admin/permissions/graph"),
    ] {
        let page = async |time: Duration| page_ms(admin.client, path, Some(admin.token), time).await;
        let me = async |time: Duration| page_ms(admin.client, "/auth/me", Some(admin.token), time).await;
        lines.push(in_turn(words(name, "`/auth/me`"), effort, Some(server), page, me).await?);
    }
    // What is measured after this finds everybody with what they had.
    admin.patch(&format!("/admin/roles/{everybodys}"), &json!({"permissions": before.json()["permissions"]})).await?;
    Ok(lines)
}

fn keys(turn: usize) -> Vec<&'static str> {
    if turn % 2 == 0 { MORE.to_vec() } else { LESS.to_vec() }
}

/// Whoever is not of one department, which nobody in the filled database is, may not any more.
fn policy() -> Value {
    json!({
        "name": "bench everybody",
        "mode": "require",
        "actions": ["reports.read"],
        "rules": [{"effect": "allow", "condition": {"user.department": {"eq": "nobody's"}}}],
    })
}

struct Admin<'a> {
    client: &'a Client,
    token: &'a str,
}

impl Admin<'_> {
    async fn make(&self, path: &str, body: &Value) -> anyhow::Result<String> {
        let made = self.client.post(path, body, Some(self.token)).await?;
        Ok(made["id"].as_str().with_context(|| format!("{path}: no id"))?.to_owned())
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.send("POST", path, body).await
    }

    async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.send("PATCH", path, body).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<()> {
        let answer = self.client.send(method, path, Some(body), Some(self.token), None).await?;
        ensure!(answer.is_success(), "{method} {path}: {} {}", answer.status, answer.text);
        Ok(())
    }

    /// Milliseconds that one takes, one after another; an even number, so that the policy is off again.
    async fn each(&self, time: Duration, act: impl AsyncFn(usize) -> anyhow::Result<()>) -> anyhow::Result<f64> {
        let (started, mut turn) = (Instant::now(), 0_usize);
        while started.elapsed() < time || turn % 2 != 0 {
            act(turn).await?;
            turn += 1;
        }
        Ok(started.elapsed().as_secs_f64() * 1_000.0 / turn as f64)
    }
}
