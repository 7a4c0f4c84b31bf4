//! The picture for a README: four plots, and what one must know to believe them.

use super::axis::{HEIGHT, WIDTH};
use super::crossover::Crossover;
use super::page::sure;
use super::plots::{LOOK, cpu, memory, ratios, reach};
use super::runs::Comparison;
use super::tables::escape;

const MARGIN: f64 = 28.0;
const HEAD: f64 = 76.0;
const GAP: f64 = 16.0;

/// Draws the picture.
pub fn render(comparison: &Comparison, crossovers: &[Crossover]) -> String {
    let width = MARGIN * 2.0 + WIDTH * 2.0 + GAP;
    let height = HEAD + HEIGHT * 2.0 + GAP + 72.0;
    let charts = [cpu(comparison, "one"), reach(comparison, "one"), memory(comparison), ratios(crossovers)];
    let places = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
    let mut plots = String::new();
    for (chart, (column, row)) in charts.iter().zip(places) {
        let x = MARGIN + column * (WIDTH + GAP);
        let y = HEAD + row * (HEIGHT + GAP);
        plots += &format!("<g transform=\"translate({x} {y})\">{}</g>", chart.group());
    }
    let about = escape(&format!(
        "comet-chat {} ({}), {}. {}, {}, {}",
        comparison.version,
        comparison.commit(),
        comparison.day(),
        comparison.machine("processor"),
        comparison.processors(),
        comparison.machine("system"),
    ));
    let how = escape(&format!("{}: {}", sure(comparison), comparison.command()));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"What a waiter costs each engine\">\n<style>{LOOK}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\" rx=\"12\"/>\n\
         <text class=\"headline\" x=\"32\" y=\"40\">What a waiter costs</text>\n\
         <text class=\"note\" x=\"32\" y=\"61\">One message to all, who then poll again; the server \
         has one core, but where it says all. Waiters, time and memory go by powers of ten.</text>\n\
         {plots}\n<text class=\"note\" x=\"32\" y=\"{}\">{about}</text>\n\
         <text class=\"note\" x=\"32\" y=\"{}\">{how}</text>\n</svg>\n",
        height - 40.0,
        height - 20.0
    )
}
