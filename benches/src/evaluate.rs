//! A check over HTTP, by both doors, against a plain axum handler and against what our own server answers without a check.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::{
    Effort,
    floor::{self, Floor},
    report::{Measured, Words},
    server::{ADMIN, Server},
    turns::{CLIENTS, gets, in_turn, posts},
};

const AUTHZEN: &str = "/access/v1/evaluation";
const AUTHZEN_MANY: &str = "/access/v1/evaluations";
const OWN: &str = "/admin/policies/evaluate";
/// Questions in one request.
const MANY: usize = 100;

/// C18, C4.
pub async fn measure(server: &Server, effort: Effort, people: &str) -> anyhow::Result<Vec<Measured>> {
    let floor = Floor::start().await?;
    let email = server.add_people("asked", 1).await?.remove(0);
    let person = server.value(&format!("select id from users where email = '{email}'")).await?;
    // As a program asks that lets others through: with a key that reaches no further.
    let token = server.access_token(ADMIN).await?;
    let key = json!({"name": "bench", "scopes": ["permissions.read", "users.read"]});
    let key = server.client.post("/admin/api-keys", &key, Some(&token)).await?;
    let key = key["secret"].as_str().context("a key")?;

    let authzen = json!({
        "subject": {"type": "user", "id": person},
        "action": {"name": "read"},
        "resource": {"type": "users", "id": "one"},
    });
    let own = json!({"user": person, "resource": "users", "action": "read"});
    let client = &server.client;
    // A question that is answered with something else than a decision would be measured as well.
    for (path, body, answer) in [(AUTHZEN, &authzen, "decision"), (OWN, &own, "allow")] {
        let said = client.post(path, body, Some(key)).await?;
        ensure!(said[answer].is_boolean(), "{path}: {said}");
    }

    let words = |name: &str, what, target| Words {
        name: name.to_owned(),
        size: format!("{CLIENTS} clients, {people}"),
        what,
        target,
        unit: "/s",
    };
    let mut lines = Vec::new();
    let mut by_address = authzen.clone();
    by_address["subject"]["id"] = json!(email);
    for (name, path, body) in [
        ("check over HTTP, AuthZEN", AUTHZEN, &authzen),
        ("check over HTTP, AuthZEN, somebody by their address", AUTHZEN, &by_address),
        ("check over HTTP, `/admin/policies/evaluate`", OWN, &own),
    ] {
        let plain = async |time: Duration| posts(&floor.client, floor::PATH, body, Some(key), time).await;
        let ours = async |time: Duration| posts(client, path, body, Some(key), time).await;
        let line = words(name, "a plain axum handler", "–");
        lines.push(in_turn(line, effort, Some(server), ours, plain).await?);
        let health = async |time: Duration| gets(client, "/healthz", None, time).await;
        let ours = async |time: Duration| posts(client, path, body, Some(key), time).await;
        let line = words(name, "`/healthz`", "≥ 0.9");
        lines.push(in_turn(line, effort, Some(server), ours, health).await?);
    }
    let batches = [
        ("AuthZEN".to_owned(), AUTHZEN, &authzen, AUTHZEN_MANY, many_authzen(&authzen)),
        (format!("`{OWN}`"), OWN, &own, OWN, json!({"evaluations": vec![own.clone(); MANY]})),
    ];
    for (door, path, one, path_of_many, many) in batches {
        let batch =
            async |time: Duration| anyhow::Ok(posts(client, path_of_many, &many, Some(key), time).await? * MANY as f64);
        let single = async |time: Duration| posts(client, path, one, Some(key), time).await;
        let line = words(&format!("checks in requests of {MANY}, {door}"), "one check a request", "≥ 30");
        lines.push(in_turn(line, effort, Some(server), batch, single).await?);
    }
    floor.stop().await?;
    Ok(lines)
}

/// The same person, and something else asked each time.
fn many_authzen(one: &Value) -> Value {
    let actions = ["read", "create", "update", "delete"];
    let asked = (0..MANY).map(|at| json!({"action": {"name": actions[at % actions.len()]}})).collect::<Vec<_>>();
    json!({"subject": one["subject"], "resource": one["resource"], "evaluations": asked})
}
