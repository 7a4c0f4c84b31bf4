//! The runs of one engine with one number of waiters in one mode, as medians.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The figures that are gathered: their names, and where they stand in a run's report.
const FIGURES: [(&str, &str); 22] = [
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
    ("fewest_found", "/fewest_found"),
    ("load_share", "/load_share"),
    ("deliveries", "/deliveries"),
    ("seconds", "/seconds"),
    ("gaps", "/gaps"),
];

/// One engine with one number of waiters in one mode.
#[derive(Debug, Serialize)]
pub struct Cell {
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

/// A figure over the repeats, each by its number of the repeat.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
    #[serde(skip)]
    pub by_repeat: BTreeMap<u64, f64>,
}

impl Cell {
    /// Gathers the reports of one cell, each with the number of its repeat.
    pub fn of(
        (mode, waiters, engine): &(String, u64, String),
        reports: &[(u64, Value)],
        mut remarks: Vec<String>,
    ) -> Cell {
        let mut figures = BTreeMap::new();
        for (name, at) in FIGURES {
            let by_repeat =
                reports.iter().filter_map(|(repeat, report)| Some((*repeat, report.pointer(at)?.as_f64()?)));
            if let Some(spread) = Spread::of(by_repeat.collect()) {
                figures.insert(name, spread);
            }
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
            mode: mode.clone(),
            engine: engine.clone(),
            waiters: *waiters,
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

impl Spread {
    fn of(by_repeat: BTreeMap<u64, f64>) -> Option<Spread> {
        let values: Vec<f64> = by_repeat.values().copied().collect();
        Some(Spread {
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            most: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            median: median(values)?,
            by_repeat,
        })
    }
}

/// The middle of the values, or the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { (values[middle - 1] + upper) / 2.0 })
}
