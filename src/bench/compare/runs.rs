//! Many runs of the bench, gathered: for each engine and number of waiters the median of each
//! figure over the repeats.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::cell::{Cell, Key};
use super::interval::Spread;
use crate::bench::error::Error;

/// Everything that a comparison found.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Version, commit and what was asked for.
    pub about: Value,
    /// Where it ran, as the first run says.
    machine: Value,
    /// The version of the program.
    pub version: String,
    /// When the first run began, and the last.
    pub from: String,
    pub to: String,
    pub cells: Vec<Cell>,
}

impl Comparison {
    /// Reads `about.json` and `runs/CORES.MODE.ENGINE.WAITERS.REPEAT.json` with its `.err`.
    pub fn read(directory: &Path) -> Result<Comparison, Error> {
        let about = read_json(&directory.join("about.json"))?;
        let runs = directory.join("runs");
        let mut gathered: BTreeMap<Key, Vec<(u64, Value)>> = BTreeMap::new();
        let mut remarks: BTreeMap<Key, Vec<String>> = BTreeMap::new();
        for entry in fs::read_dir(&runs).map_err(|error| wrong(&runs, &error))? {
            let path = entry.map_err(|error| wrong(&runs, &error))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let parts: Vec<&str> = name.split('.').collect();
            let [cores, mode, engine, waiters, repeat, "json"] = parts[..] else {
                continue;
            };
            let (Ok(waiters), Ok(repeat)) = (waiters.parse(), repeat.parse()) else {
                return Err(wrong(&path, &"not a name that compare.sh gives"));
            };
            let (cores, mode, engine) = (cores.to_owned(), mode.to_owned(), engine.to_owned());
            let key = Key { cores, mode, waiters, engine };
            let report = fs::read_to_string(&path).map_err(|error| wrong(&path, &error))?;
            gathered.entry(key.clone()).or_default();
            if report.is_empty() {
                let said = fs::read_to_string(path.with_extension("err")).unwrap_or_default();
                let last = said.lines().last().unwrap_or("no report").to_owned();
                remarks.entry(key).or_default().push(last);
            } else {
                let report: Value = serde_json::from_str(&report).map_err(|error| wrong(&path, &error))?;
                gathered.entry(key).or_default().push((repeat, report));
            }
        }
        let text = |report: &Value, at: &str| {
            let found = report.pointer(at).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let all = || gathered.values().flatten().map(|(_, report)| report);
        let times: Vec<String> = all().map(|report| text(report, "/started")).collect();
        let some = all().next().ok_or_else(|| wrong(&runs, &"no run has a report"))?;
        let (machine, version) = (some["machine"].clone(), text(some, "/version"));
        Ok(Comparison {
            machine,
            version,
            from: times.iter().min().cloned().unwrap_or_default(),
            to: times.iter().max().cloned().unwrap_or_default(),
            about,
            cells: gathered
                .into_iter()
                .map(|(key, reports)| {
                    let remarks = remarks.remove(&key).unwrap_or_default();
                    Cell::of(key, &reports, remarks)
                })
                .collect(),
        })
    }

    /// The fan-outs on these cores, by number of waiters and engine.
    pub fn fan_outs(&self, cores: &str) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(move |cell| cell.mode == "fan-out" && cell.cores == cores)
    }

    /// The engines that were compared, in the order in which they were asked for.
    pub fn engines(&self) -> Vec<&str> {
        let asked = self.about["engines"].as_str().unwrap_or_default();
        asked.split_whitespace().collect()
    }

    /// How many repeats there are.
    pub fn repeats(&self) -> usize {
        self.about["repeats"].as_u64().unwrap_or(0) as usize
    }

    /// The commit that was built.
    pub fn commit(&self) -> &str {
        self.about["commit"].as_str().unwrap_or("unknown")
    }

    /// How to do it again.
    pub fn command(&self) -> String {
        self.about["command"].as_str().unwrap_or("unknown").to_owned()
    }

    /// The day of the first run.
    pub fn day(&self) -> &str {
        self.from.split('T').next().unwrap_or_default()
    }

    /// A word about the machine: `processor` or `system`.
    pub fn machine(&self, key: &str) -> String {
        self.machine[key].as_str().unwrap_or("unknown").to_owned()
    }

    /// How many processors it has, in words.
    pub fn processors(&self) -> String {
        match self.machine["processors"].as_u64().unwrap_or(0) {
            1 => "1 processor".to_owned(),
            count => format!("{count} processors"),
        }
    }

    /// Its memory in bytes.
    pub fn memory(&self) -> f64 {
        self.machine["memory_bytes"].as_f64().unwrap_or(0.0)
    }

    /// How many times the figure of one engine is that of another in a fan-out, within one repeat, since only what ran
    /// together may be compared.
    pub fn ratio(
        &self,
        figure: &str,
        (engine, to): (&str, &str),
        cores: &str,
        waiters: u64,
    ) -> Option<Spread> {
        let of = |engine: &str| {
            let mut cells = self.fan_outs(cores);
            cells.find(|cell| cell.engine == engine && cell.waiters == waiters)
        };
        ratio_of(figure, of(engine)?, of(to)?)
    }
}

/// How many times the figure of one cell is that of another, within one repeat.
pub fn ratio_of(figure: &str, one: &Cell, other: &Cell) -> Option<Spread> {
    one.figures.get(figure)?.over(other.figures.get(figure)?)
}

fn read_json(path: &Path) -> Result<Value, Error> {
    let text = fs::read_to_string(path).map_err(|error| wrong(path, &error))?;
    serde_json::from_str(&text).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Results(path.display().to_string(), why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(cpu: f64, held: u64, lost: u64) -> String {
        serde_json::json!({
            "version": "1", "started": "2026-01-02T03:04:05Z", "machine": {"processors": 2},
            "waiters": {"held": held, "refusal": (held < 10).then_some("503 full")},
            "server": {"per_delivery": {"cpu_us": cpu}},
            "verdict": {"lost": lost, "doubled": 0, "swapped": 0},
        })
        .to_string()
    }

    fn gathered() -> Comparison {
        let directory = tempfile::tempdir().unwrap();
        let runs = directory.path().join("runs");
        fs::create_dir(&runs).unwrap();
        fs::write(directory.path().join("about.json"), r#"{"engines": "slow quick"}"#).unwrap();
        for (name, text) in [
            ("one.fan-out.slow.10.1.json", run(20.0, 10, 0)),
            ("one.fan-out.slow.10.2.json", run(90.0, 9, 1)),
            ("one.fan-out.slow.10.3.json", run(40.0, 10, 2)),
            ("one.fan-out.quick.10.1.json", run(10.0, 10, 0)),
            ("one.fan-out.quick.10.2.json", run(30.0, 10, 0)),
            ("one.fan-out.quick.10.3.json", String::new()),
            ("one.fan-out.quick.10.3.err", "comet-chat bench: no server answers there".to_owned()),
        ] {
            fs::write(runs.join(name), text).unwrap();
        }
        Comparison::read(directory.path()).unwrap()
    }

    #[test]
    fn a_cell_tells_the_median_and_its_interval() {
        let comparison = gathered();
        let slow = comparison.fan_outs("one").find(|cell| cell.engine == "slow").unwrap();
        let cpu = &slow.figures["cpu_us"];
        assert_eq!((cpu.low, cpu.median, cpu.high), (20.0, 40.0, 90.0));
        assert_eq!((slow.repeats, slow.lost), (3, 3));
        assert_eq!(slow.remarks, ["503 full"]);
    }

    #[test]
    fn a_run_that_failed_is_told_and_not_counted() {
        let comparison = gathered();
        let quick = comparison.fan_outs("one").find(|cell| cell.engine == "quick").unwrap();
        assert_eq!(quick.repeats, 2);
        assert_eq!(quick.median("cpu_us"), Some(20.0));
        assert_eq!(quick.remarks, ["comet-chat bench: no server answers there"]);
    }

    #[test]
    fn only_what_ran_in_one_repeat_is_set_in_ratio() {
        let ratio = gathered().ratio("cpu_us", ("slow", "quick"), "one", 10).unwrap();
        assert_eq!((ratio.low, ratio.median, ratio.high), (2.0, 2.5, 3.0));
        assert!(gathered().ratio("cpu_us", ("slow", "quick"), "all", 10).is_none());
    }
}
