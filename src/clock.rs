//! The clock that nobody sets, for what is counted in elapsed time.

use std::sync::OnceLock;
use std::time::Instant;

use crate::message::Timestamp;

/// What time it is, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For people to read. It may be set, on and back.
    pub wall: Timestamp,
    /// For what has to elapse.
    pub clock: Instant,
}

impl Now {
    /// Reads them.
    pub fn read() -> Now {
        Now { wall: Timestamp::now(), clock: Instant::now() }
    }
}

/// The time of day at this process's first look, and what has passed since.
///
/// It is near the time of day, so that a stamp means something to the next process; but within one process
/// it goes on evenly, whoever sets the machine's clock on or back.
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
}
