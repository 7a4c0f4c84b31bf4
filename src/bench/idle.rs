//! Idle: all wait and nothing is published, which shows what a waiter costs.

use std::time::Duration;

use super::error::Error;
use super::live::Live;
use super::session::Session;

/// Holds the waiters for as long as asked.
pub fn run(session: &mut Session<'_>) -> Result<(), Error> {
    let seconds = session.args.seconds;
    let mut live = Live::new("idle", seconds, "waits that ended, a second");
    for second in 0..seconds {
        session.rest(Duration::from_secs(1))?;
        live.set_position(second as usize + 1);
        live.count(session.waiters.timeouts, None);
    }
    Ok(())
}
