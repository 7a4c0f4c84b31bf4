//! The letters that a room's owner takes, and what its engine does for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::lease::End;
use super::mailbox::Kind;
use super::{Receipt, SubscriberId, Subscription, Unpublished, Wake};
use crate::message::{Cursor, Draft, Person, PersonName, Timestamp};
use crate::store::{Arrived, Error, Heard};

/// What an engine does for an owner. None of it waits.
pub trait Engine: Sized {
    /// Where one answer goes: a channel that takes one thing.
    type To<T>;

    /// Answers. Whoever asked may have gone meanwhile.
    fn answer<T>(to: Self::To<T>, what: T);

    /// Hands a batch of messages to all who waited for it.
    fn broadcast(&self, woken: Vec<(Self::To<Wake>, Wake)>);

    /// Hands drafts to the store, and tells it how far the room has seen. What became of them comes back as
    /// [`Letter::Arrived`].
    fn append(&self, batch: BatchId, seen: Cursor, drafts: Vec<Draft>);
}

/// What a room's mailbox takes.
pub enum Letter<E: Engine> {
    /// Somebody waits.
    Subscribe {
        /// By which the subscription is taken back.
        id: SubscriberId,
        /// What is waited for.
        what: Subscription,
        /// Who waits.
        subscriber: E::To<Wake>,
    },
    /// Somebody waits no more.
    Unsubscribe(SubscriberId, End),
    /// Somebody says something.
    Publish {
        /// What is said.
        draft: Draft,
        /// Who is told what became of it.
        sender: E::To<Receipt>,
    },
    /// The store has a batch, or could not take it.
    Arrived(BatchId, Result<Arrived, Error>),
    /// Another instance did something.
    Heard(Heard),
    /// Somebody asks whether a person may have the name. That changes nothing.
    Admits(Person, E::To<Result<(), Unpublished>>),
    /// Somebody asks who is present.
    People(E::To<Vec<(PersonName, Timestamp)>>),
    /// A person's presence ends, at once or after a wait.
    Leave {
        /// Who leaves.
        who: Person,
        /// How long the person may yet come back.
        wait: Duration,
        /// Who is told that it is stored.
        done: E::To<Result<(), Unpublished>>,
    },
    /// Another room needs this one's place. The thread or task looks whether it may end.
    MakePlace,
    /// The server closes.
    Close,
}

impl<E: Engine> Letter<E> {
    /// Its kind, as it is counted.
    pub fn kind(&self) -> Kind {
        match self {
            Letter::Subscribe { .. } => Kind::Subscribe,
            Letter::Unsubscribe(..) => Kind::Unsubscribe,
            Letter::Publish { .. } => Kind::Publish,
            Letter::Arrived(..) => Kind::Arrived,
            _ => Kind::Other,
        }
    }

    /// Whether somebody needs the room, who speaks or waits there or asks for something.
    pub fn is_of_a_client(&self) -> bool {
        !matches!(self, Letter::Arrived(..) | Letter::Heard(_))
    }
}

/// Names one batch in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchId(u64);

impl BatchId {
    pub(super) fn fresh() -> BatchId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        BatchId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Answers letters to a room that can't be opened. Who wants no change hears nothing, and comes back.
pub fn refuse<E: Engine>(letters: impl Iterator<Item = Letter<E>>) {
    for letter in letters {
        match letter {
            Letter::Publish { sender, .. } => E::answer(sender, Err(Unpublished::NotStored)),
            Letter::Leave { done, .. } => E::answer(done, Err(Unpublished::NotStored)),
            _ => {}
        }
    }
}
