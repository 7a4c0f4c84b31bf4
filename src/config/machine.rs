//! What the server leaves of the machine's limits, and what a client takes of them.

/// The fewest connections that make a chat. With less the server does not start.
pub const CONNECTIONS_LEAST: u64 = 16;

/// The most connections. Nobody has measured this server with more.
pub const CONNECTIONS_MAX: u64 = 1_000_000;

/// The lane of the POSTs: one of so many connections never waits ...
pub const LANE_SHARE: usize = 16;

/// ... but at least so many ...
pub const LANE_LEAST: usize = 4;

/// ... and at most so many. A POST is short, so more would stand idle.
pub const LANE_MAX: usize = 256;

/// The file descriptors that are not for clients: listeners, the store, logs, what `/metrics` reads.
pub const DESCRIPTORS_ASIDE: u64 = 300;

/// The fewest of them: about 25 with a store in a file, and some to look around with.
pub const DESCRIPTORS_ASIDE_LEAST: u64 = 40;

/// The threads that are not for clients: rooms, handlers that do not wait, and the store.
pub const THREADS_ASIDE: u64 = 1_500;

/// The fewest of them: about 15 with a store in a file, and some for rooms.
pub const THREADS_ASIDE_LEAST: u64 = 48;

/// The memory maps of a thread: its stack, its guard page and the allocator's arena take up to four. At the
/// kernel's limit of maps Rust aborts the process, so the budget leaves a tenth of them alone.
pub const MAPS_PER_THREAD: u64 = 4;

/// The address space of a thread, in bytes: the largest stack of a client's thread, its guard page and the
/// stack for its faults. If there is none left Rust aborts the process, so the budget leaves a quarter of the
/// space alone.
pub const THREAD_SPACE: u64 = 288 * 1024;

/// The address space of an arena of the allocator, in bytes. Each thread makes one, until there are as many
/// as [`ARENAS_PER_CORE`] says, or `MALLOC_ARENA_MAX`.
pub const ARENA_SPACE: u64 = 64 * 1024 * 1024;

/// How many arenas glibc makes for each core at most.
pub const ARENAS_PER_CORE: u64 = 8;

/// The stack of a thread that says nothing of its own, in bytes. tiny_http has one for each connection, and
/// they are small enough that the kernel does not back them with huge pages.
pub const SMALL_STACK: usize = 128 * 1024;
