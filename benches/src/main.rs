//! Measures a running server against what it stands on, side by side in one run, and writes a table of ratios.
//!
//! Absolute times on shared machines mean little. Every row is measured in blocks, ours and the floor in turn with the order
//! rotated; what is told is the median of the ratios of the blocks. The parts are in `Part`; each keeps a section of its own
//! in the report.

mod check;
mod evaluate;
mod filling;
mod floor;
mod lists;
mod memory;
mod reach;
mod report;
mod revocation;
mod rows;
mod server;
mod timing;
mod turns;

use std::{path::Path, time::Duration};

use anyhow::Context as _;

use crate::{report::Section, server::Server};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Pairs of blocks of each row.
    pub blocks: usize,
    pub block: Duration,
    /// Sign-ins of each kind whose times are compared.
    pub attempts: usize,
    /// Rights that are taken away, idle and again under load.
    pub trials: usize,
    pub is_short: bool,
}

impl Effort {
    const WHOLE: Effort =
        Effort { blocks: 7, block: Duration::from_secs(1), attempts: 300, trials: 100, is_short: false };
    const SHORT: Effort =
        Effort { blocks: 3, block: Duration::from_millis(700), attempts: 12, trials: 5, is_short: true };
}

/// People in the filled databases where nothing is said; the log has ten times as many rows.
const SIZES: [usize; 2] = [100, 10_000];
const SIZES_SHORT: [usize; 1] = [1_000];

/// What can be measured alone, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Sessions,
    Check,
    Evaluate,
    Revocation,
    Reach,
    Lists,
    Audit,
    Memory,
}

impl Part {
    const ALL: [Part; 8] = [
        Part::Sessions,
        Part::Check,
        Part::Evaluate,
        Part::Revocation,
        Part::Reach,
        Part::Lists,
        Part::Audit,
        Part::Memory,
    ];

    /// Those that are measured among many people, at each size.
    const FILLED: [Part; 6] = [Part::Evaluate, Part::Revocation, Part::Reach, Part::Lists, Part::Audit, Part::Memory];

    fn name(self) -> &'static str {
        match self {
            Part::Sessions => "sessions",
            Part::Check => "check",
            Part::Evaluate => "evaluate",
            Part::Revocation => "revocation",
            Part::Reach => "reach",
            Part::Lists => "lists",
            Part::Audit => "audit",
            Part::Memory => "memory",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Part::Sessions => "Signing in and staying signed in",
            Part::Check => "A permission check in process",
            Part::Evaluate => "A permission check over HTTP",
            Part::Revocation => "Until another node refuses",
            Part::Reach => "Changes that reach everybody",
            Part::Lists => "Lists of people",
            Part::Audit => "The audit log",
            Part::Memory => "Memory",
        }
    }

    /// What the reader has to know to understand the numbers.
    fn notes(self) -> &'static str {
        match self {
            Part::Sessions => "",
            Part::Check => {
                "One thread. People have three roles, a role gives ten of a hundred keys. The floor is an array of people \
                 with a bit a key. Cedar has one policy a role with its ten actions, casbin one line a role and key, \
                 regorus the same as data under one rule; their requests are made before the clock starts. All have \
                 given the same answers to 500 questions before."
            }
            Part::Evaluate => {
                "Asked with an API key that reaches `permissions.read` and `users.read`, about somebody by their id, where \
                 nothing else is said. The plain handler reads a JSON body and writes one, in a process of its own; it has \
                 no key to verify, no limits and no headers to set."
            }
            Part::Revocation => {
                "Until the other node has refused a request, which it is asked without a pause: from sending the change to one \
                 node, which is longer than from its commit, and from that node's answer, which is shorter. The spread is \
                 from the middle one to the slowest. Under load six clients ask `/auth/me` and two sign in all the time, \
                 on both nodes; one commit and one round trip are measured under the same load."
            }
            Part::Reach => {
                "Acts of an administrator over HTTP, one after another. Everybody has the role, which gives them a permission \
                 and then gives it no more; the policy takes one from everybody and then takes it no more."
            }
            Part::Lists => {
                "Pages of 50, one after another, over HTTP. The SQL in pgbench is that of the page, asked by a superuser: \
                 without row-level security, JSON and HTTP."
            }
            Part::Audit => {
                "Pages of 50, one after another, over HTTP, against their SQL in pgbench by a superuser. The rows were \
                 made in SQL; their canonical text and salts are short stand-ins, and they are not sealed: the chain has \
                 no place of theirs."
            }
            Part::Memory => {
                "Resident set of the server's process: idle, and started anew on the filled database with everybody's \
                 grants loaded. Everybody has one role, every fifth person two. Against what is promised. The process's own \
                 is without the parts of the program's file that were read; some 20 MB of it are what one password hash \
                 works in, which is kept for the next."
            }
        }
    }
}

struct Asked {
    parts: Vec<Part>,
    /// People in the filled databases, one database after another. None: as many as is usual.
    sizes: Vec<usize>,
    effort: Effort,
    write: Option<String>,
}

impl Asked {
    fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut asked = Asked { parts: Vec::new(), sizes: Vec::new(), effort: Effort::WHOLE, write: None };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--short" {
                asked.effort = Effort::SHORT;
            } else if argument == "--size" {
                let size = arguments.next().context("--size needs a number of people")?;
                let size = size.parse::<usize>().ok().filter(|size| *size >= 100);
                asked.sizes.push(size.context("--size is a number of people, 100 or more")?);
            } else if let Some(path) = argument.strip_prefix("--write=") {
                asked.write = Some(path.to_owned());
            } else {
                let part = Part::ALL.into_iter().find(|part| part.name() == argument);
                let known = Part::ALL.map(Part::name).join(", ");
                asked.parts.push(part.with_context(|| format!("{argument} cannot be measured (known: {known})"))?);
            }
        }
        if asked.parts.is_empty() {
            asked.parts = Part::ALL.to_vec();
        }
        Ok(asked)
    }

    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if let [word, port] = arguments.as_slice()
        && word == floor::WORD
    {
        return floor::serve(port.parse()?).await;
    }
    let asked = Asked::parse(&arguments)?;
    let mut sections = Vec::new();
    if asked.has(Part::Check) {
        let program = environment("BAWWAB_BENCH_ENGINES")?;
        sections.push(section(
            Part::Check,
            check::measure(&program, asked.effort, asked.sizes.iter().max().copied()).await?,
            &asked,
        ));
    }
    if asked.has(Part::Sessions) {
        small(&asked, &mut sections).await?;
    }
    if Part::FILLED.into_iter().any(|part| asked.has(part)) {
        filled(&asked, &mut sections).await?;
    }
    let titles = Part::ALL.map(Part::title);
    sections.sort_by_key(|section| titles.iter().position(|title| *title == section.title));
    println!("{}", report::table(&sections));
    if let Some(path) = &asked.write {
        report::keep(Path::new(path), &sections, &titles)?;
    }
    Ok(())
}

fn environment(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: run ./dev bench"))
}

/// What a handful of people suffices for.
async fn small(asked: &Asked, sections: &mut Vec<Section>) -> anyhow::Result<()> {
    let effort = asked.effort;
    let server = Server::start(&environment("BAWWAB_BIN")?, &environment("DATABASE_URL")?, "small").await?;
    let mut lines = Vec::new();
    for row in rows::all() {
        eprintln!("{}…", row.name);
        lines.push(row.measure(&server, effort).await?);
    }
    eprintln!("wrong password and unknown account…");
    let timing = timing::compare(&server, effort).await?;
    sections.push(Section { after: timing.text(effort), ..section(Part::Sessions, lines, asked) });
    server.stop().await
}

/// What is measured among many people and with a long log, at one size after another.
async fn filled(asked: &Asked, sections: &mut Vec<Section>) -> anyhow::Result<()> {
    let usual = if asked.effort.is_short { SIZES_SHORT.as_slice() } else { SIZES.as_slice() };
    let sizes = if asked.sizes.is_empty() { usual } else { asked.sizes.as_slice() };
    let mut lines = Part::FILLED.map(|part| (part, Vec::new()));
    for people in sizes {
        for (part, more) in among(asked, *people).await? {
            if let Some((_, lines)) = lines.iter_mut().find(|(one, _)| *one == part) {
                lines.extend(more);
            }
        }
    }
    sections.extend(
        lines.into_iter().filter(|(part, _)| asked.has(*part)).map(|(part, lines)| section(part, lines, asked)),
    );
    Ok(())
}

/// What is asked for, in a database of its own with so many people.
async fn among(asked: &Asked, people: usize) -> anyhow::Result<Vec<(Part, Vec<report::Measured>)>> {
    let effort = asked.effort;
    let mut server = Server::start(&environment("BAWWAB_BIN")?, &environment("DATABASE_URL")?, "filled").await?;
    // Once a day the whole log is verified, first soon after the beginning: now, while it is short, and not while it is
    // measured.
    tokio::time::sleep(Duration::from_secs(if effort.is_short { 1 } else { 10 })).await;
    let mut memory = memory::idle(&server).await?.to_vec();
    server.halt().await?;
    eprintln!("filling a database with {people} people and {} rows of the log…", people * filling::ROWS_A_PERSON);
    let filled = filling::fill(&server, people).await?;
    server.begin_again().await?;
    memory.extend(memory::full(&server, &filled).await?);
    let mut lines = vec![(Part::Memory, memory)];
    let size = format!("{people} people");
    for part in Part::FILLED.into_iter().filter(|part| asked.has(*part)) {
        eprintln!("{}, {size}…", part.title());
        lines.push(match part {
            Part::Lists => (part, lists::people(&server, &filled, effort).await?),
            Part::Audit => (part, lists::audit(&server, &filled, effort).await?),
            Part::Evaluate => (part, evaluate::measure(&server, effort, &size).await?),
            Part::Revocation => (part, revocation::measure(&server, effort, &size).await?),
            Part::Reach => (part, reach::measure(&server, effort, &size).await?),
            Part::Memory | Part::Sessions | Part::Check => continue,
        });
    }
    server.stop().await?;
    Ok(lines)
}

fn section(part: Part, lines: Vec<report::Measured>, asked: &Asked) -> Section {
    let effort = asked.effort;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kind = if effort.is_short {
        "A short run of a debug build: it shows that this works and nothing else."
    } else {
        "A release build."
    };
    let shares = match part {
        // Nobody else is at work then.
        Part::Check => String::new(),
        _ => " Client, server and PostgreSQL share the cores; PostgreSQL has its settings as they come and waits for the \
              disk at each commit."
            .to_owned(),
    };
    let notes = format!("{kind} {cores} cores, {} blocks of each side.{shares} {}", effort.blocks, part.notes());
    Section { title: part.title(), notes, lines, after: String::new() }
}
