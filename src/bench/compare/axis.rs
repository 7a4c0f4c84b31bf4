//! The axes of a plot: where a value stands, and where the lines with numbers are.

/// The size of a plot.
pub const WIDTH: f64 = 460.0;
pub const HEIGHT: f64 = 300.0;

/// Where the lines are, within the plot; the rest is for the words.
pub const LEFT: f64 = 56.0;
pub const RIGHT: f64 = WIDTH - 84.0;
pub const TOP: f64 = 62.0;
pub const BOTTOM: f64 = HEIGHT - 40.0;

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

/// The horizontal axis.
pub struct Ground {
    across: Across,
    /// Where there is a value, in order, each once.
    values: Vec<f64>,
}

impl Ground {
    /// `None` if there is nothing to show.
    pub fn new(across: Across, values: impl Iterator<Item = f64>) -> Option<Ground> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        (!values.is_empty()).then_some(Ground { across, values })
    }

    pub fn name(&self) -> &'static str {
        match self.across {
            Across::Waiters => "waiters",
            Across::Minutes => "minutes",
        }
    }

    pub fn x(&self, value: f64) -> f64 {
        let (first, last) = (self.values[0], self.values[self.values.len() - 1]);
        let share = match self.across {
            Across::Waiters => (value / first).log10() / (last / first).log10().max(f64::MIN_POSITIVE),
            Across::Minutes => value / last.max(f64::MIN_POSITIVE),
        };
        LEFT + (RIGHT - LEFT) * share
    }

    /// Where the axis is marked: at each number of waiters, and at round times.
    pub fn ticks(&self) -> Vec<f64> {
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
pub struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    step: f64,
}

impl Axis {
    pub fn new(scale: Scale, least: f64, most: f64) -> Axis {
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

    pub fn ticks(&self) -> impl Iterator<Item = f64> {
        let count = ((self.to - self.from) / self.step).round() as usize;
        let at = |index: usize| self.from + index as f64 * self.step;
        let powers = self.scale == Scale::Powers;
        (0..=count).map(move |index| if powers { 10f64.powf(at(index)) } else { at(index) })
    }

    pub fn y(&self, value: f64) -> f64 {
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
pub fn abbreviated(value: f64) -> String {
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
