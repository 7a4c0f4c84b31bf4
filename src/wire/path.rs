//! Addresses of rooms, percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::message::RoomName;

/// A path segment is encoded except for these characters (RFC 3986, unreserved).
pub const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where a browser logs in.
pub const LOGIN: &str = "/login";

/// Where a class looks behind the stage.
pub const BACKSTAGE: &str = "/backstage";

/// The address of a room.
pub fn room_path(room: &RoomName) -> String {
    format!("/chat/{}", segment(room))
}

/// The address of a wait in these rooms.
pub fn rooms_path(rooms: &[RoomName]) -> String {
    let rooms: Vec<String> = rooms.iter().map(segment).collect();
    format!("/chat/{}", rooms.join(","))
}

/// A room's name in an address or a header.
pub fn segment(room: &RoomName) -> String {
    utf8_percent_encode(room.as_str(), SEGMENT).to_string()
}
