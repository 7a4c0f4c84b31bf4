//! What a store keeps, and how long it works at once.

use std::time::Duration;

/// How many messages are kept of each room, if the command line does not say. About 2 MB of ordinary chat.
pub const KEEP: u64 = 10_000;

/// The most bytes of files that are kept of each room (256 MiB), if the command line does not say: some hundred pictures
/// of a phone, and a small disk bears with a few such rooms.
pub const KEEP_FILES: u64 = 256 * 1024 * 1024;

/// How many bytes of a file go to Redis, or come from there, in one command (1 MiB): others wait a millisecond.
pub const FILE_PIECE: usize = 1024 * 1024;

/// How many entries a room may have beyond twice the messages that it keeps, if the oldest is one of who joined
/// or left: then a room in which nobody speaks does not grow for ever.
pub const ENTRIES_SPARE: usize = 1_000;

/// Among how many of the newest entries, at least, a read of the past shows who joined and left.
pub const NOTICES_LEAST: usize = 100;

/// The most messages that a room is handed of what other instances stored since its last append, or notice: more
/// than come while one batch is on its way. A room that is further behind sends its waiters to the store.
pub const CATCH_UP: usize = 500;

/// How long a sender's id is remembered, in milliseconds: ten minutes. A page asks its person before it sends
/// again what is older than nine.
pub const SEND_ID_MEMORY_MS: u64 = 10 * 60 * 1000;

/// The most bytes that the store in memory takes: 256 MiB.
pub const MEMORY_LIMIT: usize = 256 * 1024 * 1024;

/// What a room, and a remembered id, take in memory beyond their names, in bytes: a fair guess at entries in
/// maps.
pub const MEMORY_ENTRY_BYTES: usize = 256;

/// How many rooms the store in memory looks at in one step when it forgets, so that appends wait only a
/// moment.
pub const MEMORY_SWEEP: usize = 256;

/// The most rows that one append to SQLite deletes beyond as many as it adds. What falls out of a room by a
/// smaller `--keep` is out of sight at once, and deleted bit by bit, so that no append is slow.
pub const DELETE_AHEAD: usize = 256;

/// The most rooms that SQLite looks at, and rows that it deletes, in one step when it forgets: about a
/// millisecond, for which an append may have to wait.
pub const SQLITE_SWEEP: usize = 64;

/// How many connections read from SQLite at the same time. A read takes microseconds, so more connections
/// would only cost files.
pub const READERS: usize = 4;

/// How many threads of the async engine read from the store, so that none that runs tasks has to wait for it.
pub const STORE_THREADS: usize = 4;

/// How long SQLite waits for another program (a backup, the `sqlite3` shell) to release the file. Publishers
/// wait meanwhile, and give up after a few seconds.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// How often SQLite's writer looks whether the file is still in its place while nobody writes: so soon the
/// log tells that it is gone.
pub const WRITER_LOOK: Duration = Duration::from_secs(1);

/// The longest that SQLite's writer waits after a commit for rooms to write again, so that they share the next
/// one. It waits a quarter of the time that the commit took at most, so nobody waits much longer than without.
pub const WRITER_GATHER: Duration = Duration::from_millis(5);

/// How long a commit takes at least, for the writer to wait after it. Commits on a faster disk cost so little that
/// to wait for more letters takes longer than it saves: measured with 0.2 ms, it published a fifth less.
pub const WRITER_GATHER_FROM: Duration = Duration::from_millis(1);

/// The pause before a thread of the store that panicked goes on.
pub const STORE_RESTART: Duration = Duration::from_millis(100);

/// The stack of SQLite's writer: 1 MiB. SQLite is at home in the stack of an ordinary thread, whatever
/// `RUST_MIN_STACK` says.
pub const WRITER_STACK: usize = 1024 * 1024;

/// How often the store forgets what is too old. A message can get so much older than its limit.
pub const SWEEP_EVERY: Duration = Duration::from_secs(60);
