//! F3: PostgreSQL killed or stopped as if pulled out, under load; nothing is allowed while it is down.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use bawwab_running::{ADMIN, Answer, rows};

use crate::{
    auditor,
    cases::Run,
    journal::Outcome,
    load::{self, Load},
};

const CLIENTS: usize = 4;

pub async fn killed(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, mut random, rounds, findings } = run;
    let cluster = &ground.cluster;
    let world = ground.world("f3").await?;
    let mut node = world.node("node").await?;
    let load = Load::begin(&node.client, world.journal()?, random.clone()).await?;
    let (mut acts, mut allowed, mut kills, mut longest) = (0, Vec::new(), 0, Duration::ZERO);
    for round in 0..rounds {
        load.renew(&node.client).await?;
        let token = load::sign_in(&node.client, ADMIN).await?.text_of("access_token");
        let clients = [node.client.clone()];
        let wait = Duration::from_micros(100_000 + random.below(200_000));
        let is_kill = random.below(2) == 0;
        let (done, ()) = load::during(&load, &clients, CLIENTS, async {
            tokio::time::sleep(wait).await;
            if is_kill { cluster.kill().await } else { cluster.stop_at_once().await }
        })
        .await?;
        acts += done;
        kills += usize::from(is_kill);
        // I7: whatever needs a decision is not answered by guessing; being alive needs none.
        let asked = |path: &'static str| node.client.send("GET", path, None, Some(&token), None);
        let act = load.next()?;
        let (people, roles, sessions, done) = tokio::join!(
            asked("/admin/users"),
            asked("/admin/roles"),
            asked("/auth/sessions"),
            load.act(&node.client, &act)
        );
        for answer in [people, roles, sessions].into_iter().flatten().filter(Answer::is_success) {
            allowed.push(format!("round {round}: {} {}", answer.status, answer.text));
        }
        if let Outcome::Done { .. } = done? {
            allowed.push(format!("round {round}: {} {} was acknowledged", act.kind_name(), act.what));
        }
        node.client.get("/healthz", None).await.context("/healthz answers without a database")?;
        cluster.up().await?;
        let up = Instant::now();
        node.ready().await.context("ready again after PostgreSQL is up")?;
        longest = longest.max(up.elapsed());
        let idle = "select count(*) from pg_stat_activity where state like 'idle in transaction%'
                        and state_change < now() - interval '20 seconds'";
        let idle = rows(&world.database(), idle).await?.join("");
        findings.is_so("I12", "no transaction is left open", idle == "0", format!("round {round}: {idle}"));
    }
    findings.holds("I7", "nothing is answered with 2xx while PostgreSQL is down", allowed);
    findings.is_so("I12", "the node comes back without a restart", node.is_alive()?, "it has ended");
    findings.did(format!("{kills} kills and {} immediate stops, {acts} acts by {CLIENTS} clients", rounds - kills));
    findings.measured(format!("ready again at most {longest:.2?} after PostgreSQL was (goal: 10 s)"));
    auditor::settle(&load, &node.client, &mut random, findings).await?;
    auditor::compare(&load, &world, findings).await?;
    node.kill().await?;
    auditor::verify(&world, findings).await
}
