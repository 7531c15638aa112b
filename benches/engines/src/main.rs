//! Measures one permission check in process and prints the rows as JSON: ours against the least that could answer, other
//! engines against ours on the same model, and ours among many people against ours among few.
//!
//! `bawwab-bench-engines --people N --peers N --blocks N --block-ms N`; `./dev bench check` runs it.

mod blocks;
mod contenders;
mod model;
mod peers;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::{
    blocks::Cost,
    contenders::{Contender, Kind},
    model::Model,
};

const SIZES: [usize; 3] = [100, 10_000, 1_000_000];
/// So many questions are answered by everybody before anything is measured, to see that they agree.
const AGREED: usize = 500;

struct Asked {
    /// The most people that are measured.
    people: usize,
    /// The most people that the other engines are given.
    peers: usize,
    blocks: usize,
    block: Duration,
}

impl Asked {
    fn parse() -> anyhow::Result<Self> {
        let mut asked = Asked { people: 1_000_000, peers: 10_000, blocks: 7, block: Duration::from_millis(500) };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let number = arguments.next().with_context(|| format!("{name} needs a number"))?;
            let number = number.parse::<usize>().with_context(|| format!("{name} {number}"))?;
            match name.as_str() {
                "--people" => asked.people = number,
                "--peers" => asked.peers = number,
                "--blocks" => asked.blocks = number.max(1),
                "--block-ms" => asked.block = Duration::from_millis(number.max(1) as u64),
                _ => anyhow::bail!("unknown option {name}"),
            }
        }
        Ok(asked)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let asked = Asked::parse()?;
    let mut contenders = Vec::new();
    for people in SIZES.into_iter().filter(|people| *people == SIZES[0] || *people <= asked.people) {
        eprintln!("a model of {people} people…");
        let model = Model::of(people);
        let mut these = vec![contenders::floor(&model), contenders::ours(&model)?];
        if people <= asked.peers {
            these.extend([peers::cedar(&model)?, peers::casbin(&model).await?, peers::regorus(&model)?]);
        }
        for contender in &mut these {
            agrees(contender, &model)?;
        }
        contenders.extend(these);
    }
    let costs = blocks::measure(&mut contenders, asked.blocks, asked.block)?;
    println!("{}", Value::Array(rows(&contenders, &costs)));
    Ok(())
}

/// An engine that answers otherwise is not doing the same work.
fn agrees(contender: &mut Contender, model: &Model) -> anyhow::Result<()> {
    for (at, question) in model.questions.iter().enumerate().take(AGREED) {
        let yes = (contender.run)(at..at + 1)? == 1;
        ensure!(yes == model.may(*question), "{} says {yes} to {question:?}", contender.kind.name());
    }
    Ok(())
}

fn rows(contenders: &[Contender], costs: &[Vec<Cost>]) -> Vec<Value> {
    let find = |kind: Kind, people: usize| {
        let at = contenders.iter().position(|one| one.kind == kind && one.people == people)?;
        Some(&costs[at])
    };
    let mut rows = Vec::new();
    for (contender, costs) in contenders.iter().zip(costs) {
        let people = contender.people;
        let (name, against, what, target) = match contender.kind {
            Kind::Floor => continue,
            Kind::Ours => ("permission check in process", Kind::Floor, "an array and a bit test", "≤ 5 at 10⁶"),
            Kind::Cedar => ("the same check by Cedar", Kind::Ours, "ours", "≥ 50 at 10⁴ rules"),
            Kind::Casbin => ("the same check by casbin", Kind::Ours, "ours", "≥ 1,000 at 10⁴ rules"),
            Kind::Regorus => ("the same check by regorus", Kind::Ours, "ours", "–"),
        };
        if let Some(against) = find(against, people) {
            let rules = Model::of(people).rules();
            rows.push(row(name, what, target, &format!("{people} people, {rules} rules"), costs, against));
        }
        if let (Kind::Ours, Some(few)) = (contender.kind, find(Kind::Ours, SIZES[0]).filter(|_| people != SIZES[0])) {
            let (what, target) = ("ours among 100 people", "flat");
            rows.push(row("permission check, growth", what, target, &format!("{people} people"), costs, few));
        }
    }
    rows
}

fn row(name: &str, what: &str, target: &str, size: &str, measured: &[Cost], against: &[Cost]) -> Value {
    let wall = |costs: &[Cost]| costs.iter().map(|cost| cost.wall).collect::<Vec<_>>();
    let cpu = measured.iter().map(|cost| cost.cpu).collect::<Option<Vec<_>>>();
    json!({
        "name": name, "what": what, "target": target, "size": size,
        "measured": wall(measured), "against": wall(against),
        "cpu": cpu.map(median),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
