//! What a server takes from its clients, and how it stops.

use std::time::Duration;

use super::wait::HOLD_MAX;

/// How long a stopping server lets requests that are being answered finish. It has 2 s in all.
pub const DRAIN: Duration = Duration::from_millis(1_500);

/// How long after its beginning the threads of a stopping server may take to let go of the store. The last of them
/// closes it.
pub const LET_GO: Duration = Duration::from_millis(1_800);

/// How long a stopping server has in all: its 2 s, less a little to end the process in.
pub const STOP_TIME: Duration = Duration::from_millis(1_900);

/// The most bytes of bodies and replies that are held for all clients together (128 MiB), where the
/// engine controls it. At the limit only those up to [`LIGHT`] are let through.
pub const HELD_MAX: usize = 128 * 1024 * 1024;

/// How much of that is one address's share (32 MiB). While there is room it may have more; when there is
/// none, what goes beyond it is taken back for an address that has less. Behind a proxy all are one address.
pub const HELD_SHARE: usize = HELD_MAX / 4;

/// The most bytes of a body or a reply (16 KiB) that is let through however much is held.
pub const LIGHT: usize = 16 * 1024;

/// The most requests of one connection that may stand behind the one that is being answered. What
/// `h2load`, `autocannon` and a proxy pipeline is less; each costs a few kilobytes.
pub const PIPELINE_MAX: usize = 64;

/// How long a connection may take to its first request, where the engine controls it.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to send a body of 64 KiB at most, where the engine controls it.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// How fast a larger one must come after that, in bytes a second (16 KiB): a weak mobile network is faster, and nobody
/// keeps memory for long by sending a byte now and then.
pub const UPLOAD_PACE: u64 = 16 * 1024;

/// The most header lines of a request, where the engine controls it.
pub const HEAD_LINES_MAX: usize = 100;

/// The most bytes of a request's head (16 KiB), where the engine controls it.
pub const HEAD_MAX: usize = 16 * 1024;

/// How many connections may stand in the kernel's queue to be accepted. The 128 of std drop connections in a
/// burst.
pub const BACKLOG: i32 = 4_096;

/// The permissions of a Unix socket's file: for the server's user and group. A proxy is of that group, or another mode is
/// given.
pub const UNIX_MODE: u32 = 0o660;

/// After how long a silence the kernel sends a keep-alive probe on a connection.
pub const PROBE_AFTER: Duration = Duration::from_secs(30);

/// How often it does so again while no answer comes.
pub const PROBE_EVERY: Duration = Duration::from_secs(10);

/// After how long without an acknowledgement the kernel closes a connection: its client has vanished.
pub const GONE_AFTER: Duration = Duration::from_secs(30);

/// How long a connection may be silent between two requests: longer than the longest wait and the gap between
/// two polls.
pub const SILENCE: Duration = HOLD_MAX.saturating_add(Duration::from_secs(15));

/// How long a client may take nothing of a reply that is more than its kernel and ours hold. A client that
/// goes on reading gets all of it, however slowly.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// The bytes of a reply that the kernel holds for us (128 KiB, which it doubles for its own needs). With a
/// larger buffer the kernel holds megabytes for each client that does not read. It also lets a sender go on
/// only when a third of the buffer is free, and a slow reader takes longer for that than [`SEND_TIMEOUT`].
pub const SEND_BUFFER: usize = 128 * 1024;

/// How long a connection that we close may go on sending, so that the client reads our last reply first. If
/// data comes for a closed socket, the kernel makes the client forget what it has not read.
pub const LINGER: Duration = Duration::from_secs(1);

/// How often at most the log says that the same thing has failed again.
pub const SAID_EVERY: Duration = Duration::from_secs(60);

/// How long all must have been well for the next failure to count as a first one. One success is not enough:
/// at a limit, successes and failures take turns.
pub const CALM: Duration = Duration::from_secs(10);
