//! F29: the data key changed while people work; a day later the one before opens nothing.

use anyhow::{Context as _, ensure};
use bawwab_running::{ADMIN, psql, rows};
use serde_json::json;

use crate::{
    auditor,
    cases::Run,
    ground::World,
    load::{self, Load},
};

/// So often it is looked whether the keys have come to be as they should, 0.5 s apart: two minutes.
const LOOKS: usize = 240;

async fn until(world: &World, what: &str, query: &str) -> anyhow::Result<()> {
    for _ in 0..LOOKS {
        if rows(&world.database(), query).await?.join("") == "t" {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    anyhow::bail!("it never came to be: {what}")
}

pub async fn rotated(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, random, rounds, findings } = run;
    let world = ground.world("f29").await?;
    let mut one = world.node("one").await?;
    let mut two = world.node("two").await?;
    let load = Load::begin(&one.client, world.journal()?, random).await?;
    let (mut lost, mut alive, mut gone, mut acts) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut keeper = load::sign_in(&one.client, ADMIN).await?.json();
    let token = load.token()?;
    let (_, sara) = load::person(&one.client, &token, "sara@example.com", &[]).await?;
    let sara = sara["access_token"].as_str().context("a token")?;
    let set = one.client.send("POST", "/auth/2fa/setup", Some(&json!({})), Some(sara), None).await?;
    ensure!(set.is_success(), "set a second factor up: {} {}", set.status, set.text);
    for round in 0..rounds {
        load.renew(&one.client).await?;
        let clients = [one.client.clone(), two.client.clone()];
        let old = load::sign_in(&one.client, ADMIN).await?.text_of("access_token");
        let (done, ()) = load::during(&load, &clients, 4, async {
            let done = world.installation.command(&["keys", "rotate"]).output().await?;
            ensure!(done.status.success(), "keys rotate: {}", String::from_utf8_lossy(&done.stderr));
            let query = "select max(active_from) < clock_timestamp() - interval '12 seconds' from data_keys";
            until(&world, "the new key is in use and every node knows of it", query).await?;
            for client in &clients {
                let asked = client.send("GET", "/auth/me", None, Some(&old), None).await?;
                if !asked.is_success() {
                    lost.push(format!("round {round}: a token of before: {} {}", asked.status, asked.text));
                }
                let body = json!({"refresh_token": keeper["refresh_token"]});
                let next = client.send("POST", "/auth/refresh", Some(&body), None, None).await?;
                if next.is_success() {
                    keeper = next.json();
                } else {
                    lost.push(format!("round {round}: a session of before: {} {}", next.status, next.text));
                }
            }
            Ok(())
        })
        .await?;
        acts += done;
        // A day later, without waiting for it.
        let later = "update data_keys set created_at = created_at - interval '26 hours',
                         active_from = greatest(active_from - interval '26 hours', 'epoch'::timestamptz + number * interval '1 second')
                     where retired_at is null;
                     update jobs set run_at = clock_timestamp() where kind = 'keys'";
        psql(&world.database(), later).await?;
        let query = "select bool_and(retired_at is not null) from data_keys
                     where number < (select max(number) from data_keys)";
        until(&world, "the keys of before are retired", query).await?;
        // Each node has read that by then.
        tokio::time::sleep(std::time::Duration::from_secs(11)).await;
        for client in &clients {
            let asked = client.send("GET", "/auth/me", None, Some(&old), None).await?;
            if asked.status != 401 {
                alive.push(format!("round {round}: {} {}", asked.status, asked.text));
            }
            let body = json!({"refresh_token": keeper["refresh_token"]});
            let next = client.send("POST", "/auth/refresh", Some(&body), None, None).await?;
            if next.is_success() {
                keeper = next.json();
            } else {
                gone.push(format!("round {round}: {} {}", next.status, next.text));
            }
        }
    }
    findings.holds("I1", "nobody is signed out when a key changes", lost);
    findings.holds("I5", "a token of a retired key is not accepted", alive);
    findings.holds("I1", "sessions go on when a key is retired", gone);
    let left = "select count(*) from idempotency_keys where response is null";
    let left = rows(&world.database(), left).await?.join("");
    findings.did(format!("{rounds} changes of the key under load, {acts} acts ({left} answers not kept)"));
    // Answers sealed with retired keys are older than a day by then, and so are their keys.
    psql(&world.database(), "delete from idempotency_keys").await?;
    load.renew(&one.client).await?;
    auditor::compare(&load, &world, findings).await?;
    one.kill().await?;
    two.kill().await?;
    auditor::verify(&world, findings).await
}
