//! The claim that tasks have no advantage over threads when they wait for the network: figures of others beside ours.
//!
//! Theirs are from the README of <https://github.com/jimblandy/context-switch> at commit 692fcf0.

use std::fmt::Write;

use super::axis::short;
use super::cell::Cell;
use super::crossover::LIMIT;
use super::interval::Spread;
use super::runs::{Comparison, ratio_of};
use super::tables::with_interval;

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

/// The table, and what follows from it; or that it was not measured.
pub fn render(comparison: &Comparison) -> String {
    let mut table = "<tr><th class=\"word\"></th><th class=\"word\"></th><th>a thread</th><th>a task</th>\
        <th>thread / task</th></tr>"
        .to_owned();
    let mut any = false;
    for (what, thread, task, figure, factor, kinds) in ROWS {
        let _ = write!(
            table,
            "<tr class=\"first\"><td>{what}</td><td class=\"word\">context-switch</td><td>{thread}</td>\
             <td>{task}</td><td></td></tr>"
        );
        for cores in ["one", "all"] {
            let of = |kind: &str| relay(comparison, cores, kind);
            let (Some(thread), Some(task)) = (of(kinds[0]), of(kinds[1])) else {
                continue;
            };
            any = true;
            table += &line(&here(cores), (thread, task), figure, factor);
        }
    }
    for (what, figure, factor) in [
        ("the server: CPU for a delivery, us", "cpu_us", 1.0),
        ("the server: creation of a waiter, us", "creation_cpu_us", 1.0),
        ("the server: memory of a waiter, KiB resident", "waiter_resident_bytes", KIB),
    ] {
        let _ = write!(table, "<tr class=\"first\"><td>{what}</td><td></td><td></td><td></td><td></td></tr>");
        for cores in ["one", "all"] {
            if let (Some(blocking), Some(tasks)) =
                (engine(comparison, cores, "blocking"), engine(comparison, cores, "async"))
            {
                table += &line(&here(cores), (blocking, tasks), figure, factor);
            }
        }
    }
    if !any {
        return "<p>It was not measured in this run.</p>".to_owned();
    }
    format!("<p>{}</p><div class=\"wide\"><table>{table}</table></div>", verdict(comparison))
}

fn here(cores: &str) -> String {
    if cores == "one" { "here, one core".to_owned() } else { "here, all cores".to_owned() }
}

fn line(place: &str, (thread, task): (&Cell, &Cell), figure: &str, factor: f64) -> String {
    let value = |cell: &Cell| cell.figures.get(figure).map(|spread| with_interval(spread, factor));
    let [thread_has, task_has] = [value(thread), value(task)].map(Option::unwrap_or_default);
    let ratio = ratio_of(figure, thread, task).map(|ratio| with_interval(&ratio, 1.0)).unwrap_or_default();
    format!(
        "<tr><td></td><td class=\"word\">{place}</td><td>{thread_has}</td><td>{task_has}</td><td>{ratio}</td></tr>"
    )
}

/// What the figures say, in sentences.
fn verdict(comparison: &Comparison) -> String {
    let mut said = String::new();
    for (cores, place) in [("one", "On one core"), ("all", "On all cores")] {
        let hop = match (relay(comparison, cores, SOCKET[0]), relay(comparison, cores, SOCKET[1])) {
            (Some(thread), Some(task)) => ratio_of("hop_us", thread, task),
            _ => None,
        };
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
        let engines = engine(comparison, cores, "blocking").zip(engine(comparison, cores, "async"));
        if let Some(cpu) = engines.and_then(|(blocking, tasks)| ratio_of("cpu_us", blocking, tasks)) {
            let waiters = short(WAITERS as f64);
            let _ = write!(
                said,
                "; but the server of threads takes {} of the other's CPU for a delivery to {waiters} waiters",
                times(&cpu)
            );
        }
        said += ". ";
    }
    said.trim_end().to_owned()
}

fn times(ratio: &Spread) -> String {
    let [median, low, high] = [ratio.median, ratio.low, ratio.high].map(|value| format!("{value:.2}"));
    format!("<b>{median}</b> times ({low} to {high})")
}

fn relay<'a>(comparison: &'a Comparison, cores: &str, kind: &str) -> Option<&'a Cell> {
    let mut cells = comparison.cells.iter();
    cells.find(|cell| cell.mode == "relay" && cell.cores == cores && cell.engine == kind)
}

fn engine<'a>(comparison: &'a Comparison, cores: &str, engine: &str) -> Option<&'a Cell> {
    let mut cells = comparison.cells.iter().filter(|cell| cell.mode == "fan-out" && cell.cores == cores);
    cells.find(|cell| cell.engine == engine && cell.waiters == WAITERS)
}
