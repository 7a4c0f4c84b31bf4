//! What a reply tells of its room.

use serde::Serialize;

use crate::message::{Message, RoomName};

/// A message, and the room in which it stands.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Told<'a> {
    pub room: &'a RoomName,
    #[serde(flatten)]
    pub message: &'a Message,
}
