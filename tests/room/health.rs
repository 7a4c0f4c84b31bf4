//! A health check of a room whose store hangs.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use comet_chat::message::RoomName;
use comet_chat::room::registry::Census;
use comet_chat::store::{Keep, SqliteStore};
use comet_chat::wire::request::Format;
use rusqlite::Connection;
use tempfile::TempDir;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A check that waited for a locked store left its subscription for ever, each time.
#[test]
fn a_check_that_gives_up_leaves_no_subscription() {
    use comet_chat::blocking::{room::Rooms, view};

    let (directory, store) = store();
    let rooms = Rooms::new(store);
    let health = view::Health::default();
    let start = Instant::now();
    while view::health(&rooms, Format::Plain, &health).is_err() {
        assert!(start.elapsed() < PATIENCE, "it is not well");
    }
    let _lock = lock(&directory);
    for _ in 0..3 {
        assert!(view::health(&rooms, Format::Plain, &health).is_err());
        nobody_waits(&rooms.awake()[&RoomName::health()]);
    }
}

#[test]
#[cfg(feature = "async")]
fn a_check_that_gives_up_leaves_no_subscription_to_the_task() {
    use comet_chat::nonblocking::{room::Rooms, view};

    let (directory, store) = store();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let rooms = Rooms::new(store);
        let health = view::Health::default();
        let start = Instant::now();
        while view::health(&rooms, Format::Plain, &health).await.is_err() {
            assert!(start.elapsed() < PATIENCE, "it is not well");
        }
        let _lock = lock(&directory);
        for _ in 0..3 {
            assert!(view::health(&rooms, Format::Plain, &health).await.is_err());
            nobody_waits(&rooms.awake()[&RoomName::health()]);
        }
    });
}

fn store() -> (TempDir, Arc<SqliteStore>) {
    let directory = TempDir::new().expect("a directory");
    let keep = Keep { messages: 100, files: u64::MAX, age: None };
    let store = SqliteStore::open(&directory.path().join("chat.db"), keep).expect("a store");
    (directory, Arc::new(store))
}

/// Locks the store's file, as another program may, until the lock is dropped.
fn lock(directory: &TempDir) -> Connection {
    let other = Connection::open(directory.path().join("chat.db")).expect("the file");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    other
}

fn nobody_waits(census: &Census) {
    let start = Instant::now();
    while census.read().0 > 0 {
        assert!(start.elapsed() < PATIENCE, "{} still wait", census.read().0);
        thread::sleep(Duration::from_millis(5));
    }
}
