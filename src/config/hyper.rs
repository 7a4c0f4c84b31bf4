//! What the async engine's door takes from its clients, and the engine's threads.

use std::time::Duration;

/// After how long a client that takes nothing is cut off for anybody else. A reader of 60 KB/s takes what the
/// kernel holds for it in less.
pub const STUCK: Duration = Duration::from_secs(3);

/// The most bytes of a request that is read without hyper. A browser's head has a quarter of that.
pub const SIMPLE_MAX: usize = 4 * 1024;

/// The most bytes that are read and thrown away while a connection [lingers](super::LINGER).
pub const LINGER_BYTES: u64 = 1024 * 1024;

/// The pauses after a failed accept: from the first, doubled up to the last. When there is room again, a new
/// client waits no longer than the last.
pub const ACCEPT_PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// The most threads that run tasks. They share the cores with the kernel, which does most of the work.
pub const WORKERS_MAX: usize = 4;

/// After how many tasks at most such a thread looks for what came on the connections. Before that it does what is there to
/// do: all whom a message has woken hear it, before the first of them is read who asks for the next. With tokio's 61 the
/// last of a crowd waited until half of the others had asked again.
pub const EVENT_INTERVAL: u32 = 10_000;

/// The stack of each of these threads, in bytes. They are few.
pub const WORKER_STACK: usize = 1024 * 1024;
