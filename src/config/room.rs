//! How many rooms are awake, what each remembers, and how long people are present.

use std::time::Duration;

/// How long a room's thread outlives its last subscriber and message, so that the gap between two
/// polls does not end it.
pub const ROOM_IDLE: Duration = Duration::from_secs(30);

/// The most rooms that are awake at once: each is a thread, or a task. For one more, the room that is
/// needed least goes to sleep.
pub const ROOMS_MAX: usize = 1_000;

/// How many rooms, beyond these, may be about to go to sleep for others. There are more only when the
/// store does not answer them, or when their clients do not go.
pub const ROOMS_GOING_MAX: usize = 100;

/// How often a room that is to go to sleep looks whether it may.
pub const GOING_BEAT: Duration = Duration::from_millis(20);

/// The most letters that a room takes from its mailbox before it acts on them: what is published
/// among them shares one commit of the store, and the others do not wait longer than that for it.
pub const BATCH_LIMIT: usize = 256;

/// How many notices of other instances a room keeps while a batch is on its way, to look afterwards whether it
/// brought what they tell of. After more it asks the store in any case.
pub const HEARD_MAX: usize = 16;

/// How many of its newest messages a room holds for clients that come back from a poll. A client that is
/// further behind reads from the store.
pub const TAIL_LIMIT: usize = 1_000;

/// The most bytes that a room holds so (4 MiB). Its newest message may have more.
pub const TAIL_BYTES: usize = 4 * 1024 * 1024;

/// The most bytes that all rooms together hold so (64 MiB): enough for the newest messages of every room
/// that people write in, and little beside the rest of a server with a thousand of them.
pub const TAILS_BYTES: usize = 64 * 1024 * 1024;

/// How long a person who does not poll stays present: longer than a phone takes from one poll to the next,
/// so that nobody flaps.
pub const GRACE: Duration = Duration::from_secs(15);

/// How often a room looks who has gone.
pub const LAPSE_BEAT: Duration = Duration::from_secs(1);

/// The most people that one room keeps account of. Further ones chat without being announced.
pub const PEOPLE_MAX: usize = 10_000;

/// The buckets by which the time of a broadcast is counted: the first in seconds, and how many. Each is twice
/// the one before, so they go from 10 us to about 0.3 s.
pub const BROADCAST_BUCKETS: (f64, u16) = (0.000_01, 16);
