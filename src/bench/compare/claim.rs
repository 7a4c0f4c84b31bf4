//! The claim that tasks have no advantage over threads when they wait for the network: figures of others beside ours.
//!
//! Theirs are from the README of <https://github.com/jimblandy/context-switch> at commit 692fcf0.

use std::fmt::Write;

use super::axis::short;
use super::cell::Cell;
use super::crossover::LIMIT;
use super::interval::Spread;
use super::runs::{Comparison, ratio_of};

const KIB: f64 = 1.0 / 1024.0;

/// At how many waiters the engines are looked at.
const WAITERS: u64 = 1000;

/// A row: what, what they found for a thread and for a task, our figure and its factor, and our two kinds of links.
type Row = (&'static str, &'static str, &'static str, &'static str, f64, [&'static str; 2]);

const SOCKET: [&str; 2] = ["threads-by-socket", "tasks-by-socket"];
const CHANNEL: [&str; 2] = ["threads-by-channel", "tasks-by-channel"];

const ROWS: [Row; 4] = [
    ("a hop through a socket, us", "5.3; 3.4 on one core", "3.6", "hop_us", 1.0, SOCKET),
    ("a hop through a channel, us", "1.7, less the I/O", "0.2", "hop_us", 1.0, CHANNEL),
    ("creation, us", "17", "0.3", "link_creation_us", 1.0, SOCKET),
    ("memory, KiB resident", "9.5, and 10 in the kernel", "0.4", "link_bytes", KIB, SOCKET),
];

/// The sockets of a relay without links.
const ALONE: &str = "none-by-socket";

/// The head of the table.
pub const HEAD: [&str; 5] = ["", "", "a thread", "a task", "thread / task"];

/// The lines of the table: what and where, what a thread takes and a task, and their ratio. None if it was not measured.
pub fn lines(comparison: &Comparison) -> Vec<[String; 5]> {
    let mut lines = Vec::new();
    for (index, (what, thread, task, figure, factor, kinds)) in ROWS.into_iter().enumerate() {
        // Behind the first row, what it consists of.
        if index == 1 {
            let theirs = ["the same less reading and writing, us", "context-switch", "1.7", "1.7", ""];
            lines.push(theirs.map(str::to_owned));
            lines.extend(["one", "all"].iter().filter_map(|cores| switch(comparison, cores)));
        }
        let theirs = [what, "context-switch", thread, task, ""];
        lines.push(theirs.map(str::to_owned));
        for cores in ["one", "all"] {
            let [thread, task] = kinds.map(|kind| relay(comparison, cores, kind));
            lines.extend(thread.zip(task).map(|both| line("", cores, both, figure, factor)));
        }
    }
    if lines.len() == ROWS.len() + 1 {
        return Vec::new();
    }
    for (what, figure, factor) in [
        ("the server: CPU for a delivery, us", "cpu_us", 1.0),
        ("the server: creation of a waiter, us", "creation_cpu_us", 1.0),
        ("the server: memory of a waiter, KiB resident", "waiter_resident_bytes", KIB),
    ] {
        for (cores, what) in [("one", what), ("all", "")] {
            lines.extend(engines(comparison, cores).map(|both| line(what, cores, both, figure, factor)));
        }
    }
    lines
}

/// What is left of a hop through a socket if the reading and the writing are taken off.
fn switch(comparison: &Comparison, cores: &str) -> Option<[String; 5]> {
    let hop = |kind| relay(comparison, cores, kind)?.figures.get("hop_us");
    let less = |kind| hop(kind)?.with(hop(ALONE)?, |hop, alone| Some(hop - alone));
    let [thread, task] = SOCKET.map(less);
    let (thread, task) = thread.zip(task)?;
    let ratio = thread.over(&task).map(|ratio| ratio.words(1.0)).unwrap_or_default();
    Some(["".to_owned(), here(cores).to_owned(), thread.words(1.0), task.words(1.0), ratio])
}

fn here(cores: &str) -> &'static str {
    if cores == "one" { "here, one core" } else { "here, all cores" }
}

fn line(what: &str, cores: &str, (thread, task): (&Cell, &Cell), figure: &str, factor: f64) -> [String; 5] {
    let [thread_has, task_has] =
        [thread, task].map(|cell| cell.figures.get(figure).map(|spread| spread.words(factor)));
    let ratio = ratio_of(figure, thread, task).map(|ratio| ratio.words(1.0));
    let [thread_has, task_has, ratio] = [thread_has, task_has, ratio].map(Option::unwrap_or_default);
    [what.to_owned(), here(cores).to_owned(), thread_has, task_has, ratio]
}

/// What the figures say, in sentences.
pub fn verdict(comparison: &Comparison) -> String {
    let mut said = String::new();
    for (cores, place) in [("one", "On one core"), ("all", "On all cores")] {
        let [thread, task] = SOCKET.map(|kind| relay(comparison, cores, kind));
        let hop = thread.zip(task).and_then(|(thread, task)| ratio_of("hop_us", thread, task));
        let Some(hop) = hop else { continue };
        let holds = match &hop {
            hop if hop.high <= LIMIT => "so the claim holds here",
            hop if hop.low > LIMIT => "so the claim does not hold here",
            _ => "so the repeats leave the claim open",
        };
        let _ = write!(
            said,
            "{place} a hop through a socket takes a thread {} of a task's time, {holds}",
            times(&hop)
        );
        let cpu = engines(comparison, cores).and_then(|(threads, tasks)| ratio_of("cpu_us", threads, tasks));
        if let Some(cpu) = cpu {
            let waiters = short(WAITERS as f64);
            let _ = write!(
                said,
                "; the server of threads takes {} of the other's CPU for a delivery to {waiters} waiters",
                times(&cpu)
            );
        }
        said += ". ";
    }
    said.trim_end().to_owned()
}

fn times(ratio: &Spread) -> String {
    let [median, low, high] = [ratio.median, ratio.low, ratio.high].map(|value| format!("{value:.2}"));
    format!("{median} times ({low} to {high})")
}

fn relay<'a>(comparison: &'a Comparison, cores: &str, kind: &str) -> Option<&'a Cell> {
    let mut cells = comparison.cells.iter();
    cells.find(|cell| cell.mode == "relay" && cell.cores == cores && cell.engine == kind)
}

/// The engine of threads and that of tasks.
fn engines<'a>(comparison: &'a Comparison, cores: &str) -> Option<(&'a Cell, &'a Cell)> {
    engine(comparison, cores, "blocking").zip(engine(comparison, cores, "async"))
}

fn engine<'a>(comparison: &'a Comparison, cores: &str, engine: &str) -> Option<&'a Cell> {
    let mut cells = comparison.cells.iter().filter(|cell| cell.mode == "fan-out" && cell.cores == cores);
    cells.find(|cell| cell.engine == engine && cell.waiters == WAITERS)
}
