//! Runs side by side: what `scripts/compare.sh` measured, as a page, a picture and JSON.
//!
//! `runs` gathers, `interval` says how sure a median is, `crossover` and `claim` answer the two questions, `chart` draws
//! one plot, `plots` says of what, `tables` has the figures, `page`, `summary` and `markdown` put them together.

mod axis;
mod cell;
mod chart;
mod claim;
mod crossover;
mod interval;
mod markdown;
mod page;
mod plots;
mod runs;
mod summary;
mod tables;

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::error::Error;
use crossover::Crossover;
use interval::confidence;
use runs::Comparison;

pub use axis::{Across, HEIGHT, Scale, WIDTH};
pub use chart::{Chart, Point, Series};
pub use plots::LOOK;

/// What a program reads.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    /// How surely an interval holds the median.
    confidence: f64,
    crossovers: &'a [Crossover],
}

/// Reads the runs in the directory and writes `report.html`, `report.json`, `summary.md` and `summary.svg` there.
pub fn write(directory: &Path) -> Result<(), Error> {
    let comparison = Comparison::read(directory)?;
    let crossovers: Vec<Crossover> =
        ["one", "all"].iter().filter_map(|cores| Crossover::of(&comparison, cores)).collect();
    let report = Report {
        comparison: &comparison,
        confidence: confidence(comparison.repeats()),
        crossovers: &crossovers,
    };
    for (name, text) in [
        ("report.json", serde_json::to_string_pretty(&report).expect("every key is a string")),
        ("report.html", page::render(&comparison, &crossovers)),
        ("summary.md", markdown::render(&comparison, &crossovers)),
        ("summary.svg", summary::render(&comparison, &crossovers)),
    ] {
        let path = directory.join(name);
        let failed = |error| Error::Results(path.display().to_string(), format!("{error}"));
        fs::write(&path, text).map_err(failed)?;
        println!("{}", path.display());
    }
    for crossover in &crossovers {
        println!("{}", page::sentence(crossover));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Stores a run as `scripts/compare.sh` does.
    fn store(directory: &Path, name: &str, mut run: Value) {
        run["version"] = json!("1");
        run["started"] = json!("2026-01-02T03:04:05Z");
        run["machine"] = json!({"processor": "A <fast> one", "processors": 2, "system": "Linux 7"});
        fs::write(directory.join("runs").join(format!("{name}.json")), run.to_string()).unwrap();
    }

    fn fan_out(waiters: u64, p99: f64) -> Value {
        json!({
            "waiters": {"held": waiters}, "delivery": {"p50": p99 / 2.0, "p99": p99},
            "server": {
                "held": {"resident": 9e6, "kernel_stacks": 1e6, "page_tables": 1e5, "threads": 9, "fds": 20},
                "per_delivery": {"cpu_us": p99 / 10.0, "voluntary_switches": 3.0, "involuntary_switches": 0.5},
                "per_waiter": {"cpu_us": 200.0, "resident_bytes": 20480.0},
            },
            "verdict": {"lost": 0, "doubled": 0, "swapped": 0},
        })
    }

    #[test]
    fn stored_runs_become_a_page_a_picture_and_figures_that_agree() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path();
        fs::create_dir(directory.join("runs")).unwrap();
        let about = json!({
            "engines": "blocking async nchan", "repeats": 6, "pinned": true, "busy": 3, "commit": "abc", "command": "this & that",
            "peers": {"nchan": "nginx with nchan", "mochiweb": "left out: there is no escript"},
        });
        fs::write(directory.join("about.json"), about.to_string()).unwrap();
        for repeat in 1..=6 {
            for cores in ["one", "all"] {
                // On one core the ratio is 1.0 at 10 waiters and 1.2 at 1,000; on all it is 2 at both.
                for (waiters, ratio) in [(10, 1.0), (1000, 1.2)] {
                    let ratio = if cores == "one" { ratio } else { 2.0 };
                    let p99 = 1000.0 + repeat as f64;
                    let name = |engine: &str| format!("{cores}.fan-out.{engine}.{waiters}.{repeat}");
                    store(directory, &name("async"), fan_out(waiters, p99));
                    store(directory, &name("blocking"), fan_out(waiters, p99 * ratio));
                }
                for (kind, hop) in
                    [("threads-by-socket", 6.0), ("tasks-by-socket", 4.0), ("none-by-socket", 2.0)]
                {
                    let run = json!({"hop_us": hop, "creation_us": 2.0, "link_bytes": 2048.0});
                    store(directory, &format!("{cores}.relay.{kind}.500.{repeat}"), run);
                }
            }
            store(directory, &format!("one.fan-out.nchan.1000.{repeat}"), fan_out(1000, 500.0));
        }
        write(directory).unwrap();
        let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        let report: Value = serde_json::from_str(&read("report.json")).unwrap();
        assert_eq!(report["confidence"], json!(0.96875));
        let [one, all] = &report["crossovers"].as_array().unwrap()[..] else { panic!("{report}") };
        assert!((one["at"]["at"].as_f64().unwrap() - 100.0).abs() < 1e-6, "{one}");
        assert_eq!(all["at"], json!({"below": 10.0}));
        let page = read("report.html");
        for said in [
            "On one core it is no worse up to 100 waiters; the repeats allow 100 to 100.",
            "On all cores it is worse already at 10 waiters, the fewest that were measured, and the repeats agree.",
            "takes a thread 1.50 times (1.50 to 1.50) of a task's time, so the claim does not hold here",
            "6 repeats, so an interval holds the median with 97 %",
            "left out: there is no escript",
            "the machine was 3 % busy with other work",
            "A &lt;fast&gt; one",
            "this &amp; that",
        ] {
            assert!(page.contains(said), "the page does not say: {said}");
        }
        assert!(!page.contains("{{"), "a place in the template was left open");
        let markdown = read("summary.md");
        assert!(markdown.contains("- On one core it is no worse up to 100 waiters;"), "{markdown}");
        assert!(markdown.contains("| async | 10 | 100 "), "{markdown}");
        assert!(markdown.contains("| nchan | 1,000 | 50 | 0.25 | 0.5 | 3.5 | 200 | 9.6 | 1 |"), "{markdown}");
        assert!(markdown.contains("|  | here, one core | 6 | 4 | 1.5 |"), "{markdown}");
        assert!(markdown.contains("|  | here, one core | 4 | 2 | 2 |"), "{markdown}");
        let picture = read("summary.svg");
        assert!(picture.contains("Is a thread for each no worse?") && picture.contains("97 %"));
    }
}
