//! A stream of events: a long poll that the thread itself asks for again.
//!
//! While it writes it is not subscribed, so a slow reader holds up nothing but its own thread: it comes
//! back to the room by its cursor, like everybody else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::poll::next_delivery;
use super::room::Rooms;
use crate::config::STREAM_BEAT;
use crate::door::answer::own_bytes;
use crate::door::gate::Seat;
use crate::door::tiny_http::{Answer, EventWriter, Visit};
use crate::room::{After, Outcome};
use crate::wire::refusal::Refusal;
use crate::wire::reply;
use crate::wire::request::Poll;

/// A stream that may begin.
struct Stream {
    rooms: Arc<Rooms>,
    poll: Poll,
    first: Outcome,
    _seat: Seat,
}

/// Looks at the room once, so that what is refused has a status of its own.
pub fn open(rooms: &Arc<Rooms>, poll: Poll, visit: &Visit) -> Result<Answer, Refusal> {
    let seat = visit.admit()?;
    // A look alone would leave it asleep.
    let _awake = rooms.whereis(&poll.room)?;
    let after = poll.after.unwrap_or(After::Latest);
    let first = next_delivery(rooms, &poll, after, Duration::ZERO, visit)?;
    if matches!(first, Outcome::Closing(_)) {
        return Err(Refusal::Closing);
    }
    let bytes = own_bytes(first.messages());
    let stream = Stream { rooms: rooms.clone(), poll, first, _seat: seat };
    Ok(Answer::Stream { bytes, stream: Box::new(|visit, events| stream.send(visit, events)) })
}

impl Stream {
    /// Sends events until the client is gone, or too slow, or the server closes.
    fn send(self, visit: &Visit, events: &mut EventWriter) -> io::Result<()> {
        let Stream { rooms, poll, first, _seat } = self;
        let (start, mut next) = reply::stream_start(&first);
        events.send(own_bytes(first.messages()), start)?;
        drop(first);
        loop {
            match next_delivery(&rooms, &poll, After::Cursor(next), STREAM_BEAT, visit) {
                Ok(Outcome::Delivery(delivery)) => {
                    events.send(own_bytes(&delivery.messages), reply::stream_delivery(&delivery))?;
                    next = delivery.next;
                }
                // Another request stands behind it on its connection, or nobody listens any more.
                Ok(Outcome::Expired(_)) if visit.is_followed() => return Ok(()),
                Ok(Outcome::Expired(latest)) => {
                    events.send(0, [reply::stream_beat(latest)])?;
                    next = latest;
                }
                // Its client comes back, and is told why if that is refused.
                Ok(Outcome::Closing(_)) | Err(_) => return Ok(()),
            }
        }
    }
}
