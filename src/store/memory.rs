//! The store that forgets at the end of the process: for tests, and for reading first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Appended, Error, Keep, RoomSummary, SEND_ID_MEMORY_MS, Store, Tail};
use crate::message::{Cursor, Draft, Epoch, Message, RoomName, SendId, Timestamp};

/// Keeps messages in this process's memory.
pub struct MemoryStore {
    epoch: Epoch,
    keep: Keep,
    /// Held for the time of a look-up or an append, never over I/O.
    shelves: Mutex<HashMap<RoomName, Shelf>>,
}

/// What is kept of one room.
#[derive(Default)]
struct Shelf {
    /// Without holes; the last one has the sequence `latest`.
    messages: VecDeque<Arc<Message>>,
    latest: u64,
    sent: HashMap<SendId, u64>,
    /// The keys of `sent` with their time, oldest first.
    sent_order: VecDeque<(Timestamp, SendId)>,
}

impl MemoryStore {
    /// An empty store, with an epoch of its own.
    pub fn new(keep: Keep) -> MemoryStore {
        MemoryStore { epoch: Epoch::random(), keep, shelves: Mutex::default() }
    }

    fn shelves(&self) -> MutexGuard<'_, HashMap<RoomName, Shelf>> {
        // Nothing under this lock leaves a shelf half changed, so a panic elsewhere does not taint it.
        self.shelves.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Store for MemoryStore {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn append(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error> {
        let mut shelves = self.shelves();
        let shelf = shelves.entry(room.clone()).or_default();
        Ok(drafts.iter().map(|draft| shelf.append(self.epoch, self.keep, draft)).collect())
    }

    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, Error> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.get(room) else {
            return Ok(Tail::default());
        };
        let skip = shelf.messages.len().saturating_sub(limit);
        Ok(Tail { messages: shelf.messages.range(skip..).cloned().collect(), latest: shelf.latest })
    }

    fn after(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.get(room) else {
            return Ok(Vec::new());
        };
        let start = shelf.position_after(sequence);
        Ok(shelf.messages.range(start..).take(limit).cloned().collect())
    }

    fn before(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.get(room) else {
            return Ok(Vec::new());
        };
        let end = shelf.position_after(sequence.saturating_sub(1));
        Ok(shelf.messages.range(end.saturating_sub(limit)..end).cloned().collect())
    }

    fn rooms(&self) -> Result<Vec<RoomSummary>, Error> {
        let shelves = self.shelves();
        let mut rooms: Vec<RoomSummary> = shelves
            .iter()
            .filter(|(room, _)| !room.is_internal())
            .filter_map(|(room, shelf)| {
                let at = shelf.messages.back()?.at;
                Some(RoomSummary { room: room.clone(), latest: shelf.latest, at })
            })
            .collect();
        rooms.sort_by(|a, b| a.room.cmp(&b.room));
        Ok(rooms)
    }
}

impl Shelf {
    fn append(&mut self, epoch: Epoch, keep: Keep, draft: &Draft) -> Appended {
        while let Some((at, _)) = self.sent_order.front() {
            if at.0.saturating_add(SEND_ID_MEMORY_MS) > draft.at.0 {
                break;
            }
            if let Some((_, id)) = self.sent_order.pop_front() {
                self.sent.remove(&id);
            }
        }
        if let Some(id) = &draft.send_id {
            if let Some(&sequence) = self.sent.get(id) {
                return Appended::Repeated(Cursor { epoch, sequence });
            }
            self.sent.insert(id.clone(), self.latest + 1);
            self.sent_order.push_back((draft.at, id.clone()));
        }
        self.latest += 1;
        let message = Arc::new(Message {
            id: Cursor { epoch, sequence: self.latest },
            kind: draft.kind,
            name: draft.name.clone(),
            text: draft.text.clone(),
            at: draft.at,
        });
        self.messages.push_back(message.clone());
        while self.messages.len() > keep.messages {
            self.messages.pop_front();
        }
        Appended::Stored(message)
    }

    /// The index of the first kept message whose sequence is greater.
    fn position_after(&self, sequence: u64) -> usize {
        let oldest = self.latest + 1 - self.messages.len() as u64;
        let past = (sequence + 1).saturating_sub(oldest);
        usize::try_from(past).unwrap_or(usize::MAX).min(self.messages.len())
    }
}
