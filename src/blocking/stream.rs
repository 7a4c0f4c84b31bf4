//! A stream of events: a long poll that the thread itself asks for again.
//!
//! While it writes it is not subscribed, so a slow reader holds up nothing but its own thread: it comes
//! back to the room by its cursor, like everybody else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::poll::{next_delivery, start};
use super::room::Rooms;
use crate::door::answer::own_bytes;
use crate::door::gate::Seat;
use crate::door::tiny_http::{Answer, EventWriter, Visit};
use crate::room::{After, Outcome};
use crate::wire::refusal::Refusal;
use crate::wire::reply::Feed;
use crate::wire::request::Poll;

/// A stream that may begin.
struct Stream {
    rooms: Arc<Rooms>,
    poll: Poll,
    feed: Feed,
    first: Outcome,
    _seat: Seat,
}

/// Looks at the room once, so that what is refused has a status of its own.
pub fn open(rooms: &Arc<Rooms>, poll: Poll, visit: &Visit) -> Result<Answer, Refusal> {
    let seat = visit.admit()?;
    // A look alone would leave it asleep.
    let _awake = rooms.whereis(&poll.room)?;
    let after = start(rooms, &poll)?;
    let first = next_delivery(rooms, &poll, after, Duration::ZERO, visit)?;
    if matches!(first, Outcome::Closing(_)) {
        return Err(Refusal::Closing);
    }
    let feed = Feed::of(&poll);
    let (head, bytes) = (feed.head(), own_bytes(first.messages()));
    let stream = Stream { rooms: rooms.clone(), poll, feed, first, _seat: seat };
    Ok(Answer::Stream { head, bytes, stream: Box::new(|visit, events| stream.send(visit, events)) })
}

impl Stream {
    /// Sends events until the client is gone, or too slow, or the server closes.
    fn send(self, visit: &Visit, events: &mut EventWriter) -> io::Result<()> {
        let Stream { rooms, poll, mut feed, first: mut outcome, _seat } = self;
        loop {
            events.send(own_bytes(outcome.messages()), feed.pieces(&outcome))?;
            if feed.is_over() {
                return Ok(());
            }
            let after = After::Cursor(outcome.next());
            // While nothing comes, nothing is held for this client.
            drop(outcome);
            outcome = match next_delivery(&rooms, &poll, after, poll.beat(), visit) {
                // Another request stands behind it on its connection, or nobody listens any more.
                Ok(Outcome::Expired(_)) if visit.is_followed() => return Ok(()),
                // Its client comes back, and is told why if that is refused.
                Ok(Outcome::Closing(_)) | Err(_) => return Ok(()),
                Ok(outcome) => outcome,
            };
        }
    }
}
