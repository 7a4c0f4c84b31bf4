//! Time: the wall clock, which people read, and a clock that nobody can set.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

/// A time by the wall clock: milliseconds since 1970 UTC, shown as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The wall clock, now.
    pub fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(since.as_millis() as u64)
    }

    /// The time from this to `later`; zero if this is later.
    pub fn until(self, later: Timestamp) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(self.0)).fmt(f)
    }
}

/// Reads a time of UTC since 1970 as RFC 3339 has it, to the millisecond: `2023-11-14T22:13:20.042Z`.
impl FromStr for Timestamp {
    type Err = humantime::TimestampError;

    fn from_str(text: &str) -> Result<Timestamp, Self::Err> {
        let since = humantime::parse_rfc3339(text)?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Timestamp(since.as_millis() as u64))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The time by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For people. Somebody may set it forward or back.
    pub wall: Timestamp,
    /// For durations. Nobody can set it.
    pub clock: Instant,
}

impl Now {
    /// Reads both clocks.
    pub fn read() -> Now {
        Now { wall: Timestamp::now(), clock: Instant::now() }
    }
}

/// The wall clock at this process's first look, plus the time that has passed since.
///
/// It is near the wall clock, so the next process can compare its own times with it. Within one process it
/// runs evenly, even if somebody sets the machine's clock.
pub fn steady() -> Timestamp {
    static FIRST_LOOK: OnceLock<(Timestamp, Instant)> = OnceLock::new();
    let (began, at) = FIRST_LOOK.get_or_init(|| (Timestamp::now(), Instant::now()));
    Timestamp(began.0 + at.elapsed().as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_from_the_time_of_day() {
        let (before, first, second) = (Timestamp::now(), steady(), steady());
        assert!(first <= second);
        assert!(before.until(first).as_secs() < 10 && first.until(before).as_secs() < 10);
    }

    #[test]
    fn a_time_is_shown_in_milliseconds_of_utc() {
        assert_eq!(Timestamp(1_700_000_000_042).to_string(), "2023-11-14T22:13:20.042Z");
        assert_eq!("2023-11-14T22:13:20.042Z".parse(), Ok(Timestamp(1_700_000_000_042)));
    }
}
