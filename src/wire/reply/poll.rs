//! Answers to a wait.

use std::slice;

use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use super::told::Told;
use crate::config::REPLY_BYTES;
use crate::message::{Cursor, Kind, Message, PersonName, RoomName};
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
    let (messages, all) = taken(poll, delivery);
    match (poll.format, &messages[..]) {
        (Format::Json, _) => {
            // What was left out between is behind the client now.
            let last = messages.last().filter(|_| !all);
            in_json(200, poll, &messages, last.map_or(delivery.next, |last| last.id), delivery.gap)
        }
        (_, [message, ..]) => plain_message(poll, message, delivery.gap),
        // A gap with no message after it: the loss is announced at once.
        (_, []) => nothing(poll, delivery.next, delivery.gap),
    }
}

/// The oldest messages that the client wants, as many as one reply carries, and whether they are all.
fn taken<'a>(poll: &Poll, delivery: &'a Delivery) -> (Vec<&'a Message>, bool) {
    let (mut bytes, mut taken) = (0, Vec::new());
    for message in delivery.messages.iter().filter(|message| poll.wants.includes(message)) {
        bytes += message.text.len();
        if !taken.is_empty() && bytes > REPLY_BYTES || taken.len() == poll.wants.limit {
            return (taken, false);
        }
        taken.push(&**message);
    }
    (taken, true)
}

fn plain_message(poll: &Poll, message: &Message, gap: bool) -> Reply {
    let name = message.name.as_ref().map_or("somebody", PersonName::as_str);
    let (kind, text) = (message.kind.as_str(), &message.text);
    let reply = match message.kind {
        Kind::Message => Reply::new(200, PLAIN, text.as_bytes().to_vec()),
        Kind::Joined | Kind::Left => {
            Reply::new(200, PLAIN, format!("{name} {kind}").into_bytes()).with("Chat-Kind", kind)
        }
    };
    confirm(poll, with_cursor(reply, poll, message.id).with_gap(gap))
}

/// The answer when nothing came: `204`, or `404` for a poll without a cursor.
fn nothing(poll: &Poll, next: Cursor, gap: bool) -> Reply {
    match (poll.after, poll.format) {
        (None, Format::Json) => in_json(404, poll, &[], next, gap),
        // The body is empty: a script must not take a sentence for a message.
        (None, _) => confirm(poll, with_cursor(Reply::new(404, PLAIN, &[][..]), poll, next).with_gap(gap)),
        (Some(_), _) => confirm(poll, with_cursor(Reply::empty(204), poll, next).with_gap(gap)),
    }
}

fn confirm(poll: &Poll, reply: Reply) -> Reply {
    match poll.preferred {
        Some(wait) => reply.with("Preference-Applied", format!("wait={}", wait.as_secs())),
        None => reply,
    }
}

fn in_json(status: u16, poll: &Poll, messages: &[&Message], next: Cursor, gap: bool) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        room: &'a RoomName,
        messages: Vec<Told<'a>>,
        next: Cursor,
        gap: bool,
        gaps: &'a [RoomName],
    }
    let room = &poll.room;
    let messages = messages.iter().map(|message| Told { room, message }).collect();
    let body = Body { room, messages, next, gap, gaps: if gap { slice::from_ref(room) } else { &[] } };
    confirm(poll, with_cursor(Reply::new(status, JSON, json(&body)), poll, next).with_gap(gap))
}

/// Adds the cursor to go on from, which every answer to a poll has.
fn with_cursor(reply: Reply, poll: &Poll, next: Cursor) -> Reply {
    let (path, kept) = (room_path(&poll.room), &poll.kept);
    reply
        .with("Link", format!("<{path}?after={next}{kept}>; rel=\"next\""))
        .with("Chat-Cursor", next.to_string())
}
