//! Server-sent events.

use std::fmt::Write;
use std::iter;

use super::parts::Reply;
use crate::config::{EVENTS_BYTES, STREAM_RETRY};
use crate::message::Cursor;
use crate::room::{Delivery, Outcome};

/// The head of a stream. The length of its body is not known.
pub fn stream() -> Reply {
    // Otherwise nginx keeps events until its buffer is full.
    Reply::new(200, "text/event-stream; charset=utf-8", &[][..]).with("X-Accel-Buffering", "no")
}

/// The beginning of a stream, in pieces, and the cursor to go on from. It holds the messages that are there
/// already, or a [beat](stream_beat) if there are none.
///
/// `retry:` says when to come back if the connection is lost. It is a part of the first event, since some
/// clients take a block of its own for an event without data.
pub fn stream_start(first: &Outcome) -> (impl Iterator<Item = String>, Cursor) {
    let retry = fastrand::u32(STREAM_RETRY);
    let (beat, delivery, next) = match first {
        Outcome::Delivery(delivery) => (None, Some(delivery), delivery.next),
        Outcome::Expired(next) | Outcome::Closing(next) => (Some(stream_beat(*next)), None, *next),
    };
    let mut pieces = beat.into_iter().chain(delivery.into_iter().flat_map(stream_delivery));
    let start = pieces.next().map(|piece| format!("retry: {retry}\n{piece}"));
    (start.into_iter().chain(pieces), next)
}

/// Messages as events, in pieces.
pub fn stream_delivery(delivery: &Delivery) -> impl Iterator<Item = String> {
    let gap = delivery.gap.then(|| "event: gap\ndata: {\"gap\":true}\n\n".to_owned());
    let mut messages = delivery.messages.iter();
    gap.into_iter().chain(iter::from_fn(move || {
        let mut piece = String::new();
        while piece.len() < EVENTS_BYTES
            && let Some(message) = messages.next()
        {
            let data = serde_json::to_string(&**message).expect("plain data is written to memory");
            let _ = write!(piece, "id: {}\nevent: {}\ndata: {data}\n\n", message.id, message.kind.as_str());
        }
        (!piece.is_empty()).then_some(piece)
    }))
}

/// The event of a silent stream. It shows a script that the connection is alive, and gives it a fresh
/// cursor.
pub fn stream_beat(next: Cursor) -> String {
    format!("id: {next}\nevent: beat\ndata: {{}}\n\n")
}
