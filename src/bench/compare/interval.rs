//! The median of few repeats, and an interval for it that assumes no distribution.
//!
//! The interval reaches from one of the ordered values to another. How surely the true median lies between them follows
//! from the number of repeats alone: each repeat is as likely below it as above. See E. Lehmann, Nonparametrics:
//! Statistical Methods Based on Ranks, 1975, p. 182, or
//! <https://real-statistics.com/order-statistics/confidence-intervals-order-statistics>. A bootstrap needs more repeats
//! than there are here: from a handful of values it draws the same few again and again, and is too narrow.

use std::collections::BTreeMap;

use serde::Serialize;

use super::axis::short;

/// How surely an interval should hold the median. Fewer than six repeats can't promise this.
const WANTED: f64 = 0.95;

/// A figure over the repeats, each by its number of the repeat.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    pub median: f64,
    /// The interval's ends.
    pub low: f64,
    pub high: f64,
    #[serde(skip)]
    pub by_repeat: BTreeMap<u64, f64>,
}

impl Spread {
    /// `None` if there was no repeat.
    pub fn of(by_repeat: BTreeMap<u64, f64>) -> Option<Spread> {
        let mut values: Vec<f64> = by_repeat.values().copied().collect();
        values.sort_by(f64::total_cmp);
        let (cut, count) = (cut(values.len()), values.len());
        Some(Spread {
            median: median(&values)?,
            low: *values.get(cut)?,
            high: *values.get(count - 1 - cut)?,
            by_repeat,
        })
    }

    /// The two figures as one, within each repeat: only what ran together may be set off against each other. A repeat
    /// that gives `None` is left out.
    pub fn with(&self, other: &Spread, join: impl Fn(f64, f64) -> Option<f64>) -> Option<Spread> {
        let joined =
            |(repeat, one): (&u64, &f64)| Some((*repeat, join(*one, *other.by_repeat.get(repeat)?)?));
        Spread::of(self.by_repeat.iter().filter_map(joined).collect())
    }

    /// How many times the other it is.
    pub fn over(&self, other: &Spread) -> Option<Spread> {
        self.with(other, |one, other| (other > 0.0).then_some(one / other))
    }

    /// The median and its interval, times a factor: `7.2 (6.9 to 8)`.
    pub fn words(&self, factor: f64) -> String {
        let [median, low, high] = [self.median, self.low, self.high].map(|value| short(value * factor));
        if low == high { median } else { format!("{median} ({low} to {high})") }
    }
}

/// How surely the interval of so many repeats holds the true median.
pub fn confidence(repeats: usize) -> f64 {
    covers(repeats, cut(repeats))
}

/// How many values the interval leaves out at each end: as many as it may.
fn cut(repeats: usize) -> usize {
    let half = repeats.saturating_sub(1) / 2;
    (0..=half).rev().find(|&cut| covers(repeats, cut) >= WANTED).unwrap_or(0)
}

/// The probability that, of so many values, more than `cut` are below the median and more than `cut` above.
fn covers(repeats: usize, cut: usize) -> f64 {
    let mut term = 0.5f64.powi(repeats as i32);
    let mut outside = 0.0;
    for below in 0..=cut.min(repeats) {
        outside += 2.0 * term;
        term *= (repeats - below) as f64 / (below + 1) as f64;
    }
    (1.0 - outside).max(0.0)
}

/// The middle of ordered values, or the mean of the two in the middle.
fn median(ordered: &[f64]) -> Option<f64> {
    let middle = ordered.len() / 2;
    let upper = *ordered.get(middle)?;
    Some(if ordered.len() % 2 == 1 { upper } else { (ordered[middle - 1] + upper) / 2.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64]) -> Spread {
        Spread::of((1..).zip(values.iter().copied()).collect()).unwrap()
    }

    #[test]
    fn an_interval_is_as_sure_as_the_tables_of_textbooks_say() {
        for (repeats, left_out, sure) in [
            (1, 0, 0.0),
            (3, 0, 0.75),
            (5, 0, 0.9375),
            (6, 0, 0.96875),
            (8, 0, 0.9922),
            (9, 1, 0.9609),
            (17, 4, 0.951),
        ] {
            assert_eq!(cut(repeats), left_out, "{repeats} repeats");
            assert!((confidence(repeats) - sure).abs() < 0.0005, "{repeats}: {}", confidence(repeats));
        }
    }

    #[test]
    fn one_wild_repeat_of_nine_moves_no_end_of_the_interval() {
        let quiet = spread(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let noisy = spread(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 900.0]);
        assert_eq!((noisy.low, noisy.median, noisy.high), (2.0, 5.0, 8.0));
        assert_eq!((quiet.low, quiet.high), (noisy.low, noisy.high));
    }

    #[test]
    fn few_repeats_give_all_that_they_have() {
        let three = spread(&[9.0, 1.0, 4.0]);
        assert_eq!((three.low, three.median, three.high), (1.0, 4.0, 9.0));
        assert_eq!(spread(&[1.0, 2.0]).median, 1.5);
        assert!(Spread::of(BTreeMap::new()).is_none());
    }
}
