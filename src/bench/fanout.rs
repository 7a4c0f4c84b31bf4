//! Fan-out: all wait, one message is published, all must see it and wait again.

use std::time::{Duration, Instant, SystemTime};

use hdrhistogram::Histogram;

use super::error::Error;
use super::latency::histogram;
use super::live::Live;
use super::session::Session;
use crate::config::STALLED_ROUNDS;

/// What a fan-out finds beside what every session records.
pub struct Outcome {
    /// How many messages were sent to all.
    pub rounds: usize,
    /// From the publish to the arrival at the last waiter, one for each round, in ns.
    pub last: Histogram<u64>,
}

/// Plays the rounds.
pub fn run(session: &mut Session<'_>) -> Result<Outcome, Error> {
    let rounds = session.args.rounds;
    let mut outcome = Outcome { rounds: 0, last: histogram() };
    let mut live = Live::new("fan-out", rounds as u64, "ms to the last waiter");
    let mut stalled = 0;
    while outcome.rounds < rounds && stalled < STALLED_ROUNDS {
        session.waiters.slowest = Duration::ZERO;
        let number = session.publish(0, SystemTime::now());
        let deadline = Instant::now() + session.patience();
        while !session.tally.all_saw(number) || !session.publishers.is_free(0) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                if !session.publishers.is_free(0) {
                    return Err(Error::Stalled(session.patience()));
                }
                stalled += 1;
                break;
            }
            session.turn(left)?;
        }
        outcome.last.saturating_record(session.waiters.slowest.as_nanos() as u64);
        outcome.rounds += 1;
        live.set_position(outcome.rounds);
        live.add(session.waiters.slowest.as_secs_f64() * 1e3, Some(&session.waiters.delivery));
        session.rest(session.pause())?;
    }
    Ok(outcome)
}
