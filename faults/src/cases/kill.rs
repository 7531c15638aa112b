//! F1: kill -9 of a node at work.

use std::time::Duration;

use crate::{
    auditor,
    cases::Run,
    load::{self, Load},
};

/// At the same time.
const CLIENTS: usize = 4;

pub async fn kill(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, mut random, rounds, findings } = run;
    let world = ground.world("f1").await?;
    let mut node = world.node("node").await?;
    let load = Load::begin(&node.client, world.journal()?, random.clone()).await?;
    let mut acts = 0;
    for _ in 0..rounds {
        load.renew(&node.client).await?;
        let clients = [node.client.clone()];
        // At first something is under way, then it ends at any moment of it.
        let wait = Duration::from_micros(300_000 + random.below(50_000));
        let (done, ()) = load::during(&load, &clients, CLIENTS, async {
            tokio::time::sleep(wait).await;
            node.kill().await
        })
        .await?;
        acts += done;
        node = world.node("node").await?;
    }
    findings.did(format!("{rounds} kills, {acts} acts by {CLIENTS} clients"));
    auditor::settle(&load, &node.client, &mut random, findings).await?;
    auditor::compare(&load, &world, findings).await?;
    node.kill().await?;
    auditor::verify(&world, findings).await
}
