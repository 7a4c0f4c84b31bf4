//! The summary for a README, as Markdown: the answers in sentences, and the figures that one looks for first.

use std::fmt::Write;

use super::axis::short;
use super::cell::Cell;
use super::claim;
use super::crossover::Crossover;
use super::page::{sentence, sure};
use super::runs::Comparison;
use super::tables::in_order;

const MIB: f64 = 1.0 / 1_048_576.0;

/// The numbers of waiters in the table, of those that were measured.
const WAITERS: [u64; 3] = [10, 1000, 5000];

/// A figure's heading, its name, and the factor to the unit that is shown.
const COLUMNS: [(&str, &str, f64); 5] = [
    ("CPU for a delivery, us", "cpu_us", 1.0),
    ("half have it, ms", "p50_us", 0.001),
    ("99 % have it, ms", "p99_us", 0.001),
    ("context switches a delivery", "switches", 1.0),
    ("creation, us", "creation_cpu_us", 1.0),
];

/// Writes it.
pub fn render(comparison: &Comparison, crossovers: &[Crossover]) -> String {
    let mut text = String::new();
    for crossover in crossovers {
        let _ = writeln!(text, "- {}", sentence(crossover));
    }
    let about = (comparison.machine("processor"), comparison.processors(), comparison.machine("system"));
    let _ = writeln!(
        text,
        "\n`{}`, {}, {}, {}, commit {}, {}; {}.\n",
        comparison.command(),
        about.0,
        about.1,
        about.2,
        comparison.commit(),
        comparison.day(),
        sure(comparison)
    );
    for (cores, place) in [("one", "on one core"), ("all", "on all cores")] {
        let headings = COLUMNS.map(|(heading, ..)| heading);
        row(
            &mut text,
            &[&[place, "waiters"], &headings[..], &["memory, MiB", "of it the kernel's"]].concat(),
        );
        row(&mut text, &["---"; COLUMNS.len() + 4]);
        for cell in in_order(comparison, "fan-out", cores) {
            if WAITERS.contains(&cell.waiters) {
                row(&mut text, &cells(cell));
            }
        }
        text.push('\n');
    }
    let lines = claim::lines(comparison);
    if !lines.is_empty() {
        let _ = writeln!(text, "{}\n", claim::verdict(comparison));
        row(&mut text, &claim::HEAD);
        row(&mut text, &["---"; claim::HEAD.len()]);
        for line in lines {
            row(&mut text, &line);
        }
    }
    text
}

fn cells(cell: &Cell) -> Vec<String> {
    let median = |figure| cell.median(figure).unwrap_or_default();
    let kernel = (median("kernel_stack_bytes") + median("page_table_bytes")) * MIB;
    let mut cells = vec![cell.engine.clone(), short(cell.waiters as f64)];
    for (_, figure, factor) in COLUMNS {
        cells.push(cell.figures.get(figure).map(|spread| spread.words(factor)).unwrap_or_default());
    }
    cells.extend([short(median("resident_bytes") * MIB + kernel), short(kernel)]);
    cells
}

fn row(text: &mut String, cells: &[impl AsRef<str>]) {
    for cell in cells {
        let _ = write!(text, "| {} ", cell.as_ref());
    }
    text.push_str("|\n");
}
