//! The runs of one engine with one number of waiters in one mode, as medians.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::interval::Spread;

/// The figures that are gathered: their names, and where they stand in a run's report.
const FIGURES: [(&str, &str); 26] = [
    ("held", "/waiters/held"),
    ("refused", "/waiters/refused"),
    ("cpu_us", "/server/per_delivery/cpu_us"),
    ("user_us", "/server/per_delivery/user_us"),
    ("system_us", "/server/per_delivery/system_us"),
    ("voluntary_switches", "/server/per_delivery/voluntary_switches"),
    ("involuntary_switches", "/server/per_delivery/involuntary_switches"),
    ("p50_us", "/delivery/p50"),
    ("p99_us", "/delivery/p99"),
    ("last_us", "/last/p50"),
    ("answer_p50_us", "/answer/p50"),
    ("threads", "/server/held/threads"),
    ("fds", "/server/held/fds"),
    ("resident_bytes", "/server/held/resident"),
    ("kernel_stack_bytes", "/server/held/kernel_stacks"),
    ("page_table_bytes", "/server/held/page_tables"),
    ("waiter_resident_bytes", "/server/per_waiter/resident_bytes"),
    ("creation_cpu_us", "/server/per_waiter/cpu_us"),
    ("hop_us", "/hop_us"),
    ("link_creation_us", "/creation_us"),
    ("link_bytes", "/link_bytes"),
    ("fewest_found", "/fewest_found"),
    ("load_share", "/load_share"),
    ("deliveries", "/deliveries"),
    ("seconds", "/seconds"),
    ("gaps", "/gaps"),
];

/// What the creation of fewer waiters took is not told. The kernel counts the time of a process in steps of 10 ms, which
/// would be more than a twentieth of it.
const CREATED: u64 = 1000;

/// What a cell is about: the runs that differ only in the repeat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// On which cores the server ran: `one` to itself, or `all` with the load.
    pub cores: String,
    pub mode: String,
    pub waiters: u64,
    pub engine: String,
}

/// One engine with one number of waiters in one mode, on so many cores.
#[derive(Debug, Serialize)]
pub struct Cell {
    pub cores: String,
    pub mode: String,
    pub engine: String,
    pub waiters: u64,
    /// How often it was measured.
    pub repeats: usize,
    pub figures: BTreeMap<&'static str, Spread>,
    pub lost: u64,
    pub doubled: u64,
    pub swapped: u64,
    /// What the server said when it refused, and what went wrong otherwise.
    pub remarks: Vec<String>,
}

impl Cell {
    /// Gathers the reports of one cell, each with the number of its repeat.
    pub fn of(key: Key, reports: &[(u64, Value)], mut remarks: Vec<String>) -> Cell {
        let mut figures = BTreeMap::new();
        let few = key.mode == "fan-out" && key.waiters < CREATED;
        for (name, at) in FIGURES.into_iter().filter(|(name, _)| !few || *name != "creation_cpu_us") {
            let by_repeat =
                reports.iter().filter_map(|(repeat, report)| Some((*repeat, report.pointer(at)?.as_f64()?)));
            if let Some(spread) = Spread::of(by_repeat.collect()) {
                figures.insert(name, spread);
            }
        }
        // Left a processor for either reason.
        let [waited, pushed] =
            ["voluntary_switches", "involuntary_switches"].map(|name| figures.get(name).cloned());
        if let Some((waited, pushed)) = waited.zip(pushed)
            && let Some(sum) = waited.with(&pushed, |waited, pushed| Some(waited + pushed))
        {
            figures.insert("switches", sum);
        }
        let sum = |fault: &str| {
            let of = |(_, report): &(u64, Value)| report["verdict"][fault].as_u64();
            reports.iter().filter_map(of).sum()
        };
        for (_, report) in reports {
            if let Some(refusal) = report["waiters"]["refusal"].as_str() {
                remarks.push(refusal.to_owned());
            }
        }
        remarks.sort();
        remarks.dedup();
        Cell {
            cores: key.cores,
            mode: key.mode,
            engine: key.engine,
            waiters: key.waiters,
            repeats: reports.len(),
            figures,
            lost: sum("lost"),
            doubled: sum("doubled"),
            swapped: sum("swapped"),
            remarks,
        }
    }

    /// The median of a figure.
    pub fn median(&self, figure: &str) -> Option<f64> {
        self.figures.get(figure).map(|spread| spread.median)
    }
}
