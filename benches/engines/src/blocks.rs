//! Blocks in turn, the order turned round each time, by the clock and by the time that the thread was on a processor.

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use crate::{contenders::Contender, model::QUESTIONS};

/// Nanoseconds for one question.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: f64,
    /// None where the system does not tell.
    pub cpu: Option<f64>,
}

/// What each contender cost in each block.
pub fn measure(contenders: &mut [Contender], blocks: usize, block: Duration) -> anyhow::Result<Vec<Vec<Cost>>> {
    let mut costs = vec![Vec::with_capacity(blocks); contenders.len()];
    // Caches and branches as they are when it runs for long.
    for contender in contenders.iter_mut() {
        run(contender, block / 4)?;
    }
    for turn in 0..blocks {
        for step in 0..contenders.len() {
            let at = (turn + step) % contenders.len();
            costs[at].push(run(&mut contenders[at], block)?);
        }
    }
    Ok(costs)
}

fn run(contender: &mut Contender, time: Duration) -> anyhow::Result<Cost> {
    let (started, cpu_before) = (Instant::now(), on_processor());
    let (mut asked, mut at) = (0_u64, 0);
    while started.elapsed() < time {
        black_box((contender.run)(at..at + contender.batch)?);
        asked += contender.batch as u64;
        at = (at + contender.batch) % QUESTIONS;
    }
    let wall = started.elapsed().as_nanos() as f64 / asked as f64;
    let cpu = cpu_before.zip(on_processor()).map(|(before, after)| (after - before) as f64 / asked as f64);
    Ok(Cost { wall, cpu })
}

/// How long this thread has been on a processor, in nanoseconds.
fn on_processor() -> Option<u64> {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok()
}
