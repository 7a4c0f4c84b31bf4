//! A stored message.

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::cursor::Cursor;
use super::file::FileFacts;
use super::key::Holder;
use super::mark::Mark;
use super::names::PersonName;
use crate::clock::Timestamp;

/// One entry in a room's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its place: a client that asks for `after=` this sees all that follows.
    pub id: Cursor,
    /// The mark of the message before it, by which a cursor that stands there is judged. It is not on the wire.
    pub previous: Mark,
    /// What it reports.
    pub kind: Kind,
    /// Who; `null` for a person who gave no name.
    pub name: Option<PersonName>,
    /// Whoever may change it: the holder of the key with which it was sent. Of a `joined`, for whom the name is held
    /// from here on; of a `muted` or `removed`, whom it concerns beside the name. It is not on the wire.
    pub holder: Option<Holder>,
    /// What was said, a topic, the notice of a lock, or for how many seconds something holds; empty for `joined` and
    /// `left`, and where the text is no more: it was deleted, or this is an edit that a later one has overtaken.
    pub text: Arc<str>,
    /// The file that came with it. On the wire it has an address, which this does not know.
    pub file: Option<Arc<FileFacts>>,
    /// When it was stored.
    pub at: Timestamp,
    /// The message that this one is about: the one that it answers, or which it edits or deletes.
    pub of: Option<Cursor>,
    /// What became of it since.
    pub change: Option<Change>,
    /// Whether the room's operator did this, or made the change.
    pub is_by_operator: bool,
}

impl Message {
    /// The place just before it, from where it is the next message.
    pub fn before(&self) -> Cursor {
        Cursor { sequence: self.id.sequence - 1, mark: self.previous, ..self.id }
    }

    /// For how many seconds it holds, or how many are between two messages of a person in slow mode.
    pub fn seconds(&self) -> Option<u64> {
        self.kind.has_seconds().then(|| self.text.parse().ok()).flatten()
    }

    /// Until when somebody is muted or removed by it, if that ends by itself.
    pub fn ends(&self) -> Option<Timestamp> {
        Some(Timestamp(self.at.0.saturating_add(self.seconds()?.saturating_mul(1_000))))
    }

    /// Whether this is the next message after a cursor, in the past that the cursor has seen.
    pub fn follows(&self, cursor: Cursor) -> bool {
        let is_next = self.id.epoch == cursor.epoch && self.id.sequence == cursor.sequence + 1;
        is_next && self.previous.matches(cursor.mark)
    }

    /// What this becomes by a later entry of its room: the text of a message that is edited or deleted is another, and
    /// that of an edit which is overtaken is gone. `None` if it stays as it is.
    pub fn after(&self, later: &Message) -> Option<Message> {
        let of = later.of?;
        let change = match later.kind {
            Kind::Edited => Change::Edited(later.at),
            Kind::Deleted => Change::Deleted(later.at),
            _ => return None,
        };
        if self.kind == Kind::Message && self.id.is_at(of) {
            let (text, is_by_operator) = (later.text.clone(), later.is_by_operator);
            let file = self.file.clone().filter(|_| later.kind == Kind::Edited);
            return Some(Message { text, file, change: Some(change), is_by_operator, ..self.clone() });
        }
        let is_overtaken = self.kind == Kind::Edited
            && self.id.sequence < later.id.sequence
            && self.of.is_some_and(|edited| edited.is_at(of));
        is_overtaken.then(|| Message { text: "".into(), ..self.clone() })
    }
}

/// As it stands on the wire: `of` is called `reply_to` where it is an answer.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Message { id, kind, name, text, at, of, change, is_by_operator, .. } = self;
        let seconds = self.seconds();
        let more = [of.is_some(), change.is_some(), *is_by_operator, seconds.is_some()];
        let more = more.into_iter().map(usize::from);
        let mut fields = serializer.serialize_struct("Message", 5 + more.sum::<usize>())?;
        fields.serialize_field("id", id)?;
        fields.serialize_field("kind", kind)?;
        fields.serialize_field("name", name)?;
        fields.serialize_field("text", if kind.has_seconds() { "" } else { text })?;
        fields.serialize_field("at", at)?;
        match (kind, of) {
            (_, None) => {}
            (Kind::Message, Some(of)) => fields.serialize_field("reply_to", of)?,
            (_, Some(of)) => fields.serialize_field("of", of)?,
        }
        match change {
            None => {}
            Some(Change::Edited(at)) => fields.serialize_field("edited", at)?,
            Some(Change::Deleted(at)) => fields.serialize_field("deleted", at)?,
        }
        if let Some(seconds) = seconds {
            fields.serialize_field("seconds", &seconds)?;
        }
        if *is_by_operator {
            fields.serialize_field("operator", &true)?;
        }
        fields.end()
    }
}

/// What became of a message after it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Its text is another since then.
    Edited(Timestamp),
    /// Its text is gone since then. Its place in the order stays.
    Deleted(Timestamp),
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
    /// A message has another text from here on.
    Edited,
    /// A message has no text any more.
    Deleted,
    /// The room has another topic, or none.
    Topic,
    /// A person may not speak, for a while or until that is taken back.
    Muted,
    /// A person may not be in the room either.
    Removed,
    /// A person who was muted or removed may do everything again.
    Allowed,
    /// Each person may say one message in so many seconds, or as many as before.
    Slowed,
    /// Only operators speak.
    Locked,
    /// Everybody may speak again.
    Unlocked,
}

impl Kind {
    /// The word for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Message => "message",
            Kind::Joined => "joined",
            Kind::Left => "left",
            Kind::Edited => "edited",
            Kind::Deleted => "deleted",
            Kind::Topic => "topic",
            Kind::Muted => "muted",
            Kind::Removed => "removed",
            Kind::Allowed => "allowed",
            Kind::Slowed => "slowed",
            Kind::Locked => "locked",
            Kind::Unlocked => "unlocked",
        }
    }

    /// Whether it changes what another message says.
    pub fn is_change(self) -> bool {
        matches!(self, Kind::Edited | Kind::Deleted)
    }

    /// Whether it changes the [rules](super::Rules) of its room.
    pub fn is_rule(self) -> bool {
        self == Kind::Topic || self.is_for_operators()
    }

    /// Whether only an operator may do it.
    pub fn is_for_operators(self) -> bool {
        use Kind::{Allowed, Locked, Muted, Removed, Slowed, Unlocked};
        matches!(self, Muted | Removed | Allowed | Slowed | Locked | Unlocked)
    }

    /// Whether it keeps somebody from something.
    pub fn is_bar(self) -> bool {
        matches!(self, Kind::Muted | Kind::Removed)
    }

    /// Whether its text is a number of seconds.
    pub fn has_seconds(self) -> bool {
        self.is_bar() || self == Kind::Slowed
    }
}
