//! The crossover: up to how many waiters a thread for each is no worse.
//!
//! Worse means here: the blocking engine's p99 is more than 1.1 times the async engine's. The two are set in ratio within
//! one repeat. Between the numbers of waiters that were measured the ratio is taken to go straight over their logarithm.
//!
//! The ends of the interval are where the ends of the ratio's own intervals first cross. Up to the lower end even the
//! upper ends of the ratios are within the limit, and just behind the upper end even a lower end is over it. In other words,
//! it holds every number of waiters at which the repeats do not exclude that the ratio is just at the limit.

use serde::Serialize;

use super::interval::Spread;
use super::runs::Comparison;

/// What "no worse" allows.
pub const LIMIT: f64 = 1.1;

/// Who is compared with whom, and in what.
const ENGINE: &str = "blocking";
const TO: &str = "async";
const FIGURE: &str = "p99_us";

/// The answer on so many cores.
#[derive(Debug, Serialize)]
pub struct Crossover {
    /// On which cores: `one` or `all`.
    pub cores: String,
    /// The ratio at each number of waiters, fewest first.
    pub ratios: Vec<Ratio>,
    /// Where the medians cross.
    pub at: Crossing,
    /// From where to where the repeats leave it open.
    pub low: Crossing,
    pub high: Crossing,
    /// Numbers of waiters behind the crossover at which the median ratio is within the limit again.
    pub returns: Vec<f64>,
}

/// The ratio at one number of waiters.
#[derive(Debug, Clone, Serialize)]
pub struct Ratio {
    pub waiters: f64,
    #[serde(flatten)]
    pub ratio: Spread,
}

/// Where a ratio first exceeds the limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Crossing {
    /// Already at the fewest waiters that were measured.
    Below(f64),
    At(f64),
    /// Not even at the most.
    Above(f64),
}

impl Crossover {
    /// `None` unless both engines were measured together on these cores.
    pub fn of(comparison: &Comparison, cores: &str) -> Option<Crossover> {
        let mut ratios: Vec<Ratio> = Vec::new();
        for cell in comparison.fan_outs(cores).filter(|cell| cell.engine == ENGINE) {
            if let Some(ratio) = comparison.ratio(FIGURE, (ENGINE, TO), cores, cell.waiters) {
                ratios.push(Ratio { waiters: cell.waiters as f64, ratio });
            }
        }
        Crossover::from_ratios(cores, ratios)
    }

    fn from_ratios(cores: &str, mut ratios: Vec<Ratio>) -> Option<Crossover> {
        ratios.sort_by(|a, b| a.waiters.total_cmp(&b.waiters));
        let crossing =
            |of: fn(&Spread) -> f64| first_crossing(ratios.iter().map(|at| (at.waiters, of(&at.ratio))));
        let (at, low, high) =
            (crossing(|ratio| ratio.median)?, crossing(|ratio| ratio.high)?, crossing(|ratio| ratio.low)?);
        let over = ratios.iter().skip_while(|at| at.ratio.median <= LIMIT);
        let returns = over.filter(|at| at.ratio.median <= LIMIT).map(|at| at.waiters).collect();
        Some(Crossover { cores: cores.to_owned(), ratios, at, low, high, returns })
    }
}

/// Where points of waiters and ratio, fewest waiters first, first go over the limit.
fn first_crossing(points: impl Iterator<Item = (f64, f64)>) -> Option<Crossing> {
    let mut before: Option<(f64, f64)> = None;
    for (waiters, ratio) in points {
        if ratio > LIMIT {
            return Some(match before {
                None => Crossing::Below(waiters),
                Some((fewer, less)) => {
                    let share = (LIMIT - less) / (ratio - less);
                    Crossing::At((fewer.ln() + share * (waiters.ln() - fewer.ln())).exp())
                }
            });
        }
        before = Some((waiters, ratio));
    }
    before.map(|(most, _)| Crossing::Above(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made-up runs: for each number of waiters the ratio of each repeat.
    fn of(runs: &[(f64, &[f64])]) -> Crossover {
        let ratio = |&(waiters, ratios): &(f64, &[f64])| Ratio {
            waiters,
            ratio: Spread::of((1..).zip(ratios.iter().copied()).collect()).unwrap(),
        };
        Crossover::from_ratios("one", runs.iter().map(ratio).collect()).unwrap()
    }

    fn number(crossing: Crossing) -> f64 {
        match crossing {
            Crossing::At(waiters) => waiters,
            other => panic!("{other:?} is no number"),
        }
    }

    #[test]
    fn it_lies_between_two_numbers_by_their_logarithm() {
        let found = of(&[(1000.0, &[1.2; 6]), (10.0, &[1.0; 6])]);
        for crossing in [found.at, found.low, found.high] {
            assert!((number(crossing) - 100.0).abs() < 1e-6, "{found:?}");
        }
        assert!(found.returns.is_empty());
    }

    #[test]
    fn the_interval_is_as_wide_as_the_repeats_differ() {
        let wide: &[f64] = &[0.9, 1.0, 1.0, 1.0, 1.0, 1.3];
        let found = of(&[(10.0, &[0.8; 6]), (100.0, wide), (1000.0, &[1.5; 6])]);
        let (low, at, high) = (number(found.low), number(found.at), number(found.high));
        assert!(
            (low.log10() - 1.6).abs() < 1e-6,
            "0.8 to 1.3 crosses 1.1 after 0.6 of a power of ten: {low}"
        );
        assert!((at.log10() - 2.2).abs() < 1e-6, "1.0 to 1.5 crosses 1.1 after 0.2: {at}");
        assert!((high.log10() - (2.0 + 0.2 / 0.6)).abs() < 1e-6, "0.9 to 1.5: {high}");
    }

    #[test]
    fn what_was_not_measured_is_not_made_up() {
        let worse = of(&[(10.0, &[2.0, 2.5, 3.0]), (100.0, &[3.0; 3])]);
        assert_eq!(
            (worse.low, worse.at, worse.high),
            (Crossing::Below(10.0), Crossing::Below(10.0), Crossing::Below(10.0))
        );
        let equal = of(&[(10.0, &[1.0; 3]), (100.0, &[1.0, 1.1, 1.05])]);
        assert_eq!(equal.at, Crossing::Above(100.0), "1.1 itself is within the limit");
        let open = of(&[(10.0, &[1.0, 1.05, 1.2]), (100.0, &[1.0, 1.05, 1.2])]);
        assert_eq!(
            (open.low, open.at, open.high),
            (Crossing::Below(10.0), Crossing::Above(100.0), Crossing::Above(100.0))
        );
    }

    #[test]
    fn a_ratio_that_comes_back_is_told() {
        let found = of(&[(10.0, &[1.0; 3]), (100.0, &[1.5; 3]), (1000.0, &[1.05; 3]), (5000.0, &[2.0; 3])]);
        assert!(number(found.at) < 100.0);
        assert_eq!(found.returns, [1000.0]);
    }
}
