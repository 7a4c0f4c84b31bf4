//! A plot over the number of waiters or over the time, as SVG.
//!
//! Written by hand, and not by a plotting crate, because colours must be classes: the same plot
//! stands on a light page and on a dark one. See `look.css`.

use std::fmt::Write;

/// The size of a plot.
pub const WIDTH: f64 = 460.0;
pub const HEIGHT: f64 = 300.0;

/// Where the lines are, within the plot; the rest is for the words.
const LEFT: f64 = 56.0;
const RIGHT: f64 = WIDTH - 84.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = HEIGHT - 40.0;

/// A line with more points than this has no dots.
const DOTS: usize = 30;

/// The least distance between two labels at the ends of lines.
const LABEL: f64 = 15.0;

/// How the values are spread over the height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From zero, for what is compared by its size.
    Linear,
    /// By powers of ten, for what grows with the waiters.
    Powers,
}

/// What the values are spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Across {
    /// The number of waiters, by powers of ten.
    Waiters,
    /// The time, from zero.
    Minutes,
}

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

/// The horizontal axis.
struct Ground {
    across: Across,
    /// Where there is a value, in order, each once.
    values: Vec<f64>,
}

impl Ground {
    /// `None` if there is nothing to show.
    fn new(across: Across, values: impl Iterator<Item = f64>) -> Option<Ground> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        (!values.is_empty()).then_some(Ground { across, values })
    }

    fn name(&self) -> &'static str {
        match self.across {
            Across::Waiters => "waiters",
            Across::Minutes => "minutes",
        }
    }

    fn x(&self, value: f64) -> f64 {
        let (first, last) = (self.values[0], self.values[self.values.len() - 1]);
        let share = match self.across {
            Across::Waiters => (value / first).log10() / (last / first).log10().max(f64::MIN_POSITIVE),
            Across::Minutes => value / last.max(f64::MIN_POSITIVE),
        };
        LEFT + (RIGHT - LEFT) * share
    }

    /// Where the axis is marked: at each number of waiters, and at round times.
    fn ticks(&self) -> Vec<f64> {
        match self.across {
            Across::Waiters => self.values.clone(),
            Across::Minutes => {
                let last = self.values[self.values.len() - 1];
                Axis::new(Scale::Linear, 0.0, last).ticks().filter(|&tick| tick <= last * 1.001).collect()
            }
        }
    }
}

/// The vertical axis.
struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    step: f64,
}

impl Axis {
    fn new(scale: Scale, least: f64, most: f64) -> Axis {
        match scale {
            Scale::Linear => {
                let rough = most.max(f64::MIN_POSITIVE) / 4.0;
                let power = 10f64.powf(rough.log10().floor());
                let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
                let step = steps.map(|step| step * power);
                let step = step.into_iter().find(|&step| step >= rough).unwrap_or(rough);
                Axis { scale, from: 0.0, to: (most / step).ceil().max(1.0) * step, step }
            }
            Scale::Powers => {
                let least = if least.is_finite() { least } else { 1.0 };
                let from = least.log10().floor();
                Axis { scale, from, to: most.max(least).log10().ceil().max(from + 1.0), step: 1.0 }
            }
        }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let count = ((self.to - self.from) / self.step).round() as usize;
        let at = |index: usize| self.from + index as f64 * self.step;
        let powers = self.scale == Scale::Powers;
        (0..=count).map(move |index| if powers { 10f64.powf(at(index)) } else { at(index) })
    }

    fn y(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => value,
            Scale::Powers if value > 0.0 => value.log10(),
            Scale::Powers => self.from,
        };
        let share = ((place - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        BOTTOM - (BOTTOM - TOP) * share
    }
}

/// A number as short as it is still told apart: 0.35, 7.2, 58, 5,000.
pub fn short(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size if size >= 10.0 => 0,
        size if size >= 1.0 => usize::from(size.fract() > 0.04 && size.fract() < 0.96),
        size if size >= 0.1 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    grouped + fraction
}

/// A number on an axis, where there is little room: 10, 500, 1k, 6.4k, 100k.
fn abbreviated(value: f64) -> String {
    if value < 1000.0 { short(value) } else { format!("{}k", short(value / 1000.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.01, "0.01"),
            (0.354, "0.35"),
            (1.0, "1"),
            (7.24, "7.2"),
            (58.4, "58"),
            (999.6, "1,000"),
            (12_345_678.0, "12,345,678"),
            (-1234.0, "-1,234"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn an_axis_holds_all_values_between_its_ticks() {
        for (least, most) in [(0.002, 0.03), (1.0, 1.0), (7.0, 94.8), (13.0, 18_013.0)] {
            for scale in [Scale::Linear, Scale::Powers] {
                let axis = Axis::new(scale, least, most);
                let ticks: Vec<f64> = axis.ticks().collect();
                assert!(ticks.len() >= 2 && ticks.len() <= 9, "{ticks:?}");
                assert!(ticks[0] <= least * 1.000_001, "{ticks:?}");
                assert!(ticks[ticks.len() - 1] >= most * 0.999_999, "{ticks:?}");
                assert!(axis.y(most) >= TOP - 0.01 && axis.y(least) <= BOTTOM + 0.01);
            }
        }
    }
}
