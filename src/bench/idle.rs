//! Idle: all wait and nothing is published, which shows what a waiter costs.

use std::time::Duration;

use super::error::Error;
use super::session::{Session, bar};

/// Holds the waiters for as long as asked.
pub fn run(session: &mut Session<'_>) -> Result<(), Error> {
    let seconds = session.args.seconds;
    let bar = bar("idle", seconds);
    for _ in 0..seconds {
        session.rest(Duration::from_secs(1))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}
