//! What a server takes from its clients, and how it stops.

use std::time::Duration;

/// How long a stopping server lets requests that are being answered finish. It has 2 s in all.
pub const DRAIN: Duration = Duration::from_millis(1_500);

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

/// The most header lines of a request, where the engine controls it.
pub const HEAD_LINES_MAX: usize = 100;

/// The most bytes of a request's head (16 KiB), where the engine controls it.
pub const HEAD_MAX: usize = 16 * 1024;
