//! Streams: server-sent events, or JSON objects line by line.

use std::fmt::Write;
use std::{iter, mem};

use serde::Serialize;

use super::parts::{EVENT_STREAM, JSON_LINES, Reply, json_text};
use super::told::{Told, before, gaps, one_by_one};
use crate::config::{EVENTS_BYTES, STREAM_RETRY};
use crate::message::{Next, RoomName};
use crate::room::{Outcome, Wants};
use crate::wire::request::{Format, Poll};

/// What a stream sends to one client.
pub struct Feed {
    form: Form,
    rooms: Vec<RoomName>,
    /// What is still to be sent.
    wants: Wants,
    /// What stands before the first event.
    opening: String,
}

/// How events are written.
enum Form {
    /// As blocks of lines, for `EventSource`.
    ServerSent,
    /// As JSON objects, one a line.
    Lines,
}

impl Feed {
    /// The stream that a client asks for.
    ///
    /// `retry:` says when to come back if the connection is lost. It is a part of the first event, since some
    /// clients take a block of its own for an event without data.
    pub fn of(poll: &Poll) -> Feed {
        let (form, opening) = match poll.format {
            Format::JsonLines => (Form::Lines, String::new()),
            _ => (Form::ServerSent, format!("retry: {}\n", fastrand::u32(STREAM_RETRY))),
        };
        Feed { form, rooms: poll.rooms.clone(), wants: poll.wants, opening }
    }

    /// The head of the stream. The length of its body is not known.
    pub fn head(&self) -> Reply {
        let content_type = match self.form {
            Form::ServerSent => EVENT_STREAM,
            Form::Lines => JSON_LINES,
        };
        // Proxies are told to pass on each event at once: nginx, and those that know the newer header.
        Reply::new(200, content_type, &[][..]).with("X-Accel-Buffering", "no").with("Incremental", "?1")
    }

    /// What came of a wait as events, in pieces. If nothing came, that is a beat: it shows a script that the
    /// connection is alive, and gives it a fresh cursor.
    pub fn pieces<'a>(&'a mut self, outcomes: &'a [Outcome]) -> impl Iterator<Item = String> + 'a {
        let Feed { form, rooms, wants, opening } = self;
        let mut text = mem::take(opening);
        let (before, gaps) = (before(rooms, outcomes), gaps(rooms, outcomes));
        if !gaps.is_empty() {
            // A client that has read this line is not told of the same gap again.
            form.write_gap(&mut text, &gaps, &before);
        } else if !outcomes.iter().any(Outcome::is_delivery) {
            form.write_beat(&mut text, &before);
        }
        let mut messages = one_by_one(rooms, *wants, outcomes);
        iter::from_fn(move || {
            let mut piece = mem::take(&mut text);
            while piece.len() < EVENTS_BYTES
                && wants.limit > 0
                && let Some((told, next)) = messages.next()
            {
                wants.limit -= 1;
                form.write_message(&mut piece, told, next);
            }
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// Whether the client has got as many messages as it asked for.
    pub fn is_over(&self) -> bool {
        self.wants.limit == 0
    }
}

impl Form {
    fn write_message(&self, text: &mut String, told: Told<'_>, next: Next) {
        let kind = told.message.kind.as_str();
        // Writing to a string can't fail.
        let _ = match self {
            Form::ServerSent => write!(text, "id: {next}\nevent: {kind}\ndata: {}\n\n", json_text(&told)),
            Form::Lines => writeln!(text, "{}", json_text(&Line { told, next })),
        };
    }

    fn write_beat(&self, text: &mut String, next: &Next) {
        let _ = match self {
            Form::ServerSent => write!(text, "id: {next}\nevent: beat\ndata: {{}}\n\n"),
            Form::Lines => writeln!(text, "{{\"kind\":\"beat\",\"next\":\"{next}\"}}"),
        };
    }

    fn write_gap(&self, text: &mut String, gaps: &[&RoomName], before: &Next) {
        let _ = match self {
            Form::ServerSent => {
                write!(text, "event: gap\ndata: {}\n\n", json_text(&Loss { gap: true, gaps }))
            }
            Form::Lines => writeln!(text, "{}", json_text(&Gap { kind: "gap", gaps, next: before })),
        };
    }
}

/// A message as a line.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    told: Told<'a>,
    next: Next,
}

/// A gap as the data of an event.
#[derive(Serialize)]
struct Loss<'a> {
    gap: bool,
    gaps: &'a [&'a RoomName],
}

/// A gap as a line.
#[derive(Serialize)]
struct Gap<'a> {
    kind: &'static str,
    gaps: &'a [&'a RoomName],
    next: &'a Next,
}
