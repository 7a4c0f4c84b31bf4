//! What the server took over the time of a soak, and whether that stayed flat.

use std::time::Duration;

use serde::Serialize;

use super::super::process::Usage;
use crate::config::{SOAK_GROWTH, SOAK_SPARE_COUNT, SOAK_SPARE_MEMORY};

/// The server at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    /// Seconds since the first visitors came.
    pub at: f64,
    /// How many are there.
    pub visitors: usize,
    /// Resident memory, in bytes.
    pub resident: u64,
    /// Threads.
    pub threads: u64,
    /// Open files.
    pub fds: u64,
}

impl Sample {
    /// What the server takes now.
    pub fn new(at: Duration, visitors: usize, usage: &Usage) -> Sample {
        let Usage { resident, threads, fds, .. } = *usage;
        Sample { at: at.as_secs_f64(), visitors, resident, threads, fds }
    }
}

/// One figure at the beginning and at the end: medians of the second and of the last fifth of the time.
#[derive(Debug, Clone, Serialize)]
pub struct Trend {
    pub figure: &'static str,
    pub early: u64,
    pub late: u64,
    pub flat: bool,
}

/// What became of memory, threads and files. None for a run with too few samples.
pub fn trends(samples: &[Sample]) -> Vec<Trend> {
    let fifth = samples.len() / 5;
    if fifth == 0 {
        return Vec::new();
    }
    let trend = |figure, read: fn(&Sample) -> u64, spare| {
        let early = median(&samples[fifth..2 * fifth], read);
        let late = median(&samples[samples.len() - fifth..], read);
        let flat = late <= (early as f64 * SOAK_GROWTH) as u64 + spare;
        Trend { figure, early, late, flat }
    };
    vec![
        trend("resident", |sample| sample.resident, SOAK_SPARE_MEMORY),
        trend("threads", |sample| sample.threads, SOAK_SPARE_COUNT),
        trend("files", |sample| sample.fds, SOAK_SPARE_COUNT),
    ]
}

fn median(samples: &[Sample], read: fn(&Sample) -> u64) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(read).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown_by(each: u64) -> Vec<Trend> {
        let sample = |at: u64| Sample {
            at: at as f64,
            visitors: 9,
            resident: 100_000_000 + at * each,
            threads: 2000,
            fds: 2000,
        };
        trends(&(0..100).map(sample).collect::<Vec<_>>())
    }

    #[test]
    fn what_goes_on_growing_is_not_flat() {
        assert!(grown_by(0).iter().all(|trend| trend.flat));
        assert!(!grown_by(1_000_000)[0].flat);
        assert!(grown_by(1_000_000)[1].flat);
    }

    #[test]
    fn a_short_run_has_no_trend() {
        assert!(trends(&[]).is_empty());
    }
}
