//! One check in process, by a program of its own (`engines`): it brings our own server half and the other engines with it,
//! which nothing else here needs. It prints rows as JSON.

use std::process::Stdio;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    Effort,
    report::{Measured, Words},
};

/// Nobody measures with more: ours and the floor among a million people.
const PEOPLE: usize = 1_000_000;
/// The other engines among so many: they have 10⁴ rules then, and one of them takes long to be filled.
const PEERS: usize = 10_000;

pub async fn measure(program: &str, effort: Effort, size: Option<usize>) -> anyhow::Result<Vec<Measured>> {
    let people = size.unwrap_or(if effort.is_short { PEERS } else { PEOPLE });
    let peers = if effort.is_short { 100 } else { PEERS };
    // There are many contenders, and one check is short: blocks of an eighth.
    let block = (effort.block.as_millis() / 8).max(20);
    let done = Command::new(program)
        .args(["--people", &people.to_string(), "--peers", &peers.to_string()])
        .args(["--blocks", &effort.blocks.to_string(), "--block-ms", &block.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("run the engines")?
        .wait_with_output()
        .await?;
    ensure!(done.status.success(), "the engines have failed");
    let rows = serde_json::from_slice::<Vec<Value>>(&done.stdout).context("the engines' rows")?;
    rows.iter().map(line).collect()
}

fn line(row: &Value) -> anyhow::Result<Measured> {
    let text = |field: &str| row[field].as_str().map(str::to_owned).with_context(|| format!("{field} in {row}"));
    let numbers = |field: &str| {
        let all = row[field].as_array().with_context(|| format!("{field} in {row}"))?;
        all.iter().map(|one| one.as_f64().with_context(|| format!("{field} in {row}"))).collect::<Result<Vec<_>, _>>()
    };
    // Its own words are not known before it runs.
    let words = Words { unit: " ns", ..Words::default() };
    let measured = Measured::of(words, numbers("measured")?, numbers("against")?);
    Ok(Measured {
        name: text("name")?,
        size: text("size")?,
        what: text("what")?,
        target: text("target")?,
        cpu: row["cpu"].as_f64().map(|nanoseconds| nanoseconds / 1_000_000.0),
        ..measured
    })
}
