//! A stream of events: a long poll that the task itself asks for again.
//!
//! While it writes it is not subscribed, so a slow reader holds up nothing but its own task: it comes
//! back to the room by its cursor, like everybody else.

use std::time::Duration;

use super::Server;
use super::poll::next_page;
use crate::config::STREAM_BEAT;
use crate::door::hyper::{EventWriter, Seat, Visit};
use crate::room::{After, Outcome};
use crate::wire::refusal::Refusal;
use crate::wire::reply;
use crate::wire::request::Poll;

/// A stream that may begin.
pub struct Stream {
    poll: Poll,
    first: Outcome,
    _seat: Seat,
}

/// Looks at the room once, so that what is refused has a status of its own.
pub async fn open(server: &Server, poll: Poll, visit: &Visit) -> Result<Stream, Refusal> {
    let seat = server.door.admit()?;
    // A look alone would leave it asleep.
    let _awake = server.rooms.whereis(&poll.room)?;
    match next_page(server, &poll, poll.after.unwrap_or(After::Latest), Duration::ZERO, visit).await? {
        Outcome::Closing(_) => Err(Refusal::Closing),
        first => Ok(Stream { poll, first, _seat: seat }),
    }
}

/// Sends events until the client is gone, or too slow, or the server closes.
pub async fn send(server: &Server, stream: Stream, visit: &Visit, mut events: EventWriter) {
    let Stream { poll, first, _seat } = stream;
    let (start, mut next) = reply::stream_start(&first);
    for piece in start {
        events.send(&piece).await;
    }
    drop(first);
    visit.holds_no_more();
    loop {
        match next_page(server, &poll, After::Cursor(next), STREAM_BEAT, visit).await {
            Ok(Outcome::Page(page)) => {
                for piece in reply::stream_page(&page) {
                    events.send(&piece).await;
                }
                visit.holds_no_more();
                next = page.next;
            }
            // Another request stands behind it on its connection, or nobody listens any more.
            Ok(Outcome::Expired(_)) if visit.is_followed() => return,
            Ok(Outcome::Expired(latest)) => {
                events.send(&reply::stream_beat(latest)).await;
                next = latest;
            }
            // Its client comes back, and is told why if that is refused.
            Ok(Outcome::Closing(_)) | Err(_) => return,
        }
    }
}
