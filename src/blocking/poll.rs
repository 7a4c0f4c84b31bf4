//! A waiting GET: a thread that blocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;

use super::Server;
use super::room::RoomHandle;
use super::view::unavailable;
use crate::config::PAGE_LIMIT;
use crate::door::tiny_http::Visit;
use crate::message::Cursor;
use crate::room::{self, After, Outcome, SubscriberId, Subscription, Wake};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::Poll;

/// Waits for what the poll asks for, and renders it.
pub fn poll(server: &Server, poll: &Poll, visit: &Visit) -> Result<Reply, Refusal> {
    // Who does not wait takes nobody's place.
    let _seat = if poll.hold.is_zero() { None } else { Some(server.door.admit()?) };
    let outcome = next_page(server, poll, poll.after.unwrap_or(After::Latest), poll.hold, visit)?;
    let _turn = match &outcome {
        Outcome::Page(page) => server.door.turn(&page.messages)?,
        _ => None,
    };
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
    let only_looks = hold.is_zero() && poll.name.is_none();
    loop {
        // Who only looks wakes nothing.
        let room =
            if only_looks { server.rooms.look(&poll.room)? } else { Some(server.rooms.whereis(&poll.room)?) };
        let woken = match room {
            Some(room) => wait(&room, poll, after, deadline, visit)?,
            None => look(server, poll, after)?,
        };
        let page = match woken {
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
    room: &Arc<RoomHandle>,
    poll: &Poll,
    after: After,
    deadline: Instant,
    visit: &Visit,
) -> Result<Wake, Refusal> {
    let id = SubscriberId::fresh();
    let wake = room.subscribe(id, Subscription { after, wants: poll.wants(), name: poll.name.clone() });
    visit.waits(room, id);
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

/// Looks at a room that sleeps.
fn look(server: &Server, poll: &Poll, after: After) -> Result<Wake, Refusal> {
    let store = server.rooms.store();
    let tail = store.newest(&poll.room, 0).map_err(unavailable)?;
    Ok(room::look(Cursor { epoch: store.epoch(), sequence: tail.latest }, after))
}
