//! `bawwab audit …`: sealing, verifying and signed heads of the log, for operators and auditors.

use std::{fs, path::PathBuf, time::Instant};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use uuid::Uuid;

use crate::{
    access::server::{Cx, Quiet},
    app::server::cli::{say, with_database},
    audit::{
        BadRow, Checkpoint, Report,
        server::{seal, verify},
    },
    base::server::config::Config,
};

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Hold every row against the chain and name the first that is wrong. Ends with 1 if there is one
    Verify {
        /// Name or id of a tenant; without it all, and what belongs to none
        #[arg(long)]
        tenant: Option<String>,
        /// A signed head that was kept elsewhere, as `bawwab audit checkpoint` prints it
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Seal what waits and print the signed heads, one JSON object a line, to be kept elsewhere
    Checkpoint {
        /// Name or id of a tenant; without it all, and what belongs to none
        #[arg(long)]
        tenant: Option<String>,
    },
}

pub(super) async fn audit(config: Config, command: AuditCommand) -> anyhow::Result<()> {
    with_database(&config, "audit command", async |cx: Cx| match command {
        AuditCommand::Verify { tenant, checkpoint } => verify(&cx, tenant, checkpoint).await,
        AuditCommand::Checkpoint { tenant } => checkpoints(&cx, tenant).await,
    })
    .await
}

/// A chain with the name of its tenant.
pub(super) type Chain = (Uuid, String);

pub(super) async fn chains(cx: &Cx, tenant: Option<&str>) -> anyhow::Result<Vec<Chain>> {
    let mut tx = cx.node().await?;
    let tenants = sqlx::query!("select id, name from tenants order by created_at, id").fetch_all(tx.conn()).await?;
    tx.commit_quietly(Quiet::Job).await?;
    let own = tenants.into_iter().map(|row| (row.id, row.name));
    let all = own.chain([(seal::NOBODYS, "no tenant".to_owned())]);
    let Some(wanted) = tenant else { return Ok(all.collect()) };
    let found = all.filter(|(id, name)| name == wanted || id.to_string() == wanted).collect::<Vec<_>>();
    if found.is_empty() {
        bail!("there is no tenant {wanted}");
    }
    Ok(found)
}

async fn verify(cx: &Cx, tenant: Option<String>, checkpoint: Option<PathBuf>) -> anyhow::Result<()> {
    let kept = checkpoint.as_deref().map(read_checkpoints).transpose()?.unwrap_or_default();
    let mut bad = 0;
    for (chain, name) in chains(cx, tenant.as_deref()).await? {
        let started = Instant::now();
        let kept = kept.iter().find(|kept| kept.chain == chain);
        let report = verify::verify(cx, chain, kept).await?;
        say(told(&name, &report, kept, started.elapsed().as_secs_f64()))?;
        bad += usize::from(report.first_bad.is_some());
    }
    if bad > 0 {
        bail!("{bad} of the chains are not as they were written");
    }
    Ok(())
}

fn read_checkpoints(path: &std::path::Path) -> anyhow::Result<Vec<Checkpoint>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let kept = lines.map(serde_json::from_str::<Checkpoint>).collect::<Result<Vec<_>, _>>();
    let kept = kept.with_context(|| format!("{} has no checkpoint on each line", path.display()))?;
    if kept.is_empty() {
        bail!("{} has no checkpoint", path.display());
    }
    Ok(kept)
}

fn told(name: &str, report: &Report, against: Option<&Checkpoint>, seconds: f64) -> String {
    let looked = report.rows + report.unsealed;
    let speed = f64::from(u32::try_from(looked).unwrap_or(u32::MAX)) / seconds.max(0.001);
    let counts = format!(
        "{} sealed, {} not sealed yet, {} removed by rule, {} with erased parts; {speed:.0} rows/s",
        report.rows, report.unsealed, report.removed, report.erased,
    );
    let checkpoint = match against {
        Some(kept) => format!("; holds the checkpoint at {}", kept.seq),
        None => String::new(),
    };
    match &report.first_bad {
        None => format!("{name}: intact ({counts}{checkpoint})"),
        Some(bad) => format!("{name}: NOT INTACT: {} ({counts})", fault(bad)),
    }
}

/// What is wrong, and where.
pub(super) fn fault(bad: &BadRow) -> String {
    let place = bad.seq.map(|seq| format!(" at place {seq}")).unwrap_or_default();
    let id = bad.id.map(|id| format!(", row {id}")).unwrap_or_default();
    format!("{:?}{place}{id}", bad.fault)
}

async fn checkpoints(cx: &Cx, tenant: Option<String>) -> anyhow::Result<()> {
    seal::seal(cx).await?;
    for (chain, _) in chains(cx, tenant.as_deref()).await? {
        let mut tx = cx.node().await?;
        let checkpoint = seal::checkpoint(&mut tx, chain).await?;
        tx.commit_quietly(Quiet::Job).await?;
        if let Some(checkpoint) = checkpoint {
            say(serde_json::to_string(&checkpoint)?)?;
        }
    }
    Ok(())
}
