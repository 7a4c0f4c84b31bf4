//! A room's state: who waits, and where its order ends.
//!
//! It is told what was stored and what time it is, and says whom to wake with what.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lease::{Counted, End};
use super::people::People;
use super::recent::Recent;
use super::tails::Tails;
use super::{
    After, Delivery, Missed, Published, Receipt, SubscriberId, Subscription, Unpublished, Unwelcome, Wake,
    Wants,
};
use crate::clock::Now;
use crate::message::{Cursor, Message, Person, Rules, Timestamp};
use crate::store::{Appended, Arrived, Keep, Tail};

/// A room's state. `S` is how the engine wakes a subscriber.
pub struct Room<S> {
    /// The place of the newest message, or the start if there never was one.
    latest: Cursor,
    /// The newest messages up to `latest`.
    recent: Recent,
    /// Who waits, in the order of their coming. Each has seen all messages up to `latest` that it wants:
    /// a subscriber that has missed something is answered, and not kept here.
    waiting: BTreeMap<SubscriberId, Waiting<S>>,
    /// Who is present, waiting or between two polls.
    pub people: People,
    /// What is in force by the room's order.
    rules: Rules,
    /// Whether the server closes, so that nobody is kept waiting.
    closing: bool,
}

/// A subscriber that waits.
struct Waiting<S> {
    /// Where it began. It need not have been told of what it does not want since.
    after: After,
    wants: Wants,
    /// By what a person's presence counts this wait.
    counted: Option<Counted>,
    subscriber: S,
}

/// How the room's order goes on from what the room has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// With all the messages that came since.
    GoesOn,
    /// Some messages before the new ones are missing.
    HasHole,
    /// What the room has seen is of another past: the store has lost it.
    IsAnother,
}

impl<S> Room<S> {
    /// A room as the store remembers it, with nobody waiting. Its tail is counted among `tails`.
    pub fn new(stored: Tail, tails: &Arc<Tails>, now: Now) -> Room<S> {
        let mut room = Room {
            latest: stored.latest,
            recent: Recent::new(tails),
            waiting: BTreeMap::new(),
            people: People::remembered(&stored.present, now),
            rules: stored.rules,
            closing: false,
        };
        room.recent.extend(stored.messages.into_iter().map(|message| (message, 0)));
        room
    }

    /// The place of the newest message.
    pub fn latest(&self) -> Cursor {
        self.latest
    }

    /// Whether the room has seen this place.
    pub fn knows(&self, place: Cursor) -> bool {
        let message = self.message_at(place.sequence);
        place.is_at(self.latest) || message.is_some_and(|(message, _)| message.id.is_at(place))
    }

    /// Refuses a person whom the rules do not let be here.
    pub fn welcomes(&self, who: &Person, now: Now) -> Result<(), Unwelcome> {
        self.rules
            .removes(who.claim, &who.name, now.wall)
            .map_or(Ok(()), |denied| Err(Unwelcome::Denied(denied)))
    }

    /// Whether the server closes.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// Whether a subscriber that starts there would be told of no gap, or only by the store.
    pub fn vouches_for(&self, after: After) -> bool {
        let (_, gap) = self.judge(after);
        !gap
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Looks for what came `after`, and keeps the subscriber if there is nothing. This is one step, so that
    /// no message is missed in between. Gives the subscriber back with its answer if it need not wait.
    ///
    /// A cursor of another epoch, or of another message than the one at its place, is a gap: the room starts
    /// over from the oldest message that is kept, and says so at once even if none is.
    #[must_use = "the subscriber that comes back must be woken"]
    pub fn subscribe(&mut self, id: SubscriberId, what: Subscription, subscriber: S) -> Option<(S, Wake)> {
        let Subscription { after: began, wants, who } = what;
        let (after, gap) = self.judge(began);
        let Some(index) = self.index_after(after) else {
            return Some((subscriber, Wake::Stored(Missed { after, gap })));
        };
        let unseen = self.recent.from(index);
        if gap || unseen.clone().any(|(message, _)| wants.includes(message)) {
            let messages = unseen.map(|(message, _)| message.clone()).collect();
            return Some((subscriber, Wake::Delivery(Delivery { messages, next: self.latest, gap })));
        }
        if self.closing {
            return Some((subscriber, Wake::Closing(self.latest)));
        }
        let counted = who.and_then(|who| self.people.waits(&who.name));
        self.waiting.insert(id, Waiting { after: began, wants, counted, subscriber });
        None
    }

    /// Ends a subscription. `None` if it was answered before.
    #[must_use = "the subscriber that comes back must be woken"]
    pub fn unsubscribe(&mut self, id: SubscriberId, end: End, now: Now) -> Option<(S, Wake)> {
        let waiting = self.waiting.remove(&id)?;
        Some((self.release(waiting, end, now), Wake::Expired(self.latest)))
    }

    /// Ends all subscriptions without an answer: their clients come back when the room is awake again.
    pub fn abandon(&mut self, now: Now) {
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            drop(self.release(waiting, End::Answered, now));
        }
    }

    /// The store has this person's name as another's, or the person was removed. Ends the person's waits here.
    #[must_use = "the subscribers that come back must be woken"]
    pub fn turn_away(&mut self, who: &Person, why: &Unwelcome, now: Now) -> Vec<(S, Wake)> {
        let Some(lease) = self.people.loses(who, now) else { return Vec::new() };
        self.take(|waiting| waiting.counted.as_ref().is_some_and(|counted| counted.lease == lease))
            .into_iter()
            .map(|waiting| (waiting.subscriber, why.clone().into()))
            .collect()
    }

    /// Ends all subscriptions, and every later one, because the server closes.
    #[must_use = "the subscribers that come back must be woken"]
    pub fn close(&mut self) -> Vec<(S, Wake)> {
        self.closing = true;
        let next = self.latest;
        std::mem::take(&mut self.waiting)
            .into_values()
            .map(|waiting| (waiting.subscriber, Wake::Closing(next)))
            .collect()
    }

    /// Takes in a batch that the store has numbered, and what others stored before it. Says whom to wake with it,
    /// and what to tell the sender of each outcome.
    ///
    /// If messages are missing before the new ones, or the order is of another past than the room has seen, the
    /// room forgets its tail and sends to the store all who wait after a cursor. There each cursor is judged.
    #[must_use = "the subscribers that come back must be woken, then the senders answered"]
    pub fn publish(&mut self, arrived: &Arrived, now: Now) -> (Vec<(S, Wake)>, Vec<Receipt>) {
        let stored = arrived.outcomes.iter().filter_map(Appended::stored);
        let messages: Arc<[_]> = arrived.before.iter().chain(stored).cloned().collect();
        match &arrived.present {
            Some(present) => self.people.recall(present, now),
            None => self.people.enter(&messages),
        }
        match &arrived.rules {
            Some(rules) => self.rules = rules.clone(),
            None => messages.iter().for_each(|message| self.rules.enter(message)),
        }
        let (known, course) = (self.latest, self.course(&messages, arrived.latest));
        let woken = match course {
            Course::GoesOn => self.take(|waiting| waiting.wants_one_of(&messages)),
            Course::HasHole => self.take(|_| true),
            Course::IsAnother => {
                self.take(|waiting| waiting.after != After::Latest || waiting.wants_one_of(&messages))
            }
        };
        let mut handed = vec![0; messages.len()];
        for waiting in &woken {
            for at in waiting.wants.taken(&messages) {
                handed[at] += 1;
            }
        }
        let delivered = |message: &Message| {
            let at = messages.binary_search_by_key(&message.id.sequence, |other| other.id.sequence);
            at.map_or(0, |at| handed[at])
        };
        if course != Course::GoesOn {
            self.recent.forget_all();
        }
        self.latest = arrived.latest;
        self.recent.extend(messages.iter().map(|message| (message.clone(), delivered(message))));
        let receipts = arrived
            .outcomes
            .iter()
            .map(|outcome| match outcome {
                Appended::Stored(message) => Ok(Published { id: message.id, delivered: delivered(message) }),
                Appended::Repeated(id) => Ok(self.published_before(*id)),
                Appended::Conflict => Err(Unpublished::IdReused),
                Appended::NameTaken(name) => Err(Unpublished::NameTaken(name.clone())),
                Appended::NoMessage => Err(Unpublished::NoMessage),
                Appended::NotYours => Err(Unpublished::NotYours),
                Appended::Denied(denied) => Err(Unpublished::Denied(denied.clone())),
                Appended::Needless => Err(Unpublished::NotStored),
            })
            .collect();
        let woken = woken
            .into_iter()
            .map(|waiting| {
                let wake = match (course, waiting.after) {
                    (Course::GoesOn, _) | (Course::IsAnother, After::Latest) => {
                        Wake::Delivery(Delivery { messages: messages.clone(), next: self.latest, gap: false })
                    }
                    (_, After::Oldest) => Wake::Stored(Missed { after: None, gap: false }),
                    (_, After::Latest) => Wake::Stored(Missed::after(known)),
                    (_, After::Cursor(after)) => Wake::Stored(Missed::after(after)),
                };
                (self.release(waiting, End::Answered, now), wake)
            })
            .collect();
        (woken, receipts)
    }

    /// How an order goes on that has these messages at its end.
    fn course(&self, messages: &[Arc<Message>], latest: Cursor) -> Course {
        let goes_on = match (messages.first(), messages.last()) {
            (Some(first), Some(last)) => first.follows(self.latest) && last.id.is_at(latest),
            _ => latest.is_at(self.latest),
        };
        let before = latest.sequence.saturating_sub(messages.len() as u64);
        match goes_on {
            true => Course::GoesOn,
            false if latest.epoch == self.latest.epoch && before > self.latest.sequence => Course::HasHole,
            false => Course::IsAnother,
        }
    }

    /// Forgets its order: the store keeps nothing of this room, and numbers it from 1 again.
    pub fn begin_anew(&mut self) {
        self.recent.forget_all();
        self.latest = Cursor::start(self.latest.epoch);
    }

    /// The place to start after, and whether something is known to be lost, by all that the room remembers.
    fn judge(&self, after: After) -> (Option<Cursor>, bool) {
        let (after, gap) = after.in_order(self.latest);
        let next = self.index_after(after).and_then(|index| self.recent.from(index).next());
        match (after, next) {
            (Some(cursor), Some((next, _))) if !next.follows(cursor) => (None, true),
            _ => (after, gap),
        }
    }

    /// Where in the tail begins what came after a place, or after all that was forgotten; `None` if the room
    /// does not remember all of it.
    fn index_after(&self, after: Option<Cursor>) -> Option<usize> {
        let forgotten = self.latest.sequence - self.recent.count() as u64;
        let unseen = after.map_or(0, |after| after.sequence).checked_sub(forgotten)?;
        // It is at most their number, which is a usize.
        Some(unseen as usize)
    }

    /// Removes some subscribers.
    fn take(&mut self, which: impl Fn(&Waiting<S>) -> bool) -> Vec<Waiting<S>> {
        self.waiting.extract_if(.., |_, waiting| which(waiting)).map(|(_, waiting)| waiting).collect()
    }

    /// Ends one wait.
    fn release(&mut self, waiting: Waiting<S>, end: End, now: Now) -> S {
        if let Some(counted) = &waiting.counted {
            self.people.waited(counted, end, now);
        }
        waiting.subscriber
    }

    /// What the sender of an earlier message was told. How many were handed it may be forgotten, and is
    /// then 0.
    fn published_before(&self, id: Cursor) -> Published {
        let message = self.message_at(id.sequence).filter(|(message, _)| message.id.is_at(id));
        Published { id, delivered: message.map_or(0, |(_, delivered)| *delivered) }
    }

    /// The message of a sequence, if it is remembered, and how many were handed it.
    fn message_at(&self, sequence: u64) -> Option<&(Arc<Message>, usize)> {
        let back = self.latest.sequence.checked_sub(sequence)?;
        self.recent.back(usize::try_from(back).ok()?)
    }

    /// Forgets what the store has forgotten, so that memory shows nobody more than the store does.
    pub fn forget(&mut self, keep: Keep, now: Timestamp) {
        self.recent.forget(keep, now);
    }
}

impl<S> Waiting<S> {
    fn wants_one_of(&self, messages: &[Arc<Message>]) -> bool {
        messages.iter().any(|message| self.wants.includes(message))
    }
}
