//! F10: a full disk, for the data, for the WAL, and for what a node and its commands write: logs and exports.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use bawwab_running::{Client, psql};
use tokio::process::Command;

use crate::{
    auditor,
    cases::Run,
    cluster::{self, Cluster},
    findings::Findings,
    ground::World,
    journal::Outcome,
    load::Load,
};

/// A file system in memory, of this size.
const SIZE: &str = "size=160m,mode=0755";
/// So many acts at most until the disk is full; each takes some kilobytes.
const ACTS: usize = 4_000;
/// So many acts while the log cannot grow, and as many before to use up what the disk was left.
const ACTS_UNLOGGED: usize = 100;
/// What PostgreSQL's programs and we say of it.
const NO_ROOM: &str = "No space left on device";

struct Disk(PathBuf);

impl Disk {
    async fn mount(at: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(at)?;
        cluster::run(Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(at)).await?;
        Ok(Disk(at.to_owned()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Leaves as many bytes as told.
    async fn fill(&self, leave: u64) -> anyhow::Result<()> {
        let left = Command::new("df").args(["--output=avail", "-B1"]).arg(&self.0).output().await?;
        let left = String::from_utf8_lossy(&left.stdout);
        let left = left.lines().last().context("df tells a number")?.trim().parse::<u64>()?;
        let size = left.saturating_sub(leave).to_string();
        cluster::run(Command::new("fallocate").args(["-l", &size]).arg(self.filler())).await
    }

    fn free(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.filler())?)
    }

    async fn unmount(self) -> anyhow::Result<()> {
        cluster::run(Command::new("umount").arg(&self.0)).await
    }
}

pub async fn full(mut run: Run<'_>) -> anyhow::Result<()> {
    if !cluster::is_root() {
        run.findings.cannot("needs root, to mount a small file system");
        return Ok(());
    }
    let at = run.ground.folder.join("small");
    let disk = match Disk::mount(&at).await {
        Ok(disk) => disk,
        Err(error) => {
            run.findings.cannot(format!("no file system can be mounted here: {error:#}"));
            return Ok(());
        }
    };
    let result = async {
        fill_and_free(&disk, &mut run).await?;
        logs_and_exports(&disk, &mut run).await
    }
    .await;
    disk.unmount().await?;
    result
}

/// First only the data is on the small disk, then only the WAL.
async fn fill_and_free(disk: &Disk, run: &mut Run<'_>) -> anyhow::Result<()> {
    let Run { ground, random, rounds, findings } = run;
    for (name, place) in [("f10data", "data"), ("f10wal", "WAL")] {
        let (small, roomy) = (disk.0.join(name), ground.folder.join(name));
        let (folder, wal) = if place == "data" { (&small, &roomy) } else { (&roomy, &small) };
        fs::create_dir_all(wal)?;
        own(wal, &ground.folder).await?;
        let waldir = format!("--waldir={}", wal.display());
        let initdb = ["--wal-segsize=1", &waldir];
        let settings = "max_wal_size = 16MB\nmin_wal_size = 4MB\n";
        let cluster = Cluster::make(&ground.programs, folder, &initdb, settings).await?;
        let result = async {
            ground.make_model(&cluster).await?;
            let world = ground.world_on(&cluster, name).await?;
            let mut node = world.node("node").await?;
            let load = Load::begin(&node.client, world.journal()?, random.clone()).await?;
            let (mut acts, mut refused, mut deaths) = (0, 0, 0);
            for round in 0..*rounds {
                disk.fill(random.below(200_000)).await?;
                let mut in_a_row = 0;
                for n in 0..ACTS {
                    if place == "WAL" && n % 8 == 7 {
                        // Each takes another file of the WAL. What it says when there is no room is no matter.
                        psql(&world.database(), "select pg_switch_wal()").await.ok();
                    }
                    let act = load.next()?;
                    acts += 1;
                    match load.act(&node.client, &act).await? {
                        Outcome::Done { .. } => in_a_row = 0,
                        _ => in_a_row += 1,
                    }
                    if in_a_row == 5 {
                        break;
                    }
                }
                refused += in_a_row;
                let is_full = in_a_row == 5;
                findings.is_so(
                    "I7",
                    "acts are refused once the disk is full",
                    is_full,
                    format!("{name}, round {round}"),
                );
                node.client.get("/healthz", None).await.context("/healthz answers with a full disk")?;
                disk.free()?;
                if !cluster.answers().await {
                    // Without room for the WAL PostgreSQL gives up: whoever runs it starts it again.
                    deaths += 1;
                    cluster.up().await?;
                }
                node.ready().await.context("ready again once there is room")?;
                let alive = node.is_alive()?;
                findings.is_so("I12", "the node comes back without a restart", alive, format!("{name}, round {round}"));
                load.renew(&node.client).await?;
                let act = load.next()?;
                let works = matches!(load.act(&node.client, &act).await?, Outcome::Done { .. });
                findings.is_so(
                    "I12",
                    "acts are done again once there is room",
                    works,
                    format!("{name}, round {round}"),
                );
            }
            findings.did(format!(
                "{place} on it: full {rounds} times, {acts} acts, {refused} not done, PostgreSQL gave up {deaths} times"
            ));
            auditor::settle(&load, &node.client, random, findings).await?;
            auditor::compare(&load, &world, findings).await?;
            node.kill().await?;
            auditor::verify(&world, findings).await
        }
        .await;
        cluster.end().await;
        fs::remove_dir_all(folder)?;
        fs::remove_dir_all(wal)?;
        result?;
    }
    Ok(())
}

/// PostgreSQL has room; the log of the node and what commands write lie on the small disk.
async fn logs_and_exports(disk: &Disk, run: &mut Run<'_>) -> anyhow::Result<()> {
    let Run { ground, random, rounds, findings } = run;
    let world = ground.world("f10log").await?;
    let log = disk.0.join("node.log");
    let mut command = world.installation.command(&[]);
    // A line for each request.
    command.env("BAWWAB_LOG", "info");
    let mut node = world.installation.node_as(command, Some(&log)).await?;
    let load = Load::begin(&node.client, world.journal()?, random.clone()).await?;
    for round in 0..*rounds {
        load.renew(&node.client).await?;
        let at_work = AtWork { disk, world: &world, load: &load, client: &node.client };
        let place = format!("round {round}");
        disk.fill(random.below(4_000)).await?;
        at_work.acts(findings, &place).await?;
        let before = fs::metadata(&log)?.len();
        at_work.acts(findings, &place).await?;
        let is_full = fs::metadata(&log)?.len() == before;
        findings.is_so("I12", "the log cannot grow on a full disk", is_full, &place);
        at_work.exports(true, findings, &place).await?;
        disk.free()?;
        at_work.acts(findings, &place).await?;
        let goes_on = fs::metadata(&log)?.len() > before;
        findings.is_so("I12", "the log goes on without a restart once there is room", goes_on, &place);
        at_work.exports(false, findings, &place).await?;
        findings.is_so("I12", "the node outlives a full log", node.is_alive()?, &place);
    }
    let health = node.client.send("GET", "/healthz", None, None, None).await?.json();
    findings.is_so("I12", "a line that cannot be written is no panic", health["panics"] == 0, health.to_string());
    findings.did(format!("logs and exports on it: full {rounds} times, {} acts", 3 * ACTS_UNLOGGED * *rounds));
    auditor::settle(&load, &node.client, random, findings).await?;
    auditor::compare(&load, &world, findings).await?;
    node.kill().await?;
    // Where those of the other nodes are looked through.
    fs::copy(&log, ground.kept.join("f10log.node.log"))?;
    auditor::verify(&world, findings).await
}

/// A node and an operator at work beside a small disk.
struct AtWork<'a> {
    disk: &'a Disk,
    world: &'a World,
    load: &'a Load,
    client: &'a Client,
}

impl AtWork<'_> {
    /// They need no log.
    async fn acts(&self, findings: &mut Findings, place: &str) -> anyhow::Result<()> {
        let mut undone = Vec::new();
        for _ in 0..ACTS_UNLOGGED {
            let act = self.load.next()?;
            let outcome = self.load.act(self.client, &act).await?;
            if !matches!(outcome, Outcome::Done { .. }) {
                undone.push(format!("{place}: {} {}: {outcome:?}", act.kind_name(), act.what));
            }
        }
        findings.holds("I12", "acts are done whether or not the log can be written", undone);
        Ok(())
    }

    /// A backup, what a command prints into a file, and the log as a file that a node sends and so needs no disk for.
    async fn exports(&self, is_full: bool, findings: &mut Findings, place: &str) -> anyhow::Result<()> {
        let place = format!("{place}, {}", if is_full { "full" } else { "with room" });
        let (folder, printed) = (self.disk.0.join("backup"), self.disk.0.join("openapi.json"));
        let named = folder.display().to_string();
        let backup = self.world.installation.command(&["backup", &named]).output().await?;
        let mut print = self.world.installation.command(&["openapi"]);
        let print = print.stdout(fs::File::create(&printed)?).stderr(Stdio::piped()).spawn()?;
        let print = print.wait_with_output().await?;
        for (what, done) in [("backup", &backup), ("openapi", &print)] {
            let said = String::from_utf8_lossy(&done.stderr);
            let is_right = match is_full {
                // A panic would end with 101.
                true => done.status.code() == Some(1) && said.contains(NO_ROOM) && !said.contains("panicked"),
                false => done.status.success(),
            };
            let about = format!("{place}: {what}: {}: {said}", done.status);
            let must = "an export that cannot be written says so, and works once there is room";
            findings.is_so("I12", must, is_right, about);
        }
        let there = [folder.exists(), folder.with_extension("partial").exists()];
        let is_whole = there == [!is_full, false];
        findings.is_so("I1", "what is there of a backup is whole", is_whole, format!("{place}: {there:?}"));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::remove_file(&printed)?;
        let token = self.load.token()?;
        let sent = self.client.send("GET", "/admin/audit/export.csv", None, Some(&token), None).await?;
        // Of many rounds the later ones are too many within an hour.
        let is_sent = sent.is_success() || sent.status == 429;
        let about = format!("{place}: {} {}", sent.status, sent.text_of("code"));
        findings.is_so("I12", "a node whose disk is full sends the audit log", is_sent, about);
        Ok(())
    }
}

/// Gives a folder to whom another belongs.
async fn own(folder: &Path, like: &Path) -> anyhow::Result<()> {
    cluster::run(Command::new("chown").arg(format!("--reference={}", like.display())).arg(folder)).await
}
