//! A stream of events: a long poll that the thread itself asks for again.
//!
//! While it writes it is not subscribed, so a slow reader holds up nothing but its own thread: it comes
//! back to the rooms by its cursor, like everybody else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::room::Rooms;
use super::several::{next_deliveries, starts};
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
    first: Vec<Outcome>,
    seat: Seat,
}

/// Looks at the rooms once, so that what is refused has a status of its own.
pub fn open(rooms: &Arc<Rooms>, poll: Poll, visit: &Visit) -> Result<Answer, Refusal> {
    let seat = visit.admit(Duration::MAX)?;
    // A look alone would leave them asleep.
    let _awake = poll.rooms.iter().map(|room| rooms.whereis(room)).collect::<Result<Vec<_>, _>>()?;
    let after = starts(rooms, &poll)?;
    let first = next_deliveries(rooms, &poll, after, Duration::ZERO, visit)?;
    if first.iter().any(Outcome::is_closing) {
        return Err(Refusal::Closing);
    }
    let feed = Feed::of(&poll);
    let (head, bytes) = (feed.head(), bytes_of(&first));
    let stream = Stream { rooms: rooms.clone(), poll, feed, first, seat };
    Ok(Answer::Stream { head, bytes, stream: Box::new(|visit, events| stream.send(visit, events)) })
}

impl Stream {
    /// Sends events until the client is gone, or too slow, or the server closes.
    fn send(self, visit: &Visit, events: &mut EventWriter) -> io::Result<()> {
        let Stream { rooms, poll, mut feed, first: mut outcomes, seat } = self;
        loop {
            events.send(bytes_of(&outcomes), feed.pieces(&outcomes))?;
            if feed.is_over() {
                return Ok(());
            }
            let after = outcomes.iter().map(|outcome| After::Cursor(outcome.next())).collect();
            // While nothing comes, nothing is held for this client.
            drop(outcomes);
            // If it is refused, its client comes back and is told why.
            let Ok(next) = next_deliveries(&rooms, &poll, after, poll.beat(), visit) else { return Ok(()) };
            if visit.caller().must_ask_again() {
                return Ok(());
            }
            let is_silent = !next.iter().any(Outcome::is_delivery);
            seat.hears(!is_silent);
            // Another request stands behind it on its connection, or nobody listens any more.
            if is_silent && (visit.is_followed() || next.iter().any(Outcome::is_closing)) {
                return Ok(());
            }
            outcomes = next;
        }
    }
}

fn bytes_of(outcomes: &[Outcome]) -> usize {
    outcomes.iter().map(|outcome| own_bytes(outcome.messages())).sum()
}
