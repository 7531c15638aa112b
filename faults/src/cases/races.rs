//! F17, F18, F19: two nodes at the same time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bawwab_running::{ADMIN, Answer, Client, rows};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::{
    auditor,
    cases::Run,
    ground::SECOND,
    load::{person, sign_in},
    proxy::Proxy,
};

/// Parallel uses of one token, half of them on each node.
const USES: usize = 32;
/// So often something is asked for that has to come, 20 ms apart: half a minute.
const TRIES: usize = 1_500;

pub async fn one_refresh_token(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, random, rounds, findings } = run;
    let world = ground.world("f17").await?;
    let proxy = Proxy::start(ground.cluster.port(), random).await?;
    proxy.jitter(2_000);
    let mut one = world.node("one").await?;
    let mut two = world.node_by("two", &ground.cluster, proxy.port).await?;
    let mut token = sign_in(&one.client, ADMIN).await?.json()["refresh_token"].clone();
    let (mut broken, mut odd) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let (start, body) = (Arc::new(Barrier::new(USES)), json!({"refresh_token": token}));
        let tasks = (0..USES).map(|n| {
            let client = if n % 2 == 0 { one.client.clone() } else { two.client.clone() };
            let (start, body) = (start.clone(), body.clone());
            tokio::spawn(async move {
                start.wait().await;
                client.send("POST", "/auth/refresh", Some(&body), None, None).await
            })
        });
        let mut won = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            let answer = task.await??;
            match answer.status {
                200 => won.push(answer.json()["refresh_token"].clone()),
                401 => {}
                status => odd.push(format!("round {round}: {status} {}", answer.text)),
            }
        }
        if won.len() != 1 {
            broken.push(format!("round {round}: {} of {USES} won", won.len()));
        }
        // Whoever won goes on.
        token = match won.pop() {
            Some(next) => next,
            None => sign_in(&one.client, ADMIN).await?.json()["refresh_token"].clone(),
        };
    }
    let last = two.client.post_for_status("/auth/refresh", &json!({"refresh_token": token})).await?;
    findings.is_so("I4", "the winner's token is good", last == 200, format!("{last}"));
    findings.holds("I4", "of parallel uses of a refresh token one wins", broken);
    findings.holds("I4", "the others are refused and nothing else", odd);
    let leaves = "select session_id from refresh_tokens where spent_at is null group by 1 having count(*) > 1";
    findings.holds("I4", "a family has one live leaf", rows(&world.database(), leaves).await?);
    findings.did(format!("{rounds} times {USES} parallel uses on two nodes, one behind a slow connection"));
    one.kill().await?;
    two.kill().await?;
    auditor::verify(&world, findings).await
}

async fn patch(client: &Client, path: &str, body: Value, token: &str) -> anyhow::Result<Answer> {
    client.send("PATCH", path, Some(&body), Some(token), None).await
}

/// Asks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        if is_so().await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("it never came to be: {what}")
}

/// Signed in: id and access token.
async fn known(client: &Client, email: &str) -> anyhow::Result<(String, String)> {
    let token = sign_in(client, email).await?.text_of("access_token");
    let me = client.send("GET", "/auth/me", None, Some(&token), None).await?;
    Ok((me.text_of("id"), token))
}

pub async fn one_approval(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, rounds, findings, .. } = run;
    let world = ground.world("f18").await?;
    let mut one = world.node("one").await?;
    let mut two = world.node("two").await?;
    let (boss_id, boss) = known(&one.client, ADMIN).await?;
    let (peer_id, peer) = known(&two.client, SECOND).await?;

    let mut broken = Vec::new();
    for round in 0..rounds {
        let demote = |client: &Client, whom: &str, by: &str| {
            let (client, path, by) = (client.clone(), format!("/admin/users/{whom}/roles"), by.to_owned());
            async move { patch(&client, &path, json!({"roles": ["admin"]}), &by).await }
        };
        let (first, second) = tokio::join!(demote(&one.client, &peer_id, &boss), demote(&two.client, &boss_id, &peer));
        let (first, second) = (first?, second?);
        let query = "select count(*) from user_roles g join roles r on r.id = g.role_id where r.name = 'super-admin'";
        let left = rows(&world.database(), query).await?.join("");
        if (first.is_success() && second.is_success()) || left == "0" || left.is_empty() {
            broken.push(format!("round {round}: {} and {}, {left} left", first.status, second.status));
        }
        ensure!(first.is_success() || second.is_success(), "neither: {} and {}", first.text, second.text);
        // Who has stayed makes the other one super-admin again, and takes the lesser role away.
        let (client, stayed, gone) =
            if first.is_success() { (&one.client, &boss, &peer_id) } else { (&two.client, &peer, &boss_id) };
        let back =
            patch(client, &format!("/admin/users/{gone}/roles"), json!({"roles": ["super-admin"]}), stayed).await?;
        ensure!(back.is_success(), "give it back: {} {}", back.status, back.text);
        for (client, token) in [(&one.client, &boss), (&two.client, &peer)] {
            until("both are super-admin again", async || {
                let asked = client.send("GET", "/admin/approvals/rules", None, Some(token), None).await?;
                Ok(asked.is_success())
            })
            .await?;
        }
    }
    findings.holds("I8", "of two super-admins who remove each other one stays", broken);

    let (_, third) = person(&one.client, &boss, "third@example.com", &["super-admin"]).await?;
    let third = third["access_token"].as_str().context("a token")?.to_owned();
    let (sara, _) = person(&one.client, &boss, "sara@example.com", &[]).await?;
    let rules = json!({"permissions": ["users.delete"], "required": 2, "expires_hours": 24});
    let set = one.client.send("PUT", "/admin/approvals/rules", Some(&rules), Some(&boss), None).await?;
    ensure!(set.is_success(), "set the rules: {} {}", set.status, set.text);
    let (mut twice, mut asked_before) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let rights = json!({"overrides": {"allow": [{"key": "users.delete"}], "deny": []}});
        let body = json!({"user_id": sara, "rights": rights, "reason": "a race"});
        let asked = one.client.post("/admin/approvals", &body, Some(&boss)).await?;
        let id = asked["id"].as_str().context("an id")?.to_owned();
        // Each of the two agrees on both nodes at once.
        let start = Arc::new(Barrier::new(4));
        let tries = [(&one, &peer), (&two, &peer), (&one, &third), (&two, &third)].map(|(node, token)| {
            let (client, token, start) = (node.client.clone(), token.clone(), start.clone());
            let path = format!("/admin/approvals/{id}/approve");
            tokio::spawn(async move {
                start.wait().await;
                client.send("POST", &path, Some(&json!({"comment": "yes"})), Some(&token), None).await
            })
        });
        let mut applied = 0;
        for attempt in tries {
            let answer = attempt.await??;
            applied += usize::from(answer.is_success() && answer.text_of("state") == "applied");
        }
        let events =
            format!("select count(*) from audit_logs where action = 'approval.apply' and resource_id = '{id}'");
        let events = rows(&world.database(), &events).await?.join("");
        if applied != 1 || events != "1" {
            twice.push(format!("round {round}: applied in {applied} answers, {events} times in the log"));
        }
        let others = format!(
            "select decider_id, count(*) from approval_decisions where approval_id = '{id}' and approves group by 1"
        );
        let others = rows(&world.database(), &others).await?;
        if others.len() != 2 || others.iter().any(|row| !row.ends_with("|1") || row.starts_with(&boss_id)) {
            asked_before.push(format!("round {round}: {}", others.join(", ")));
        }
        let back = patch(&one.client, &format!("/admin/users/{sara}/permissions"), json!({"allow": []}), &boss).await?;
        ensure!(back.is_success(), "take it away again: {} {}", back.status, back.text);
    }
    findings.holds("I8", "a request is carried out once", twice);
    findings.holds("I8", "two different people have agreed, neither of them who asked", asked_before);
    findings.did(format!("{rounds} mutual removals and {rounds} requests decided four times at once"));
    one.kill().await?;
    two.kill().await?;
    auditor::verify(&world, findings).await
}

/// A request of the stream.
#[derive(Clone, Copy, Debug)]
struct Asked {
    sent: Instant,
    got: Instant,
    status: u16,
}

/// Asks in a row until told to stop.
async fn stream(
    client: Client,
    token: String,
    path: &'static str,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Vec<Asked>> {
    let mut asked = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let sent = Instant::now();
        let answer = client.send("GET", path, None, Some(&token), None).await?;
        asked.push(Asked { sent, got: Instant::now(), status: answer.status });
    }
    Ok(asked)
}

/// What a node has answered while something was taken away.
struct Watched {
    /// All streams together.
    asked: Vec<Asked>,
    /// When the taking away had been acknowledged.
    taken: Instant,
}

impl Watched {
    fn accepted_after(&self, moment: Instant) -> Vec<Duration> {
        let late = self.asked.iter().filter(|one| one.sent > moment && one.status == 200);
        late.map(|one| one.sent - moment).collect()
    }

    /// Accepted although it was sent after a refusal had come back.
    fn revived(&self) -> usize {
        let refused = self.asked.iter().filter(|one| matches!(one.status, 401 | 403)).map(|one| one.got).min();
        refused.map_or(0, |moment| self.accepted_after(moment).len())
    }
}

async fn watched(
    client: &Client,
    token: &str,
    path: &'static str,
    refused_with: u16,
    take: impl Future<Output = anyhow::Result<Answer>>,
) -> anyhow::Result<Watched> {
    until(
        "it is allowed at first",
        async || Ok(client.send("GET", path, None, Some(token), None).await?.status == 200),
    )
    .await?;
    let stop = Arc::new(AtomicBool::new(false));
    let streams = [0, 1].map(|_| tokio::spawn(stream(client.clone(), token.to_owned(), path, stop.clone())));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = take.await?;
    let taken = Instant::now();
    ensure!(answer.is_success(), "take it away: {} {}", answer.status, answer.text);
    let refused = until("the other node refuses", async || {
        Ok(client.send("GET", path, None, Some(token), None).await?.status == refused_with)
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.store(true, Ordering::Relaxed);
    let mut asked = Vec::new();
    for stream in streams {
        asked.extend(stream.await??);
    }
    refused.map(|()| Watched { asked, taken })
}

pub async fn revoked_while_used(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, rounds, findings, .. } = run;
    let world = ground.world("f19").await?;
    let mut one = world.node("one").await?;
    let mut two = world.node("two").await?;
    let mut boss = known(&one.client, ADMIN).await?.1;
    let role = json!({"name": "looker", "permissions": ["users.read"]});
    one.client.post("/admin/roles", &role, Some(&boss)).await?;
    let (sara, _) = person(&one.client, &boss, "sara@example.com", &["looker"]).await?;
    let (mut revived, mut alive, mut unanswered) = (Vec::new(), Vec::new(), Vec::new());
    let (mut lags, mut requests) = (Vec::new(), 0);
    for round in 0..rounds {
        if round % 20 == 19 {
            boss = known(&one.client, ADMIN).await?.1;
        }
        let token = sign_in(&two.client, "sara@example.com").await?.text_of("access_token");
        let path = format!("/admin/users/{sara}/permissions");
        let deny = patch(&one.client, &path, json!({"deny": ["users.read"]}), &boss);
        let right = watched(&two.client, &token, "/admin/users", 403, deny).await?;
        lags.push(right.accepted_after(right.taken).into_iter().max().unwrap_or_default());
        let back = patch(&one.client, &path, json!({"deny": []}), &boss).await?;
        ensure!(back.is_success(), "give it back: {} {}", back.status, back.text);

        let path = format!("/admin/users/{sara}/sessions");
        let end = one.client.send("DELETE", &path, None, Some(&boss), None);
        let session = watched(&two.client, &token, "/auth/me", 401, end).await?;
        let late = session.accepted_after(session.taken);
        if !late.is_empty() {
            alive.push(format!("round {round}: {} requests, the last {:?} later", late.len(), late.iter().max()));
        }
        for (what, seen) in [("the right", &right), ("the session", &session)] {
            requests += seen.asked.len();
            if seen.revived() > 0 {
                revived.push(format!("round {round}: {what} came back {} times", seen.revived()));
            }
            unanswered.extend(
                seen.asked
                    .iter()
                    .filter(|one| !matches!(one.status, 200 | 401 | 403))
                    .map(|one| format!("round {round}: {what}: {}", one.status)),
            );
        }
    }
    lags.sort();
    let at = |share: usize| lags.get(lags.len().saturating_sub(1) * share / 100).copied().unwrap_or_default();
    findings.measured(format!(
        "a right taken away on one node was accepted by the other until {:.0?} later (median), {:.0?} at most; the goal is 500 ms",
        at(50),
        at(100)
    ));
    findings.holds("I5", "the session that was ended is dead on the other node at once", alive);
    findings.holds("I5", "what was refused once stays refused", revived);
    findings.holds("I7", "every request is answered with yes or no", unanswered);
    findings
        .did(format!("{rounds} rights and {rounds} sessions taken away during {requests} requests to the other node"));
    one.kill().await?;
    two.kill().await?;
    auditor::verify(&world, findings).await
}
