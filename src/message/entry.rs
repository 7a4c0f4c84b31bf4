//! A stored message.

use std::sync::Arc;

use serde::Serialize;

use super::cursor::Cursor;
use super::key::Holder;
use super::mark::Mark;
use super::names::PersonName;
use crate::clock::Timestamp;

/// One entry in a room's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its place: a client that asks for `after=` this sees all that follows.
    pub id: Cursor,
    /// The mark of the message before it, by which a cursor that stands there is judged. It is not on the wire.
    #[serde(skip)]
    pub previous: Mark,
    /// Whether somebody spoke, came or went.
    pub kind: Kind,
    /// Who; `null` for a person who gave no name.
    pub name: Option<PersonName>,
    /// The holder of the key with which it was sent, or for whom the name is held from here on. It is not on the wire.
    #[serde(skip)]
    pub holder: Option<Holder>,
    /// What was said; empty for `joined` and `left`.
    pub text: Arc<str>,
    /// When it was stored.
    pub at: Timestamp,
}

impl Message {
    /// The place just before it, from where it is the next message.
    pub fn before(&self) -> Cursor {
        Cursor { sequence: self.id.sequence - 1, mark: self.previous, ..self.id }
    }

    /// Whether this is the next message after a cursor, in the past that the cursor has seen.
    pub fn follows(&self, cursor: Cursor) -> bool {
        let is_next = self.id.epoch == cursor.epoch && self.id.sequence == cursor.sequence + 1;
        is_next && self.previous.matches(cursor.mark)
    }
}

/// What a message reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody spoke.
    Message,
    /// Somebody came into the room.
    Joined,
    /// Somebody left the room.
    Left,
}

impl Kind {
    /// The word for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Message => "message",
            Kind::Joined => "joined",
            Kind::Left => "left",
        }
    }
}
