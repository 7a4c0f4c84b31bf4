//! What the benchmark takes and bears with.

use std::time::Duration;

/// The stack of a connection's thread in the bare floor, in bytes. The thread only reads, waits and writes.
pub const FLOOR_STACK: usize = 64 * 1024;

/// How many ready sockets one turn of the readiness loop takes.
pub const BENCH_EVENTS: usize = 1024;

/// The longest nap before a publish. The loop's own clock ticks in milliseconds, so it naps within the last
/// of them.
pub const BENCH_NAP: Duration = Duration::from_micros(100);

/// How many bytes are read at once.
pub const BENCH_READ: usize = 16 * 1024;

/// The most headers of a reply.
pub const BENCH_HEADERS: usize = 64;

/// The most bytes of a reply (64 MiB): far more than any mode asks for.
pub const BENCH_REPLY: usize = 64 * 1024 * 1024;

/// The most waiters that connect at the same time. It is below 128, the listen backlog of a plain server, so
/// that no connection is dropped and tried again a second later.
pub const ON_THEIR_WAY: usize = 64;

/// The file descriptors beside the connections: the standard ones, `epoll`, `/proc`.
pub const BENCH_FILES: u64 = 32;

/// How often in a row a server may close a waiter's connection without a reply.
pub const CLOSED_IN_A_ROW: u8 = 3;

/// After this many rounds in which a waiter ran out of patience, the run ends.
pub const STALLED_ROUNDS: usize = 3;

/// The most faults that a verdict names one by one. More are only counted.
pub const NAMED_FAULTS: usize = 20;
