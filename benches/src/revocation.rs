//! How long it takes until another node refuses what was taken away on this one: two nodes on one database (I2).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use bawwab_running::{Client, Node, PASSWORD};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    Effort,
    report::{Measured, Words, median},
    server::{ADMIN, Server},
    turns::{page_ms, pgbench},
};

/// What is given and taken away, and a request that needs it.
const RIGHT: &str = "users.read";
const NEEDS_IT: &str = "/admin/users?limit=1";
/// The bound that is promised.
const BOUND_MS: f64 = 500.0;
/// Nobody waits longer for a change to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who is given the right on one node and tries it on the other.
struct Trial<'a> {
    here: &'a Client,
    there: &'a Client,
    admin: String,
    email: String,
    id: String,
}

pub async fn measure(server: &Server, effort: Effort, people: &str) -> anyhow::Result<Vec<Measured>> {
    let mut other = server.another_node().await?;
    let email = server.add_people("revoked", 1).await?.remove(0);
    let id = server.value(&format!("select id from users where email = '{email}'")).await?;
    let admin = server.access_token(ADMIN).await?;
    let trial = Trial { here: &server.client, there: &other.client, admin, email, id };
    let mut lines = Vec::new();
    for (when, is_loaded) in [("idle", false), ("under load", true)] {
        let load = if is_loaded { Some(Load::start(server, &other).await?) } else { None };
        let told = trial.times(effort.trials).await;
        // What stands beside it is measured under the same load.
        let floor = floor_ms(server, trial.there, effort).await;
        if let Some(load) = load {
            load.stop().await?;
        }
        lines.extend(told_as_lines(&format!("{people}, {when}"), &told?, floor?));
    }
    other.kill().await?;
    Ok(lines)
}

/// Milliseconds until the other node refuses, of each trial, in order.
#[derive(Default)]
struct Times {
    /// From sending the change: longer than from its commit.
    from_sending: Vec<f64>,
    /// From when the change was answered: shorter than from its commit. Nothing where it was refused before.
    from_answer: Vec<f64>,
}

impl Trial<'_> {
    async fn times(&self, trials: usize) -> anyhow::Result<Times> {
        let mut times = Times::default();
        for _ in 0..trials {
            self.give(&json!([RIGHT])).await?;
            // A session of its own: the one before has been told of another change of rights.
            let body = json!({"email": self.email, "password": PASSWORD});
            let tokens = self.there.post("/auth/login", &body, None).await?;
            let token = tokens["access_token"].as_str().context("a token")?;
            self.until(token, true).await?;
            let started = Instant::now();
            let nothing = json!([]);
            let change = self.give(&nothing);
            // The other node is asked without a pause, from before the change is sent.
            let (changed, refused) = tokio::join!(change, self.until(token, false));
            let (changed, refused) = (changed?, refused?);
            let ms = |since: Instant| refused.saturating_duration_since(since).as_secs_f64() * 1_000.0;
            times.from_sending.push(ms(started));
            times.from_answer.push(ms(changed));
        }
        times.from_sending.sort_by(f64::total_cmp);
        times.from_answer.sort_by(f64::total_cmp);
        Ok(times)
    }

    /// Gives the moment when it was answered.
    async fn give(&self, allow: &Value) -> anyhow::Result<Instant> {
        let path = format!("/admin/users/{}/permissions", self.id);
        let body = json!({"allow": allow});
        let answer = self.here.send("PATCH", &path, Some(&body), Some(&self.admin), None).await?;
        ensure!(answer.is_success(), "PATCH {path}: {} {}", answer.status, answer.text);
        Ok(Instant::now())
    }

    /// Asks the other node until it lets through, or refuses; gives the moment when it was known.
    async fn until(&self, token: &str, is_let_through: bool) -> anyhow::Result<Instant> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let answer = self.there.send("GET", NEEDS_IT, None, Some(token), None).await?;
            // 401 where the change of rights has ended what the token is good for: that is a refusal, too.
            let is_an_answer = answer.is_success() || matches!(answer.status, 401 | 403);
            ensure!(is_an_answer, "{NEEDS_IT}: {} {}", answer.status, answer.text);
            if answer.is_success() == is_let_through {
                return Ok(Instant::now());
            }
        }
        anyhow::bail!("after {PATIENCE:?} the other node has not changed its mind")
    }
}

/// One commit and one round trip, in milliseconds.
async fn floor_ms(server: &Server, there: &Client, effort: Effort) -> anyhow::Result<Vec<f64>> {
    bawwab_running::psql(
        &server.database,
        "create table if not exists bench_commits (n int primary key, at timestamptz);
         insert into bench_commits values (1, now()) on conflict do nothing",
    )
    .await?;
    let mut all = Vec::new();
    for _ in 0..effort.blocks {
        let script = "update bench_commits set at = now() where n = 1;\n";
        let commit = 1_000.0 / pgbench(&server.database, script, 1, effort.block).await?;
        all.push(commit + page_ms(there, "/healthz", None, effort.block / 4).await?);
    }
    Ok(all)
}

fn told_as_lines(when: &str, times: &Times, floor: Vec<f64>) -> [Measured; 3] {
    let size = format!("2 nodes, {when}, {} times", times.from_sending.len());
    let floor = median(floor);
    // The spread is that of the times, not of blocks: from the middle one to the last.
    let line = |name: &str, what, target, times: &[f64], part: usize, against: f64| {
        let at = |part: usize| times.get(times.len() * part / 100).or(times.last()).copied().unwrap_or(f64::NAN);
        let words = Words { name: name.to_owned(), size: size.clone(), what, target, unit: " ms" };
        let line = Measured::of(words, vec![at(part)], vec![against]);
        Measured { least: at(50) / against, greatest: at(100) / against, ..line }
    };
    let one = "one commit and one round trip";
    [
        line("refused on another node after the answer, 99th percentile", one, "≤ 3", &times.from_answer, 99, floor),
        line("refused on another node after sending, 99th percentile", one, "–", &times.from_sending, 99, floor),
        line("the same, slowest", "the bound of 0.5 s", "≤ 1", &times.from_sending, 100, BOUND_MS),
    ]
}

/// People who are busy on both nodes, two of them with signing in, which keeps the processors busy.
struct Load {
    is_over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Load {
    async fn start(server: &Server, other: &Node) -> anyhow::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let token = server.access_token(ADMIN).await?;
        let people = server.add_people("busy", 2).await?;
        let mut tasks = Vec::<JoinHandle<anyhow::Result<()>>>::new();
        for at in 0..6 {
            let client = if at % 2 == 0 { server.client.clone() } else { other.client.clone() };
            let (token, is_over) = (token.clone(), is_over.clone());
            tasks.push(tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    client.get("/auth/me", Some(&token)).await?;
                }
                Ok(())
            }));
        }
        for (at, email) in people.into_iter().enumerate() {
            let client = if at % 2 == 0 { server.client.clone() } else { other.client.clone() };
            let is_over = is_over.clone();
            let body = json!({"email": email, "password": PASSWORD});
            tasks.push(tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    client.post("/auth/login", &body, None).await?;
                }
                Ok(())
            }));
        }
        Ok(Load { is_over, tasks })
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}
