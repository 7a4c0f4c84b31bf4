//! Answers to a wait.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use super::told::{Part, Told, gaps, part};
use crate::config::RETURN;
use crate::message::{Kind, Next, RoomName};
use crate::room::Outcome;
use crate::wire::path::{add_rooms_path, file_path, segment};
use crate::wire::refusal::Refusal;
use crate::wire::request::{Format, Poll};

/// The answer to a poll: how the wait ended in each of its rooms.
pub fn polled(poll: &Poll, outcomes: &[Outcome]) -> Result<Reply, Refusal> {
    let has_something = outcomes.iter().any(Outcome::is_delivery);
    // Without a cursor the client would miss what comes until it is back, so this is no `404`.
    if !has_something && !poll.follows && outcomes.iter().any(Outcome::is_closing) {
        return Err(Refusal::Closing);
    }
    let part = part(&poll.rooms, poll.wants, outcomes);
    let gaps = gaps(&poll.rooms, outcomes);
    let reply = match (poll.format, part.messages.first()) {
        (Format::Json, _) if has_something => in_json(200, poll, &part, &gaps),
        (Format::Json, _) if !poll.follows => in_json(404, poll, &part, &gaps),
        (_, Some(told)) => in_plain_text(poll, told),
        (_, None) if poll.follows => Reply::empty(204),
        // The body is empty: a script must not take a sentence for a message.
        (_, None) => Reply::new(404, PLAIN, &[][..]),
    };
    let reply = with_next(with_gaps(reply, poll, &gaps), poll, &part.next);
    // Those who waited together do not all come back in one instant.
    let ends_early = !has_something && outcomes.iter().any(Outcome::is_closing);
    let reply = if ends_early { reply.with("Retry-After", fastrand::u64(RETURN).to_string()) } else { reply };
    Ok(match poll.preferred {
        Some(wait) => reply.with("Preference-Applied", format!("wait={}", wait.as_secs())),
        None => reply,
    })
}

fn in_plain_text(poll: &Poll, told: &Told<'_>) -> Reply {
    let message = told.message;
    let (kind, text) = (message.kind.as_str(), &message.text);
    let reply = match message.kind {
        Kind::Message => Reply::new(200, PLAIN, with_file(told).into_bytes()),
        Kind::Edited => Reply::new(200, PLAIN, text.as_bytes().to_vec()).with("Chat-Kind", kind),
        _ => Reply::new(200, PLAIN, message.telling().into_bytes()).with("Chat-Kind", kind),
    };
    let reply = match message.of.filter(|_| message.kind.is_change()) {
        Some(of) => reply.with("Chat-Of", of.to_string()),
        None => reply,
    };
    if poll.is_in_several() { reply.with("Chat-Room", segment(told.room)) } else { reply }
}

/// What was said, and on a line of its own the address of the file, which stands behind that of the server.
fn with_file(Told { room, message }: &Told<'_>) -> String {
    let path =
        message.file.as_ref().filter(|file| !file.is_gone).map(|file| file_path(room, message.id, file));
    match (path, &*message.text) {
        (None, text) => text.to_owned(),
        (Some(path), "") => path,
        (Some(path), text) => format!("{text}\n{path}"),
    }
}

fn in_json(status: u16, poll: &Poll, part: &Part<'_>, gaps: &[&RoomName]) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        room: Cow<'a, str>,
        messages: &'a [Told<'a>],
        next: &'a Next,
        gap: bool,
        gaps: &'a [&'a RoomName],
    }
    let room = match &poll.rooms[..] {
        [room] => room.as_str().into(),
        rooms => rooms.iter().map(RoomName::as_str).collect::<Vec<_>>().join(",").into(),
    };
    let Part { messages, next } = part;
    let body = Body { room, messages, next, gap: !gaps.is_empty(), gaps };
    Reply::new(status, JSON, json(&body))
}

/// Adds where to go on, which every answer to a poll has.
fn with_next(reply: Reply, poll: &Poll, next: &Next) -> Reply {
    // One piece of memory for each is enough for most.
    let (mut cursor, mut link) = (String::with_capacity(40), String::with_capacity(160));
    // Writing to a string can't fail.
    let _ = write!(cursor, "{next}");
    link.push('<');
    add_rooms_path(&mut link, &poll.rooms);
    for piece in ["?after=", &cursor, &poll.kept, ">; rel=\"next\""] {
        link.push_str(piece);
    }
    reply.with("Link", link).with("Chat-Cursor", cursor)
}

/// Announces the gaps, if there are any: in the one room, or in which.
fn with_gaps(reply: Reply, poll: &Poll, gaps: &[&RoomName]) -> Reply {
    if !poll.is_in_several() {
        return reply.with_gap(!gaps.is_empty());
    }
    let rooms: Vec<String> = gaps.iter().map(|room| segment(room)).collect();
    if rooms.is_empty() { reply } else { reply.with("Chat-Gap", rooms.join(", ")) }
}
