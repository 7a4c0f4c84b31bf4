//! The store that forgets at the end of the process: for tests, and for reading first.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::mem::size_of;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::fingerprint::fingerprint;
use super::{
    Appended, Error, Keep, Order, RoomSummary, Stats, Store, Tail, first_sent, notices, one_read, remembers,
    unkept,
};
use crate::config::{MEMORY_ENTRY_BYTES, MEMORY_LIMIT, MEMORY_SWEEP};
use crate::message::{Cursor, Draft, Epoch, Kind, Message, PersonName, RoomName, SendId, SentAs, Timestamp};

/// Keeps messages in this process's memory, and no more of them than a number of bytes.
///
/// At that limit the room that takes the most gives up its oldest messages, then its oldest ids, so that
/// a flood drowns itself. That there is a room, and how far its sequences went, can't be given up: when
/// half of the store is full of that, no further room is made, and those that are there go on.
pub struct MemoryStore {
    epoch: Epoch,
    /// Held for the time of a look-up or an append, never over I/O.
    shelves: Mutex<Shelves>,
}

struct Shelves {
    keep: Keep,
    /// In bytes.
    limit: usize,
    rooms: BTreeMap<RoomName, Shelf>,
    /// Every room with the bytes of its messages and ids, the largest last.
    by_bytes: BTreeSet<(usize, RoomName)>,
    /// Every room with the time of its newest message, the latest last.
    by_time: BTreeSet<(Timestamp, RoomName)>,
    /// The bytes of all messages and ids.
    bytes: usize,
    /// The bytes of the rooms themselves, which are never given up.
    room_bytes: usize,
    stats: Stats,
}

/// What is kept of one room.
#[derive(Default)]
struct Shelf {
    /// Without holes; the last one, if there is one, has the sequence `latest`.
    messages: VecDeque<Kept>,
    /// The bytes of `messages` and `sent_order`.
    bytes: usize,
    /// How many of `messages` were said.
    said: usize,
    latest: u64,
    at: Option<Timestamp>,
    /// Who has joined and not left since, and when.
    present: BTreeMap<PersonName, Timestamp>,
    sent: HashMap<SendId, Sent>,
    /// The keys of `sent` with their time, in the order in which they came.
    sent_order: VecDeque<(Timestamp, SendId)>,
}

/// A message, and when it came by the clock of that moment: its own `at` does not go back.
struct Kept {
    message: Arc<Message>,
    came: Timestamp,
}

/// What was sent under an id.
struct Sent {
    sequence: u64,
    at: Timestamp,
    fingerprint: u64,
}

impl MemoryStore {
    /// An empty store of [`MEMORY_LIMIT`] bytes at most, with an epoch of its own.
    pub fn new(keep: Keep) -> MemoryStore {
        MemoryStore::with_limit(keep, MEMORY_LIMIT)
    }

    /// An empty store of `limit` bytes at most.
    pub fn with_limit(keep: Keep, limit: usize) -> MemoryStore {
        MemoryStore {
            epoch: Epoch::random(),
            shelves: Mutex::new(Shelves {
                keep,
                limit,
                rooms: BTreeMap::new(),
                by_bytes: BTreeSet::new(),
                by_time: BTreeSet::new(),
                bytes: 0,
                room_bytes: 0,
                stats: Stats::default(),
            }),
        }
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        // Nothing under this lock leaves a shelf half changed, so a panic elsewhere does not taint it.
        self.shelves.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Store for MemoryStore {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn keep(&self) -> Keep {
        self.shelves().keep
    }

    fn append(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error> {
        let mut shelves = self.shelves();
        let began = Instant::now();
        if room.is_internal() {
            shelves.stats.commits += 1;
            return Ok(unkept(self.epoch, drafts));
        }
        let appended = shelves.append(self.epoch, room, drafts);
        shelves.stats.busy += began.elapsed();
        appended
    }

    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, Error> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.rooms.get(room) else {
            return Ok(Tail::default());
        };
        let messages = shelf.newest_before(shelf.messages.len(), limit)?;
        let present = shelf.present.iter().map(|(name, since)| (name.clone(), *since)).collect();
        Ok(Tail { messages, latest: shelf.latest, present })
    }

    fn after(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.rooms.get(room) else {
            return Ok(Vec::new());
        };
        let start = shelf.position_after(sequence);
        one_read(shelf.messages.range(start..).take(limit).map(|kept| Ok(kept.message.clone())))
    }

    fn before(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.rooms.get(room) else {
            return Ok(Vec::new());
        };
        let end = shelf.position_after(sequence.saturating_sub(1));
        let floor = end.saturating_sub(notices(limit));
        let mut left = limit;
        let page = shelf.messages.range(..end).enumerate().rev().map(|(at, kept)| (at, &kept.message));
        let wanted = page.take_while(|(_, message)| {
            let is_said = message.kind == Kind::Message;
            let is_wanted = left > 0;
            left -= usize::from(is_said && is_wanted);
            is_wanted
        });
        let shown = wanted.filter(|(at, message)| message.kind == Kind::Message || *at >= floor);
        let mut messages = one_read(shown.map(|(_, message)| Ok(message.clone())))?;
        messages.reverse();
        Ok(messages)
    }

    fn rooms(&self, order: Order, after: Option<&RoomName>, limit: usize) -> Result<Vec<RoomSummary>, Error> {
        let shelves = self.shelves();
        let known = after.and_then(|name| Some((shelves.rooms.get(name)?.at?, name.clone())));
        let names: Box<dyn Iterator<Item = &RoomName>> = match (order, known) {
            (Order::Name, _) => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                Box::new(shelves.rooms.range::<RoomName, _>((from, Bound::Unbounded)).map(|(name, _)| name))
            }
            (Order::Recent, None) => Box::new(shelves.by_time.iter().rev().map(|(_, name)| name)),
            (Order::Recent, Some(known)) => {
                Box::new(shelves.by_time.range(..known).rev().map(|(_, name)| name))
            }
        };
        let summary = |name: &RoomName| {
            let shelf = shelves.rooms.get(name)?;
            let is_listed = !shelf.messages.is_empty() || !shelf.present.is_empty();
            let (latest, at, people) = (shelf.latest, shelf.at?, shelf.present.len());
            is_listed.then(|| RoomSummary { room: name.clone(), latest, at, people })
        };
        Ok(names.filter_map(summary).take(limit).collect())
    }

    fn peopled(&self, limit: usize) -> Result<Vec<RoomName>, Error> {
        let shelves = self.shelves();
        let peopled = shelves.rooms.iter().filter(|(_, shelf)| !shelf.present.is_empty());
        Ok(peopled.map(|(name, _)| name.clone()).take(limit).collect())
    }

    fn expire(&self, now: Timestamp, steady: Timestamp) -> Result<(), Error> {
        let mut from = Bound::Unbounded;
        loop {
            let mut shelves = self.shelves();
            let range = (from, Bound::Unbounded);
            let names: Vec<RoomName> =
                shelves.rooms.range(range).map(|(name, _)| name.clone()).take(MEMORY_SWEEP).collect();
            let Some(last) = names.last().cloned() else {
                return Ok(());
            };
            for name in names {
                shelves.change(&name, |shelf, keep| {
                    shelf.forget_sent(steady);
                    shelf.trim(keep, now);
                });
            }
            from = Bound::Excluded(last);
        }
    }

    fn stats(&self) -> Stats {
        self.shelves().stats
    }
}

impl Shelves {
    fn append(&mut self, epoch: Epoch, name: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error> {
        let Some(newest) = drafts.last() else {
            return Ok(Vec::new());
        };
        if !self.rooms.contains_key(name) {
            let added = MEMORY_ENTRY_BYTES + name.as_str().len();
            if self.room_bytes + added > self.limit / 2 {
                self.stats.failures += 1;
                return Err(Error(format!(
                    "the memory store has as many rooms as may be: half of its {} bytes is full of them",
                    self.limit
                )));
            }
            self.room_bytes += added;
        }
        let appended = self.change(name, |shelf, keep| {
            if let Some(steady) = first_sent(drafts) {
                shelf.forget_sent(steady);
            }
            let appended: Vec<Appended> = drafts.iter().map(|draft| shelf.append(epoch, draft)).collect();
            shelf.trim(keep, newest.at);
            appended
        });
        self.stats.messages += appended.iter().filter_map(Appended::stored).count() as u64;
        self.stats.commits += 1;
        while self.room_bytes + self.bytes > self.limit {
            let Some((_, largest)) = self.by_bytes.last().cloned() else {
                break;
            };
            self.change(&largest, |shelf, _| shelf.give_up());
        }
        Ok(appended)
    }

    /// Changes a room, which is made if it is missing, and keeps the sums right.
    fn change<T>(&mut self, name: &RoomName, change: impl FnOnce(&mut Shelf, Keep) -> T) -> T {
        let shelf = self.rooms.entry(name.clone()).or_default();
        let (before, old) = (shelf.bytes, shelf.at);
        let result = change(shelf, self.keep);
        let (after, new) = (shelf.bytes, shelf.at);
        if new != old {
            old.map(|at| self.by_time.remove(&(at, name.clone())));
            self.by_time.extend(new.map(|at| (at, name.clone())));
        }
        self.by_bytes.remove(&(before, name.clone()));
        if after > 0 {
            self.by_bytes.insert((after, name.clone()));
        }
        self.bytes = self.bytes - before + after;
        result
    }
}

impl Shelf {
    fn append(&mut self, epoch: Epoch, draft: &Draft) -> Appended {
        let sequence = self.latest + 1;
        if let Some(SentAs { id, at }) = &draft.sent_as {
            let fingerprint = fingerprint(draft);
            if let Some(sent) = self.sent.get(id)
                && remembers(sent.at, *at)
            {
                return match sent.fingerprint == fingerprint {
                    true => Appended::Repeated(Cursor { epoch, sequence: sent.sequence }),
                    false => Appended::Conflict,
                };
            }
            self.sent.insert(id.clone(), Sent { sequence, at: *at, fingerprint });
            self.sent_order.push_back((*at, id.clone()));
            self.bytes += sent_bytes(id);
        }
        let at = draft.at.max(self.at.unwrap_or(draft.at));
        match (draft.kind, &draft.name) {
            (Kind::Joined, Some(name)) => drop(self.present.insert(name.clone(), at)),
            (Kind::Left, Some(name)) => drop(self.present.remove(name)),
            _ => {}
        }
        self.latest = sequence;
        self.at = Some(at);
        self.bytes += message_bytes(draft.name.as_ref(), &draft.text);
        let message = Arc::new(Message { at, ..draft.clone().numbered(Cursor { epoch, sequence }) });
        self.said += usize::from(message.kind == Kind::Message);
        self.messages.push_back(Kept { message: message.clone(), came: draft.at });
        Appended::Stored(message)
    }

    fn trim(&mut self, keep: Keep, now: Timestamp) {
        let begins_with_notice =
            |shelf: &Shelf| shelf.messages.front().is_some_and(|kept| kept.message.kind != Kind::Message);
        while self.said > keep.messages || self.messages.len() > keep.entries() && begins_with_notice(self) {
            self.drop_oldest();
        }
        if let Some(horizon) = keep.horizon(now) {
            let in_time = self.messages.iter().position(|kept| horizon <= kept.came && kept.came <= now);
            let end = in_time.unwrap_or(self.messages.len());
            let too_old = self.messages.range(..end).rposition(|kept| kept.came < horizon);
            for _ in 0..too_old.map_or(0, |last| last + 1) {
                self.drop_oldest();
            }
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(Kept { message, .. }) = self.messages.pop_front() {
            self.bytes -= message_bytes(message.name.as_ref(), &message.text);
            self.said -= usize::from(message.kind == Kind::Message);
        }
    }

    /// Makes room: what was said goes first, because who lost it is told of a gap, and a forgotten id
    /// may let a message be published twice.
    fn give_up(&mut self) {
        if self.messages.is_empty() {
            self.drop_oldest_id();
        } else {
            self.drop_oldest();
        }
    }

    /// Forgets the ids of more than ten minutes ago.
    fn forget_sent(&mut self, now: Timestamp) {
        while self.sent_order.front().is_some_and(|(at, _)| !remembers(*at, now)) {
            self.drop_oldest_id();
        }
        if self.sent.is_empty() {
            self.sent.shrink_to(0);
            self.sent_order.shrink_to(0);
        }
    }

    fn drop_oldest_id(&mut self) {
        if let Some((at, id)) = self.sent_order.pop_front() {
            self.bytes -= sent_bytes(&id);
            // The same id may have been used anew since.
            if self.sent.get(&id).is_some_and(|sent| sent.at == at) {
                self.sent.remove(&id);
            }
        }
    }

    /// The newest of those that are kept before an index.
    fn newest_before(&self, end: usize, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let mut messages =
            one_read(self.messages.range(..end).rev().take(limit).map(|kept| Ok(kept.message.clone())))?;
        messages.reverse();
        Ok(messages)
    }

    /// The index of the first kept message whose sequence is greater.
    fn position_after(&self, sequence: u64) -> usize {
        let oldest = self.latest + 1 - self.messages.len() as u64;
        let past = sequence.saturating_add(1).saturating_sub(oldest);
        usize::try_from(past).unwrap_or(usize::MAX).min(self.messages.len())
    }
}

/// What a message takes.
fn message_bytes(name: Option<&PersonName>, text: &str) -> usize {
    size_of::<Message>() + text.len() + name.map_or(0, |name| name.as_str().len())
}

/// What it takes to remember an id.
fn sent_bytes(id: &SendId) -> usize {
    MEMORY_ENTRY_BYTES + id.as_str().len()
}
