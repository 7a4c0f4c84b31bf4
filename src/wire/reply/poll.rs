//! Answers to a wait.

use std::sync::Arc;

use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use crate::config::{REPLY_BYTES, REPLY_MESSAGES};
use crate::message::{Cursor, Message, RoomName};
use crate::room::{Delivery, Outcome};
use crate::wire::path::room_path;
use crate::wire::refusal::Refusal;
use crate::wire::request::{Format, Poll};

/// The answer to a poll.
pub fn polled(poll: &Poll, outcome: &Outcome) -> Result<Reply, Refusal> {
    match outcome {
        Outcome::Delivery(delivery) => Ok(delivered(poll, delivery)),
        Outcome::Expired(next) => Ok(nothing(poll, *next, false)),
        // Without a cursor the client would miss what comes until it is back, so this is no `404`.
        Outcome::Closing(_) if poll.after.is_none() => Err(Refusal::Closing),
        Outcome::Closing(next) => Ok(nothing(poll, *next, false)),
    }
}

fn delivered(poll: &Poll, delivery: &Delivery) -> Reply {
    match poll.format {
        Format::Json => {
            let messages = clip(&delivery.messages);
            let next = messages.last().map_or(delivery.next, |m| m.id);
            in_json(200, poll, messages.iter().map(AsRef::as_ref), next, delivery.gap)
        }
        _ => match delivery.messages.iter().find(|m| poll.wants().includes(m)) {
            Some(message) => plain_message(poll, message, delivery.gap),
            // A gap with no message after it: the loss is announced at once.
            None => nothing(poll, delivery.next, delivery.gap),
        },
    }
}

fn plain_message(poll: &Poll, message: &Message, gap: bool) -> Reply {
    let reply = Reply::new(200, PLAIN, message.text.as_bytes().to_vec());
    confirm(poll, with_cursor(reply, poll, message.id).with_gap(gap))
}

/// The answer when nothing came: `204`, or `404` for a poll without a cursor.
fn nothing(poll: &Poll, next: Cursor, gap: bool) -> Reply {
    match (poll.after, poll.format) {
        (None, Format::Json) => in_json(404, poll, [], next, gap),
        // The body is empty: a script must not take a sentence for a message.
        (None, _) => confirm(poll, with_cursor(Reply::new(404, PLAIN, &[][..]), poll, next).with_gap(gap)),
        (Some(_), _) => confirm(poll, with_cursor(Reply::empty(204), poll, next).with_gap(gap)),
    }
}

fn confirm(poll: &Poll, reply: Reply) -> Reply {
    if poll.preferred {
        reply.with("Preference-Applied", format!("wait={}", poll.hold.as_secs()))
    } else {
        reply
    }
}

fn in_json<'a>(
    status: u16,
    poll: &Poll,
    messages: impl IntoIterator<Item = &'a Message>,
    next: Cursor,
    gap: bool,
) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        room: &'a RoomName,
        messages: Vec<&'a Message>,
        next: Cursor,
        gap: bool,
    }
    let body = Body { room: &poll.room, messages: messages.into_iter().collect(), next, gap };
    confirm(poll, with_cursor(Reply::new(status, JSON, json(&body)), poll, next).with_gap(gap))
}

/// Adds the cursor to go on from, which every answer to a poll has.
fn with_cursor(reply: Reply, poll: &Poll, next: Cursor) -> Reply {
    let (path, kept) = (room_path(&poll.room), &poll.kept);
    reply
        .with("Link", format!("<{path}?after={next}{kept}>; rel=\"next\""))
        .with("Chat-Cursor", next.to_string())
}

/// The oldest messages, as many as one reply carries.
fn clip(messages: &[Arc<Message>]) -> &[Arc<Message>] {
    let mut bytes = 0;
    let fits = |m: &&Arc<Message>| {
        bytes += m.text.len();
        bytes <= REPLY_BYTES
    };
    let count = messages.iter().take(REPLY_MESSAGES).take_while(fits).count().max(1).min(messages.len());
    &messages[..count]
}
