//! The report as one self-contained page.

use std::fmt::Write;

use super::cell::Cell;
use super::chart::short;
use super::plots::{LOOK, cpu, files, memory, reach, switches, threads};
use super::runs::Comparison;

const TEMPLATE: &str = include_str!("page.html");

const KIB: f64 = 1.0 / 1024.0;
const MIB: f64 = KIB / 1024.0;

/// The columns of the table of fan-outs: heading, unit, figure, factor to the unit.
const COLUMNS: [(&str, &str, &str, f64); 13] = [
    ("CPU", "us a delivery", "cpu_us", 1.0),
    ("in user", "us", "user_us", 1.0),
    ("in kernel", "us", "system_us", 1.0),
    ("half have it", "ms", "p50_us", 0.001),
    ("99 % have it", "ms", "p99_us", 0.001),
    ("last has it", "ms", "last_us", 0.001),
    ("waited", "times a delivery", "voluntary_switches", 1.0),
    ("pushed aside", "times a delivery", "involuntary_switches", 1.0),
    ("threads", "", "threads", 1.0),
    ("files", "", "fds", 1.0),
    ("resident", "MiB", "resident_bytes", MIB),
    ("kernel stack", "MiB", "kernel_stack_bytes", MIB),
    ("a waiter", "KiB resident", "waiter_resident_bytes", KIB),
];

/// Fills the template.
pub fn render(comparison: &Comparison) -> String {
    let charts = [
        cpu(comparison),
        reach(comparison),
        memory(comparison),
        threads(comparison),
        switches(comparison),
        files(comparison),
    ];
    let charts: String = charts.iter().map(|chart| chart.svg()).collect();
    let pinned = if comparison.about["pinned"] == true {
        "The server has one processor to itself, the load another."
    } else {
        "Server and load share the processors."
    };
    TEMPLATE
        .replace("{{look}}", LOOK)
        .replace("{{facts}}", &facts(comparison))
        .replace("{{charts}}", &charts)
        .replace("{{repeats}}", &comparison.about["repeats"].to_string())
        .replace("{{fan_out}}", &fan_out(comparison))
        .replace("{{firehose}}", &firehose(comparison))
        .replace("{{ended}}", &ended(comparison))
        .replace("{{pinned}}", pinned)
        .replace("{{where}}", &place(comparison))
}

/// Text for where markup is expected.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The ratios that one remembers.
fn facts(comparison: &Comparison) -> String {
    let mut facts = String::new();
    for (engine, to, waiters) in
        [("blocking", "async", 1000), ("blocking", "async", 5000), ("blocking", "floor", 1000)]
    {
        if let Some(ratio) = comparison.ratio("cpu_us", engine, to, waiters) {
            let waiters = short(waiters as f64);
            let _ = write!(
                facts,
                "<li><b>{ratio:.2} &times;</b>CPU for a delivery: {engine} over {to}, {waiters} waiters</li>"
            );
        }
    }
    facts
}

fn fan_out(comparison: &Comparison) -> String {
    let mut table = "<tr><th>waiters</th><th class=\"word\">engine</th>".to_owned();
    for (heading, unit, ..) in COLUMNS {
        let _ = write!(table, "<th>{heading}<small>{unit}</small></th>");
    }
    table += "<th>faults<small>lost, doubled, swapped</small></th></tr>";
    let mut before = None;
    for cell in in_order(comparison, "fan-out") {
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
        for (_, _, figure, factor) in COLUMNS {
            let _ = write!(table, "<td>{}</td>", value(cell, figure, factor));
        }
        table += &faults(cell);
        table += "</tr>";
    }
    table
}

fn firehose(comparison: &Comparison) -> String {
    let mut table = "<tr><th class=\"word\">engine</th><th>deliveries<small>a second</small></th>\
        <th>CPU<small>us a delivery</small></th><th>half have it<small>ms</small></th>\
        <th>99 % have it<small>ms</small></th><th>ok after<small>ms, half</small></th>\
        <th>faults<small>lost, doubled, swapped</small></th></tr>"
        .to_owned();
    for cell in in_order(comparison, "firehose") {
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
            let _ = write!(table, "<td>{}</td>", value(cell, figure, factor));
        }
        table += &faults(cell);
        table += "</tr>";
    }
    table
}

/// Which engines did not hold all that was asked for, and in whose words.
fn ended(comparison: &Comparison) -> String {
    let mut list = String::new();
    for cell in in_order(comparison, "fan-out") {
        let held = cell.median("held").unwrap_or(0.0);
        if held >= cell.waiters as f64 {
            continue;
        }
        let _ = write!(
            list,
            "<li><b class=\"name {engine}\">{engine}</b> held {} of {}: {}</li>",
            short(held),
            short(cell.waiters as f64),
            escape(&cell.remarks.join("; ")),
            engine = cell.engine
        );
    }
    if list.is_empty() {
        "<p>Each engine held every waiter that was asked for.</p>".to_owned()
    } else {
        format!("<ul>{list}</ul>")
    }
}

fn place(comparison: &Comparison) -> String {
    let rows = [
        ("Program", format!("comet-chat {}, commit {}", comparison.version, comparison.commit())),
        ("Command", comparison.command()),
        (
            "Machine",
            format!(
                "{}, {}, {} MiB of memory",
                comparison.machine("processor"),
                comparison.processors(),
                short(comparison.memory() * MIB)
            ),
        ),
        ("System", comparison.machine("system")),
        ("From", comparison.from.clone()),
        ("To", comparison.to.clone()),
    ];
    let mut list = String::new();
    for (name, text) in rows {
        let _ = write!(list, "<dt>{name}</dt><dd>{}</dd>", escape(&text));
    }
    list
}

/// The cells of a mode by waiters, then in the order in which the engines were asked for.
fn in_order<'a>(comparison: &'a Comparison, mode: &str) -> Vec<&'a Cell> {
    let engines = comparison.engines();
    let place = |cell: &Cell| engines.iter().position(|engine| *engine == cell.engine);
    let mut cells: Vec<&Cell> = comparison.cells.iter().filter(|cell| cell.mode == mode).collect();
    cells.sort_by_key(|cell| (cell.waiters, place(cell)));
    cells
}

fn value(cell: &Cell, figure: &str, factor: f64) -> String {
    let median = cell.median(figure);
    median.map_or("\u{2013}".to_owned(), |median| short(median * factor))
}

fn faults(cell: &Cell) -> String {
    let Cell { lost, doubled, swapped, repeats, .. } = cell;
    match (repeats, lost + doubled + swapped) {
        (0, _) => format!("<td class=\"bad\">{}</td>", escape(&cell.remarks.join("; "))),
        (_, 0) => "<td class=\"good\">none</td>".to_owned(),
        _ => format!("<td class=\"bad\">{lost}, {doubled}, {swapped}</td>"),
    }
}
