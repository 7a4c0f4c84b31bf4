//! What a search found.

use serde::Serialize;

use super::history::line;
use super::parts::{JSON, PLAIN, Reply, json};
use super::told::Told;
use crate::message::{Next, RoomName, Timestamp};
use crate::wire::path::add_rooms_path;
use crate::wire::request::{Format, Search};
use crate::wire::search::{Hit, Hits};

/// One page of what was found, and the address of the page before it.
pub fn hits(search: &Search, hits: &Hits) -> Reply {
    let rooms = &search.rooms;
    let reply = match search.format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body<'a> {
                rooms: &'a [RoomName],
                messages: Vec<Told<'a>>,
                previous: &'a Option<Next>,
                since: Option<Timestamp>,
                gap: bool,
            }
            let told = hits.messages.iter().map(|(room, message)| Told { room: &rooms[*room], message });
            let (messages, previous, since, gap) = (told.collect(), &hits.previous, hits.since, hits.gap);
            Reply::new(200, JSON, json(&Body { rooms, messages, previous, since, gap }))
        }
        _ => {
            let line = |(room, message): &Hit| match rooms.len() {
                1 => line(&rooms[*room], message),
                _ => format!("{} {}", rooms[*room].as_str(), line(&rooms[*room], message)),
            };
            let lines: String = hits.messages.iter().map(line).collect();
            Reply::new(200, PLAIN, lines.into_bytes())
        }
    };
    let reply = reply.with_gap(hits.gap);
    match &hits.previous {
        None => reply,
        Some(previous) => {
            let (mut path, kept) = (String::new(), &search.kept);
            add_rooms_path(&mut path, rooms);
            reply.with("Link", format!("<{path}/history?{kept}&before={previous}>; rel=\"prev\""))
        }
    }
}
