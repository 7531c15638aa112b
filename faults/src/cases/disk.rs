//! F10: a full disk, for the data alone and then for the WAL too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use bawwab_running::psql;
use tokio::process::Command;

use crate::{
    auditor,
    cases::Run,
    cluster::{self, Cluster},
    journal::Outcome,
    load::Load,
};

/// A file system in memory, of this size.
const SIZE: &str = "size=160m,mode=0755";
/// So many acts at most until the disk is full; each takes some kilobytes.
const ACTS: usize = 4_000;

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

pub async fn full(run: Run<'_>) -> anyhow::Result<()> {
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
    let result = fill_and_free(&disk, run).await;
    disk.unmount().await?;
    result
}

/// First only the data is on the small disk, then only the WAL.
async fn fill_and_free(disk: &Disk, run: Run<'_>) -> anyhow::Result<()> {
    let Run { ground, mut random, rounds, findings } = run;
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
            for round in 0..rounds {
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
            auditor::settle(&load, &node.client, &mut random, findings).await?;
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

/// Gives a folder to whom another belongs.
async fn own(folder: &Path, like: &Path) -> anyhow::Result<()> {
    cluster::run(Command::new("chown").arg(format!("--reference={}", like.display())).arg(folder)).await
}
