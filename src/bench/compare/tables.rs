//! The tables of the page.

use std::fmt::Write;

use super::axis::short;
use super::cell::Cell;
use super::claim;
use super::interval::Spread;
use super::runs::Comparison;

const KIB: f64 = 1.0 / 1024.0;
const MIB: f64 = KIB / 1024.0;

/// The columns of the table of fan-outs: heading, unit, figures that are added, factor to the unit.
const COLUMNS: [(&str, &str, &[&str], f64); 13] = [
    ("CPU", "us a delivery", &["cpu_us"], 1.0),
    ("in kernel", "us", &["system_us"], 1.0),
    ("half have it", "ms", &["p50_us"], 0.001),
    ("99 % have it", "ms", &["p99_us"], 0.001),
    ("last has it", "ms", &["last_us"], 0.001),
    ("waited", "times a delivery", &["voluntary_switches"], 1.0),
    ("pushed aside", "times a delivery", &["involuntary_switches"], 1.0),
    ("creation", "us a waiter", &["creation_cpu_us"], 1.0),
    ("threads", "", &["threads"], 1.0),
    ("files", "", &["fds"], 1.0),
    ("resident", "MiB", &["resident_bytes"], MIB),
    ("kernel's share", "MiB", &["kernel_stack_bytes", "page_table_bytes"], MIB),
    ("a waiter", "KiB resident", &["waiter_resident_bytes"], KIB),
];

/// Text for where markup is expected.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The fan-outs on these cores.
pub fn fan_out(comparison: &Comparison, cores: &str) -> String {
    let mut table = "<tr><th>waiters</th><th class=\"word\">engine</th>".to_owned();
    for (heading, unit, ..) in COLUMNS {
        let _ = write!(table, "<th>{heading}<small>{unit}</small></th>");
    }
    table += "<th>faults<small>lost, doubled, swapped</small></th></tr>";
    let mut before = None;
    for cell in in_order(comparison, "fan-out", cores) {
        let first = before.replace(cell.waiters) != Some(cell.waiters);
        let held = match cell.median("held") {
            Some(held) if held < cell.waiters as f64 => format!(", {} held", short(held)),
            _ => String::new(),
        };
        let _ = write!(
            table,
            "<tr{}><td>{}</td><td class=\"engine {engine}\">{engine}{held}</td>",
            if first { " class=\"first\"" } else { "" },
            if first { short(cell.waiters as f64) } else { String::new() },
            engine = cell.engine
        );
        for (_, _, figures, factor) in COLUMNS {
            let _ = write!(table, "<td>{}</td>", value(cell, figures, factor));
        }
        table += &faults(cell);
        table += "</tr>";
    }
    table
}

/// The firehoses.
pub fn firehose(comparison: &Comparison) -> String {
    let mut table = "<tr><th class=\"word\">engine</th><th>deliveries<small>a second</small></th>\
        <th>CPU<small>us a delivery</small></th><th>half have it<small>ms</small></th>\
        <th>99 % have it<small>ms</small></th><th>ok after<small>ms, half</small></th>\
        <th>faults<small>lost, doubled, swapped</small></th></tr>"
        .to_owned();
    for cell in in_order(comparison, "firehose", "one") {
        let speed = match (cell.median("deliveries"), cell.median("seconds")) {
            (Some(deliveries), Some(seconds)) if seconds > 0.0 => short(deliveries / seconds),
            _ => "\u{2013}".to_owned(),
        };
        let _ = write!(
            table,
            "<tr><td class=\"engine {engine}\">{engine}</td><td>{speed}</td>",
            engine = cell.engine
        );
        for (figure, factor) in
            [("cpu_us", 1.0), ("p50_us", 0.001), ("p99_us", 0.001), ("answer_p50_us", 0.001)]
        {
            let _ = write!(table, "<td>{}</td>", value(cell, &[figure], factor));
        }
        table += &faults(cell);
        table += "</tr>";
    }
    table
}

/// What a hop and a wake cost, here and elsewhere.
pub fn claim(comparison: &Comparison) -> String {
    let mut table = "<tr>".to_owned();
    for heading in claim::HEAD {
        let _ = write!(table, "<th>{heading}</th>");
    }
    table += "</tr>";
    for [what, place, thread, task, ratio] in claim::lines(comparison) {
        let first = if what.is_empty() { "" } else { " class=\"first\"" };
        let _ = write!(
            table,
            "<tr{first}><td>{what}</td><td class=\"word\">{place}</td><td>{thread}</td><td>{task}</td>\
             <td>{ratio}</td></tr>"
        );
    }
    table
}

/// A median with its interval below it.
fn with_interval(spread: &Spread, factor: f64) -> String {
    match spread.words(factor).split_once(" (") {
        Some((median, interval)) => format!("{median}<small>{}</small>", interval.trim_end_matches(')')),
        None => short(spread.median * factor),
    }
}

/// The cells of a mode by waiters, then in the order in which the engines were asked for.
pub fn in_order<'a>(comparison: &'a Comparison, mode: &str, cores: &str) -> Vec<&'a Cell> {
    let engines = comparison.engines();
    let place = |cell: &Cell| engines.iter().position(|engine| *engine == cell.engine);
    let of = |cell: &&Cell| cell.mode == mode && cell.cores == cores;
    let mut cells: Vec<&Cell> = comparison.cells.iter().filter(of).collect();
    cells.sort_by_key(|cell| (cell.waiters, place(cell)));
    cells
}

fn value(cell: &Cell, figures: &[&str], factor: f64) -> String {
    match figures {
        [figure] => cell.figures.get(figure).map(|spread| with_interval(spread, factor)),
        // Of a sum there is no interval here: what is added hardly varies.
        _ => figures
            .iter()
            .map(|figure| cell.median(figure))
            .sum::<Option<f64>>()
            .map(|sum| short(sum * factor)),
    }
    .unwrap_or("\u{2013}".to_owned())
}

fn faults(cell: &Cell) -> String {
    let Cell { lost, doubled, swapped, repeats, .. } = cell;
    match (repeats, lost + doubled + swapped) {
        (0, _) => format!("<td class=\"bad\">{}</td>", escape(&cell.remarks.join("; "))),
        (_, 0) => "<td class=\"good\">none</td>".to_owned(),
        _ => format!("<td class=\"bad\">{lost}, {doubled}, {swapped}</td>"),
    }
}
