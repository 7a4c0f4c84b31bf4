//! Where a test's store lives, so that a test is written once for every store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use comet_chat::message::{Claim, Cursor, Draft, Kind, RoomName, SentAs, Timestamp};
use comet_chat::store::{Appended, Done, Error, Keep, MemoryStore, Order, RoomSummary, SqliteStore, Store};
#[cfg(feature = "redis")]
use comet_chat::store::{RedisSpec, RedisStore};
use tempfile::TempDir;

#[cfg(feature = "redis")]
use crate::redis::RedisServer;

/// Keeps everything that a test publishes.
pub const ALL: Keep = Keep { messages: usize::MAX, files: u64::MAX, age: None };

pub fn keep(messages: usize, age: Duration) -> Keep {
    Keep { messages, files: u64::MAX, age: Some(age) }
}

/// A place for one store at a time.
pub enum Place {
    Memory,
    File(TempDir),
    /// What the names of its keys begin with, in a server that all tests share, and whether that is reached by TLS.
    #[cfg(feature = "redis")]
    Redis(String, bool),
}

impl Place {
    pub fn in_a_file() -> Place {
        Place::File(TempDir::new().unwrap())
    }

    #[cfg(feature = "redis")]
    pub fn in_redis() -> Place {
        Place::Redis(crate::redis::a_prefix(), false)
    }

    #[cfg(feature = "redis")]
    pub fn in_redis_by_tls() -> Place {
        Place::Redis(crate::redis::a_prefix(), true)
    }

    pub fn path(&self) -> PathBuf {
        match self {
            Place::File(directory) => directory.path().join("chat.db"),
            _ => panic!("only a file has a path"),
        }
    }

    /// Whether several instances may use it at once.
    pub fn is_shared(&self) -> bool {
        !matches!(self, Place::Memory | Place::File(_))
    }

    pub fn open(&self, keep: Keep) -> Arc<dyn Store> {
        match self {
            Place::Memory => Arc::new(MemoryStore::new(keep)),
            Place::File(_) => Arc::new(open(&self.path(), keep).unwrap()),
            #[cfg(feature = "redis")]
            Place::Redis(prefix, by_tls) => Arc::new(open_in_redis(prefix, *by_tls, keep)),
        }
    }

    /// Closes the store and opens it again, where that can be.
    pub fn reopen(&self, store: Arc<dyn Store>, keep: Keep) -> Arc<dyn Store> {
        match self {
            Place::Memory => store,
            _ => {
                drop(store);
                self.open(keep)
            }
        }
    }
}

/// Opens a file. A test that starts a process holds all open files of the other tests for a moment, from its
/// fork to its exec, also the claim on a file that has just been closed.
pub fn open(path: &Path, keep: Keep) -> Result<SqliteStore, Error> {
    let start = Instant::now();
    loop {
        match SqliteStore::open(path, keep) {
            Err(error) if error.0.contains("another comet-chat") && start.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(1));
            }
            opened => return opened,
        }
    }
}

/// Opens a store in the server that all tests share. Nobody takes it for dead, however slow the machine is.
#[cfg(feature = "redis")]
fn open_in_redis(prefix: &str, by_tls: bool, keep: Keep) -> RedisStore {
    let mut spec = match by_tls {
        true => crate::tls::safe_spec(RedisServer::shared()),
        false => RedisSpec::parse(&RedisServer::shared().url()).unwrap(),
    };
    (spec.prefix, spec.lease) = (prefix.to_owned(), Duration::from_secs(3_600));
    crate::redis::open(&spec, keep)
}

/// How long such a moment may last.
const PATIENCE: Duration = Duration::from_secs(30);

/// An append for callers that have nothing else to do meanwhile.
pub trait AppendAndWait {
    /// Returns when the drafts are stored, or refused.
    fn append_and_wait(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error>;
}

impl<S: Store + ?Sized> AppendAndWait for S {
    fn append_and_wait(&self, room: &RoomName, drafts: &[Draft]) -> Result<Vec<Appended>, Error> {
        let (done, outcome) = std::sync::mpsc::channel();
        let tell = move |outcome| done.send(outcome).expect("somebody waits");
        // Further on than any room: so nothing is handed over of what was stored before.
        let seen = Cursor { sequence: i64::MAX as u64, ..Cursor::start(self.epoch()) };
        self.append(room, seen, drafts.to_vec(), Done::new(tell));
        outcome.recv().expect("an outcome").map(|arrived| arrived.outcomes)
    }
}

/// Makes of each function that takes a [`Place`] one test for every store.
macro_rules! on_every_store {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $test() { super::$test(&crate::place::Place::Memory); })+
        }
        mod sqlite {
            $(#[test] fn $test() { super::$test(&crate::place::Place::in_a_file()); })+
        }
        #[cfg(feature = "redis")]
        mod redis {
            $(#[test] fn $test() { super::$test(&crate::place::Place::in_redis()); })+
        }
        #[cfg(feature = "redis")]
        mod redis_by_tls {
            $(#[test] fn $test() { super::$test(&crate::place::Place::in_redis_by_tls()); })+
        }
    };
}
pub(crate) use on_every_store;

pub fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

/// Something said at a time in milliseconds.
pub fn said(text: &str, at: u64) -> Draft {
    Draft {
        kind: Kind::Message,
        name: None,
        claim: Claim::Nothing,
        text: text.into(),
        of: None,
        file: None,
        sent_as: None,
        at: Timestamp(at),
    }
}

/// So many entries of a person who comes and goes.
pub fn comings_and_goings(entries: usize) -> Vec<Draft> {
    let name = Some("ann".parse().unwrap());
    let kinds = [Kind::Joined, Kind::Left].into_iter().cycle();
    kinds.take(entries).map(|kind| Draft { kind, name: name.clone(), ..said("", 1) }).collect()
}

/// The same under an id of the sender's.
pub fn said_as(send_id: &str, text: &str, at: u64) -> Draft {
    let sent_as = SentAs { id: send_id.parse().unwrap(), at: Timestamp(at) };
    Draft { sent_as: Some(sent_as), ..said(text, at) }
}

/// Publishes so many messages, `1`, `2` and so on, in batches.
pub fn fill(store: &dyn Store, name: &RoomName, messages: usize) {
    let drafts: Vec<Draft> = (1..=messages).map(|n| said(&n.to_string(), 1)).collect();
    for batch in drafts.chunks(500) {
        store.append_and_wait(name, batch).unwrap();
    }
}

/// The sequence in the answer to one append, whether the message is new or known.
pub fn sequence(appended: &[Appended]) -> u64 {
    match appended {
        [Appended::Stored(message)] => message.id.sequence,
        [Appended::Repeated(cursor)] => cursor.sequence,
        _ => panic!("one draft was answered with {appended:?}"),
    }
}

/// All rooms by name.
pub fn listed(store: &dyn Store) -> Vec<RoomSummary> {
    store.rooms(Order::Name, None, usize::MAX).unwrap()
}

/// The sequences of all that is kept of a room.
pub fn kept(store: &dyn Store, name: &RoomName) -> Vec<u64> {
    let messages = store.after(name, 0, usize::MAX).unwrap();
    messages.iter().map(|m| m.id.sequence).collect()
}
