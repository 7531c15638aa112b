//! F13: nodes whose wall clock is wrong, stands still, or jumps. The one clock is the database's.

use std::{fs, path::Path};

use anyhow::Context as _;
use bawwab_running::{ADMIN, Client, Node, psql, rows};
use serde_json::json;
use tokio::process::Command;

use crate::{
    auditor,
    cases::Run,
    ground::World,
    load::{self, Load},
};

/// As libfaketime reads them. The last stands still.
const CLOCKS: [&str; 5] = ["+90", "+1h", "+10y", "-2h", "2019-03-01 04:05:06"];

/// Where the library lies.
async fn library() -> anyhow::Result<String> {
    let said = Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output().await?;
    let path = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    anyhow::ensure!(!path.is_empty(), "faketime does not tell where its library is");
    // The one for programs of many threads.
    Ok(path.replace("libfaketime.so", "libfaketimeMT.so"))
}

/// A node whose clock is as the file says, at every moment anew.
async fn node(world: &World, library: &str, file: &Path) -> anyhow::Result<Node> {
    let mut command = world.installation.command(&[]);
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", file)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    world.node_as("wrong", command).await
}

pub async fn jumps(run: Run<'_>) -> anyhow::Result<()> {
    let library = match library().await {
        Ok(library) => library,
        Err(error) => {
            run.findings.cannot(format!("needs faketime (apt-get install faketime): {error:#}"));
            return Ok(());
        }
    };
    let Run { ground, mut random, rounds, findings } = run;
    let world = ground.world("f13").await?;
    let file = ground.kept.join("f13.clock");
    let mut right = world.node("right").await?;
    let load = Load::begin(&right.client, world.journal()?, random.clone()).await?;
    let mut acts = 0;
    for round in 0..rounds {
        for clock in CLOCKS {
            fs::write(&file, clock)?;
            let mut wrong = node(&world, &library, &file).await?;
            let place = format!("round {round}, {clock}");
            let (one, two) = (&right.client, &wrong.client);
            let is_wrong = date(one).await? != date(two).await?;
            findings.is_so("I5", "the clock of the node is wrong indeed", is_wrong, place.clone());
            tokens(&world, one, two, &place, findings).await?;
            wrong.kill().await?;
        }
        // Jumps while both are at work.
        fs::write(&file, "+0")?;
        let mut wrong = node(&world, &library, &file).await?;
        load.renew(&right.client).await?;
        let clients = [right.client.clone(), wrong.client.clone()];
        let (done, ()) = load::during(&load, &clients, 4, async {
            for _ in 0..6 {
                let clock = random.pick(&CLOCKS).copied().unwrap_or(CLOCKS[0]);
                fs::write(&file, clock)?;
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            }
            Ok(())
        })
        .await?;
        acts += done;
        findings.is_so("I12", "a node lives through jumps", wrong.is_alive()?, format!("round {round}"));
        wrong.kill().await?;
    }
    let odd = "select count(*) from audit_logs where created_at > clock_timestamp() + interval '5 seconds'
                   or created_at < (select min(created_at) from tenants) - interval '5 seconds'";
    let odd = rows(&world.database(), odd).await?.join("");
    findings.is_so("I6", "no row of the audit log has a time of a wrong clock", odd == "0", format!("{odd} rows"));
    findings.did(format!("{rounds} times {} clocks on one of two nodes, {acts} acts during jumps", CLOCKS.len()));
    auditor::settle(&load, &right.client, &mut random, findings).await?;
    auditor::compare(&load, &world, findings).await?;
    right.kill().await?;
    auditor::verify(&world, findings).await
}

/// The minute that a node believes in.
async fn date(client: &Client) -> anyhow::Result<String> {
    let answer = client.send("GET", "/healthz", None, None, None).await?;
    Ok(answer.date.get(..22).context("a date")?.to_owned())
}

async fn status(client: &Client, token: &str) -> anyhow::Result<u16> {
    Ok(client.send("GET", "/auth/me", None, Some(token), None).await?.status)
}

/// What tokens of one node are worth on the other.
async fn tokens(
    world: &World,
    right: &Client,
    wrong: &Client,
    place: &str,
    findings: &mut crate::findings::Findings,
) -> anyhow::Result<()> {
    for (by, on, way) in [(right, wrong, "right to wrong"), (wrong, right, "wrong to right")] {
        let tokens = load::sign_in(by, ADMIN).await?.json();
        let access = tokens["access_token"].as_str().context("a token")?;
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        let mut expect = |what: &str, found: u16, expected: u16| {
            findings.is_so("I5", what, found == expected, format!("{place}, {way}: {found}"));
        };
        expect("a good token is good on both", status(on, access).await?, 200);
        let me = on.send("GET", "/auth/sessions", None, Some(access), None).await?;
        expect("a session can be seen on both", me.status, 200);
        expect("a refresh token is good on the other", on.post_for_status("/auth/refresh", &refresh).await?, 200);
        expect("and once", by.post_for_status("/auth/refresh", &refresh).await?, 401);
        // Signed out on one: dead on the other, also where its clock went back.
        let answer = by.send("POST", "/auth/logout", Some(&json!({})), Some(access), None).await?;
        expect("signing out works", answer.status, 200);
        expect("no token comes back to life", status(on, access).await?, 401);

        let access = load::sign_in(by, ADMIN).await?.text_of("access_token");
        let newest = "(select id from sessions where ended_at is null order by created_at desc limit 1)";
        let soon =
            format!("update sessions set expires_at = clock_timestamp() + interval '30 minutes' where id = {newest}");
        psql(&world.database(), &soon).await?;
        expect("what has half an hour left is good", status(on, &access).await?, 200);
        let over =
            format!("update sessions set expires_at = clock_timestamp() - interval '10 minutes' where id = {newest}");
        psql(&world.database(), &over).await?;
        expect("what ran out ten minutes ago is over", status(on, &access).await?, 401);
    }
    Ok(())
}
