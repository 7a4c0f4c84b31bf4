//! A stream of events: a long poll that the thread itself asks for again.
//!
//! While it writes it is not subscribed, so a slow reader holds up nothing but its own thread: it comes
//! back to the room by its cursor, like everybody else.

use std::io;
use std::time::Duration;

use super::Server;
use super::poll::next_page;
use crate::config::STREAM_BEAT;
use crate::door::tiny_http::{EventWriter, Seat, Visit};
use crate::room::{After, Outcome};
use crate::wire::refusal::Refusal;
use crate::wire::reply;
use crate::wire::request::Poll;

/// A stream that may begin.
pub struct Stream<'a> {
    poll: Poll,
    first: Outcome,
    _seat: Seat<'a>,
}

/// Looks at the room once, so that what is refused has a status of its own.
pub fn open<'a>(server: &'a Server, poll: Poll, visit: &Visit) -> Result<Stream<'a>, Refusal> {
    let seat = server.door.admit()?;
    // A look alone would leave it asleep.
    let _awake = server.rooms.whereis(&poll.room)?;
    match next_page(server, &poll, poll.after.unwrap_or(After::Latest), Duration::ZERO, visit)? {
        Outcome::Closing(_) => Err(Refusal::Closing),
        first => Ok(Stream { poll, first, _seat: seat }),
    }
}

/// Sends events until the client is gone, or too slow, or the server closes.
pub fn send(server: &Server, stream: Stream<'_>, visit: &Visit, mut events: EventWriter) -> io::Result<()> {
    let Stream { poll, first, _seat } = stream;
    let (start, mut next) = reply::stream_start(&first);
    for piece in start {
        events.send(&piece)?;
    }
    drop(first);
    loop {
        match next_page(server, &poll, After::Cursor(next), STREAM_BEAT, visit) {
            Ok(Outcome::Page(page)) => {
                for piece in reply::stream_page(&page) {
                    events.send(&piece)?;
                }
                next = page.next;
            }
            // Another request stands behind it on its connection.
            Ok(Outcome::Expired(_)) if visit.is_followed() => return events.finish(),
            Ok(Outcome::Expired(latest)) => {
                events.send(&reply::stream_beat(latest))?;
                next = latest;
            }
            // Its client comes back, and is told why if that is refused.
            Ok(Outcome::Closing(_)) | Err(_) => return events.finish(),
        }
    }
}
