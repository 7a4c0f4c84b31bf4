//! What an append comes back with.

use std::sync::Arc;

use super::Present;
use crate::message::{Cursor, Denied, Draft, Epoch, Mark, Message, PersonName, Rules};

/// What became of a batch, and what others stored before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// All that others stored after the place that the room had seen, and before the first of the drafts, oldest
    /// first. Empty in a store of one instance.
    ///
    /// It is empty too if these messages are not all kept, or are more than [`CATCH_UP`](crate::config::CATCH_UP)
    /// or longer than one read may be, or if what the room had seen is of another past. The room sees that by
    /// `latest`.
    pub before: Vec<Arc<Message>>,
    /// One for each draft.
    pub outcomes: Vec<Appended>,
    /// Where the room's order ends after that.
    pub latest: Cursor,
    /// Who is present after that, and whom this instance holds, if the room can't tell it from the messages and
    /// outcomes: some messages are missing; or since the room's last append this instance was taken for dead, the
    /// store may have lost something, or an append ended with an error that may be stored nevertheless.
    pub present: Option<Vec<Present>>,
    /// The room's rules after that, if the room can't tell them from the messages and outcomes.
    pub rules: Option<Rules>,
}

/// What became of one draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored, as this message.
    Stored(Arc<Message>),
    /// Its `send_id` was stored before, here; nothing was added.
    Repeated(Cursor),
    /// Its `send_id` was stored before, here, for another name or text; nothing was added.
    Conflict,
    /// It is a `joined` of a person who is present, or a `left` of one whom another instance holds. Whether this one
    /// holds the person is noted, and by which key; nothing was added.
    Needless,
    /// Somebody else holds this name by a key, or one that looks like it; nothing was added. Only a store of several
    /// instances says so: elsewhere a room knows.
    NameTaken(PersonName),
    /// It edits or deletes a message that is not kept, or was deleted; nothing was added.
    NoMessage,
    /// It edits or deletes a message of somebody else; nothing was added.
    NotYours,
    /// The room's rules do not let it in; nothing was added.
    Denied(Denied),
}

impl Arrived {
    /// What arrives where no other instance stores anything.
    pub(super) fn alone(outcomes: Vec<Appended>, latest: Cursor) -> Arrived {
        Arrived { before: Vec::new(), outcomes, latest, present: None, rules: None }
    }

    /// What becomes of drafts in a room in which nothing was ever stored, if they only change messages: there are none.
    /// Otherwise the room is to be made.
    pub(super) fn in_no_room(drafts: &[Draft]) -> Option<Vec<Appended>> {
        let changes_only = drafts.iter().all(|draft| draft.kind.is_change());
        changes_only.then(|| drafts.iter().map(|_| Appended::NoMessage).collect())
    }

    /// What arrives for drafts that are not kept. Each check is numbered from 1, and has no mark.
    pub(super) fn unkept(epoch: Epoch, drafts: &[Draft]) -> Arrived {
        let start = Cursor::start(epoch);
        let number = |(draft, sequence): (&Draft, u64)| {
            let id = Cursor { sequence, ..start };
            Appended::Stored(Arc::new(draft.clone().numbered(id, Mark::UNKNOWN)))
        };
        let outcomes = drafts.iter().zip(1..).map(number).collect();
        Arrived::alone(outcomes, Cursor { sequence: drafts.len() as u64, ..start })
    }
}

impl Appended {
    /// The message, if the draft was stored by this.
    pub fn stored(&self) -> Option<&Arc<Message>> {
        match self {
            Appended::Stored(message) => Some(message),
            _ => None,
        }
    }
}
