//! What the owner of a room does with each letter: one piece of code for both engines.
//!
//! ```text
//! subscribe, unsubscribe, people ─────────────────────────────▶ answered at once
//! publish, leave, lapses ──▶ queue ──▶ one batch on its way ──▶ store ◀── other instances
//! heard ──▶ is it known? ───────────────────▲                     │
//! everybody is woken, then senders are answered ◀── arrived ◀─────┘
//! ```
//!
//! An owner has no thread and no clock, and it never waits. Its engine gives it letters and the time,
//! carries its answers, and hands its drafts to the store. What must hold:
//!
//! - There is one way into a room's order: the letter [`Letter::Arrived`]. It brings what other instances stored
//!   too, so a batch without drafts is how a room catches up with them.
//! - A room has at most one batch on its way. What is drafted meanwhile is the next batch.
//! - A message is stored first, shown second, and its sender is answered last.
//! - A cursor that the room can't vouch for may be of messages that the room has not seen yet. It is judged once,
//!   by what a batch brings that was handed over after it came.

use std::collections::BTreeMap;
use std::time::Instant;

use super::asker::{Asker, wake};
use super::lease::End;
use super::letter::{BatchId, Engine, Letter};
use super::queue::{Askers, Queue};
use super::standing::Taken;
use super::state::Room;
use super::{After, Missed, SubscriberId, Subscription, Unpublished, Unwelcome, Wake};
use crate::clock::Now;
use crate::config::{BATCH_LIMIT, HEARD_MAX, LAPSE_BEAT};
use crate::message::{Cursor, Draft, Kind, Person, RoomName};
use crate::store::{Appended, Arrived, Error, Heard, Keep};

/// A subscriber whose cursor is to be judged.
struct Early<E: Engine> {
    /// Its cursor.
    seen: Cursor,
    what: Subscription,
    subscriber: E::To<Wake>,
    /// Whether a batch was handed over since it came, whose outcome tells whether its cursor is good.
    is_asked: bool,
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
    /// Subscribers whose cursors the room can't vouch for. They may have read from the store, or on another
    /// instance, what the room has not seen yet.
    early: BTreeMap<SubscriberId, Early<E>>,
    /// Where the room's order ended by what was heard while a batch was on its way.
    heard: Vec<Cursor>,
    /// Whether the next batch is handed over even if it has no drafts.
    looks: bool,
    /// When it last looked who has gone.
    looked: Instant,
}

impl<E: Engine> Owner<E> {
    /// The owner of a room as the store remembers it.
    pub fn new(engine: E, name: RoomName, room: Room<E::To<Wake>>, keep: Keep, now: Now) -> Owner<E> {
        Owner {
            engine,
            name,
            room,
            keep,
            queue: Queue::default(),
            on_its_way: None,
            early: BTreeMap::new(),
            heard: Vec::new(),
            looks: false,
            looked: now.clock,
        }
    }

    /// The room.
    pub fn room(&self) -> &Room<E::To<Wake>> {
        &self.room
    }

    /// Whether all that was drafted is settled. Until then the room must not go to sleep.
    pub fn is_settled(&self) -> bool {
        self.on_its_way.is_none() && self.queue.is_empty()
    }

    /// Whether nobody is here whom a beat of the clock may concern.
    pub fn is_empty(&self) -> bool {
        self.room.people.is_empty() && self.early.is_empty()
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
            // If the store has failed to tell them, it is asked again.
            self.looks |= !self.early.is_empty();
        }
        self.hand_over();
    }

    fn act_on(&mut self, letter: Letter<E>, now: Now) {
        match letter {
            Letter::Subscribe { id, what, subscriber } => match what.after {
                After::Cursor(seen) if !self.room.vouches_for(what.after) => {
                    match self.see(what.who.as_ref(), now) {
                        Ok(()) => self.comes_early(id, seen, what, subscriber),
                        Err(why) => E::answer(subscriber, why.into()),
                    }
                }
                _ => self.subscribe(id, what, subscriber, now),
            },
            Letter::Unsubscribe(id, end) => match (self.early.remove(&id), end) {
                // Its time is up, so it asks the store itself.
                (Some(early), End::Answered) => {
                    E::answer(early.subscriber, Wake::Stored(Missed::after(early.seen)))
                }
                (Some(_), End::Gone) => {}
                (None, end) => wake::<E>(self.room.unsubscribe(id, end, now)),
            },
            Letter::Publish { draft, sender } => {
                match self.see(speaker(&draft).as_ref(), now) {
                    Err(Unwelcome::Taken(name)) => E::answer(sender, Err(Unpublished::NameTaken(name))),
                    // The store has the last word: it may have this message already.
                    Ok(()) | Err(Unwelcome::Denied(_)) => {
                        self.queue.push(Some(draft), Asker::Sender(sender));
                    }
                }
            }
            Letter::Arrived(batch, outcome) => self.settle(batch, outcome, now),
            Letter::Heard(Heard::Latest(latest)) => self.hears_of(latest),
            Letter::Heard(Heard::Ends(end)) => self.looks |= !end.is_at(self.room.latest()),
            Letter::Heard(Heard::Lapsed) => self.looks = true,
            Letter::Heard(Heard::Leaves(who, wait)) => {
                self.queue.announce(self.room.people.leaves(&who, wait, now).ok().flatten());
            }
            Letter::Admits(who, asker) => {
                let admitted =
                    self.room.people.admits(&who).map_err(|Taken| Unwelcome::Taken(who.name.clone()));
                let admitted = admitted.and_then(|()| self.room.welcomes(&who, now));
                E::answer(asker, admitted.map_err(Unpublished::from));
            }
            Letter::People(asker) => E::answer(asker, self.room.people.list()),
            Letter::Leave { who, wait, done } => match self.room.people.leaves(&who, wait, now) {
                // Without a draft it counts on what is on its way, if that is about the same person.
                Ok(left) if left.is_some() || self.room.people.is_announced(&who.name) => {
                    self.queue.push(left, Asker::Leaver(done));
                }
                Ok(_) => E::answer(done, Ok(())),
                Err(Taken) => E::answer(done, Err(Unpublished::NameTaken(who.name))),
            },
            Letter::MakePlace => {}
            Letter::Close => {
                for early in std::mem::take(&mut self.early).into_values() {
                    E::answer(early.subscriber, Wake::Closing(early.seen));
                }
                wake::<E>(self.room.close());
            }
        }
    }

    /// Takes in a subscriber whose cursor is known, or answers it at once.
    fn subscribe(&mut self, id: SubscriberId, what: Subscription, subscriber: E::To<Wake>, now: Now) {
        match self.see(what.who.as_ref(), now) {
            Ok(()) => wake::<E>(self.room.subscribe(id, what, subscriber)),
            Err(why) => E::answer(subscriber, why.into()),
        }
    }

    /// Keeps a subscriber until its cursor can be judged.
    fn comes_early(&mut self, id: SubscriberId, seen: Cursor, what: Subscription, subscriber: E::To<Wake>) {
        if self.room.is_closing() {
            return E::answer(subscriber, Wake::Closing(seen));
        }
        self.early.insert(id, Early { seen, what, subscriber, is_asked: false });
        self.looks = true;
    }

    /// Another instance stored something, or this one did.
    fn hears_of(&mut self, latest: Cursor) {
        if self.room.knows(latest) {
            return;
        }
        match self.on_its_way.is_some() && self.heard.len() < HEARD_MAX {
            // It may be what the batch brings.
            true => self.heard.push(latest),
            false => self.looks = true,
        }
    }

    /// Renews a person's lease, and announces whoever joins by that. Says why if the person may not be here.
    fn see(&mut self, who: Option<&Person>, now: Now) -> Result<(), Unwelcome> {
        let Some(who) = who else { return Ok(()) };
        self.room.welcomes(who, now)?;
        let joined = self.room.people.sees(who, now).map_err(|Taken| Unwelcome::Taken(who.name.clone()))?;
        self.queue.announce(joined);
        Ok(())
    }

    /// Gives the store the next batch, unless it has one yet.
    fn hand_over(&mut self) {
        while self.on_its_way.is_none() && (self.looks || !self.queue.is_empty()) {
            let (drafts, askers) = self.queue.take(BATCH_LIMIT);
            if drafts.is_empty() && !self.looks {
                askers.others.into_iter().for_each(|asker| asker.hears(Err(Unpublished::NotStored), Ok(())));
                continue;
            }
            let batch = BatchId::fresh();
            self.on_its_way = Some((batch, askers));
            self.looks = false;
            self.early.values_mut().for_each(|early| early.is_asked = true);
            self.engine.append(batch, self.room.latest(), drafts);
        }
    }

    /// A batch has arrived. After a restart that may be one of the room's life before, for which nobody
    /// here waits, and which the room has from the store already.
    fn settle(&mut self, batch: BatchId, outcome: Result<Arrived, Error>, now: Now) {
        let Some((_, askers)) = self.on_its_way.take_if(|(known, _)| *known == batch) else { return };
        match outcome {
            Ok(arrived) => {
                self.enter(&arrived, askers, now);
                self.judge_early(now);
            }
            Err(error) => {
                if !askers.of_drafts.is_empty() {
                    tracing::warn!(room = %self.name, %error, "nothing was published");
                }
                self.queue.settle(&mut self.room.people);
                let others = askers.others.into_iter().chain(self.queue.take_those_without_draft());
                for asker in askers.of_drafts.into_iter().flatten().chain(others) {
                    asker.hears(Err(Unpublished::NotStored), Err(Unpublished::NotStored));
                }
            }
        }
        let heard = std::mem::take(&mut self.heard);
        self.looks |= heard.into_iter().any(|latest| !self.room.knows(latest));
    }

    /// Enters what is stored, wakes those who wait for it, and then answers those who asked for it.
    fn enter(&mut self, arrived: &Arrived, askers: Askers<Asker<E>>, now: Now) {
        if self.name.is_internal() {
            self.room.begin_anew();
        }
        let (mut woken, receipts) = self.room.publish(arrived, now);
        if arrived.present.is_none() {
            askers.note(&arrived.outcomes, &mut self.room.people);
        }
        for (who, why) in askers.turned_away(&arrived.outcomes) {
            woken.extend(self.room.turn_away(who, &why, now));
        }
        let stored = arrived.outcomes.iter().filter_map(Appended::stored);
        let mut entries = arrived.before.iter().chain(stored);
        if arrived.rules.is_some() || entries.any(|entry| entry.kind == Kind::Removed) {
            woken.extend(self.turn_away_the_removed(now));
        }
        self.engine.broadcast(woken);
        self.queue.settle(&mut self.room.people);
        for (asker, receipt) in askers.of_drafts.into_iter().zip(receipts) {
            if let Some(asker) = asker {
                asker.hears(receipt, Ok(()));
            }
        }
        askers.others.into_iter().for_each(|asker| asker.hears(Err(Unpublished::NotStored), Ok(())));
    }

    /// Ends the waits of all who were removed. They leave with the next look at who has gone.
    fn turn_away_the_removed(&mut self, now: Now) -> Vec<(E::To<Wake>, Wake)> {
        let people = self.room.people.held();
        let removed = people.into_iter().filter_map(|who| Some((self.room.welcomes(&who, now).err()?, who)));
        let removed: Vec<_> = removed.collect();
        removed.iter().flat_map(|(why, who)| self.room.turn_away(who, why, now)).collect()
    }

    /// The room knows now what the store knew when the batch was handed over. Who came after that waits for the
    /// next one, unless the room can vouch for the cursor already.
    fn judge_early(&mut self, now: Now) {
        for (id, early) in std::mem::take(&mut self.early) {
            let Early { what, subscriber, is_asked, .. } = early;
            if !is_asked && !self.room.vouches_for(what.after) {
                self.comes_early(id, early.seen, what, subscriber);
                continue;
            }
            self.subscribe(id, what, subscriber, now);
        }
    }
}

/// Who is seen by a draft: whoever speaks, or sets the topic. Elsewhere the name is of somebody whom it is about.
fn speaker(draft: &Draft) -> Option<Person> {
    let is_of_the_sender =
        draft.kind == Kind::Message || draft.kind == Kind::Topic && !draft.claim.is_operator();
    let name = draft.name.clone().filter(|_| is_of_the_sender)?;
    Some(Person { name, claim: draft.claim.as_person() })
}
