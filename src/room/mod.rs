//! A room: who waits, who is present, and the end of its order.
//!
//! Nothing here does I/O, reads a clock or knows a thread. Each engine gives a room a thread or a task
//! with a mailbox, and carries letters. What is done with a letter is written once, here.
//!
//! This file has the words: what is asked of a room, and what it answers. Read on in [`state`] (who
//! waits), [`recent`] (the newest messages), [`people`] (who is present, by [`lease`]s, and whose the names are:
//! [`standing`], [`lookalikes`]), [`letter`] and [`owner`] (what is
//! done with each letter), [`queue`] (what waits for the store) and [`rest`] (when it may sleep). Around the
//! rooms stand [`registry`] and [`places`] (which rooms are awake), [`tails`] (what they remember, all
//! together) and [`several`] (who waits in several).

mod asker;
pub mod lease;
pub mod letter;
pub mod lookalikes;
pub mod mailbox;
pub mod owner;
pub mod people;
pub mod places;
pub mod queue;
pub mod recent;
pub mod registry;
pub mod rest;
pub mod several;
pub mod standing;
pub mod state;
pub mod tails;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::message::{Cursor, Denied, Kinds, Message, Person, PersonName};
use crate::store::Read;

/// From where on a subscriber wants a room's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// All that is kept.
    Oldest,
    /// What is posted from now on.
    Latest,
    /// What came after this.
    Cursor(Cursor),
}

impl After {
    /// The place to start after, in an order that ends at `latest`, and whether something is known to be lost.
    /// `None` is the beginning of what is kept.
    pub(crate) fn in_order(self, latest: Cursor) -> (Option<Cursor>, bool) {
        match self {
            After::Latest => (Some(latest), false),
            After::Oldest => (None, false),
            After::Cursor(cursor) if cursor.is_within(latest) => (Some(cursor), false),
            After::Cursor(_) => (None, true),
        }
    }
}

/// What a client that does not wait is told about a room that sleeps, whose order ends at `latest`.
pub fn look(latest: Cursor, after: After) -> Wake {
    let (after, gap) = after.in_order(latest);
    if gap || after.map_or(0, |after| after.sequence) < latest.sequence {
        return Wake::Stored(Missed { after, gap });
    }
    Wake::Expired(latest)
}

/// Which messages a subscriber waits for, and how many of them it takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// Messages of these kinds.
    pub kinds: Kinds,
    /// The oldest of them, at most so many. It takes the others when it comes back.
    pub limit: usize,
}

impl Wants {
    /// All that happens in a room.
    pub const EVERYTHING: Wants = Wants { kinds: Kinds::ALL, limit: usize::MAX };

    /// The next message that somebody says: the protocol of 2008.
    pub const ONE_MESSAGE: Wants = Wants { kinds: Kinds::MESSAGES, limit: 1 };

    /// Whether this message is wanted.
    pub fn includes(self, message: &Message) -> bool {
        self.kinds.includes(message.kind)
    }

    /// The places of what the subscriber takes of these messages.
    pub fn taken(self, messages: &[Arc<Message>]) -> impl Iterator<Item = usize> {
        (0..messages.len()).filter(move |at| self.includes(&messages[*at])).take(self.limit)
    }
}

/// What a subscriber asks for.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Where to start.
    pub after: After,
    /// Which messages it wants.
    pub wants: Wants,
    /// Whose presence it counts for.
    pub who: Option<Person>,
}

/// What a subscriber is handed: consecutive messages of a room, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Oldest first, without holes.
    pub messages: Arc<[Arc<Message>]>,
    /// Where to go on from: the last message here.
    pub next: Cursor,
    /// Whether something before these messages is no longer kept.
    pub gap: bool,
}

impl Delivery {
    /// Whether a subscriber that wants this must be told. A gap is told even without messages.
    pub fn is_worth_telling(&self, wants: Wants) -> bool {
        self.gap || self.messages.iter().any(|message| wants.includes(message))
    }

    /// Its oldest messages alone, until their texts have so many bytes; at least one, if there are any.
    pub fn cut(self, bytes: usize) -> Delivery {
        let mut held = 0;
        let fits = |message: &&Arc<Message>| {
            let is_short = held < bytes;
            held += message.text.len();
            is_short
        };
        let count = self.messages.iter().take_while(fits).count();
        match self.messages[..count].last() {
            Some(last) if count < self.messages.len() => {
                Delivery { messages: self.messages[..count].into(), next: last.id, gap: self.gap }
            }
            _ => self,
        }
    }
}

/// How one subscription ended. A subscriber hears exactly one of these, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// Something came, or had come already.
    Delivery(Delivery),
    /// Something came that the room does not remember, or has not seen: the store has it. Or only the store can
    /// tell whether something came.
    Stored(Missed),
    /// The subscription was taken back. Nothing that it wants has come up to this cursor.
    Expired(Cursor),
    /// The server is closing. Nothing that it wants has come up to this cursor.
    Closing(Cursor),
    /// Somebody else holds this name, under which it was to be present, or one that looks like it.
    Taken(PersonName),
    /// The room's rules do not let this person wait.
    Denied(Denied),
}

impl From<Unwelcome> for Wake {
    fn from(why: Unwelcome) -> Wake {
        match why {
            Unwelcome::Taken(name) => Wake::Taken(name),
            Unwelcome::Denied(denied) => Wake::Denied(denied),
        }
    }
}

/// Why somebody may not be in a room under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwelcome {
    /// Somebody else holds the name, or one that looks like it.
    Taken(PersonName),
    /// The room's rules do not let this person in.
    Denied(Denied),
}

/// What a subscriber may have missed that the room does not remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// The place to read on from; `None` for the oldest message that is kept.
    pub after: Option<Cursor>,
    /// Whether something before that is known to be lost.
    pub gap: bool,
}

impl Missed {
    /// What came after a cursor that the store has to judge.
    pub fn after(cursor: Cursor) -> Missed {
        Missed { after: Some(cursor), gap: false }
    }

    /// What the store's answer makes of it: what was [read](crate::store::since) `after` this. It is cut to so
    /// many bytes.
    pub fn outcome(self, Read { messages, gap, next }: Read, bytes: usize) -> Outcome {
        let gap = self.gap || gap;
        // The place may be the end of the store's order: a room that has seen less sends its clients there too.
        match messages.is_empty() && !gap {
            true => Outcome::Expired(next),
            false => Outcome::Delivery(Delivery { messages: messages.into(), next, gap }.cut(bytes)),
        }
    }
}

/// How a wait ended, after the messages were read from the store if the room had forgotten them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Something came that the client wants, or a gap.
    Delivery(Delivery),
    /// The time is up. Nothing that the client wants has come up to this cursor.
    Expired(Cursor),
    /// The server is closing. Nothing that the client wants has come up to this cursor.
    Closing(Cursor),
}

impl Outcome {
    /// The messages that came.
    pub fn messages(&self) -> &[Arc<Message>] {
        match self {
            Outcome::Delivery(delivery) => &delivery.messages,
            Outcome::Expired(_) | Outcome::Closing(_) => &[],
        }
    }

    /// Where to go on, when the messages are taken.
    pub fn next(&self) -> Cursor {
        match self {
            Outcome::Delivery(delivery) => delivery.next,
            Outcome::Expired(next) | Outcome::Closing(next) => *next,
        }
    }

    /// Whether something came.
    pub fn is_delivery(&self) -> bool {
        matches!(self, Outcome::Delivery(_))
    }

    /// Whether something came that a client which wants this must be told.
    pub fn is_worth_telling(&self, wants: Wants) -> bool {
        matches!(self, Outcome::Delivery(delivery) if delivery.is_worth_telling(wants))
    }

    /// Whether something before the messages is no longer kept.
    pub fn has_gap(&self) -> bool {
        matches!(self, Outcome::Delivery(Delivery { gap: true, .. }))
    }

    /// Whether the server is closing.
    pub fn is_closing(&self) -> bool {
        matches!(self, Outcome::Closing(_))
    }
}

/// Names one subscription in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberId(u64);

impl SubscriberId {
    /// A new id, different from all others.
    pub fn fresh() -> SubscriberId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        SubscriberId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its place in the room's order.
    pub id: Cursor,
    /// How many subscribers were waiting and were handed it.
    pub delivered: usize,
}

/// Why a draft was not published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpublished {
    /// It came under the id of another message.
    IdReused,
    /// Somebody else holds this name, or one that looks like it.
    NameTaken(PersonName),
    /// The message that it edits or deletes is not kept, or was deleted.
    NoMessage,
    /// The message that it edits or deletes is somebody else's.
    NotYours,
    /// The room's rules do not let it in.
    Denied(Denied),
    /// The store could not take it.
    NotStored,
}

impl From<Unwelcome> for Unpublished {
    fn from(why: Unwelcome) -> Unpublished {
        match why {
            Unwelcome::Taken(name) => Unpublished::NameTaken(name),
            Unwelcome::Denied(denied) => Unpublished::Denied(denied),
        }
    }
}

/// What the sender of a draft is told.
pub type Receipt = Result<Published, Unpublished>;
