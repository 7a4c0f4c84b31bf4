//! A room: who waits, who is present, and the end of its order.
//!
//! It does no I/O, reads no clock and knows no thread: it is told what was stored and what time it is,
//! and says whom to wake with what. Each engine gives it an owner, a thread or a task, and a mailbox.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Now;
use crate::config::{TAIL_BYTES, TAIL_LIMIT};
use crate::message::{Cursor, Epoch, Kind, Message, PersonName, Timestamp};
use crate::presence::{End, People};
use crate::store::{Appended, Keep, Tail};
use crate::tails::{Held, Tails};

/// From where on somebody wants a room's messages.
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
    /// The sequence that is meant in an order that ends here, and whether something is known to be lost.
    /// `None` is the beginning of what is kept.
    fn in_order(self, latest: Cursor) -> (Option<u64>, bool) {
        match self {
            After::Latest => (Some(latest.sequence), false),
            After::Oldest => (None, false),
            After::Cursor(c) if c.epoch == latest.epoch && c.sequence <= latest.sequence => {
                (Some(c.sequence), false)
            }
            After::Cursor(_) => (None, true),
        }
    }
}

/// What a room that sleeps, and whose order ends here, has for somebody who looks and does not wait.
pub fn look(latest: Cursor, after: After) -> Wake {
    let (after, gap) = after.in_order(latest);
    if gap || after.unwrap_or(0) < latest.sequence {
        return Wake::Stored(Missed { after, gap, latest });
    }
    Wake::Expired(latest)
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// What people say.
    Messages,
    /// That, and who comes and goes.
    Everything,
}

impl Wants {
    /// Whether this message is wanted.
    pub fn includes(self, message: &Message) -> bool {
        self == Wants::Everything || message.kind == Kind::Message
    }
}

/// What somebody asks for who subscribes.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// From where on.
    pub after: After,
    /// What.
    pub wants: Wants,
    /// Who.
    pub name: Option<PersonName>,
}

/// A piece of a room's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Oldest first, without holes.
    pub messages: Arc<[Arc<Message>]>,
    /// Where to go on from: the last message here.
    pub next: Cursor,
    /// Whether something before this page is no longer kept.
    pub gap: bool,
}

impl Page {
    /// Whether there is anything in it for who wants this. A gap is, by itself.
    pub fn is_worth_telling(&self, wants: Wants) -> bool {
        self.gap || self.messages.iter().any(|message| wants.includes(message))
    }
}

/// How one subscription ended. A subscriber hears exactly one of these, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// Something came, or had come already.
    Page(Page),
    /// Something had come already, longer ago than the room remembers: the store has it.
    Stored(Missed),
    /// The subscription was taken back. Nothing that it wants has come up to this cursor.
    Expired(Cursor),
    /// The server is closing. Nothing that it wants has come up to this cursor.
    Closing(Cursor),
}

/// What somebody missed for longer than the room remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// The sequence to read on from; `None` for the oldest message that is kept.
    pub after: Option<u64>,
    /// Whether something before that is known to be lost.
    pub gap: bool,
    /// The room's newest message.
    pub latest: Cursor,
}

impl Missed {
    /// The page that the store's answer makes: `messages` as it read them.
    ///
    /// Sequences have no holes, so a first message that does not follow on tells of a loss; and so
    /// do no messages at all, where there were some.
    pub fn page(self, messages: Vec<Arc<Message>>) -> Page {
        let lost = match (self.after, messages.first()) {
            (Some(after), Some(first)) => first.id.sequence != after + 1,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        let next = messages.last().map_or(self.latest, |m| m.id);
        Page { messages: messages.into(), next, gap: self.gap || lost }
    }
}

/// How a wait ended, once what the store had is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Something came that the client wants, or a gap.
    Page(Page),
    /// The time is up. Nothing that the client wants has come up to this cursor.
    Expired(Cursor),
    /// The server is closing. Nothing that the client wants has come up to this cursor.
    Closing(Cursor),
}

impl Outcome {
    /// What came.
    pub fn messages(&self) -> &[Arc<Message>] {
        match self {
            Outcome::Page(page) => &page.messages,
            Outcome::Expired(_) | Outcome::Closing(_) => &[],
        }
    }
}

/// Names one subscription in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberId(u64);

impl SubscriberId {
    /// One that nobody else has.
    pub fn fresh() -> SubscriberId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        SubscriberId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Where it stands.
    pub id: Cursor,
    /// How many subscribers were waiting and were handed it.
    pub delivered: usize,
}

/// A message came under the id of another one, and was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdReused;

/// What the sender of a draft is told.
pub type Receipt = Result<Published, IdReused>;

/// A room's state. `S` is whatever the engine wakes a subscriber by.
pub struct Room<S> {
    epoch: Epoch,
    /// The sequence of the newest message; 0 if there never was one.
    latest: u64,
    /// The newest messages with how many were handed each, without holes, up to `latest`.
    tail: VecDeque<(Arc<Message>, usize)>,
    /// What `tail` takes.
    held: Held,
    /// Who waits, in the order of their coming. Nothing that one of them wants stands before
    /// `latest` unseen by it: whoever has missed something is answered instead of kept here.
    waiting: BTreeMap<SubscriberId, Waiting<S>>,
    /// Who is present, waiting or between two polls.
    pub people: People,
    /// Nobody is kept waiting any more.
    closing: bool,
}

/// Somebody who waits.
struct Waiting<S> {
    wants: Wants,
    /// Whose presence counts this wait.
    name: Option<PersonName>,
    subscriber: S,
}

impl<S> Room<S> {
    /// A room as the store remembers it, with nobody waiting. Its tail is counted among `tails`.
    pub fn new(epoch: Epoch, stored: Tail, tails: &Arc<Tails>, now: Now) -> Room<S> {
        let mut room = Room {
            epoch,
            latest: stored.latest,
            tail: VecDeque::new(),
            held: Held::new(tails),
            waiting: BTreeMap::new(),
            people: People::remembered(stored.present, now),
            closing: false,
        };
        room.extend_tail(stored.messages.into_iter().map(|message| (message, 0)));
        room
    }

    /// The place of the newest message.
    pub fn latest(&self) -> Cursor {
        self.cursor(self.latest)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Looks for what came `after`, and keeps the subscriber if there is nothing: one step, so that
    /// nothing falls between. Gives the subscriber back with its answer if it need not wait.
    ///
    /// A cursor of another epoch, or of a message that never was, is a gap: the room starts over
    /// from the oldest message that is kept, and says so at once even if none is.
    #[must_use = "the subscriber that comes back must be woken"]
    pub fn subscribe(&mut self, id: SubscriberId, what: Subscription, subscriber: S) -> Option<(S, Wake)> {
        let Subscription { after, wants, name } = what;
        let (after, gap) = after.in_order(self.latest());
        let remembered = self.latest - self.tail.len() as u64;
        if after.unwrap_or(0) < remembered {
            return Some((subscriber, Wake::Stored(Missed { after, gap, latest: self.latest() })));
        }
        // The difference is at most the tail's length, which is a usize.
        let unseen = self.tail.range((after.unwrap_or(0) - remembered) as usize..);
        if gap || unseen.clone().any(|(message, _)| wants.includes(message)) {
            let messages = unseen.map(|(message, _)| message.clone()).collect();
            return Some((subscriber, Wake::Page(Page { messages, next: self.latest(), gap })));
        }
        if self.closing {
            return Some((subscriber, Wake::Closing(self.latest())));
        }
        let name = name.filter(|name| self.people.waits(name));
        self.waiting.insert(id, Waiting { wants, name, subscriber });
        None
    }

    /// Takes a subscription back, because it ends so. `None` if it was answered before.
    #[must_use = "the subscriber that comes back must be woken"]
    pub fn unsubscribe(&mut self, id: SubscriberId, end: End, now: Now) -> Option<(S, Wake)> {
        let waiting = self.waiting.remove(&id)?;
        Some((self.release(waiting, end, now), Wake::Expired(self.latest())))
    }

    /// Lets all go who wait, without an answer: they are to come back when the room is awake again.
    pub fn abandon(&mut self, now: Now) {
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            drop(self.release(waiting, End::Answered, now));
        }
    }

    /// Takes all subscriptions back, and every later one, because the server closes.
    #[must_use = "the subscribers that come back must be woken"]
    pub fn close(&mut self) -> Vec<(S, Wake)> {
        self.closing = true;
        let next = self.latest();
        std::mem::take(&mut self.waiting)
            .into_values()
            .map(|waiting| (waiting.subscriber, Wake::Closing(next)))
            .collect()
    }

    /// Enters what the store has numbered, in its order, and says whom to wake with it, and for each
    /// outcome what to tell its sender.
    #[must_use = "the subscribers that come back must be woken, then the senders answered"]
    pub fn publish(&mut self, appended: &[Appended], now: Now) -> (Vec<(S, Wake)>, Vec<Receipt>) {
        let messages: Arc<[Arc<Message>]> = appended.iter().filter_map(Appended::stored).cloned().collect();

        self.people.settle(&messages);
        let woken = self.take_those_who_want(&messages);
        let wanting_everything = woken.iter().filter(|waiting| waiting.wants == Wants::Everything).count();
        // Plain text carries one message, so who wants only what is said is handed the first such.
        let first_said = messages.iter().find(|m| m.kind == Kind::Message).map(|m| m.id);
        let delivered = |message: &Message| {
            if Some(message.id) == first_said { woken.len() } else { wanting_everything }
        };
        // What does not follow on was stored, but not answered: the store has what is between.
        if messages.first().is_some_and(|first| first.id.sequence != self.latest + 1) {
            while self.forget_oldest() {}
        }
        if let Some(last) = messages.last() {
            self.latest = last.id.sequence;
            self.extend_tail(messages.iter().map(|m| (m.clone(), delivered(m))).collect::<Vec<_>>());
        }
        let published = appended
            .iter()
            .map(|outcome| match outcome {
                Appended::Stored(message) => Ok(Published { id: message.id, delivered: delivered(message) }),
                Appended::Repeated(id) => Ok(Published { id: *id, delivered: self.delivered_then(*id) }),
                Appended::Conflict => Err(IdReused),
            })
            .collect();
        let page = Page { messages, next: self.latest(), gap: false };
        let woken = woken
            .into_iter()
            .map(|waiting| (self.release(waiting, End::Answered, now), Wake::Page(page.clone())))
            .collect();
        (woken, published)
    }

    /// Removes from those who wait everybody who wants one of these.
    fn take_those_who_want(&mut self, messages: &[Arc<Message>]) -> Vec<Waiting<S>> {
        if messages.iter().any(|m| m.kind == Kind::Message) {
            std::mem::take(&mut self.waiting).into_values().collect()
        } else if messages.is_empty() {
            Vec::new()
        } else {
            let wants_everything = |_: &SubscriberId, w: &mut Waiting<S>| w.wants == Wants::Everything;
            self.waiting.extract_if(.., wants_everything).map(|(_, waiting)| waiting).collect()
        }
    }

    /// Lets somebody go whose wait is over.
    fn release(&mut self, waiting: Waiting<S>, end: End, now: Now) -> S {
        if let Some(name) = &waiting.name {
            self.people.waited(name, end, now);
        }
        waiting.subscriber
    }

    /// How many were handed a message back when it was published; 0 if that is forgotten.
    fn delivered_then(&self, id: Cursor) -> usize {
        let back = self.latest.saturating_sub(id.sequence) as usize;
        self.tail.iter().nth_back(back).map_or(0, |(_, delivered)| *delivered)
    }

    fn extend_tail(&mut self, messages: impl IntoIterator<Item = (Arc<Message>, usize)>) {
        for (message, delivered) in messages {
            self.held.add(&message);
            self.tail.push_back((message, delivered));
        }
        while self.tail.len() > TAIL_LIMIT || (self.held.bytes() > TAIL_BYTES && self.tail.len() > 1) {
            self.forget_oldest();
        }
        while self.held.is_over() && self.forget_oldest() {}
    }

    /// Remembers no more than the store keeps, so that nobody is shown by memory what is forgotten; nor
    /// more than the room's share, where there is little left for others. What bears a time that has not
    /// come may be older than it says: only the store knows.
    pub fn forget(&mut self, keep: Keep, now: Timestamp) {
        let horizon = keep.horizon(now);
        let is_said = |message: &Message| message.kind == Kind::Message;
        let mut said = match self.tail.len() > keep.messages {
            true => self.tail.iter().filter(|(message, _)| is_said(message)).count(),
            false => 0,
        };
        while let Some((oldest, _)) = self.tail.front()
            && (said > keep.messages || horizon.is_some_and(|horizon| oldest.at < horizon || oldest.at > now))
        {
            said = said.saturating_sub(usize::from(is_said(oldest)));
            self.forget_oldest();
        }
        while self.held.is_unfair() && self.forget_oldest() {}
    }

    /// Says whether there was one.
    fn forget_oldest(&mut self) -> bool {
        let oldest = self.tail.pop_front();
        oldest.map(|(message, _)| self.held.remove(&message)).is_some()
    }

    fn cursor(&self, sequence: u64) -> Cursor {
        Cursor { epoch: self.epoch, sequence }
    }
}
