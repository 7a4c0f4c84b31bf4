//! What the owner of a room does with each letter: one piece of code for both engines.
//!
//! ```text
//! subscribe, unsubscribe, people ─────────────────────────────▶ answered at once
//! publish, leave, lapses ──▶ queue ──▶ one batch on its way ──▶ store
//!                                                                 │
//! everybody is woken, then senders are answered ◀── arrived ◀─────┘
//! ```
//!
//! An owner has no thread and no clock, and it never waits. Its engine gives it letters and the time,
//! carries its answers, and hands its drafts to the store. What must hold:
//!
//! - There is one way into a room's order: the letter [`Letter::Arrived`].
//! - A room has at most one batch on its way. What is drafted meanwhile is the next batch.
//! - A message is stored first, shown second, and its sender is answered last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::people::End;
use super::queue::{Askers, Queue};
use super::state::Room;
use super::{After, Receipt, SubscriberId, Subscription, Unpublished, Wake};
use crate::clock::Now;
use crate::config::{BATCH_LIMIT, LAPSE_BEAT};
use crate::message::{Cursor, Draft, PersonName, RoomName, Timestamp};
use crate::store::{Appended, Error, Keep};

/// What an engine does for an owner. None of it waits.
pub trait Engine: Sized {
    /// Where one answer goes: a channel that takes one thing.
    type To<T>;

    /// Answers. Whoever asked may have gone meanwhile.
    fn answer<T>(to: Self::To<T>, what: T);

    /// Hands a batch of messages to all who waited for it.
    fn broadcast(&self, woken: Vec<(Self::To<Wake>, Wake)>);

    /// Hands drafts to the store. What became of them comes back as [`Letter::Arrived`].
    fn append(&self, batch: BatchId, drafts: Vec<Draft>);
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
    Arrived(BatchId, Result<Vec<Appended>, Error>),
    /// Somebody asks who is present.
    People(E::To<Vec<(PersonName, Timestamp)>>),
    /// A person's presence ends, at once or after a wait.
    Leave {
        /// Who leaves.
        name: PersonName,
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

/// Names one batch in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchId(u64);

impl BatchId {
    fn fresh() -> BatchId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        BatchId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Who is told what became of a draft.
enum Asker<E: Engine> {
    Sender(E::To<Receipt>),
    Leaver(E::To<Result<(), Unpublished>>),
}

/// Owns a room's state, and acts on its letters.
pub struct Owner<E: Engine> {
    engine: E,
    name: RoomName,
    room: Room<E::To<Wake>>,
    /// How much of the room the store keeps.
    keep: Keep,
    queue: Queue<Asker<E>>,
    /// The batch that the store has, and who is told what becomes of it.
    on_its_way: Option<(BatchId, Askers<Asker<E>>)>,
    /// Subscribers that have seen more than the room: they read from the store what is on its way here.
    /// They wait for the batch, after which the room knows their cursors.
    early: BTreeMap<SubscriberId, (Subscription, E::To<Wake>)>,
    /// When it last looked who has gone.
    looked: Instant,
}

impl<E: Engine> Owner<E> {
    /// The owner of a room as the store remembers it.
    pub fn new(engine: E, name: RoomName, room: Room<E::To<Wake>>, keep: Keep, now: Now) -> Owner<E> {
        let (queue, early) = (Queue::default(), BTreeMap::new());
        Owner { engine, name, room, keep, queue, on_its_way: None, early, looked: now.clock }
    }

    /// The room.
    pub fn room(&self) -> &Room<E::To<Wake>> {
        &self.room
    }

    /// Whether all that was drafted is settled. Until then the room must not go to sleep.
    pub fn is_settled(&self) -> bool {
        self.on_its_way.is_none() && self.queue.is_empty()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.room.waiting() + self.early.len()
    }

    /// Ends all subscriptions without an answer: their clients come back when the room is awake again.
    pub fn abandon(&mut self, now: Now) {
        self.early.clear();
        self.room.abandon(now);
    }

    /// Acts on letters in their order, and looks now and then who has gone. All that is drafted by that is
    /// one batch.
    pub fn act(&mut self, letters: impl Iterator<Item = Letter<E>>, now: Now) {
        self.room.forget(self.keep, now.wall);
        for letter in letters {
            self.act_on(letter, now);
        }
        if now.clock.saturating_duration_since(self.looked) >= LAPSE_BEAT {
            self.looked = now.clock;
            self.queue.announce(self.room.people.lapse(now));
        }
        self.hand_over();
    }

    fn act_on(&mut self, letter: Letter<E>, now: Now) {
        match letter {
            Letter::Subscribe { id, what, subscriber } => {
                self.see(what.name.as_ref(), now);
                if self.on_its_way.is_some() && self.is_early(&what) {
                    self.early.insert(id, (what, subscriber));
                } else {
                    wake::<E>(self.room.subscribe(id, what, subscriber));
                }
            }
            Letter::Unsubscribe(id, end) => match self.early.remove(&id) {
                Some((what, subscriber)) => E::answer(subscriber, Wake::Expired(self.seen_by(&what))),
                None => wake::<E>(self.room.unsubscribe(id, end, now)),
            },
            Letter::Publish { draft, sender } => {
                self.see(draft.name.as_ref(), now);
                self.queue.push(Some(draft), Asker::Sender(sender));
            }
            Letter::Arrived(batch, outcome) => self.settle(batch, outcome, now),
            Letter::People(asker) => E::answer(asker, self.room.people.list()),
            Letter::Leave { name, wait, done } => {
                let left = self.room.people.leaves(&name, wait, now);
                // Without a draft it counts on what is on its way, if that is about the same person.
                match left.is_some() || self.room.people.is_announced(&name) {
                    true => self.queue.push(left, Asker::Leaver(done)),
                    false => E::answer(done, Ok(())),
                }
            }
            Letter::MakePlace => {}
            Letter::Close => {
                for (what, subscriber) in std::mem::take(&mut self.early).into_values() {
                    E::answer(subscriber, Wake::Closing(self.seen_by(&what)));
                }
                wake::<E>(self.room.close());
            }
        }
    }

    /// Whether a subscriber has seen more of this order than the room.
    fn is_early(&self, what: &Subscription) -> bool {
        let (seen, latest) = (self.seen_by(what), self.room.latest());
        seen.epoch == latest.epoch && seen.sequence > latest.sequence
    }

    /// Up to where a subscriber has seen the room's order.
    fn seen_by(&self, what: &Subscription) -> Cursor {
        match what.after {
            After::Cursor(cursor) => cursor,
            After::Oldest | After::Latest => self.room.latest(),
        }
    }

    /// Renews a person's lease, and announces whoever joins by that.
    fn see(&mut self, name: Option<&PersonName>, now: Now) {
        self.queue.announce(name.and_then(|name| self.room.people.sees(name, now)));
    }

    /// Gives the store the next batch, unless it has one yet.
    fn hand_over(&mut self) {
        while self.on_its_way.is_none() && !self.queue.is_empty() {
            let (drafts, askers) = self.queue.take(BATCH_LIMIT);
            if drafts.is_empty() {
                askers.others.into_iter().for_each(|asker| asker.hears(Err(Unpublished::NotStored), Ok(())));
                continue;
            }
            let batch = BatchId::fresh();
            self.on_its_way = Some((batch, askers));
            self.engine.append(batch, drafts);
        }
    }

    /// A batch has arrived. After a restart that may be one of the room's life before, for which nobody
    /// here waits, and which the room has from the store already.
    fn settle(&mut self, batch: BatchId, outcome: Result<Vec<Appended>, Error>, now: Now) {
        let askers = self.on_its_way.take_if(|(known, _)| *known == batch).map(|(_, askers)| askers);
        let early = std::mem::take(&mut self.early);
        match outcome {
            Ok(appended) => self.enter(&appended, askers, now),
            Err(error) => {
                tracing::warn!(room = %self.name, %error, "nothing was published");
                if let Some(askers) = askers {
                    self.queue.settle(&mut self.room.people);
                    let others = askers.others.into_iter().chain(self.queue.take_those_without_draft());
                    for asker in askers.of_drafts.into_iter().flatten().chain(others) {
                        asker.hears(Err(Unpublished::NotStored), Err(Unpublished::NotStored));
                    }
                }
            }
        }
        for (id, (what, subscriber)) in early {
            self.act_on(Letter::Subscribe { id, what, subscriber }, now);
        }
    }

    /// Enters what is stored, wakes those who wait for it, and then answers those who asked for it.
    fn enter(&mut self, appended: &[Appended], askers: Option<Askers<Asker<E>>>, now: Now) {
        if self.name.is_internal() {
            self.room.begin_anew();
        }
        let (woken, receipts) = self.room.publish(appended, now);
        self.engine.broadcast(woken);
        let Some(askers) = askers else { return };
        self.queue.settle(&mut self.room.people);
        for (asker, receipt) in askers.of_drafts.into_iter().zip(receipts) {
            asker.into_iter().for_each(|asker| asker.hears(receipt, Ok(())));
        }
        askers.others.into_iter().for_each(|asker| asker.hears(Err(Unpublished::NotStored), Ok(())));
    }
}

impl<E: Engine> Asker<E> {
    /// Answers: a sender what became of its message, anybody who leaves whether that is stored.
    fn hears(self, receipt: Receipt, left: Result<(), Unpublished>) {
        match self {
            Asker::Sender(sender) => E::answer(sender, receipt),
            Asker::Leaver(done) => E::answer(done, left),
        }
    }
}

/// Hands subscribers what they waited for.
fn wake<E: Engine>(woken: impl IntoIterator<Item = (E::To<Wake>, Wake)>) {
    for (subscriber, wake) in woken {
        E::answer(subscriber, wake);
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
