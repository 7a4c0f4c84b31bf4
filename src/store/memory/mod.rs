//! A store in memory, which forgets all at the end of the process: for tests, and for reading first.

mod shelf;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use self::shelf::{Here, Shelf};
use super::{
    Appended, Arrived, Done, Error, Keep, Order, Present, RoomSummary, Stats, Store, Tail, first_sent,
    notices, one_read,
};
use crate::config::{MEMORY_ENTRY_BYTES, MEMORY_LIMIT, MEMORY_SWEEP};
use crate::message::{Cursor, Draft, Epoch, Kind, Kinds, Message, PersonName, RoomName, Seal, Timestamp};

/// Keeps messages in this process's memory, up to a number of bytes.
///
/// At that limit the room that takes the most forgets its oldest messages, then its oldest ids. So a flood
/// drowns itself. A room's name, its latest sequence and that one's mark are never forgotten: when half of the
/// store is full of them, no new room is made, and the others go on.
pub struct MemoryStore {
    epoch: Epoch,
    seal: Seal,
    /// Held during a look-up or an append, never during I/O.
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

impl MemoryStore {
    /// An empty store of [`MEMORY_LIMIT`] bytes at most, with an epoch of its own.
    pub fn new(keep: Keep) -> MemoryStore {
        MemoryStore::with_limit(keep, MEMORY_LIMIT)
    }

    /// An empty store of `limit` bytes at most.
    pub fn with_limit(keep: Keep, limit: usize) -> MemoryStore {
        MemoryStore {
            epoch: Epoch::random(),
            seal: Seal::random(),
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

    fn store(&self, room: &RoomName, drafts: &[Draft]) -> Result<Arrived, Error> {
        let mut shelves = self.shelves();
        let began = Instant::now();
        if room.is_internal() {
            shelves.stats.commits += 1;
            return Ok(Arrived::unkept(self.epoch, drafts));
        }
        let appended = shelves.append(self.epoch, room, drafts);
        shelves.stats.busy += began.elapsed();
        let latest = shelves.latest(self.epoch, room);
        appended.map(|outcomes| Arrived::alone(outcomes, latest))
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

    fn seal(&self) -> Seal {
        self.seal.clone()
    }

    fn append(&self, room: &RoomName, _seen: Cursor, drafts: Vec<Draft>, done: Done) {
        // `store` has released its lock when the outcome is told.
        let outcome = self.store(room, &drafts);
        done.call(outcome);
    }

    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, Error> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.rooms.get(room) else {
            return Ok(Tail::empty(self.epoch));
        };
        let messages = shelf.newest_before(shelf.messages.len(), limit)?;
        let present = |(name, here): (&PersonName, &Here)| Present {
            name: name.clone(),
            since: here.since,
            is_held: true,
            holder: here.holder,
        };
        let present = shelf.present.iter().map(present).collect();
        Ok(Tail { messages, latest: shelf.latest(self.epoch), present, rules: shelf.rules.clone() })
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
        let entries = shelf.messages.range(..end).enumerate().rev().map(|(at, kept)| (at, &kept.message));
        let wanted = entries.take_while(|(_, message)| {
            let is_said = message.kind == Kind::Message;
            let is_wanted = left > 0;
            left -= usize::from(is_said && is_wanted);
            is_wanted
        });
        let is_shown = |at, kind: Kind| kind == Kind::Message || at >= floor && Kinds::SHOWN.includes(kind);
        let shown = wanted.filter(|(at, message)| is_shown(*at, message.kind));
        let mut messages = one_read(shown.map(|(_, message)| Ok(message.clone())))?;
        messages.reverse();
        Ok(messages)
    }

    fn file(&self, room: &RoomName, sequence: u64, part: Range<u64>) -> Result<Option<Vec<u8>>, Error> {
        let file = self.shelves().rooms.get(room).and_then(|shelf| shelf.file(sequence));
        let part = part.start as usize..part.end as usize;
        Ok(file.and_then(|bytes| bytes.get(part).map(<[u8]>::to_vec)))
    }

    fn newest_but(&self, room: &RoomName, kinds: Kinds, newer: usize) -> Result<Option<Cursor>, Error> {
        let shelves = self.shelves();
        let messages = shelves.rooms.get(room).into_iter().flat_map(|shelf| shelf.messages.iter().rev());
        let mut wanted = messages.filter(|kept| kinds.includes(kept.message.kind));
        Ok(wanted.nth(newer).map(|kept| kept.message.id))
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
            let latest = shelf.latest(self.epoch);
            let (at, people) = (shelf.at?, shelf.present.len());
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
    fn latest(&self, epoch: Epoch, name: &RoomName) -> Cursor {
        self.rooms.get(name).map_or(Cursor::start(epoch), |shelf| shelf.latest(epoch))
    }

    fn append(&mut self, epoch: Epoch, name: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error> {
        let Some(newest) = drafts.last() else {
            return Ok(Vec::new());
        };
        if !self.rooms.contains_key(name) {
            if let Some(outcomes) = Arrived::in_no_room(drafts) {
                return Ok(outcomes);
            }
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
            let appended: Vec<Appended> =
                drafts.iter().map(|draft| shelf.append(epoch, keep, draft)).collect();
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

    /// Changes a room, after making it if it is missing, and keeps the sums right.
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
