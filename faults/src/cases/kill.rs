//! F1: kill -9 of a node at work.

use std::time::Duration;

use bawwab_running::Client;

use crate::{
    auditor,
    cases::Run,
    findings::Findings,
    ground::World,
    journal::{Act, Kind, Outcome},
    load::{self, Load},
};

/// At the same time.
const CLIENTS: usize = 4;

pub async fn kill(mut run: Run<'_>) -> anyhow::Result<()> {
    at_any_moment(&mut run).await?;
    at_points(&mut run).await
}

async fn at_any_moment(run: &mut Run<'_>) -> anyhow::Result<()> {
    let Run { ground, random, rounds, findings } = run;
    let world = ground.world("f1").await?;
    let mut node = world.node("node").await?;
    let load = Load::begin(&node.client, world.journal()?, random.clone()).await?;
    let mut acts = 0;
    for _ in 0..*rounds {
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
    auditor::settle(&load, &node.client, random, findings).await?;
    auditor::compare(&load, &world, findings).await?;
    node.kill().await?;
    auditor::verify(&world, findings).await
}

/// Where a node of the debug build ends itself, and what is there then of the act that it was doing.
struct Place {
    /// As the node is told.
    name: &'static str,
    /// The thing itself, and rows of the audit log.
    left: (usize, usize),
    /// What whoever asks again with the same key is told.
    again: Again,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// It is done now, for the first time.
    Done,
    /// It was done; the answer is lost.
    Told,
    /// The first answer.
    Replayed,
}

const PLACES: [Place; 3] = [
    Place { name: "before_audit", left: (0, 0), again: Again::Done },
    Place { name: "after_commit", left: (1, 1), again: Again::Told },
    Place { name: "before_reply", left: (1, 1), again: Again::Replayed },
];
const KINDS: [Kind; 4] = [Kind::Grant, Kind::Person, Kind::Role, Kind::ApiKey];
/// Each place with each kind of act, twice.
const MOST: usize = 24;

/// Between the writing of a grant and of its row of the audit log, between COMMIT and the answer, and between the keeping
/// of the answer and its sending.
async fn at_points(run: &mut Run<'_>) -> anyhow::Result<()> {
    let Run { ground, random, rounds, findings } = run;
    let rounds = MOST.min(*rounds);
    let world = ground.world("f1points").await?;
    let mut node = world.node("node").await?;
    let load = Load::begin(&node.client, world.journal()?, random.clone()).await?;
    for round in 0..rounds {
        let place = &PLACES[round % PLACES.len()];
        let kind = KINDS[round / PLACES.len() % KINDS.len()];
        load.renew(&node.client).await?;
        let act = load.next_of(&node.client, kind).await?;
        node.kill().await?;
        let told = match place.again {
            // No act before it has a key.
            Again::Replayed => place.name.to_owned(),
            Again::Done | Again::Told => format!("{}:{}", place.name, kind.action()),
        };
        let mut command = world.installation.command(&[]);
        command.env("BAWWAB_FAIL_POINT", &told);
        let mut ending = world.node_as("ending", command).await?;
        let outcome = load.act(&ending.client, &act).await?;
        let is_reached = ending.ends().await?;
        let about = format!("{told}, {} {}: {outcome:?}", act.kind_name(), act.what);
        findings.is_so("I1", "the node ended at the point that was told", is_reached, &about);
        let is_open = matches!(outcome, Outcome::Unknown(_));
        findings.is_so("I1", "nothing is acknowledged by a node that ended before its answer", is_open, &about);
        let killed = Killed { world: &world, load: &load, act: &act, about };
        killed.left(place.left, findings).await?;
        node = world.node("node").await?;
        killed.asked_again(&node.client, place.again, findings).await?;
        killed.left((1, 1), findings).await?;
    }
    findings.did(format!("{rounds} kills at chosen points"));
    auditor::settle(&load, &node.client, random, findings).await?;
    auditor::compare(&load, &world, findings).await?;
    node.kill().await?;
    auditor::verify(&world, findings).await
}

/// An act whose node ended in the midst of it.
struct Killed<'a> {
    world: &'a World,
    load: &'a Load,
    act: &'a Act,
    about: String,
}

impl Killed<'_> {
    /// I2: it and its row of the audit log are both there, once, or neither is.
    async fn left(&self, expected: (usize, usize), findings: &mut Findings) -> anyhow::Result<()> {
        let found = auditor::standing(self.world, self.act).await?;
        let place = format!("{}: there are {found:?} of it and of its rows, not {expected:?}", self.about);
        findings.is_so(
            "I2",
            "an act and its row of the audit log come together or not at all",
            found == expected,
            place,
        );
        Ok(())
    }

    /// I3: whoever asks again with the same key, and once more.
    async fn asked_again(&self, client: &Client, expected: Again, findings: &mut Findings) -> anyhow::Result<()> {
        let (act, token, mut texts) = (self.act, self.load.token()?, Vec::new());
        for time in 0..2 {
            let answer = client.send("POST", &act.path, Some(&act.body), Some(&token), Some(&act.key)).await?;
            let is_right = match expected {
                Again::Done => answer.is_success() && answer.is_replayed == (time > 0),
                Again::Told => answer.status == 409 && answer.text_of("code") == "idempotency_done",
                Again::Replayed => answer.is_success() && answer.is_replayed,
            };
            let place = format!("{}; asked again: {} {}", self.about, answer.status, answer.text);
            findings.is_so("I3", "whoever asks again is told what became of it", is_right, place);
            texts.push(answer.text);
        }
        // A refusal names the request that it is for.
        let is_same = expected == Again::Told || texts.windows(2).all(|pair| pair[0] == pair[1]);
        findings.is_so("I3", "whoever asks twice is told the same", is_same, format!("{}: {texts:?}", self.about));
        Ok(())
    }
}
