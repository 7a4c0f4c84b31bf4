//! How long clients wait, and when they come back.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

/// How long a GET waits if it does not say. Phones and middleboxes drop a silent connection after 15 to
/// 30 s; the seed waited 10 s.
pub const HOLD: Duration = Duration::from_secs(10);

/// The longest that a GET may ask to wait. Proxies cut a connection after 60 s by default.
pub const HOLD_MAX: Duration = Duration::from_secs(60);

/// The part of a wait by which it may end early, at random. One broadcast wakes many clients, which wait again
/// at once: without this, all these waits would also end at once.
pub const HOLD_SPREAD: f64 = 1.0 / 8.0;

/// The most rooms in which one request waits. Each is a room that is awake, and 40 bytes of the cursor: an
/// address of 2 KB, far below what servers and proxies take.
pub const ROOMS_ASKED_MAX: usize = 32;

/// How often a stream sends a beat, at most. Phones and proxies cut a stream that is silent for 30 s.
pub const STREAM_BEAT: Duration = Duration::from_secs(15);

/// After how many milliseconds the client of a broken stream comes back: a random number in this range, so
/// that not all clients come back at once.
pub const STREAM_RETRY: Range<u32> = 1_000..3_000;

/// After how many seconds one whose wait ended because the server ends may come back: chosen at random. A server that
/// is started again is up by then, mostly.
pub const RETURN: RangeInclusive<u64> = 1..=3;

/// After what time a client that got a 503 or 429 may come back.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long the health check waits for its own message.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(2);
