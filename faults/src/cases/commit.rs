//! F4: an ambiguous COMMIT. A proxy cuts the connection before it arrives, after it is done, or anywhere.

use crate::{
    auditor,
    cases::Run,
    journal::Outcome,
    load::Load,
    proxy::{ANSWER_KEPT, AUDITED, Cut, Proxy},
};

pub async fn cut(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, mut random, rounds, findings } = run;
    let world = ground.world("f4").await?;
    let proxy = Proxy::start(ground.cluster.port(), random.clone()).await?;
    let mut node = world.node_by("node", &ground.cluster, proxy.port).await?;
    let load = Load::begin(&node.client, world.journal()?, random.clone()).await?;
    let (mut before, mut after, mut kept, mut anywhere) = (0, 0, 0, 0);
    let (mut lied, mut denied, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 50 == 49 {
            load.renew(&node.client).await?;
        }
        let cut = match round % 4 {
            0 => Cut::BeforeCommit(AUDITED),
            1 => Cut::AfterCommit(AUDITED),
            2 => Cut::BeforeCommit(ANSWER_KEPT),
            _ => Cut::AfterBytes(random.below(6_000)),
        };
        let act = load.next()?;
        let hits = proxy.hits();
        proxy.arm(cut);
        let outcome = load.act(&node.client, &act).await?;
        proxy.disarm();
        let place = || format!("round {round}, {} {}: {outcome:?}", act.kind_name(), act.what);
        let is_hit = proxy.hits() > hits;
        match cut {
            Cut::BeforeCommit(AUDITED) if is_hit => {
                before += 1;
                if let Outcome::Done { .. } = outcome {
                    lied.push(place());
                }
            }
            Cut::AfterCommit(_) if is_hit => {
                after += 1;
                if let Outcome::Refused(..) = outcome {
                    denied.push(place());
                }
            }
            Cut::BeforeCommit(_) if is_hit => {
                kept += 1;
                if !matches!(outcome, Outcome::Done { .. }) {
                    hidden.push(place());
                }
            }
            Cut::AfterBytes(_) if is_hit => anywhere += 1,
            _ => {}
        }
        node.ready().await?;
    }
    findings.did(format!(
        "{rounds} acts cut: {before} before COMMIT, {after} after it, {kept} when only the answer was to be kept, \
         {anywhere} anywhere"
    ));
    let is_enough = before > 0 && after > 0 && kept > 0;
    findings.is_so("I3", "each way of cutting came to be", is_enough, "the proxy found no commit to cut");
    findings.holds("I1", "nothing is acknowledged that was not committed", lied);
    findings.holds("I3", "nothing is refused that was committed", denied);
    findings.holds("I3", "what was committed is acknowledged even if its answer cannot be kept", hidden);
    auditor::settle(&load, &node.client, &mut random, findings).await?;
    auditor::compare(&load, &world, findings).await?;
    node.kill().await?;
    auditor::verify(&world, findings).await
}
