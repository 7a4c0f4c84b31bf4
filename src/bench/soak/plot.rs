//! What the server took over the time, as a picture.

use std::fmt::Write;

use super::super::compare::{Across, Chart, HEIGHT, LOOK, Point, Scale, Series, WIDTH};
use super::samples::Sample;

/// The picture: one plot each for memory, threads, files and visitors.
pub fn render(samples: &[Sample]) -> String {
    const MIB: f64 = 1_048_576.0;
    let charts = [
        chart("Memory", "MiB resident", samples, |sample| sample.resident as f64 / MIB),
        chart("Threads", "of the server", samples, |sample| sample.threads as f64),
        chart("Open files", "of the server", samples, |sample| sample.fds as f64),
        chart("Visitors", "who are there", samples, |sample| sample.visitors as f64),
    ];
    let (width, height) = (WIDTH * 2.0, HEIGHT * 2.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"What the server took over the time\"><style>{LOOK}</style>\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>"
    );
    for (index, chart) in charts.iter().enumerate() {
        let (x, y) = ((index % 2) as f64 * WIDTH, (index / 2) as f64 * HEIGHT);
        // Writing to a string can't fail.
        let _ = write!(svg, "<g transform=\"translate({x} {y})\">{}</g>", chart.group());
    }
    svg + "</svg>\n"
}

fn chart(title: &'static str, unit: &'static str, samples: &[Sample], read: fn(&Sample) -> f64) -> Chart {
    let point = |sample: &Sample| {
        let value = read(sample);
        Point { across: sample.at / 60.0, median: value, low: value, high: value }
    };
    let points = samples.iter().map(point).collect();
    let series = vec![Series { engine: "server".to_owned(), dashed: false, points }];
    Chart { title, unit, across: Across::Minutes, scale: Scale::Linear, level: None, series }
}
