//! Runs side by side: what `scripts/compare.sh` measured, as a page, a picture and JSON.
//!
//! `runs` gathers, `chart` draws one plot, `plots` says of what, `page` and `summary` put them together.

mod cell;
mod chart;
mod page;
mod plots;
mod runs;
mod summary;

use std::fs;
use std::path::Path;

use super::error::Error;
use runs::Comparison;

pub use chart::{Across, Chart, HEIGHT, Point, Scale, Series, WIDTH};
pub use plots::LOOK;

/// Reads the runs in the directory and writes `report.html`, `report.json` and `summary.svg` there.
pub fn write(directory: &Path) -> Result<(), Error> {
    let comparison = Comparison::read(directory)?;
    let json = serde_json::to_string_pretty(&comparison).expect("every key is a string");
    for (name, text) in [
        ("report.json", json),
        ("report.html", page::render(&comparison)),
        ("summary.svg", summary::render(&comparison)),
    ] {
        let path = directory.join(name);
        let failed = |error| Error::Results(path.display().to_string(), format!("{error}"));
        fs::write(&path, text).map_err(failed)?;
        println!("{}", path.display());
    }
    Ok(())
}
