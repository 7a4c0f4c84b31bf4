//! What the plots show: each a figure of a server, over the number of waiters.

use super::axis::{Across, Scale};
use super::cell::Cell;
use super::chart::{Chart, Point, Series};
use super::crossover::{Crossover, LIMIT};
use super::runs::Comparison;

/// The colours and the plots' looks, for the page and the picture alike.
pub const LOOK: &str = include_str!("look.css");

/// A figure's place in a report: its name in the JSON, and the factor to the unit that is shown.
type Figure = (&'static str, f64);

/// One plot of fan-outs, for all engines; what is `dashed` accompanies what is `solid`.
fn plot(
    (comparison, cores): (&Comparison, &str),
    title: &'static str,
    unit: &'static str,
    scale: Scale,
    solid: &[Figure],
    dashed: &[Figure],
) -> Chart {
    let mut series = Vec::new();
    for engine in comparison.engines() {
        let cells: Vec<&Cell> = comparison.fan_outs(cores).filter(|cell| cell.engine == engine).collect();
        for (figures, dashed) in [(solid, false), (dashed, true)] {
            let points: Vec<Point> = cells.iter().filter_map(|cell| point(cell, figures)).collect();
            if !points.is_empty() && !figures.is_empty() {
                let engine = engine.to_owned();
                series.push(Series { engine, dashed, points });
            }
        }
    }
    Chart { title, unit, across: Across::Waiters, scale, level: None, series }
}

/// The sum of the figures, placed over the waiters that were held, not those that were asked for.
fn point(cell: &Cell, figures: &[Figure]) -> Option<Point> {
    let mut point = Point { across: cell.median("held")?, median: 0.0, low: 0.0, high: 0.0 };
    for (figure, factor) in figures {
        let spread = cell.figures.get(figure)?;
        point.median += spread.median * factor;
        point.low += spread.low * factor;
        point.high += spread.high * factor;
    }
    Some(point)
}

pub fn cpu(comparison: &Comparison, cores: &str) -> Chart {
    let unit = "microseconds of a processor, with the next poll";
    plot((comparison, cores), "CPU for one delivery", unit, Scale::Linear, &[("cpu_us", 1.0)], &[])
}

pub fn reach(comparison: &Comparison, cores: &str) -> Chart {
    let unit = "ms after the publish: half of all (solid), 99 of 100 (dashed)";
    let (p50, p99) = (("p50_us", 0.001), ("p99_us", 0.001));
    plot((comparison, cores), "Until a message has reached them", unit, Scale::Powers, &[p50], &[p99])
}

pub fn switches(comparison: &Comparison, cores: &str) -> Chart {
    let unit = "for one delivery, with the next poll: all (solid), pushed aside (dashed)";
    let (all, pushed) = (("switches", 1.0), ("involuntary_switches", 1.0));
    plot((comparison, cores), "Context switches", unit, Scale::Linear, &[all], &[pushed])
}

pub fn memory(comparison: &Comparison) -> Chart {
    const MIB: f64 = 1.0 / 1_048_576.0;
    let unit = "MiB: all (solid), the kernel's stacks and page tables (dashed)";
    let kernel = [("kernel_stack_bytes", MIB), ("page_table_bytes", MIB)];
    let whole = [("resident_bytes", MIB), kernel[0], kernel[1]];
    plot((comparison, "one"), "Memory", unit, Scale::Powers, &whole, &kernel)
}

pub fn creation(comparison: &Comparison) -> Chart {
    let unit = "microseconds of a processor, until it waits for the first time";
    plot((comparison, "one"), "Creation of a waiter", unit, Scale::Linear, &[("creation_cpu_us", 1.0)], &[])
}

pub fn threads(comparison: &Comparison) -> Chart {
    let figures = [("threads", 1.0)];
    plot((comparison, "one"), "Threads", "while all wait", Scale::Powers, &figures, &[])
}

pub fn files(comparison: &Comparison) -> Chart {
    let figures = [("fds", 1.0)];
    plot((comparison, "one"), "Open files", "while all wait", Scale::Powers, &figures, &[])
}

/// The ratios of the crossovers, and what "no worse" allows.
pub fn ratios(crossovers: &[Crossover]) -> Chart {
    let point = |at: &super::crossover::Ratio| Point {
        across: at.waiters,
        median: at.ratio.median,
        low: at.ratio.low,
        high: at.ratio.high,
    };
    let of = |crossover: &Crossover| Series {
        engine: crossover.cores.clone(),
        dashed: false,
        points: crossover.ratios.iter().map(point).collect(),
    };
    Chart {
        title: "Is a thread for each no worse?",
        unit: "p99 of blocking over p99 of async, on one core and on all; the line: 1.1",
        across: Across::Waiters,
        scale: Scale::Powers,
        level: Some(LIMIT),
        series: crossovers.iter().map(of).collect(),
    }
}
