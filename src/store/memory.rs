//! The store that forgets at the end of the process: for tests, and for reading first.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::mem::size_of;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::fingerprint::fingerprint;
use super::{Appended, Error, Keep, RoomSummary, Stats, Store, Tail, one_read, remembers, unkept};
use crate::message::{Cursor, Draft, Epoch, Kind, Message, PersonName, RoomName, SendId, Timestamp};

/// The most bytes that a [`MemoryStore`] takes unless told otherwise: 256 MiB.
pub const MEMORY_LIMIT: usize = 256 * 1024 * 1024;

/// What a room, and a remembered id, take beyond their names: entries in maps, by a fair guess.
const ENTRY_BYTES: usize = 256;

/// Keeps messages in this process's memory, and no more of them than a number of bytes.
///
/// At that limit the room that takes the most gives up its oldest messages, so that a flood drowns
/// itself. Rooms and the ids of the last ten minutes can't be given up: when they alone fill the
/// store, an append is refused.
pub struct MemoryStore {
    epoch: Epoch,
    /// Held for the time of a look-up or an append, never over I/O.
    shelves: Mutex<Shelves>,
}

struct Shelves {
    keep: Keep,
    /// In bytes.
    limit: usize,
    rooms: HashMap<RoomName, Shelf>,
    /// Every room with the bytes of its messages, the largest last.
    by_bytes: BTreeSet<(usize, RoomName)>,
    /// The bytes of all messages.
    message_bytes: usize,
    /// The bytes of what is never given up to make room.
    fixed_bytes: usize,
    stats: Stats,
}

/// What is kept of one room.
#[derive(Default)]
struct Shelf {
    /// Without holes; the last one, if there is one, has the sequence `latest`.
    messages: VecDeque<Arc<Message>>,
    bytes: usize,
    latest: u64,
    at: Option<Timestamp>,
    /// Who has joined and not left since, and when.
    present: BTreeMap<PersonName, Timestamp>,
    sent: HashMap<SendId, Sent>,
    /// The keys of `sent` with their time, in the order in which they came.
    sent_order: VecDeque<(Timestamp, SendId)>,
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
                rooms: HashMap::new(),
                by_bytes: BTreeSet::new(),
                message_bytes: 0,
                fixed_bytes: 0,
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
        one_read(shelf.messages.range(start..).take(limit).cloned().map(Ok))
    }

    fn before(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.rooms.get(room) else {
            return Ok(Vec::new());
        };
        let end = shelf.position_after(sequence.saturating_sub(1));
        shelf.newest_before(end, limit)
    }

    fn rooms(&self) -> Result<Vec<RoomSummary>, Error> {
        let shelves = self.shelves();
        let mut rooms: Vec<RoomSummary> = shelves
            .rooms
            .iter()
            .filter(|(_, shelf)| !shelf.messages.is_empty() || !shelf.present.is_empty())
            .filter_map(|(room, shelf)| {
                let (latest, at, people) = (shelf.latest, shelf.at?, shelf.present.len());
                Some(RoomSummary { room: room.clone(), latest, at, people })
            })
            .collect();
        rooms.sort_by(|a, b| a.room.cmp(&b.room));
        Ok(rooms)
    }

    fn expire(&self, now: Timestamp) -> Result<(), Error> {
        let mut shelves = self.shelves();
        if shelves.keep.age.is_some() {
            let names: Vec<RoomName> = shelves.rooms.keys().cloned().collect();
            for name in names {
                shelves.change(&name, |shelf, keep| shelf.trim(keep, now));
            }
        }
        Ok(())
    }

    fn stats(&self) -> Stats {
        self.shelves().stats
    }
}

impl Shelves {
    fn append(&mut self, epoch: Epoch, name: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error> {
        let (Some(first), Some(newest)) = (drafts.first(), drafts.last()) else {
            return Ok(Vec::new());
        };
        if let Some(shelf) = self.rooms.get_mut(name) {
            self.fixed_bytes -= shelf.forget_sent(first.at);
        }
        let added_room = if self.rooms.contains_key(name) { 0 } else { ENTRY_BYTES + name.as_str().len() };
        let added: usize = drafts
            .iter()
            .map(|draft| message_bytes(draft.name.as_ref(), &draft.text) + sent_bytes(draft))
            .sum();
        if self.fixed_bytes + added_room + added > self.limit {
            self.stats.failures += 1;
            return Err(Error(format!(
                "the memory store is full: its {} bytes hold rooms and ids that can't be given up",
                self.limit
            )));
        }
        self.fixed_bytes += added_room;
        let appended = self.change(name, |shelf, keep| {
            let appended: Vec<Appended> = drafts.iter().map(|draft| shelf.append(epoch, draft)).collect();
            shelf.trim(keep, newest.at);
            appended
        });
        for (draft, appended) in drafts.iter().zip(&appended) {
            if appended.stored().is_some() {
                self.fixed_bytes += sent_bytes(draft);
                self.stats.messages += 1;
            }
        }
        self.stats.commits += 1;
        while self.fixed_bytes + self.message_bytes > self.limit {
            let Some((_, largest)) = self.by_bytes.last().cloned() else {
                break;
            };
            self.change(&largest, |shelf, _| shelf.drop_oldest());
        }
        Ok(appended)
    }

    /// Changes a room, which is made if it is missing, and keeps the sums right.
    fn change<T>(&mut self, name: &RoomName, change: impl FnOnce(&mut Shelf, Keep) -> T) -> T {
        let shelf = self.rooms.entry(name.clone()).or_default();
        let before = shelf.bytes;
        let result = change(shelf, self.keep);
        let after = shelf.bytes;
        self.by_bytes.remove(&(before, name.clone()));
        if after > 0 {
            self.by_bytes.insert((after, name.clone()));
        }
        self.message_bytes = self.message_bytes - before + after;
        result
    }
}

impl Shelf {
    fn append(&mut self, epoch: Epoch, draft: &Draft) -> Appended {
        let sequence = self.latest + 1;
        if let Some(id) = &draft.send_id {
            let fingerprint = fingerprint(draft);
            if let Some(sent) = self.sent.get(id)
                && remembers(sent.at, draft.at)
            {
                return match sent.fingerprint == fingerprint {
                    true => Appended::Repeated(Cursor { epoch, sequence: sent.sequence }),
                    false => Appended::Conflict,
                };
            }
            self.sent.insert(id.clone(), Sent { sequence, at: draft.at, fingerprint });
            self.sent_order.push_back((draft.at, id.clone()));
        }
        match (draft.kind, &draft.name) {
            (Kind::Joined, Some(name)) => drop(self.present.insert(name.clone(), draft.at)),
            (Kind::Left, Some(name)) => drop(self.present.remove(name)),
            _ => {}
        }
        self.latest = sequence;
        self.at = Some(draft.at);
        self.bytes += message_bytes(draft.name.as_ref(), &draft.text);
        let message = Arc::new(draft.clone().numbered(Cursor { epoch, sequence }));
        self.messages.push_back(message.clone());
        Appended::Stored(message)
    }

    fn trim(&mut self, keep: Keep, now: Timestamp) {
        while self.messages.len() > keep.messages {
            self.drop_oldest();
        }
        if let Some(horizon) = keep.horizon(now) {
            while self.messages.front().is_some_and(|m| m.at < horizon) {
                self.drop_oldest();
            }
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(message) = self.messages.pop_front() {
            self.bytes -= message_bytes(message.name.as_ref(), &message.text);
        }
    }

    /// Forgets the ids of more than ten minutes ago; answers how many bytes that sets free.
    fn forget_sent(&mut self, now: Timestamp) -> usize {
        let mut freed = 0;
        while let Some((at, _)) = self.sent_order.front()
            && !remembers(*at, now)
        {
            let Some((at, id)) = self.sent_order.pop_front() else {
                break;
            };
            freed += ENTRY_BYTES + id.as_str().len();
            // The same id may have been used anew since.
            if self.sent.get(&id).is_some_and(|sent| sent.at == at) {
                self.sent.remove(&id);
            }
        }
        freed
    }

    /// The newest of those that are kept before an index.
    fn newest_before(&self, end: usize, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let mut messages = one_read(self.messages.range(..end).rev().take(limit).cloned().map(Ok))?;
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

/// What it takes to remember a draft's id.
fn sent_bytes(draft: &Draft) -> usize {
    draft.send_id.as_ref().map_or(0, |id| ENTRY_BYTES + id.as_str().len())
}
