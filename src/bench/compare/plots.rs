//! What the plots show: each a figure of a server, over the number of waiters.

use super::cell::Cell;
use super::chart::{Across, Chart, Point, Scale, Series};
use super::runs::Comparison;

/// The colours and the plots' looks, for the page and the picture alike.
pub const LOOK: &str = include_str!("look.css");

/// A figure's place in a report: its name in the JSON, and the factor to the unit that is shown.
type Figure = (&'static str, f64);

/// One plot of fan-outs, for all engines; what is `dashed` accompanies what is `solid`.
fn plot(
    comparison: &Comparison,
    title: &'static str,
    unit: &'static str,
    scale: Scale,
    solid: &[Figure],
    dashed: Option<Figure>,
) -> Chart {
    let mut series = Vec::new();
    for engine in comparison.engines() {
        let cells: Vec<&Cell> = comparison.fan_outs().filter(|cell| cell.engine == engine).collect();
        let mut add = |figures: &[Figure], dashed| {
            let points: Vec<Point> = cells.iter().filter_map(|cell| point(cell, figures)).collect();
            if !points.is_empty() {
                let engine = engine.to_owned();
                series.push(Series { engine, dashed, points });
            }
        };
        add(solid, false);
        if let Some(figure) = dashed {
            add(&[figure], true);
        }
    }
    Chart { title, unit, across: Across::Waiters, scale, series }
}

/// The sum of the figures, placed over the waiters that were held, not those that were asked for.
fn point(cell: &Cell, figures: &[Figure]) -> Option<Point> {
    let mut point = Point { across: cell.median("held")?, median: 0.0, least: 0.0, most: 0.0 };
    for (figure, factor) in figures {
        let spread = cell.figures.get(figure)?;
        point.median += spread.median * factor;
        point.least += spread.least * factor;
        point.most += spread.most * factor;
    }
    Some(point)
}

pub fn cpu(comparison: &Comparison) -> Chart {
    let unit = "microseconds of a processor, with the next poll";
    let figures = [("cpu_us", 1.0)];
    plot(comparison, "CPU for one delivery", unit, Scale::Linear, &figures, None)
}

pub fn reach(comparison: &Comparison) -> Chart {
    let unit = "ms after the publish: half of all (solid), 99 of 100 (dashed)";
    let (p50, p99) = (("p50_us", 0.001), ("p99_us", 0.001));
    let title = "Until a message has reached them";
    plot(comparison, title, unit, Scale::Powers, &[p50], Some(p99))
}

pub fn memory(comparison: &Comparison) -> Chart {
    const MIB: f64 = 1.0 / 1048576.0;
    let unit = "MiB: resident, kernel stacks and page tables";
    let figures = [("resident_bytes", MIB), ("kernel_stack_bytes", MIB), ("page_table_bytes", MIB)];
    plot(comparison, "Memory", unit, Scale::Powers, &figures, None)
}

pub fn threads(comparison: &Comparison) -> Chart {
    let figures = [("threads", 1.0)];
    plot(comparison, "Threads", "while all wait", Scale::Powers, &figures, None)
}

pub fn files(comparison: &Comparison) -> Chart {
    let figures = [("fds", 1.0)];
    plot(comparison, "Open files", "while all wait", Scale::Powers, &figures, None)
}

pub fn switches(comparison: &Comparison) -> Chart {
    let unit = "for one delivery, with the next poll";
    let figures = [("voluntary_switches", 1.0), ("involuntary_switches", 1.0)];
    plot(comparison, "Context switches", unit, Scale::Linear, &figures, None)
}
