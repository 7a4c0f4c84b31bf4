//! The people in a room.

use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use super::terminal::shown;
use crate::clock::Timestamp;
use crate::message::{PersonName, RoomName};
use crate::wire::request::Format;

/// Who is in a room, and since when.
pub fn people(format: Format, room: &RoomName, people: &[(PersonName, Timestamp)]) -> Reply {
    match format {
        Format::Json => {
            #[derive(Serialize)]
            struct Person<'a> {
                name: &'a PersonName,
                since: Timestamp,
            }
            #[derive(Serialize)]
            struct Body<'a> {
                room: &'a RoomName,
                people: Vec<Person<'a>>,
            }
            let people = people.iter().map(|(name, since)| Person { name, since: *since }).collect();
            Reply::new(200, JSON, json(&Body { room, people }))
        }
        _ => {
            let lines: String = people
                .iter()
                .map(|(name, since)| format!("{} since {since}\n", shown(name.as_str())))
                .collect();
            Reply::new(200, PLAIN, lines.into_bytes())
        }
    }
}
