//! Pauses and warnings for something that fails again and again: the pauses grow, the warnings are few.

use std::time::{Duration, Instant};

use crate::config::{CALM, SAID_EVERY};

/// How often one thing fails, and when to try again. It reads no clock.
#[derive(Debug, Clone)]
pub struct Pace {
    first: Duration,
    last: Duration,
    /// When it last failed, and how long the pause after that was.
    failed: Option<(Instant, Duration)>,
    /// When the log last said so.
    said: Option<Instant>,
    /// How often it has failed since then.
    unsaid: u64,
}

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// How long to wait before the next try.
    pub pause: Duration,
    /// If the log should say so: how often it has failed since it last did, with this time.
    pub times: Option<u64>,
}

impl Pace {
    /// The pauses start with the first and double up to the last.
    pub fn new(first: Duration, last: Duration) -> Pace {
        Pace { first, last, failed: None, said: None, unsaid: 0 }
    }

    /// Counts a failure.
    pub fn fails(&mut self, now: Instant) -> Failure {
        let pause = match self.failed {
            Some((at, pause)) if now.saturating_duration_since(at) < pause + CALM => {
                (pause * 2).min(self.last)
            }
            _ => self.first,
        };
        self.failed = Some((now, pause));
        self.unsaid += 1;
        let is_said = self.said.is_none_or(|said| now.saturating_duration_since(said) >= SAID_EVERY);
        let times = is_said.then(|| std::mem::take(&mut self.unsaid));
        if is_said {
            self.said = Some(now);
        }
        Failure { pause, times }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace::new(Duration::from_millis(20), Duration::from_secs(2))
    }

    /// Accepting failed at the limit of files, then one client left and one was accepted, and so on for
    /// hours: every pause was the first one of 20 ms again, and every failure was a line in the log.
    #[test]
    fn what_fails_again_and_again_is_tried_less_often_and_said_once_a_minute() {
        let mut pace = pace();
        let start = Instant::now();
        let mut now = start;
        let (mut failures, mut said) = (0, Vec::new());
        while now < start + Duration::from_secs(600) {
            let failure = pace.fails(now);
            failures += 1;
            said.extend(failure.times.map(|times| (now - start, times)));
            now += failure.pause;
        }
        assert!((300..320).contains(&failures), "{failures} tries in ten minutes");
        assert_eq!(said.len(), 10, "{said:?}");
        assert_eq!(said[0], (Duration::ZERO, 1));
        assert!(said.windows(2).all(|pair| pair[1].0 - pair[0].0 >= SAID_EVERY), "{said:?}");
        assert!(said[1..].iter().all(|(_, times)| *times >= 29), "{said:?}");
    }

    #[test]
    fn after_a_calm_a_failure_is_a_first_one() {
        let mut pace = pace();
        let start = Instant::now();
        assert_eq!(pace.fails(start), Failure { pause: Duration::from_millis(20), times: Some(1) });
        assert_eq!(pace.fails(start), Failure { pause: Duration::from_millis(40), times: None });
        let later = start + Duration::from_secs(11);
        assert_eq!(pace.fails(later), Failure { pause: Duration::from_millis(20), times: None });
        let much_later = start + Duration::from_secs(75);
        assert_eq!(pace.fails(much_later), Failure { pause: Duration::from_millis(20), times: Some(3) });
    }
}
