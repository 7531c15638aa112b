//! Seals the audit log every few seconds, and looks at the whole of it once a day; then removes what is kept no longer.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::{
    access::server::{Cx, Heart, Quiet},
    app::server::repeat,
    audit::server::{seal, verify},
    base::{errors::AppError, server::jobs},
};

/// How often a node looks for rows that wait.
const LOOK: Duration = Duration::from_secs(5);
const EVERY: TimeDelta = TimeDelta::hours(24);

/// Works until told to stop.
pub async fn run(heart: Heart, stop: CancellationToken) {
    let cx = Cx::for_job(heart, "sealer");
    repeat(stop, LOOK, "the audit log was not sealed", || once(&cx)).await;
}

/// Seals; and once a day, or when somebody has asked, verifies and removes.
pub async fn once(cx: &Cx) -> Result<(), AppError> {
    seal::seal(cx).await?;
    let mut tx = cx.node().await?;
    let now = tx.now();
    jobs::enqueue(tx.conn(), verify::JOB, Some(verify::JOB), now).await?;
    let Some(job) = jobs::claim(tx.conn(), verify::JOB, now).await? else {
        return tx.commit_quietly(Quiet::Job).await;
    };
    let chains = seal::chains(&mut tx).await?;
    tx.commit_quietly(Quiet::Job).await?;
    let removed = seal::prune(cx).await?;
    if removed > 0 {
        info!(rows = removed, "removed {removed} rows of the audit log that are kept no longer");
        seal::seal(cx).await?;
    }
    for (chain, _) in chains {
        let report = verify::verify_and_keep(cx, chain).await?;
        if let Some(bad) = report.first_bad {
            error!(chain = %chain, seq = bad.seq, row = ?bad.id, fault = ?bad.fault, "the audit log was tampered with: chain {chain}");
        }
    }
    let mut tx = cx.node().await?;
    let now = tx.now();
    // One that somebody asked for is done; the daily one comes again.
    if job.is_recurring {
        jobs::reschedule(tx.conn(), &job, now + EVERY).await?;
    } else {
        jobs::finish(tx.conn(), &job).await?;
    }
    tx.commit_quietly(Quiet::Job).await
}
