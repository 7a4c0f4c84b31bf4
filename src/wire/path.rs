//! Addresses of rooms, percent-encoded.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::message::{Cursor, FileFacts, RoomName};

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

/// The address of the file that came with a message. The name at its end is for whoever saves it.
pub fn file_path(room: &RoomName, of: Cursor, file: &FileFacts) -> String {
    format!("{}/file/{of}/{}", room_path(room), utf8_percent_encode(file.name.as_str(), SEGMENT))
}

/// Adds the address of a wait in these rooms.
pub fn add_rooms_path(to: &mut String, rooms: &[RoomName]) {
    for (at, room) in rooms.iter().enumerate() {
        to.push_str(if at == 0 { "/chat/" } else { "," });
        to.extend(utf8_percent_encode(room.as_str(), SEGMENT));
    }
}

/// A path as a log may have it: without the names of private rooms, however they are written.
pub fn logged(path: &str) -> Cow<'_, str> {
    let Some((at, _)) = path.match_indices("/chat/").next() else { return path.into() };
    let begin = at + "/chat/".len();
    let (rooms, rest) = path[begin..].split_at(path[begin..].find('/').unwrap_or(path.len() - begin));
    let decoded = percent_decode_str(rooms).decode_utf8_lossy();
    let is_private = |name: &str| name.parse().is_ok_and(|room: RoomName| room.is_private());
    if !decoded.split(',').any(is_private) {
        return path.into();
    }
    format!("{}private-...{rest}", &path[..begin]).into()
}

/// A room's name in an address or a header.
pub fn segment(room: &RoomName) -> String {
    utf8_percent_encode(room.as_str(), SEGMENT).to_string()
}
