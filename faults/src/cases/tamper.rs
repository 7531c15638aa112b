//! F27 and F28: what whoever owns the database may do to it, and how it is found.

use anyhow::{Context as _, ensure};
use bawwab_running::{ADMIN, psql, rows};
use serde_json::json;

use crate::{
    auditor,
    cases::Run,
    ground::World,
    load::{Load, person, sign_in},
};

/// Acts that fill the log.
const ACTS: usize = 24;

struct Tampering {
    name: &'static str,
    statements: String,
    /// What has to be told. Empty: only that something is wrong.
    told: String,
}

/// Every way of it, at a place that the seed has chosen.
fn ways(at: u64, head: u64) -> Vec<Tampering> {
    let chain = "(select chain from audit_chain group by chain order by count(*) desc limit 1)";
    let id = |seq: u64| format!("(select log_id from audit_chain where chain = {chain} and seq = {seq})");
    let place = |seq: u64| format!(" at place {seq}");
    let (this, next) = (id(at), id(at + 1));
    let spare = "0190a6e0-0000-7000-8000-0000000000aa";
    let forged = "0190a6e0-0000-7000-8000-00000000f0f0";
    let way = |name, statements: String, told: String| Tampering { name, statements, told };
    vec![
        way("edited", format!("update audit_logs set outcome = 'denied' where id = {this}"), place(at)),
        way(
            "edited, its canonical text too",
            format!(
                "update audit_logs set user_name = 'somebody else', canonical = canonical || ' ' where id = {this}"
            ),
            place(at),
        ),
        way("deleted", format!("delete from audit_logs where id = {this}"), place(at)),
        way(
            "deleted with its link",
            format!(
                "delete from audit_logs where id = {this};
                 delete from audit_chain where chain = {chain} and seq = {at}"
            ),
            place(at),
        ),
        way(
            "two swapped",
            format!(
                "create temp table pair as select {this} as a, {next} as b;
                 update audit_logs set id = '{spare}' where id = (select a from pair);
                 update audit_logs set id = (select a from pair) where id = (select b from pair);
                 update audit_logs set id = (select b from pair) where id = '{spare}'"
            ),
            place(at),
        ),
        way(
            "one inserted",
            format!(
                "create temp table forged as select * from audit_logs where id = {this};
                 update forged set id = '{forged}', canonical = replace(canonical, id::text, '{forged}');
                 insert into audit_logs select * from forged"
            ),
            forged.to_owned(),
        ),
        way(
            "the end cut off, with every trace inside",
            format!(
                "delete from audit_logs where id in (select log_id from audit_chain where chain = {chain} and seq >= {head});
                 delete from audit_chain where chain = {chain} and seq >= {head};
                 delete from audit_checkpoints; delete from audit_verifications"
            ),
            place(head),
        ),
    ]
}

pub async fn the_log(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, mut random, rounds, findings } = run;
    let world = ground.world("f27").await?;
    let mut node = world.node("node").await?;
    let load = Load::begin(&node.client, world.journal()?, random.clone()).await?;
    for _ in 0..ACTS {
        let act = load.next()?;
        load.act(&node.client, &act).await?;
    }
    auditor::compare(&load, &world, findings).await?;
    node.kill().await?;
    // Kept elsewhere, as an auditor would.
    let kept = world.installation.command(&["audit", "checkpoint"]).output().await?;
    ensure!(kept.status.success(), "audit checkpoint: {}", String::from_utf8_lossy(&kept.stderr));
    let file = ground.kept.join("f27.checkpoint");
    std::fs::write(&file, &kept.stdout)?;
    let (is_whole, said) = verified(&world, &file).await?;
    findings.is_so("I6", "an untouched log is intact, and holds the checkpoint kept elsewhere", is_whole, said);
    let head =
        rows(&world.database(), "select count(*) from audit_chain group by chain order by 1 desc limit 1").await?;
    let head = head.join("").parse::<u64>().context("a head")?;
    ensure!(head > 10, "the log has {head} rows");
    let (mut missed, mut count) = (Vec::new(), 0);
    for round in 0..rounds {
        let at = 2 + random.below(head - 5);
        for (n, Tampering { name, statements, told }) in ways(at, head).into_iter().enumerate() {
            let copy = ground.copy(&ground.cluster, world.name(), &format!("f27_{round}_{n}")).await?;
            psql(&copy.database(), &statements).await?;
            let (is_whole, said) = verified(&copy, &file).await?;
            count += 1;
            if is_whole || !said.contains(&told) {
                missed.push(format!("round {round}, place {at} of {head}, {name}: expected \"{told}\" in: {said}"));
            }
        }
    }
    findings.did(format!("{count} ways of tampering with a log of {head} rows, each on a copy"));
    findings.holds("I6", "tampering is found and its place named", missed);
    Ok(())
}

/// Whether `bawwab audit verify` is content, and what it says.
async fn verified(world: &World, checkpoint: &std::path::Path) -> anyhow::Result<(bool, String)> {
    let mut command = world.installation.command(&["audit", "verify", "--checkpoint"]);
    let done = command.arg(checkpoint).output().await?;
    let said = [done.stdout, done.stderr].concat();
    Ok((done.status.success(), String::from_utf8_lossy(&said).trim().to_owned()))
}

pub async fn sealed_secrets(run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, rounds, findings, .. } = run;
    let (mut opened, mut missed, mut given) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let world = ground.world(&format!("f28_{round}")).await?;
        let mut node = world.node("node").await?;
        let boss = sign_in(&node.client, ADMIN).await?.text_of("access_token");
        let mut people = Vec::new();
        for name in ["sara", "omar"] {
            let (_, tokens) = person(&node.client, &boss, &format!("{name}@example.com"), &[]).await?;
            let token = tokens["access_token"].as_str().context("a token")?.to_owned();
            let set = node.client.send("POST", "/auth/2fa/setup", Some(&json!({})), Some(&token), None).await?;
            ensure!(set.is_success(), "set a second factor up: {} {}", set.status, set.text);
            people.push(token);
        }
        // Two answers that are kept sealed, with a one-time link each.
        let invite = async |key: &str| {
            let body = json!({"email": format!("{key}@example.com"), "name": key});
            node.client.send("POST", "/admin/users", Some(&body), Some(&boss), Some(key)).await
        };
        let first = [invite("k1").await?, invite("k2").await?];
        ensure!(first.iter().all(|answer| answer.is_success()), "invite two: {}", first[0].text);
        auditor::verify(&world, findings).await?;

        let both = "select count(*) from totp where secret is not null";
        ensure!(rows(&world.database(), both).await?.join("") == "2", "two secrets are kept");
        let swap = "update totp a set secret = b.secret from totp b where a.user_id <> b.user_id;
                    update idempotency_keys a set response = b.response from idempotency_keys b
                    where a.key in ('k1', 'k2') and b.key in ('k1', 'k2') and a.key <> b.key";
        psql(&world.database(), swap).await?;
        for token in &people {
            let body = json!({"code": "000000"});
            let answer = node.client.send("POST", "/auth/2fa/verify", Some(&body), Some(token), None).await?;
            // A wrong code is told as that only where the secret has been opened.
            if answer.status != 500 {
                opened.push(format!("round {round}: {} {}", answer.status, answer.text));
            }
        }
        for (key, mine) in ["k1", "k2"].into_iter().zip(&first) {
            let again = invite(key).await?;
            if again.is_success() {
                given.push(format!("round {round}: {key} is told {} instead of {}", again.text, mine.text));
            }
        }
        let done = world.installation.command(&["verify", "--strict"]).output().await?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let named =
            said.lines().skip_while(|line| !line.contains("every sealed value opens at its place: DOES NOT HOLD"));
        let named = named.skip(1).take_while(|line| line.starts_with("    ")).count();
        if done.status.success() || named != 2 {
            missed.push(format!("round {round}: {named} places named: {said}"));
        }
        node.kill().await?;
    }
    findings.did(format!("{rounds} times two people's secrets and two kept answers swapped"));
    findings.holds("I11", "a secret at another's place does not open", opened);
    findings.holds("I11", "an answer at another key's place does not open", given);
    findings.holds("I6", "bawwab verify --strict names both places", missed);
    Ok(())
}
