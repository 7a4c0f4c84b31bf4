//! Publish: messages at a steady rate, whether or not the server keeps up.
//!
//! The loop is open: each message has its time, and its latency counts from that time even when no
//! connection was free to send it. A server that stalls is not spared the messages that it delays
//! (no coordinated omission).

use std::time::{Duration, Instant, SystemTime};

use super::error::Error;
use super::live::Live;
use super::session::Session;
use crate::config::{BENCH_NAP, PUBLISH_RATE};

/// Sends at the rate for as long as asked, then waits for what is still under way.
pub fn run(session: &mut Session<'_>) -> Result<(), Error> {
    let rate = session.args.rate.unwrap_or(PUBLISH_RATE);
    let total = (rate * session.args.seconds as f64).round() as usize;
    let mut live = Live::new("publish", total as u64, "ms, the longest of a moment");
    let (start, clock) = (Instant::now(), SystemTime::now());
    let mut sent = 0;
    while sent < total {
        live.time(&mut session.waiters.slowest, Some(&session.waiters.delivery));
        let due = Duration::from_secs_f64(sent as f64 / rate);
        let wait = due.saturating_sub(start.elapsed());
        match session.publishers.free() {
            Some(publisher) if wait.is_zero() => {
                session.publish(publisher, clock + due);
                sent += 1;
                live.set_position(sent);
            }
            Some(_) if wait < Duration::from_millis(1) => {
                std::thread::sleep(wait.min(BENCH_NAP));
                session.turn(Duration::ZERO)?;
            }
            Some(_) => {
                session.turn(Duration::from_millis(wait.as_millis() as u64))?;
            }
            None => {
                if !session.turn(session.patience())? {
                    return Err(Error::Stalled(session.patience()));
                }
            }
        }
    }
    drop(live);
    let deadline = Instant::now() + session.patience();
    while !session.publishers.all_free() || !session.tally.all_saw_all() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        session.turn(left)?;
    }
    Ok(())
}
