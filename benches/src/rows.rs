//! The rows of the table: each does something of ours and what it stands on, for a while, and counts.

use std::{future::Future, pin::Pin, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    Effort,
    report::{Measured, Words},
    server::{PASSWORD, Server, psql},
    turns::{CLIENTS, in_turn, pgbench, together},
};

type Counted<'a> = Pin<Box<dyn Future<Output = anyhow::Result<f64>> + Send + 'a>>;
type Side = for<'a> fn(&'a Server, &'a Prepared, Duration) -> Counted<'a>;
type Prepare = for<'a> fn(&'a Server) -> Pin<Box<dyn Future<Output = anyhow::Result<Prepared>> + Send + 'a>>;

/// What a row needs before it begins.
#[derive(Default)]
pub struct Prepared {
    emails: Vec<String>,
    tokens: Vec<Value>,
}

/// Acts a second of ours over those of the floor.
pub struct Row {
    pub name: &'static str,
    what: &'static str,
    target: &'static str,
    prepare: Prepare,
    ours: Side,
    floor: Side,
}

pub fn all() -> Vec<Row> {
    vec![
        Row {
            name: "password login",
            what: "cores ÷ one Argon2id hash of the same parameters",
            target: "≥ 0.90",
            prepare: |server| {
                Box::pin(async move {
                    Ok(Prepared { emails: server.add_people("login", CLIENTS).await?, ..Prepared::default() })
                })
            },
            ours: |server, prepared, time| Box::pin(logins(server, prepared, time)),
            floor: |_server, _prepared, time| Box::pin(hashes(time)),
        },
        Row {
            name: "refresh rotation, durable",
            what: "pgbench doing the same two statements",
            target: "≥ 0.6",
            prepare: |server| Box::pin(refreshable(server)),
            ours: |server, prepared, time| Box::pin(refreshes(server, prepared, time)),
            floor: |server, _prepared, time| Box::pin(two_statements(server, time)),
        },
        Row {
            name: "being authenticated",
            what: "`/healthz`; ours is `/auth/me`",
            target: "≥ 0.85",
            prepare: |server| Box::pin(refreshable(server)),
            ours: |server, prepared, time| Box::pin(asks(server, prepared, "/auth/me", time)),
            floor: |server, prepared, time| Box::pin(asks(server, prepared, "/healthz", time)),
        },
    ]
}

impl Row {
    pub async fn measure(&self, server: &Server, effort: Effort) -> anyhow::Result<Measured> {
        let prepared = (self.prepare)(server).await?;
        let words = Words {
            name: self.name.to_owned(),
            size: format!("{CLIENTS} clients"),
            what: self.what,
            target: self.target,
            unit: "/s",
        };
        let (ours, floor) = (self.ours, self.floor);
        let ours = async |time: Duration| ours(server, &prepared, time).await;
        let floor = async |time: Duration| floor(server, &prepared, time).await;
        in_turn(words, effort, None, ours, floor).await
    }
}

async fn logins(server: &Server, prepared: &Prepared, time: Duration) -> anyhow::Result<f64> {
    together(CLIENTS, time, |client| {
        let (server, email) = (server.client.clone(), prepared.emails[client].clone());
        async move {
            let (until, mut acts) = (Instant::now() + time, 0);
            while Instant::now() < until {
                server.post("/auth/login", &json!({"email": email, "password": PASSWORD}), None).await?;
                acts += 1;
            }
            Ok(acts)
        }
    })
    .await
}

/// On every core, as fast as it goes.
async fn hashes(time: Duration) -> anyhow::Result<f64> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let started = Instant::now();
    let tasks = (0..cores).map(|_| {
        tokio::task::spawn_blocking(move || -> anyhow::Result<u64> {
            let params = argon2::Params::new(19_456, 2, 1, Some(32)).map_err(|error| anyhow::anyhow!("{error}"))?;
            let blocks = params.block_count();
            let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
            let mut memory = vec![argon2::Block::default(); blocks];
            let (until, mut acts, mut hash) = (std::time::Instant::now() + time, 0, [0; 32]);
            while std::time::Instant::now() < until {
                argon2
                    .hash_password_into_with_memory(PASSWORD.as_bytes(), b"sixteen bytes ..", &mut hash, &mut memory)
                    .map_err(|error| anyhow::anyhow!("{error}"))?;
                acts += 1;
            }
            Ok(acts)
        })
    });
    let mut acts = 0;
    for task in tasks.collect::<Vec<_>>() {
        acts += task.await??;
    }
    Ok(acts as f64 / started.elapsed().as_secs_f64())
}

async fn refreshable(server: &Server) -> anyhow::Result<Prepared> {
    let mut tokens = Vec::new();
    for _ in 0..CLIENTS {
        tokens.push(server.sign_in(crate::server::ADMIN).await?);
    }
    psql(
        &server.database,
        "create table if not exists bench_tokens (n bigint generated always as identity primary key, session uuid,
             digest bytea unique, parent uuid, expires_at timestamptz, spent_at timestamptz, created_at timestamptz);
         insert into bench_tokens (session, digest, expires_at, created_at)
         select gen_random_uuid(), sha256(gen_random_uuid()::text::bytea), now(), now()
         from generate_series(1, 20000) where not exists (select from bench_tokens)",
    )
    .await?;
    Ok(Prepared { tokens, ..Prepared::default() })
}

async fn refreshes(server: &Server, _prepared: &Prepared, time: Duration) -> anyhow::Result<f64> {
    // Each block begins with sessions of its own: a refresh token is good once.
    let mut tokens = Vec::new();
    for _ in 0..CLIENTS {
        tokens.push(server.sign_in(crate::server::ADMIN).await?["refresh_token"].clone());
    }
    together(CLIENTS, time, |client| {
        let (server, mut token) = (server.client.clone(), tokens[client].clone());
        async move {
            let (until, mut acts) = (Instant::now() + time, 0);
            while Instant::now() < until {
                let next = server.post("/auth/refresh", &json!({"refresh_token": token}), None).await?;
                token = next["refresh_token"].clone();
                acts += 1;
            }
            Ok(acts)
        }
    })
    .await
}

/// One token spent and one made, in a transaction.
async fn two_statements(server: &Server, time: Duration) -> anyhow::Result<f64> {
    // Of the first ones, which are there: found by the key, as ours is by its digest.
    let script = "\\set n random(1, 20000)\nbegin;\nupdate bench_tokens set spent_at = now() where n = :n;\n\
                  insert into bench_tokens (session, digest, expires_at, created_at)\n\
                  values (gen_random_uuid(), sha256(gen_random_uuid()::text::bytea), now(), now());\ncommit;\n";
    pgbench(&server.database, script, CLIENTS, time).await
}

async fn asks(server: &Server, prepared: &Prepared, path: &'static str, time: Duration) -> anyhow::Result<f64> {
    together(CLIENTS, time, |client| {
        let server = server.client.clone();
        let token = prepared.tokens[client]["access_token"].as_str().unwrap_or_default().to_owned();
        async move {
            let (until, mut acts) = (Instant::now() + time, 0);
            while Instant::now() < until {
                server.get(path, Some(&token)).await?;
                acts += 1;
            }
            Ok(acts)
        }
    })
    .await
}
