//! Prints what the codec takes beside prost: `cargo run --profile bench -p tars-benches --bin codec-table [PART..]`,
//! where each PART is a part of the names of the cells to measure. With `--lines` it prints a line for each, for
//! scripts: `ns`, cell, way and number, with tabs in between.
//!
//! The ways of a cell are measured in turn, two milliseconds each, in time of the processor, and the best round of
//! each counts: what else the machine does can only add to that.

#![allow(clippy::print_stdout)]

use rustix::time::{ClockId, clock_gettime};
use tars_benches::codec::{Operation, operations};

const ROUNDS: usize = 41;
const ROUND: f64 = 2e6; // ns

fn main() {
    let mut parts: Vec<String> = std::env::args().skip(1).collect();
    let lines = parts.iter().any(|part| part == "--lines");
    parts.retain(|part| part != "--lines");
    let mut all = operations();
    all.retain(|o| parts.is_empty() || parts.iter().any(|part| o.cell.contains(part)));
    if !lines {
        println!(
            "{:<45} {:>17} {:>10} {:>7} {:>6}",
            "", "way", "ns", "ratio", "goal"
        );
    }
    for cell in all.chunk_by_mut(|a, b| a.cell == b.cell) {
        measure(cell, lines);
    }
}

/// The last way of a cell is prost.
fn measure(cell: &mut [Operation], lines: bool) {
    let counts: Vec<u32> = cell.iter_mut().map(rate).collect();
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    for _ in 0..ROUNDS {
        let ways = cell.iter_mut().zip(&counts);
        rounds.push(ways.map(|(way, &count)| time(way, count)).collect());
    }
    let best = |index: usize| {
        rounds
            .iter()
            .map(|round| round[index])
            .fold(f64::MAX, f64::min)
    };
    for (index, way) in cell.iter().enumerate() {
        let ns = best(index);
        if lines {
            println!("ns\t{}\t{}\t{ns:.1}", way.cell, way.way);
            continue;
        }
        let ratio = ns / best(cell.len() - 1);
        let goal = way.goal.map_or(String::new(), |goal| format!("{goal:.2}"));
        let name = if index == 0 { way.cell.as_str() } else { "" };
        println!(
            "{name:<45} {:>17} {ns:>10.1} {ratio:>7.2} {goal:>6}",
            way.way
        );
    }
}

/// How often to do it in a round.
fn rate(way: &mut Operation) -> u32 {
    let mut count = 1;
    loop {
        let took = time(way, count) * f64::from(count);
        if took > ROUND / 2.0 {
            return (f64::from(count) * ROUND / took).ceil() as u32;
        }
        count *= 2;
    }
}

/// Nanoseconds each.
fn time(way: &mut Operation, count: u32) -> f64 {
    let start = clock_gettime(ClockId::ThreadCPUTime);
    for _ in 0..count {
        way.run();
    }
    let took = clock_gettime(ClockId::ThreadCPUTime) - start;
    (took.tv_sec as f64 * 1e9 + took.tv_nsec as f64) / f64::from(count)
}
