//! The list of rooms.

use percent_encoding::utf8_percent_encode;
use serde::Serialize;

use super::parts::{JSON, PLAIN, Reply, json};
use crate::address::Site;
use crate::clock::Timestamp;
use crate::message::{Cursor, RoomName};
use crate::store::Order;
use crate::wire::path::{SEGMENT, room_path};
use crate::wire::request::{Format, ListRooms};

/// A room in the list of rooms.
#[derive(Debug, Serialize)]
pub struct RoomEntry {
    /// Its name.
    pub room: RoomName,
    /// Its newest message; `null` if there is none yet.
    pub latest: Option<Cursor>,
    /// When that was.
    pub at: Option<Timestamp>,
    /// How many subscribers wait there.
    pub waiting: usize,
    /// How many people are present.
    pub people: usize,
}

/// A part of the list of rooms, and the address of the part after it, if there is more.
pub fn rooms(site: &Site, asked: &ListRooms, rooms: &[RoomEntry], more: bool) -> Reply {
    let next = rooms.last().filter(|_| more).map(|entry| &entry.room);
    let reply = match asked.format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body<'a> {
                rooms: &'a [RoomEntry],
                next: Option<&'a RoomName>,
            }
            Reply::new(200, JSON, json(&Body { rooms, next }))
        }
        _ => {
            let prefix = site.prefix();
            let line =
                |entry: &RoomEntry| format!("{prefix}{} {} present\n", room_path(&entry.room), entry.people);
            Reply::new(200, PLAIN, rooms.iter().map(line).collect::<String>().into_bytes())
        }
    };
    let Some(next) = next else { return reply };
    let order = if asked.order == Order::Recent { "order=recent&" } else { "" };
    let (after, limit) = (utf8_percent_encode(next.as_str(), SEGMENT), asked.limit);
    reply.with("Link", format!("</rooms?{order}after={after}&limit={limit}>; rel=\"next\""))
}
