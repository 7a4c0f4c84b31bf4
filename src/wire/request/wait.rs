//! How long a client wants to wait.

use std::time::Duration;

use super::head::Head;
use crate::config::{HOLD_MAX, HOLD_SPREAD};

/// Parses a number of seconds in plain decimal notation. More than [`HOLD_MAX`] becomes [`HOLD_MAX`].
pub(super) fn seconds(text: &str) -> Option<Duration> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let wait: f64 = text.parse().ok()?;
    Some(Duration::from_secs_f64(wait.min(HOLD_MAX.as_secs_f64())))
}

/// `Prefer: wait=N` (RFC 7240). A malformed preference is ignored, as the RFC asks. More than [`HOLD_MAX`]
/// becomes [`HOLD_MAX`].
pub(super) fn preferred(head: &Head<'_>) -> Option<Duration> {
    let preferences = head.header_values("Prefer").flat_map(|value| value.split([',', ';']));
    let wait = |preference: &str| {
        let (name, value) = preference.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("wait") {
            return None;
        }
        value.trim().trim_matches('"').parse().ok()
    };
    let seconds = preferences.filter_map(wait).next()?;
    Some(Duration::from_secs(seconds).min(HOLD_MAX))
}

/// A time at random, up to an eighth shorter than this one. So those who began to wait at once do not all end
/// at once.
pub(super) fn spread(time: Duration) -> Duration {
    time.mul_f64(1.0 - HOLD_SPREAD * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_end_between_seven_eighths_and_all_of_their_time() {
        let whole = Duration::from_secs(8);
        let times: Vec<Duration> = (0..1_000).map(|_| spread(whole)).collect();
        assert!(times.iter().all(|time| (7.0..=8.0).contains(&time.as_secs_f64())));
        // Each tenth of the range has some of them.
        for tenth in 0..10 {
            let from = 7.0 + f64::from(tenth) / 10.0;
            let within = times.iter().filter(|time| (from..from + 0.1).contains(&time.as_secs_f64()));
            assert!(within.count() > 20, "few waits end {from} s after they began");
        }
    }

    #[test]
    fn no_wait_stays_no_wait() {
        assert_eq!(spread(Duration::ZERO), Duration::ZERO);
    }
}
