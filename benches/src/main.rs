//! Measures a running server against what it stands on, side by side in one run, and writes a table of ratios.
//!
//! Absolute times on shared machines mean little. Every row is measured in blocks, ours and the floor in turn with the order
//! rotated; what is told is the median of the ratios of the blocks. A further row is one more `Row`.

mod rows;
mod server;
mod timing;

use std::{fmt::Write as _, time::Duration};

use anyhow::Context as _;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Pairs of blocks of each row.
    pub blocks: usize,
    pub block: Duration,
    /// Sign-ins of each kind whose times are compared.
    pub attempts: usize,
}

impl Effort {
    const WHOLE: Effort = Effort { blocks: 7, block: Duration::from_secs(4), attempts: 300 };
    const SHORT: Effort = Effort { blocks: 3, block: Duration::from_millis(700), attempts: 12 };
}

/// One measured line.
pub struct Measured {
    pub name: &'static str,
    pub what: &'static str,
    pub target: &'static str,
    pub ours: f64,
    pub floor: f64,
    pub ratio: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let is_short = arguments.iter().any(|one| one == "--short");
    let effort = if is_short { Effort::SHORT } else { Effort::WHOLE };
    let program = std::env::var("BAWWAB_BIN").context("BAWWAB_BIN names the server: run ./dev bench")?;
    let database = std::env::var("DATABASE_URL").context("DATABASE_URL is not set: run ./dev bench")?;
    let server = server::Server::start(&program, &database).await?;
    let mut lines = Vec::new();
    for row in rows::all() {
        eprintln!("{}…", row.name);
        lines.push(row.measure(&server, effort).await?);
    }
    eprintln!("wrong password and unknown account…");
    let timing = timing::compare(&server, effort).await?;
    server.stop().await?;
    let report = report(&lines, &timing, effort, is_short);
    println!("{report}");
    if let Some(path) = arguments.iter().find_map(|one| one.strip_prefix("--write=")) {
        std::fs::write(path, report).with_context(|| format!("write {path}"))?;
    }
    Ok(())
}

fn report(lines: &[Measured], timing: &timing::Timing, effort: Effort, is_short: bool) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut text = String::from("# Benchmarks\n\nWritten by `./dev bench`. ");
    let kind = if is_short {
        "A short run of a debug build: it shows that this works and nothing else."
    } else {
        "A release build."
    };
    let _ = writeln!(
        text,
        "{kind} {cores} cores, {} pairs of blocks of {:?}, the order turned round each time; the ratio is the median of the \
         pairs' ratios. Client, server and PostgreSQL share the cores; PostgreSQL has its settings as they come and \
         waits for the disk at each commit.\n",
        effort.blocks, effort.block
    );
    text.push_str("| quantity | ours ÷ | ours | floor | ratio | target |\n| --- | --- | --- | --- | --- | --- |\n");
    for line in lines {
        let Measured { name, what, target, ours, floor, ratio } = line;
        let _ = writeln!(text, "| {name} | {what} | {ours:.1}/s | {floor:.1}/s | {ratio:.2} | {target} |");
    }
    let timing::Timing { wrong, unknown, difference, margin, p } = timing;
    let _ = writeln!(
        text,
        "\n## Does a refusal tell whether an account exists?\n\n{} sign-ins with a wrong password and {} with an address that \
         nobody has, in turn. Reported, never asserted.\n\n| | mean |\n| --- | --- |\n| wrong password | {wrong:.2} ms |\n\
         | unknown account | {unknown:.2} ms |\n| difference | {difference:+.3} ms ± {margin:.3} (95 %) |\n\
         | Mann–Whitney, two-sided | p = {p:.3} |",
        effort.attempts, effort.attempts
    );
    text
}
