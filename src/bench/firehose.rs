//! Firehose: each publisher sends its next message when the last is answered, as fast as that
//! goes, while all followers follow `next`.

use std::time::{Instant, SystemTime};

use super::error::Error;
use super::live::Live;
use super::session::Session;

/// Publishes everything, and waits until every waiter has seen it, or until nothing comes for too long.
pub fn run(session: &mut Session<'_>) -> Result<(), Error> {
    let each = session.args.messages;
    let mut sent = vec![0; session.plan.publishers];
    let total = each * sent.len();
    let mut live = Live::new("firehose", (total * session.tally.waiters()) as u64, "deliveries a second");
    let mut deadline = Instant::now() + session.patience();
    let mut before = (0, 0);
    loop {
        for (publisher, sent) in sent.iter_mut().enumerate() {
            if *sent < each && session.publishers.is_free(publisher) {
                session.publish(publisher, SystemTime::now());
                *sent += 1;
            }
        }
        let now = (session.tally.acknowledged(), session.tally.deliveries());
        live.set_position(now.1);
        live.count(now.1, Some(&session.waiters.delivery));
        if now != before {
            before = now;
            deadline = Instant::now() + session.patience();
        }
        let all_sent = sent.iter().all(|&sent| sent == each) && session.publishers.all_free();
        if all_sent && session.tally.all_saw_all() {
            break;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        session.turn(left)?;
    }
    Ok(())
}
