//! What a person had written in a form that was refused, so that it can be shown to them again.

use super::body::said;
use super::head::Head;
use super::route::Place;
use crate::message::RoomName;

/// A message that was not published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub message: String,
    /// The name beside it, as it was written.
    pub name: String,
}

/// The room that a path of this server is about, if there is one.
pub fn room_of(path: &str) -> Option<RoomName> {
    match Place::parse(path).ok()? {
        Place::History(rooms) => rooms.into_iter().next(),
        Place::Room(room) | Place::People(room) | Place::About(room) | Place::Rule(_, room) => Some(room),
        Place::File(room, _) => Some(room),
        Place::Edit(room) | Place::Delete(room) | Place::Leave(room) => Some(room),
        _ => None,
    }
}

/// The message in the form, if a form with a message was sent to a room.
pub fn written(head: &Head<'_>, path: &str, body: &[u8]) -> Option<Written> {
    let is_to_a_room = head.method == "POST" && matches!(Place::parse(path), Ok(Place::Room(_)));
    let said = said(head, "", body).ok().filter(|_| is_to_a_room)?;
    Some(Written { message: said.message?, name: said.name.unwrap_or_default() })
}
