//! A room's past.

use std::sync::Arc;

use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use super::terminal::shown;
use super::told::Told;
use crate::config::REPLY_BYTES;
use crate::message::{Change, Cursor, Kind, Message, PersonName, RoomName};
use crate::store::Read;
use crate::wire::path::{file_path, room_path};
use crate::wire::request::{Format, History};

/// A part of a room's past, and the address of the part before it. What was read may hold one more message
/// than was asked for: then there is such a part.
pub fn history(history: &History, read: &Read) -> Reply {
    let Read { messages, gap, next } = read;
    let said = messages.iter().enumerate().rev().filter(|(_, message)| message.kind == Kind::Message);
    let mut said = said.map(|(at, _)| at).skip(history.limit - 1);
    let (first, more) = (said.next(), said.next().is_some());
    let messages = &messages[first.filter(|_| more).unwrap_or(0)..];
    let messages = clip_newest(messages);
    let previous = messages.first().filter(|first| more || first.id.sequence > 1).map(|first| first.id);
    let reply = match history.format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body<'a> {
                room: &'a RoomName,
                messages: Vec<Told<'a>>,
                previous: Option<Cursor>,
                next: Cursor,
                gap: bool,
            }
            let messages = messages.iter().map(|message| Told { room: &history.room, message }).collect();
            Reply::new(
                200,
                JSON,
                json(&Body { room: &history.room, messages, previous, next: *next, gap: *gap }),
            )
        }
        _ => {
            let lines: String = messages.iter().map(|message| line(&history.room, message)).collect();
            Reply::new(200, PLAIN, lines.into_bytes())
        }
    };
    let reply = reply.with_gap(*gap).with("Chat-Cursor", next.to_string());
    match previous {
        None => reply,
        Some(previous) => {
            let path = room_path(&history.room);
            let limit = history.limit;
            reply.with("Link", format!("<{path}/history?before={previous}&limit={limit}>; rel=\"prev\""))
        }
    }
}

/// A message as a line for people.
pub(super) fn line(room: &RoomName, message: &Message) -> String {
    let name = shown(message.name.as_ref().map_or("somebody", PersonName::as_str));
    match message.kind {
        Kind::Message if matches!(message.change, Some(Change::Deleted(_))) => {
            format!("{} {name}: (deleted)\n", message.at)
        }
        // Further lines of a message are indented.
        Kind::Message => {
            let text = message.text.replace("\r\n", "\n");
            let file = message.file.as_ref().map(|file| match file.is_gone {
                true => format!("({} is no longer kept)", file.name.as_str()),
                false => file_path(room, message.id, file),
            });
            let lines: Vec<String> = text
                .trim_end()
                .split('\n')
                .chain(file.as_deref())
                .filter(|line| !line.is_empty() || file.is_none())
                .map(shown)
                .collect();
            let edited = if message.change.is_some() { " (edited)" } else { "" };
            format!("{} {name}: {}{edited}\n", message.at, lines.join("\n    "))
        }
        _ => {
            let told = message.telling();
            let lines: Vec<String> = told.lines().map(shown).collect();
            format!("{} {}\n", message.at, lines.join("\n    "))
        }
    }
}

/// The newest messages, as many as one reply carries.
fn clip_newest(messages: &[Arc<Message>]) -> &[Arc<Message>] {
    let mut bytes = 0;
    let fits = |m: &&Arc<Message>| {
        bytes += m.text.len();
        bytes <= REPLY_BYTES
    };
    let count = messages.iter().rev().take_while(fits).count().max(1).min(messages.len());
    &messages[messages.len() - count..]
}
