//! A plot over the number of waiters or over the time, as SVG.
//!
//! Written by hand, and not by a plotting crate, because colours must be classes: the same plot
//! stands on a light page and on a dark one. See `look.css`.

use std::fmt::Write;

use super::axis::{Across, Axis, BOTTOM, Ground, HEIGHT, LEFT, RIGHT, Scale, WIDTH, abbreviated, short};

/// A line with more points than this has no dots.
const DOTS: usize = 30;

/// The least distance between two labels at the ends of lines.
const LABEL: f64 = 15.0;

/// One plot.
pub struct Chart {
    pub title: &'static str,
    pub unit: &'static str,
    pub across: Across,
    pub scale: Scale,
    /// A value that matters, as a line across.
    pub level: Option<f64>,
    pub series: Vec<Series>,
}

/// One line of a plot.
pub struct Series {
    /// The engine, which is also the class that gives the colour.
    pub engine: String,
    /// A second figure of the same engine, without a label of its own.
    pub dashed: bool,
    pub points: Vec<Point>,
}

/// The median at a number of waiters or a time, and its interval.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub across: f64,
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Chart {
    /// The plot as a `g` whose upper left corner is the origin.
    pub fn group(&self) -> String {
        let mut svg = String::new();
        let points = || self.series.iter().flat_map(|series| &series.points);
        let most = points().map(|point| point.high).fold(0.0, f64::max);
        let least = points().map(|point| point.low).filter(|&least| least > 0.0);
        let least = least.fold(f64::INFINITY, f64::min).min(most);
        let Some(ground) = Ground::new(self.across, points().map(|point| point.across)) else {
            return svg;
        };
        let axis = Axis::new(self.scale, least, most);
        let x = |across: f64| ground.x(across);
        let _ = write!(
            svg,
            "<g class=\"chart\"><text class=\"title\" x=\"4\" y=\"20\">{}</text>\
             <text class=\"unit\" x=\"4\" y=\"40\">{}</text>",
            self.title, self.unit
        );
        for tick in axis.ticks() {
            let y = axis.y(tick);
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
                 <text class=\"tick\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                abbreviated(tick)
            );
        }
        let mut free_from = f64::NEG_INFINITY;
        for count in ground.ticks() {
            let x = x(count);
            let _ = write!(svg, "<path class=\"grid\" d=\"M{x:.1} {BOTTOM}v5\"/>");
            // Where two stand close, the first is named.
            if x >= free_from {
                let _ = write!(
                    svg,
                    "<text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                    BOTTOM + 18.0,
                    abbreviated(count)
                );
                free_from = x + 24.0;
            }
        }
        let _ = write!(
            svg,
            "<text class=\"unit\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            (LEFT + RIGHT) / 2.0,
            HEIGHT - 6.0,
            ground.name()
        );
        if let Some(level) = self.level {
            let _ = write!(svg, "<path class=\"level\" d=\"M{LEFT} {:.1}H{RIGHT}\"/>", axis.y(level));
        }
        for series in &self.series {
            series.draw(&mut svg, &axis, x);
        }
        self.label(&mut svg, &axis);
        svg.push_str("</g>");
        svg
    }

    /// The plot as an image of its own, to stand in a page that has `look.css`.
    pub fn svg(&self) -> String {
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            self.title,
            self.group()
        )
    }

    /// Names each line beside its end; where ends are close, the names are pushed apart.
    fn label(&self, svg: &mut String, axis: &Axis) {
        let mut ends: Vec<(f64, &str)> = Vec::new();
        for series in self.series.iter().filter(|series| !series.dashed) {
            if let Some(last) = series.points.last() {
                ends.push((axis.y(last.median), &series.engine));
            }
        }
        ends.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut ceiling = f64::INFINITY;
        for (end, engine) in ends {
            let y = end.min(ceiling);
            ceiling = y - LABEL;
            let _ = write!(
                svg,
                "<text class=\"name {engine}\" x=\"{:.1}\" y=\"{:.1}\">{engine}</text>",
                RIGHT + 12.0,
                y + 4.0
            );
        }
    }
}

impl Series {
    fn draw(&self, svg: &mut String, axis: &Axis, x: impl Fn(f64) -> f64) {
        let dashed = if self.dashed { " dashed" } else { "" };
        let mut path = String::new();
        for (index, point) in self.points.iter().enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{:.1} {:.1}", x(point.across), axis.y(point.median));
        }
        let engine = &self.engine;
        let _ = write!(svg, "<path class=\"line {engine}{dashed}\" d=\"{path}\"/>");
        // Many points are a line.
        for point in self.points.iter().filter(|_| self.points.len() <= DOTS) {
            let (x, y) = (x(point.across), axis.y(point.median));
            let _ = write!(
                svg,
                "<path class=\"range {engine}\" d=\"M{x:.1} {:.1}V{:.1}\"/>\
                 <circle class=\"dot {engine}{dashed}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{}\">\
                 <title>{engine}, {} waiters: {} ({} to {})</title></circle>",
                axis.y(point.low),
                axis.y(point.high),
                if self.dashed { 2.5 } else { 3.5 },
                point.across,
                short(point.median),
                short(point.low),
                short(point.high)
            );
        }
    }
}
