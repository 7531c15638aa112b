//! Fault runs of a real server: what it stands on is broken, and then looked whether what must always hold does hold.
//!
//! Everything random comes from one seed. See docs/faults.md.

mod auditor;
mod cases;
mod cluster;
mod findings;
mod ground;
mod journal;
mod load;
mod proxy;
mod random;

use std::{
    hash::{BuildHasher as _, RandomState},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context as _, bail, ensure};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cases::{Case, Run},
    findings::{Findings, State},
    ground::Ground,
    random::Random,
};

struct Options {
    seed: u64,
    rounds: Option<usize>,
    only: Vec<String>,
    is_short: bool,
    may_miss: bool,
}

fn options() -> anyhow::Result<Options> {
    let seed = RandomState::new().hash_one(()) % 1_000_000_000;
    let mut options = Options { seed, rounds: None, only: Vec::new(), is_short: false, may_miss: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let mut value = || value.clone().or_else(|| arguments.next()).with_context(|| format!("{name} needs a value"));
        match name.as_str() {
            "--seed" => options.seed = value()?.parse().context("--seed is a number")?,
            "--rounds" => options.rounds = Some(value()?.parse().context("--rounds is a number")?),
            "--only" => options.only = value()?.split(',').map(|name| name.trim().to_uppercase()).collect(),
            "--short" => options.is_short = true,
            "--allow-missing" => options.may_miss = true,
            other => {
                bail!("unknown option {other} (known: --seed N, --rounds N, --only F1,F3, --short, --allow-missing)")
            }
        }
    }
    ensure!(options.rounds != Some(0), "--rounds is at least 1");
    for name in &options.only {
        let known = cases::ALL.iter().map(|case| case.name).collect::<Vec<_>>();
        ensure!(known.contains(&name.as_str()), "there is no case {name} (there are: {})", known.join(", "));
    }
    Ok(options)
}

impl Options {
    /// The cases with how often each.
    fn chosen(&self) -> Vec<(&'static Case, usize)> {
        let wanted =
            cases::ALL.iter().filter(|case| self.only.is_empty() || self.only.iter().any(|one| one == case.name));
        wanted
            .filter_map(|case| {
                let rounds = if self.is_short { case.short_rounds? } else { case.rounds };
                Some((case, self.rounds.unwrap_or(rounds)))
            })
            .collect()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("faults: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn told(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: run ./dev faults"))
}

async fn run() -> anyhow::Result<bool> {
    let options = options()?;
    let chosen = options.chosen();
    ensure!(!chosen.is_empty(), "none of these cases is in the short form");
    let kept = PathBuf::from(told("BAWWAB_FAULTS_OUT")?);
    let folder = PathBuf::from(told("BAWWAB_FAULTS_DIR")?);
    println!("seed {}", options.seed);
    let ground = Ground::prepare(told("BAWWAB_BIN")?, PathBuf::from(told("BAWWAB_PG_BIN")?), folder, kept).await?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let result = tokio::select! {
        result = all(&ground, &options, &chosen) => result,
        _ = interrupt.recv() => Err(anyhow::anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow::anyhow!("stopped")),
    };
    ground.cluster.end().await;
    result
}

/// Gives back whether all is well.
async fn all(ground: &Ground, options: &Options, chosen: &[(&'static Case, usize)]) -> anyhow::Result<bool> {
    let (mut sections, mut held, mut broken, mut missing) = (Vec::new(), 0, 0, 0);
    for (case, rounds) in chosen {
        let Case { name, title, act, .. } = case;
        let (started, mut findings) = (Instant::now(), Findings::default());
        // A case before may have left it down.
        ground.cluster.up().await?;
        let random = Random::of_case(options.seed, name);
        let run = Run { ground, random, rounds: *rounds, findings: &mut findings };
        if let Err(error) = act(run).await {
            findings.holds("I12", "the case came to its end", vec![format!("{error:#}")]);
        }
        let seconds = started.elapsed().as_secs();
        println!("{}", findings.line(name, title, seconds));
        sections.push(findings.section(name, title, seconds));
        match findings.state() {
            State::Held => held += 1,
            State::Broken => broken += 1,
            State::NotRun(_) => missing += 1,
        }
    }
    let summary = format!("{held} held, {broken} broken, {missing} not run");
    let kind = if options.is_short { "short form" } else { "full form" };
    let report = format!(
        "# Fault run\n\nseed {}, {kind}: {summary}. Logs of the nodes and journals lie beside this file.\n\n{}",
        options.seed,
        sections.join("\n")
    );
    let file = ground.kept.join("report.md");
    std::fs::write(&file, report)?;
    println!("report: {}", file.display());
    println!("fault cases: {summary}");
    if broken > 0 {
        println!("again: ./dev faults --seed {}", options.seed);
    }
    Ok(broken == 0 && (missing == 0 || options.may_miss))
}
