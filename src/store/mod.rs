//! Where messages are kept, numbered and found again.
//!
//! A store is called from room threads and handlers and may block: on a lock, or on a disk.
//! It never calls back, knows no room thread and no waiter, and takes the time from the drafts.

mod memory;

use std::fmt;
use std::sync::Arc;

use crate::message::{Cursor, Draft, Epoch, Message, RoomName, Timestamp};

pub use memory::MemoryStore;

/// How long a [`SendId`](crate::message::SendId) is remembered, in milliseconds: ten minutes.
pub const SEND_ID_MEMORY_MS: u64 = 10 * 60 * 1000;

/// What both stores promise.
///
/// Sequences of a room start at 1 and have no holes, so that whoever reads from a sequence on can
/// tell a loss: the first message that comes back does not follow on.
pub trait Store: Send + Sync + 'static {
    /// The life of this store; every cursor that it gives out names it.
    fn epoch(&self) -> Epoch;

    /// Numbers and keeps the drafts, in their order, all or none; as durably as this store promises
    /// by the time it returns. Answers one outcome for each draft.
    fn append(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error>;

    /// The newest messages of a room, at most `limit`, oldest first; and its latest sequence, which
    /// is 0 for a room in which nothing was ever said. It does not make the room.
    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, Error>;

    /// What was kept after `sequence`, at most `limit`, oldest first.
    fn after(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error>;

    /// What was kept before `sequence`, the newest `limit` of it, oldest first.
    fn before(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error>;

    /// Every room in which something is kept, by name, without the server's own.
    fn rooms(&self) -> Result<Vec<RoomSummary>, Error>;
}

/// What became of one draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored, as this message.
    Stored(Arc<Message>),
    /// Its `send_id` was stored before, here; nothing was added.
    Repeated(Cursor),
}

/// The end of a room's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// The newest messages, oldest first; the last of them has the sequence `latest`.
    pub messages: Vec<Arc<Message>>,
    /// The sequence of the newest message ever stored in the room, or 0.
    pub latest: u64,
}

/// One room in a list of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its name.
    pub room: RoomName,
    /// Its latest sequence.
    pub latest: u64,
    /// When its newest message was stored.
    pub at: Timestamp,
}

/// What a store keeps of each room.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// The most messages of one room.
    pub messages: usize,
}

/// Why a store could not do what it was asked. Nothing of the call was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
