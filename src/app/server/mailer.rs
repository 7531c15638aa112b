//! Sends the letters that wait, one after the other, on every node.

use std::time::Duration;

use chrono::DateTime;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    access::server::{Cx, Heart, Quiet},
    base::{
        errors::AppError,
        server::{
            jobs,
            mail::{
                self,
                transport::{Post, Undelivered},
            },
        },
    },
};

/// How often a node looks for letters of others and for those that are to be tried again. Its own wake it at once.
const LOOK: Duration = Duration::from_secs(5);
/// How long a letter under way may take after the program was told to stop.
const LAST_CALL: Duration = Duration::from_secs(8);

/// Sends until told to stop.
pub async fn run(heart: Heart, post: Post, stop: CancellationToken) {
    let cx = Cx::for_job(heart.clone(), mail::KIND);
    let stopped = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_CALL).await;
    };
    tokio::pin!(stopped);
    while !stop.is_cancelled() {
        let sent = tokio::select! {
            sent = once(&cx, &post) => sent,
            // The job is free again when its hold has run out.
            () = &mut stopped => return,
        };
        match sent {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => warn!(%error, "the queue of letters could not be read"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = heart.mail_waits().notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// What a server answered, without the people it speaks of.
fn without_addresses(reason: &str) -> String {
    reason.split(' ').map(|word| if word.contains('@') { "…" } else { word }).collect::<Vec<_>>().join(" ")
}

/// Takes one letter that is due and sends it. Whether there was one.
pub async fn once(cx: &Cx, post: &Post) -> Result<bool, AppError> {
    let mut tx = cx.node().await?;
    let now = tx.now();
    let Some(job) = jobs::claim(tx.conn(), mail::KIND, now).await? else { return Ok(false) };
    tx.commit_quietly(Quiet::Job).await?;

    let result = match mail::open(cx.keys(), &job.payload) {
        Ok(waiting) if waiting.letter.until.is_some_and(|until| DateTime::from(until) <= now) => {
            Err(Undelivered::Never("it is of no use any more".to_owned()))
        }
        Ok(waiting) => post.deliver(&waiting, now).await,
        Err(unreadable) => Err(Undelivered::Never(format!("{unreadable:#}"))),
    };

    let mut tx = cx.node().await?;
    let (now, job_id, attempts) = (tx.now(), job.id, job.attempts);
    let about = job.payload["about"].as_str().unwrap_or_default();
    match result {
        Ok(()) => {
            jobs::finish(tx.conn(), &job).await?;
            info!(job.id = job_id, about, attempts, "sent a letter ({about})");
        }
        Err(Undelivered::Later(reason)) if attempts < mail::ATTEMPTS => {
            let (told, reason) = (without_addresses(&reason), reason);
            warn!(job.id = job_id, about, attempts, "a letter ({about}) could not be sent yet: {told}");
            jobs::retry(tx.conn(), &job, mail::next_try(&job, now), &reason).await?;
        }
        Err(Undelivered::Later(reason) | Undelivered::Never(reason)) => {
            let (told, reason) = (without_addresses(&reason), reason);
            error!(job.id = job_id, about, attempts, "a letter ({about}) will not be sent: {told}");
            jobs::bury(tx.conn(), &job, now, &reason).await?;
        }
    }
    tx.commit_quietly(Quiet::Job).await?;
    Ok(true)
}
