//! The report as one self-contained page.

use std::fmt::Write;

use super::axis::short;
use super::claim;
use super::crossover::{Crossing, Crossover};
use super::interval::confidence;
use super::plots::{LOOK, cpu, creation, files, memory, ratios, reach, switches, threads};
use super::runs::Comparison;
use super::tables::{self, escape, fan_out, firehose};

const TEMPLATE: &str = include_str!("page.html");

const MIB: f64 = 1.0 / 1_048_576.0;

/// Fills the template.
pub fn render(comparison: &Comparison, crossovers: &[Crossover]) -> String {
    let on = |cores: &str| {
        let charts = [cpu(comparison, cores), reach(comparison, cores), switches(comparison, cores)];
        charts.iter().map(|chart| chart.svg()).collect::<String>()
    };
    let waiter = [memory(comparison), creation(comparison), threads(comparison), files(comparison)];
    let waiter: String = waiter.iter().map(|chart| chart.svg()).collect();
    let pinned = if comparison.about["pinned"] == true {
        "On one core, the server has that core to itself, and the load another. On all, both share them."
    } else {
        "Server and load share the processors."
    };
    TEMPLATE
        .replace("{{look}}", LOOK)
        .replace("{{facts}}", &facts(comparison))
        .replace("{{crossover}}", &crossover(crossovers))
        .replace("{{one}}", &on("one"))
        .replace("{{all}}", &on("all"))
        .replace("{{waiter}}", &waiter)
        .replace("{{verdict}}", &claim::verdict(comparison))
        .replace("{{claim}}", &tables::claim(comparison))
        .replace("{{sure}}", &sure(comparison))
        .replace("{{fan_out_one}}", &fan_out(comparison, "one"))
        .replace("{{fan_out_all}}", &fan_out(comparison, "all"))
        .replace("{{firehose}}", &firehose(comparison))
        .replace("{{ended}}", &ended(comparison))
        .replace("{{peers}}", &peers(comparison))
        .replace("{{pinned}}", pinned)
        .replace("{{busy}}", &busy(comparison))
        .replace("{{where}}", &place(comparison))
}

/// How many repeats there are, and how sure an interval is by that.
pub fn sure(comparison: &Comparison) -> String {
    let repeats = comparison.repeats();
    format!("{repeats} repeats, so an interval holds the median with {:.0} %", confidence(repeats) * 100.0)
}

/// What else the machine did.
fn busy(comparison: &Comparison) -> String {
    match comparison.about["busy"].as_u64() {
        Some(percent) => format!("Before the first run the machine was {percent} % busy with other work."),
        None => "How busy the machine was with other work is not known.".to_owned(),
    }
}

/// The ratios that one remembers.
fn facts(comparison: &Comparison) -> String {
    let mut facts = String::new();
    for (engine, to, waiters) in
        [("blocking", "async", 1000), ("blocking", "async", 5000), ("blocking", "floor", 1000)]
    {
        if let Some(ratio) = comparison.ratio("cpu_us", (engine, to), "one", waiters) {
            let waiters = short(waiters as f64);
            let _ = write!(
                facts,
                "<li><b>{:.2} &times;</b>CPU for a delivery: {engine} over {to}, {waiters} waiters, one core \
                 ({:.2} to {:.2})</li>",
                ratio.median, ratio.low, ratio.high
            );
        }
    }
    facts
}

/// The answers, each in a sentence, and the ratios from which they come.
fn crossover(crossovers: &[Crossover]) -> String {
    if crossovers.is_empty() {
        return "<p>It takes both engines, and they were not measured together.</p>".to_owned();
    }
    let mut list = String::new();
    for crossover in crossovers {
        let _ = write!(list, "<li>{}</li>", sentence(crossover));
    }
    format!("<ul>{list}</ul><div class=\"charts\"><div>{}</div></div>", ratios(crossovers).svg())
}

/// The answer on some cores.
pub fn sentence(crossover: &Crossover) -> String {
    let place = if crossover.cores == "one" { "On one core" } else { "On all cores" };
    let Crossover { at, low, high, returns, .. } = crossover;
    let mut said = match at {
        Crossing::Below(fewest) => {
            format!("{place} it is worse already at {}, the fewest that were measured", waiters(*fewest))
        }
        Crossing::At(number) => format!("{place} it is no worse up to {}", waiters(*number)),
        Crossing::Above(most) => {
            format!("{place} it is no worse at any number that was measured, up to {}", waiters(*most))
        }
    };
    if low == high {
        said += ", and the repeats agree.";
    } else {
        let _ = write!(said, "; the repeats allow {} to {}.", end(low), end(high));
    }
    if !returns.is_empty() {
        let returns: Vec<String> = returns.iter().map(|&waiters| short(waiters)).collect();
        let _ = write!(said, " Behind that the ratio is within 1.1 again at {}.", returns.join(", "));
    }
    said
}

fn waiters(number: f64) -> String {
    format!("{} waiter{}", short(number), if number == 1.0 { "" } else { "s" })
}

fn end(crossing: &Crossing) -> String {
    match crossing {
        Crossing::Below(fewest) => format!("fewer than {}", short(*fewest)),
        Crossing::At(waiters) => short(*waiters),
        Crossing::Above(most) => format!("more than {}", short(*most)),
    }
}

/// Which engines did not hold all that was asked for, and in whose words.
fn ended(comparison: &Comparison) -> String {
    let mut list = String::new();
    for cell in comparison.cells.iter().filter(|cell| cell.mode == "fan-out") {
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

/// What the script says about the peers that were asked for.
fn peers(comparison: &Comparison) -> String {
    let mut list = String::new();
    for (name, said) in comparison.about["peers"].as_object().into_iter().flatten() {
        let said = escape(said.as_str().unwrap_or_default());
        let _ = write!(list, "<li><b class=\"name {name}\">{name}</b>: {said}</li>");
    }
    if list.is_empty() { "<p>None was asked for.</p>".to_owned() } else { format!("<ul>{list}</ul>") }
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
