//! How the blocking engine's door looks after tiny_http.

use std::time::Duration;

use super::door::{SEND_TIMEOUT, SILENCE};

/// How many idle handlers stay however quiet it is.
pub const HANDLERS_KEPT: isize = 4;

/// How many handlers never wait, however few threads the machine gives.
pub const HANDLERS_SPARE: usize = 2;

/// How many of those who wait for a message the room's thread wakes: each of them wakes the next. It is enough for so many
/// cores. On one core a delivery costs the same with 4 and with 16.
pub const WAKES_AT_ONCE: usize = 8;

/// How many handlers are started at most for one task.
pub const HANDLERS_AT_ONCE: usize = 8;

/// How many handlers there may be beside those that wait: the lane of the POSTs.
pub const HANDLERS_LANE: usize = 256;

/// How long a handler waits for a task before it may end.
pub const HANDLER_IDLE: Duration = Duration::from_secs(5);

/// A handler's stack, in bytes. It renders JSON and reads the store, and neither goes deep.
pub const HANDLER_STACK: usize = 256 * 1024;

/// How many bytes of a body are read at once (16 KiB).
pub const BODY_PIECE: usize = 16 * 1024;

/// The stack of a receiver, in bytes. It reads heads, and hands requests on.
pub const RECEIVER_STACK: usize = 256 * 1024;

/// How often a receiver looks whether it is still needed.
pub const RECEIVER_BEAT: Duration = Duration::from_secs(1);

/// How often the supervisor looks whether somebody accepts.
pub const SUPERVISOR_BEAT: Duration = Duration::from_secs(1);

/// The pauses before a dead server is replaced: from the first, doubled up to the last. After a crowd has gone
/// it takes several servers to accept those of it that stood in the queue, and new clients wait for all of
/// them.
pub const REVIVAL_PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));

/// After how long no connection of a dead server is alive.
pub const LIFETIME: Duration = SILENCE.saturating_add(SEND_TIMEOUT);

/// How often the rescuer connects unasked while connections come.
///
/// Each beat wakes another idle thread of tiny_http's pool, which would have ended after 5 s of sleep: at ten a
/// second fifty of them never end.
pub const RESCUE_BEAT: Duration = Duration::from_millis(100);

/// How often it does so when no connection has come for a while.
pub const RESCUE_CALM_BEAT: Duration = Duration::from_secs(1);

/// For how long after a connection's first request the rescuer expects others to come.
pub const RESCUE_STIR: Duration = Duration::from_secs(2);

/// How soon tiny_http looks at a connection that is not stranded; and the rescuer's beat while there may be
/// more to rescue.
pub const RESCUE_PATIENCE: Duration = Duration::from_millis(20);

/// How many calls for the rescuer may stand at once. Further ones are left to the beat.
pub const RESCUES_MAX: usize = 1_024;

/// How many bytes of a connection by a Unix socket are passed on at once (8 KiB): most requests and replies are smaller.
pub const RELAY_PIECE: usize = 8 * 1024;

/// Of how many connections by a Unix socket the kernel tells at once.
pub const RELAY_EVENTS: usize = 256;

/// How long to wait, if there is no file for a connection by a Unix socket, before the next try.
pub const RELAY_PAUSE: Duration = Duration::from_millis(20);

/// A thread that holds a connection so long after that was shut is lost. One that is well lets go at once.
pub const LOST_AFTER: Duration = Duration::from_secs(20);

/// How often the lost threads are counted. That looks at all descriptors.
pub const LOST_BEAT: Duration = Duration::from_secs(5);

/// With fewer lost threads than this the server never begins anew.
pub const LOST_LEAST: usize = 50;

/// How many descriptors are looked at where their number has no limit.
pub const DESCRIPTORS_MOST: i32 = 1 << 20;

/// How often the watcher looks at all connections.
pub const WATCH_BEAT: Duration = Duration::from_secs(1);

/// How often the watcher looks at connections that [linger](super::LINGER).
pub const LINGER_BEAT: Duration = Duration::from_millis(20);

/// For how many beats of the watcher clients may knock while nobody is served. After that it says that nobody
/// accepts.
pub const DEAF_BEATS: u32 = 5;

/// How long after we closed a connection all that still comes on it is dropped, where the kernel does not
/// tell whether it is still the same connection.
pub const CLOSED_FOR: Duration = Duration::from_secs(1);

/// How often at most the kernel is asked about a closed connection on which more comes than an honest client
/// sends.
pub const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// How often the door forgets what it knows of connections that are long gone.
pub const CONNECTIONS_SWEEP: Duration = Duration::from_secs(10);

/// How long the kernel may take to tell of its connections.
pub const KERNEL_PATIENCE: Duration = Duration::from_secs(1);
