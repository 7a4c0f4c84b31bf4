//! A waiting GET: a thread that blocks.

use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;

use super::Server;
use super::door::Visit;
use super::view::unavailable;
use crate::config::PAGE_LIMIT;
use crate::room::{After, Outcome, SubscriberId, Subscription, Wake};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::Poll;

/// Waits for what the poll asks for, and renders it.
pub fn poll(server: &Server, poll: &Poll, visit: &Visit) -> Result<Reply, Refusal> {
    // Who does not wait takes nobody's place.
    let _seat = if poll.hold.is_zero() { None } else { Some(server.door.admit()?) };
    let outcome = next_page(server, poll, poll.after.unwrap_or(After::Latest), poll.hold, visit)?;
    reply::polled(poll, &outcome)
}

/// Waits for something that the client wants, wherever it is kept.
pub fn next_page(
    server: &Server,
    poll: &Poll,
    mut after: After,
    hold: Duration,
    visit: &Visit,
) -> Result<Outcome, Refusal> {
    let deadline = Instant::now() + hold;
    loop {
        let page = match wait(server, poll, after, deadline, visit)? {
            Wake::Page(page) => page,
            Wake::Stored(missed) => {
                let from = missed.after.unwrap_or(0);
                let messages = server.rooms.store().after(&poll.room, from, PAGE_LIMIT);
                missed.page(messages.map_err(unavailable)?)
            }
            Wake::Expired(next) => return Ok(Outcome::Expired(next)),
            Wake::Closing(next) => return Ok(Outcome::Closing(next)),
        };
        if page.is_worth_telling(poll.wants()) {
            return Ok(Outcome::Page(page));
        }
        after = After::Cursor(page.next);
    }
}

/// Subscribes, and blocks until the room answers or the time is up.
fn wait(
    server: &Server,
    poll: &Poll,
    after: After,
    deadline: Instant,
    visit: &Visit,
) -> Result<Wake, Refusal> {
    let room = server.rooms.whereis(&poll.room)?;
    let id = SubscriberId::fresh();
    let wake = room.subscribe(id, Subscription { after, wants: poll.wants(), name: poll.name.clone() });
    visit.waits(&room, id);
    let woken = match wake.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Err(RecvTimeoutError::Timeout) => {
            // The room has the last word: a message may just be on its way into the channel.
            room.unsubscribe(id);
            wake.recv().map_err(|_| Refusal::TryAgain)
        }
        woken => woken.map_err(|_| Refusal::TryAgain),
    };
    visit.waits_no_more(id);
    woken
}
