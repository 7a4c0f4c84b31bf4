//! What a soak has found: a table for people, JSON for machines.

use std::fmt;

use serde::Serialize;

use super::super::args::BenchArgs;
use super::super::machine::Machine;
use super::super::verdict::Verdict;
use super::crowd::Crowd;
use super::samples::{Sample, Trend, trends};
use crate::clock::Timestamp;

/// What one soak has found. Sizes are in bytes.
#[derive(Debug, Serialize)]
pub struct Report {
    version: &'static str,
    command: String,
    started: Timestamp,
    machine: Machine,
    seconds: u64,
    visitors: usize,
    rooms: u32,
    /// How often one of them came back after it had gone.
    returns: usize,
    /// How often one was refused or cut off, and came again.
    refused: usize,
    said: usize,
    acknowledged: usize,
    deliveries: usize,
    gaps: usize,
    /// Who is still listed as present after all have left.
    ghosts: usize,
    trends: Vec<Trend>,
    pub verdict: Verdict,
    pub samples: Vec<Sample>,
}

impl Report {
    /// Sums up a soak that is over.
    pub fn new(
        started: Timestamp,
        args: &BenchArgs,
        crowd: &Crowd,
        samples: Vec<Sample>,
        ghosts: usize,
    ) -> Report {
        let command: Vec<String> = std::env::args().collect();
        Report {
            version: env!("CARGO_PKG_VERSION"),
            command: command.join(" "),
            started,
            machine: Machine::here(),
            seconds: args.seconds,
            visitors: crowd.count(),
            rooms: args.rooms,
            returns: crowd.returns,
            refused: crowd.refused,
            said: crowd.talk.said(),
            acknowledged: crowd.talk.acknowledged(),
            deliveries: crowd.talk.deliveries(),
            gaps: crowd.gaps,
            ghosts,
            trends: trends(&samples),
            verdict: crowd.talk.verdict(),
            samples,
        }
    }

    /// The whole report in one JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every key is a string")
    }

    /// Whether nothing was wrong.
    pub fn is_well(&self) -> bool {
        self.faults().next().is_none()
    }

    /// What was wrong, as sentences.
    pub fn faults(&self) -> impl Iterator<Item = String> {
        let count = |number: usize, what: &str| (number > 0).then(|| format!("{number} {what}"));
        let named = self.verdict.named.iter().map(ToString::to_string);
        let counted = [
            count(self.said - self.acknowledged, "messages were never answered ok"),
            count(self.gaps, "gaps were announced"),
            count(self.ghosts, "people are listed as present after all have left"),
        ];
        let grown = self.trends.iter().filter(|trend| !trend.flat);
        let grown =
            grown.map(|trend| format!("{} grew from {} to {}", trend.figure, trend.early, trend.late));
        named.chain(counted.into_iter().flatten()).chain(grown)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: String| writeln!(f, "{name:>22}  {value}");
        line("soak", format!("{} s, {} visitors in {} rooms", self.seconds, self.visitors, self.rooms))?;
        line("came back", format!("{} times; {} refused or cut off", self.returns, self.refused))?;
        line(
            "messages",
            format!("{} said, {} answered ok, {} deliveries", self.said, self.acknowledged, self.deliveries),
        )?;
        for Trend { figure, early, late, flat } in &self.trends {
            let judged = if *flat { "flat" } else { "it grows" };
            line(figure, format!("{early} early, {late} late: {judged}"))?;
        }
        let Verdict { lost, doubled, swapped, .. } = self.verdict;
        line("verdict", format!("{lost} lost, {doubled} doubled, {swapped} swapped, {} ghosts", self.ghosts))
    }
}
