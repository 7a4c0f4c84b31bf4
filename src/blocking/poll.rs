//! A waiting GET: a thread that blocks.

use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Server;
use super::door::Visit;
use crate::config::PAGE_LIMIT;
use crate::room::{After, Page, SubscriberId, Wake};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::Poll;

/// Waits for what the poll asks for, and renders it.
pub fn poll(server: &Server, poll: &Poll, visit: &Visit<'_>) -> Result<Reply, Refusal> {
    // Who does not wait takes nobody's place.
    let _seat = if poll.hold.is_zero() { None } else { Some(server.door.admit(visit)?) };
    let deadline = Instant::now() + poll.hold;
    let mut after = poll.after.unwrap_or(After::Latest);
    let mut gap = false;
    loop {
        let mut page = match wait(server, poll, after, deadline, visit)? {
            Wake::Page(page) => page,
            Wake::Stored(missed) => {
                let from = missed.after.unwrap_or(0);
                let messages = server.rooms.store().after(&poll.room, from, PAGE_LIMIT);
                missed.page(messages.map_err(|error| Refusal::StoreUnavailable(error.to_string()))?)
            }
            Wake::Expired(next) => return Ok(reply::nothing(poll, next, gap)),
            Wake::Closing(_) if poll.after.is_none() => return Err(Refusal::Closing),
            Wake::Closing(next) => return Ok(reply::nothing(poll, next, gap)),
        };
        page.gap |= gap;
        if is_worth_telling(poll, &page) {
            return Ok(reply::page(poll, &page));
        }
        (after, gap) = (After::Cursor(page.next), page.gap);
    }
}

/// Subscribes, and blocks until the room answers or the time is up.
fn wait(
    server: &Server,
    poll: &Poll,
    after: After,
    deadline: Instant,
    visit: &Visit<'_>,
) -> Result<Wake, Refusal> {
    let room = server.rooms.whereis(&poll.room)?;
    let id = SubscriberId::fresh();
    let wake = room.subscribe(id, after, poll.wants());
    visit.waits(&room, id);
    let woken = match wake.recv_deadline(deadline) {
        Err(RecvTimeoutError::Timeout) => {
            // The room has the last word: a message may just be on its way into the channel.
            room.unsubscribe(id);
            last_word(&wake)
        }
        woken => woken.map_err(|_| Refusal::TryAgain),
    };
    visit.waits_no_more(id);
    woken
}

fn last_word(wake: &Receiver<Wake>) -> Result<Wake, Refusal> {
    wake.recv().map_err(|_| Refusal::TryAgain)
}

/// Whether there is anything in the page for this client. A gap is, by itself.
fn is_worth_telling(poll: &Poll, page: &Page) -> bool {
    page.gap || page.messages.iter().any(|message| poll.wants().includes(message))
}
