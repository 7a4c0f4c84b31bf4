//! Runs side by side: what `scripts/compare.sh` measured, as a page, a picture and JSON.
//!
//! `runs` gathers, `interval` says how sure a median is, `crossover` and `claim` answer the two questions, `chart` draws
//! one plot, `plots` says of what, `tables` has the figures, `page` and `summary` put them together.

mod cell;
mod chart;
mod claim;
mod crossover;
mod interval;
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

pub use chart::{Across, Chart, HEIGHT, Point, Scale, Series, WIDTH};
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

/// Reads the runs in the directory and writes `report.html`, `report.json` and `summary.svg` there.
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
