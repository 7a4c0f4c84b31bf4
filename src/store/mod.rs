//! Where messages are kept, numbered and found again.
//!
//! A store is an actor: [`Store::append`] returns at once, and the outcome comes back by [`Done`]. Reads
//! may block, on a lock or on a disk. A store knows no room and no waiter, and takes the time from its
//! callers.

mod arrived;
mod beside;
mod counts;
mod done;
mod fingerprint;
mod follow;
mod judge;
mod memory;
mod past;
#[cfg(feature = "redis")]
mod redis;
mod search;
mod spec;
mod sqlite;
mod sweeper;
mod writing;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{ENTRIES_SPARE, NOTICES_LEAST, REPLY_BYTES, SEND_ID_MEMORY_MS};
use crate::message::{
    Cursor, Draft, Epoch, Holder, Kinds, Message, Person, PersonName, RoomName, Rules, Seal, Timestamp,
};

pub use arrived::{Appended, Arrived};
pub use beside::{back_up, open_to_add, open_to_read};
pub use done::Done;
pub use follow::{Following, Hear, Heard};
pub use judge::{Read, since};
pub use memory::MemoryStore;
pub use past::{Part, past};
#[cfg(feature = "redis")]
pub use redis::{Durability, RedisSpec, RedisStore, Secret, Tls};
pub use search::{Bound, Found, Start, find};
pub use spec::StoreSpec;
pub use sqlite::SqliteStore;
pub use sweeper::Sweeper;

/// What every store promises.
///
/// Sequences of a room start at 1 and have no holes. So a reader can tell a loss: the first message that
/// comes back does not follow on. A message gets a new mark, and bears the mark of the one before it. A room's
/// latest sequence and its mark are never forgotten, even when nothing of the room is kept any more.
///
/// Several instances of this server may share a store. Then each keeps its rooms in step by
/// [`append`](Store::append), which tells what others stored meanwhile, and is told by
/// [`follow`](Store::follow) when there is something to read.
///
/// A `joined` says that this instance holds the person from now on, and a `left` that it holds the person no
/// more. A `joined` of a person who is present is not stored. Where several instances share a store, a `left` is
/// stored only if no other instance holds the person. A person of whom a `left` is stored is held by nobody.
///
/// A `joined` with a key also says whose the name is until a `left` is stored. Where several instances share a store,
/// nothing is stored then under that name, or one that looks like it, that comes without this key.
///
/// An `edited` or `deleted` is stored only if the message that it is of is kept and not deleted, and if the draft
/// [may change it](Draft::may_change); it bears the name that the message has. With it the message gets its new text, or
/// loses its text, and so does an earlier `edited` of the same message: of what was said before nothing is kept.
///
/// The room's [rules](Rules) are judged with each draft, after those that stand before it: what they do not let in is not
/// stored. They are kept as long as they are in force. A `muted` or `removed` also holds for the key of the person of that
/// name: who is present under it, or else said something last.
///
/// A file is stored with its message, in the same step, and is forgotten with it. If a room has more bytes of files than
/// are kept, the oldest are forgotten first, and their messages say so.
///
/// A read ends before its limit when its texts reach [`REPLY_BYTES`], and the reader reads on. So no client
/// can bring half a store to memory.
pub trait Store: Send + Sync + 'static {
    /// The life of this store. Every cursor that it gives out names it. It is another one if a store that is
    /// shared was emptied.
    fn epoch(&self) -> Epoch;

    /// How much of each room it keeps.
    fn keep(&self) -> Keep;

    /// With what the keys of those who hold names are hashed: a secret as old as the store, which its instances share.
    fn seal(&self) -> Seal;

    /// Numbers and keeps the drafts, in their order: all of them, without those whose `send_id` is known, or
    /// none. Returns at once, and calls `done` when they are as durable as this store promises, with one
    /// outcome for each draft, and with what others stored after the place that the room has `seen`.
    ///
    /// The appends of one room are stored in the order of the calls, and `done` is called in that order. An
    /// append of no drafts stores nothing, and its `done` is called in that order too: it is how a room catches
    /// up.
    ///
    /// A message's `at` never goes back within its room, whatever the drafts say. Its age is counted from the
    /// draft's own `at`.
    ///
    /// An append to one of the server's own rooms is a check of all this: something is made durable, and
    /// nothing is kept or counted.
    fn append(&self, room: &RoomName, seen: Cursor, drafts: Vec<Draft>, done: Done);

    /// Calls `hear` with what other instances do in a room, from any thread, until the guard is dropped. It may
    /// tell too much or too little, and it tells again now and then where the room's order ends: a room reads
    /// by [`append`](Store::append). Returns at once. A store of one instance tells nothing.
    fn follow(&self, _room: &RoomName, _hear: Hear) -> Following {
        Following::nothing()
    }

    /// Tells the other instances that somebody leaves a room, at once or after `wait` if the person is not seen
    /// before: they hear [`Heard::Leaves`]. Returns at once, and nobody waits for it.
    fn tell_leaves(&self, _room: &RoomName, _who: &Person, _wait: Duration) {}

    /// The newest messages of a room, at most `limit`, oldest first, and where its order ends. It does not make
    /// the room.
    fn newest(&self, room: &RoomName, limit: usize) -> Result<Tail, Error>;

    /// What was kept after `sequence`, at most `limit`, oldest first.
    fn after(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error>;

    /// The newest `limit` messages that were said before `sequence`, and who joined and left among them, oldest
    /// first. Joins and leaves are there only if they are among the newest `limit` entries, or the newest 100
    /// if `limit` is less. Edits and deletions are not there: each message is as it is now.
    fn before(&self, room: &RoomName, sequence: u64, limit: usize) -> Result<Vec<Arc<Message>>, Error>;

    /// The end of a room's order as people read it: counted by what was [said](Store::before).
    fn backlog(&self, room: &RoomName, limit: usize) -> Result<Tail, Error> {
        let tail = self.newest(room, 0)?;
        Ok(Tail { messages: self.before(room, tail.latest.sequence + 1, limit)?, ..tail })
    }

    /// A part of the file that came with the message of a sequence: these bytes, which are at least one. `None` if there
    /// was no file, it is no longer kept, or it is shorter.
    fn file(&self, room: &RoomName, sequence: u64, part: Range<u64>) -> Result<Option<Vec<u8>>, Error>;

    /// The place of the newest message of these kinds but `newer`; `None` if no more than `newer` are kept.
    fn newest_but(&self, room: &RoomName, kinds: Kinds, newer: usize) -> Result<Option<Cursor>, Error>;

    /// The rooms in which something is kept or somebody is present, without the server's own: at most `limit`,
    /// after the one that is named, in this order. By time, a room that is not there starts the list again.
    fn rooms(&self, order: Order, after: Option<&RoomName>, limit: usize) -> Result<Vec<RoomSummary>, Error>;

    /// Rooms in which somebody is present, at most `limit`: they are to be awake, so that whoever does not come back
    /// leaves. A store that several instances share gives none, since they look after each other's people.
    fn peopled(&self, limit: usize) -> Result<Vec<RoomName>, Error>;

    /// Forgets in every room what is over the age limit at `now`, and the ids that are older than ten minutes
    /// by the [steady clock](crate::clock::steady).
    ///
    /// It forgets up to the first message that is neither too old nor from the future. So one message from
    /// when the clock was wrong does not hold up the others.
    ///
    /// An append trims its room. This is for the quiet rooms: a [`Sweeper`] calls it, and it blocks. It works
    /// in small steps, so that appends do not wait long.
    fn expire(&self, now: Timestamp, steady: Timestamp) -> Result<(), Error>;

    /// What was counted since this store was opened.
    fn stats(&self) -> Stats;
}

/// Among how many of the newest entries a read of `limit` messages shows who joined and left.
fn notices(limit: usize) -> usize {
    limit.max(NOTICES_LEAST)
}

/// Collects messages until their texts are as long as one read may be.
fn one_read<E>(messages: impl Iterator<Item = Result<Arc<Message>, E>>) -> Result<Vec<Arc<Message>>, E> {
    let mut read = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let message = message?;
        bytes += message.text.len();
        read.push(message);
        if bytes >= REPLY_BYTES {
            break;
        }
    }
    Ok(read)
}

/// When the first draft that has an id came, by the steady clock.
fn first_sent(drafts: &[Draft]) -> Option<Timestamp> {
    drafts.iter().find_map(|draft| draft.sent_as.as_ref()).map(|sent| sent.at)
}

/// The end of a room's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The newest messages, oldest first; the last of them, if there is one, is at `latest`.
    pub messages: Vec<Arc<Message>>,
    /// The place of the newest message that was ever stored in the room, or the start.
    pub latest: Cursor,
    /// Who has `joined` and not `left` since.
    pub present: Vec<Present>,
    /// What is in force.
    pub rules: Rules,
}

/// A person who is present by what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub name: PersonName,
    /// When the person joined.
    pub since: Timestamp,
    /// Whether this instance holds the person. A store of one instance holds everybody.
    pub is_held: bool,
    /// Whose the name is, if somebody holds it by a key.
    pub holder: Option<Holder>,
}

impl Tail {
    /// Who is present, and since when.
    pub fn people(self) -> Vec<(PersonName, Timestamp)> {
        self.present.into_iter().map(|person| (person.name, person.since)).collect()
    }

    /// The end of a room that never had a message.
    pub fn empty(epoch: Epoch) -> Tail {
        Tail {
            messages: Vec::new(),
            latest: Cursor::start(epoch),
            present: Vec::new(),
            rules: Rules::default(),
        }
    }
}

/// In what order rooms are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By name.
    Name,
    /// By their newest entry, the latest first.
    Recent,
}

/// One room in a list of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its name.
    pub room: RoomName,
    /// The cursor of its newest message.
    pub latest: Cursor,
    /// When its newest message was stored.
    pub at: Timestamp,
    /// How many have `joined` and not `left` since.
    pub people: usize,
}

/// What a store keeps of each room. The oldest is forgotten first, and is a gap for a client that comes late.
///
/// It counts what was said. Joins and leaves stand among it. They go with the message before them, or when
/// they are the oldest and the room has more than [`Keep::entries`].
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// The most messages of one room that were said.
    pub messages: usize,
    /// The most bytes of files of one room. Of the oldest only the messages stay.
    pub files: u64,
    /// The age at which a message is forgotten; `None` for no such limit.
    pub age: Option<Duration>,
}

impl Keep {
    /// How many entries a room may have that begins with a join or leave.
    pub fn entries(&self) -> usize {
        self.messages.saturating_mul(2).saturating_add(ENTRIES_SPARE)
    }

    /// Messages from before this time are forgotten at `now`.
    pub fn horizon(&self, now: Timestamp) -> Option<Timestamp> {
        let age = u64::try_from(self.age?.as_millis()).unwrap_or(u64::MAX);
        Some(Timestamp(now.0.saturating_sub(age)))
    }
}

/// Whether what was sent at `sent` is still known by its `send_id` at `now`.
fn remembers(sent: Timestamp, now: Timestamp) -> bool {
    sent.0.saturating_add(SEND_ID_MEMORY_MS) > now.0
}

/// What a store has done since it was opened, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions that were made durable.
    pub commits: u64,
    /// Messages in them; `messages / commits` is what one wait for the disk was shared by.
    pub messages: u64,
    /// Transactions, and parts of one that another shared, that failed: nothing of them was stored.
    pub failures: u64,
    /// The time that all transactions took together.
    pub busy: Duration,
    /// How often a thread of the store panicked and went on.
    pub restarts: u64,
}

/// Why a store could not do what it was asked. Nothing of the call was stored.
///
/// The sentence is for the person who runs the server. It may hold a path: log it, don't send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Opens the store that is named; an error is a sentence that says what to do about it.
pub fn open(spec: &StoreSpec, keep: Keep) -> Result<Arc<dyn Store>, Error> {
    Ok(match spec {
        StoreSpec::Memory => Arc::new(MemoryStore::new(keep)),
        StoreSpec::Sqlite(path) => Arc::new(SqliteStore::open(path, keep)?),
        #[cfg(feature = "redis")]
        StoreSpec::Redis(spec) => Arc::new(RedisStore::open(spec, keep)?),
    })
}
