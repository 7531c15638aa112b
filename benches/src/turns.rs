//! Blocks in turn: of ours and of what it is held against, the order turned round each time.

use std::{future::Future, time::Duration};

use anyhow::{Context as _, ensure};
use bawwab_running::Client;
use serde_json::Value;
use tokio::{process::Command, time::Instant};

use crate::{
    Effort,
    report::{Measured, Words, median},
    server::Server,
};

/// How many do the same at once.
pub const CLIENTS: usize = 8;

/// Measures both sides. `server`: whose processor time is told beside ours, where every act of a block is one of ours.
pub async fn in_turn(
    words: Words,
    effort: Effort,
    server: Option<&Server>,
    ours: impl AsyncFn(Duration) -> anyhow::Result<f64>,
    floor: impl AsyncFn(Duration) -> anyhow::Result<f64>,
) -> anyhow::Result<Measured> {
    let (mut measured, mut against, mut cpus) = (Vec::new(), Vec::new(), Vec::new());
    let is_rate = words.unit == "/s";
    for block in 0..effort.blocks {
        if block % 2 != 0 {
            against.push(floor(effort.block).await?);
        }
        let (started, before) = (Instant::now(), server.and_then(Server::processor_ms));
        let one = ours(effort.block).await?;
        let took = started.elapsed().as_secs_f64();
        if let Some((before, after)) = before.zip(server.and_then(Server::processor_ms)) {
            // A rate is acts a second, the other unit is milliseconds an act, one after another.
            cpus.push((after - before) / if is_rate { one * took } else { took * 1_000.0 / one });
        }
        measured.push(one);
        if block % 2 == 0 {
            against.push(floor(effort.block).await?);
        }
    }
    let cpu = (!cpus.is_empty()).then(|| median(cpus));
    Ok(Measured { cpu, ..Measured::of(words, measured, against) })
}

/// Acts a second when so many do the same for a while.
pub async fn together<F, A>(clients: usize, time: Duration, act: A) -> anyhow::Result<f64>
where
    A: Fn(usize) -> F,
    F: Future<Output = anyhow::Result<u64>> + Send + 'static,
{
    let started = Instant::now();
    let tasks = (0..clients).map(|client| tokio::spawn(act(client))).collect::<Vec<_>>();
    let mut acts = 0;
    for task in tasks {
        acts += task.await??;
    }
    ensure!(started.elapsed() >= time / 2, "a block ended early");
    Ok(acts as f64 / started.elapsed().as_secs_f64())
}

/// Requests with this body a second, by as many as do the same at once.
pub async fn posts(
    client: &Client,
    path: &'static str,
    body: &Value,
    token: Option<&str>,
    time: Duration,
) -> anyhow::Result<f64> {
    together(CLIENTS, time, |_client| {
        let (client, body, token) = (client.clone(), body.clone(), token.map(str::to_owned));
        async move {
            let (until, mut acts) = (Instant::now() + time, 0);
            while Instant::now() < until {
                client.post(path, &body, token.as_deref()).await?;
                acts += 1;
            }
            Ok(acts)
        }
    })
    .await
}

/// The same without a body.
pub async fn gets(client: &Client, path: &str, token: Option<&str>, time: Duration) -> anyhow::Result<f64> {
    together(CLIENTS, time, |_client| {
        let (client, path, token) = (client.clone(), path.to_owned(), token.map(str::to_owned));
        async move {
            let (until, mut acts) = (Instant::now() + time, 0);
            while Instant::now() < until {
                client.get(&path, token.as_deref()).await?;
                acts += 1;
            }
            Ok(acts)
        }
    })
    .await
}

/// Milliseconds that one page takes, one after another.
pub async fn page_ms(client: &Client, path: &str, token: Option<&str>, time: Duration) -> anyhow::Result<f64> {
    let (started, mut pages) = (Instant::now(), 0_u32);
    while started.elapsed() < time {
        client.get(path, token).await?;
        pages += 1;
    }
    Ok(started.elapsed().as_secs_f64() * 1_000.0 / f64::from(pages.max(1)))
}

/// Transactions a second of a script of pgbench.
pub async fn pgbench(database: &str, script: &str, clients: usize, time: Duration) -> anyhow::Result<f64> {
    let file = std::env::temp_dir().join(format!("bawwab-bench-{}.sql", std::process::id()));
    std::fs::write(&file, script)?;
    let (seconds, clients) = (time.as_secs().max(1).to_string(), clients.to_string());
    let jobs = if clients == "1" { "1" } else { "2" };
    let done = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", &clients, "-j", jobs, "-T", &seconds, "-f"])
        .arg(&file)
        .arg(database)
        .output()
        .await
        .context("run pgbench")?;
    std::fs::remove_file(&file)?;
    ensure!(done.status.success(), "pgbench: {}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8_lossy(&done.stdout);
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench tells its rate")?;
    Ok(tps.split_whitespace().next().context("a number")?.parse()?)
}
