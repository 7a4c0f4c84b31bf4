//! A store in doubt: it is away, or brings down the room that calls it, as the lesson says.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::failures::{Failure, Failures};
use crate::message::{Cursor, Draft, Epoch, Kinds, Message, Person, RoomName, Seal, Timestamp};
use crate::store::{Done, Error, Following, Hear, Keep, Order, RoomSummary, Stats, Store, Tail};

/// A store, and what may be wrong with it.
pub struct Doubtful {
    store: Arc<dyn Store>,
    failures: &'static Failures,
    /// How often it took nothing.
    failed: AtomicU64,
}

impl Doubtful {
    /// This store, with these failures.
    pub fn new(store: Arc<dyn Store>, failures: &'static Failures) -> Doubtful {
        Doubtful { store, failures, failed: AtomicU64::new(0) }
    }
}

impl Store for Doubtful {
    fn epoch(&self) -> Epoch {
        self.store.epoch()
    }

    fn keep(&self) -> Keep {
        self.store.keep()
    }

    fn seal(&self) -> Seal {
        self.store.seal()
    }

    fn append(&self, room: &RoomName, seen: Cursor, drafts: Vec<Draft>, done: Done) {
        if !drafts.is_empty() && !room.is_internal() {
            // The room calls this on its own thread, or in its own task.
            assert!(!self.failures.end(Failure::Panic), "a room panics, as the lesson says");
        }
        if !drafts.is_empty() && self.failures.are(Failure::Store) {
            self.failed.fetch_add(1, Relaxed);
            return done.call(Err(Error("the store is away, as the lesson says".to_owned())));
        }
        self.store.append(room, seen, drafts, done);
    }

    fn follow(&self, room: &RoomName, hear: Hear) -> Following {
        self.store.follow(room, hear)
    }

    fn tell_leaves(&self, room: &RoomName, who: &Person, wait: Duration) {
        self.store.tell_leaves(room, who, wait);
    }

    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, Error> {
        self.store.newest(room, limit)
    }

    fn after(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.store.after(room, sequence, limit)
    }

    fn before(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.store.before(room, sequence, limit)
    }

    fn backlog(&self, room: &RoomName, limit: usize) -> Result<Tail, Error> {
        self.store.backlog(room, limit)
    }

    fn file(&self, room: &RoomName, sequence: u64, part: Range<u64>) -> Result<Option<Vec<u8>>, Error> {
        self.store.file(room, sequence, part)
    }

    fn newest_but(&self, room: &RoomName, kinds: Kinds, newer: usize) -> Result<Option<Cursor>, Error> {
        self.store.newest_but(room, kinds, newer)
    }

    fn rooms(&self, order: Order, after: Option<&RoomName>, limit: usize) -> Result<Vec<RoomSummary>, Error> {
        self.store.rooms(order, after, limit)
    }

    fn peopled(&self, limit: usize) -> Result<Vec<RoomName>, Error> {
        self.store.peopled(limit)
    }

    fn expire(&self, now: Timestamp, steady: Timestamp) -> Result<(), Error> {
        self.store.expire(now, steady)
    }

    fn stats(&self) -> Stats {
        let stats = self.store.stats();
        Stats { failures: stats.failures + self.failed.load(Relaxed), ..stats }
    }
}
