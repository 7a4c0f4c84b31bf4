//! How long things took: recorded in nanoseconds, reported in microseconds.

use std::fmt;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use serde::Serialize;

/// A distribution of times in ns, to three digits, from 1 ns to an hour.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("the bounds are in order")
}

/// Records the time from `due` to `at`, and tells it.
pub fn record(histogram: &mut Histogram<u64>, at: SystemTime, due: SystemTime) -> Duration {
    let latency = at.duration_since(due).unwrap_or_default();
    histogram.saturating_record(latency.as_nanos() as u64);
    latency
}

/// A distribution for a report, in microseconds.
#[derive(Debug, Serialize)]
pub struct Latency {
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Latency {
    /// `None` when nothing was timed.
    pub fn of(nanoseconds: &Histogram<u64>) -> Option<Latency> {
        let at = |quantile| nanoseconds.value_at_quantile(quantile) as f64 / 1000.0;
        (!nanoseconds.is_empty()).then(|| Latency {
            mean: nanoseconds.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: nanoseconds.max() as f64 / 1000.0,
        })
    }
}

impl Latency {
    /// The two that matter most.
    pub fn in_short(&self) -> String {
        format!("p50 {:.2}  p99 {:.2} ms", self.p50 / 1000.0, self.p99 / 1000.0)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |microseconds: f64| microseconds / 1000.0;
        write!(
            f,
            "p50 {:.2}  p90 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2} ms",
            ms(self.p50),
            ms(self.p90),
            ms(self.p99),
            ms(self.p999),
            ms(self.max)
        )
    }
}
