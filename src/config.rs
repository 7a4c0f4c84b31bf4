//! Every limit, its default and its reason.

use std::time::Duration;

/// How long a GET waits if it does not say (the seed's 10 s: under the 15 to 30 s after which phones
/// and middleboxes drop a silent connection).
pub const HOLD: Duration = Duration::from_secs(10);

/// The longest that a GET may ask to wait: proxies cut at 60 s by default.
pub const HOLD_MAX: Duration = Duration::from_secs(60);

/// The most messages in one JSON reply, or in one read from the store.
pub const PAGE_LIMIT: usize = 500;

/// The most text in one JSON reply, in bytes (1 MiB); a single message is sent whatever it weighs.
pub const PAGE_BYTES: usize = 1024 * 1024;

/// The fewest bytes of a reply that are compressed for who takes it: less is one packet in any case. A wait's
/// answer is never compressed, as it goes to all who wait at once.
pub const COMPRESSED_FROM: usize = 1_024;

/// How long a room's thread outlives its last subscriber and message, so that the gap between two
/// polls does not end it.
pub const ROOM_IDLE: Duration = Duration::from_secs(30);

/// The most rooms that are awake at once: each is a thread, or a task. For one more, the one that is
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

/// After what time a client that was told 503 may come back.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long a stopping server lets what is in flight finish. It has 2 s in all.
pub const DRAIN: Duration = Duration::from_millis(1_500);

/// How long a stopping server has in all, with a little left of its 2 s to end in.
pub const STOP_TIME: Duration = Duration::from_millis(1_900);

/// How long the health check waits for its own message.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(2);

/// How many of its newest messages a room holds for those who come back from a poll. Who is further
/// behind reads from the store.
pub const TAIL_LIMIT: usize = 1_000;

/// The most that a room holds so, in bytes (4 MiB); its newest message may weigh more.
pub const TAIL_BYTES: usize = 4 * 1024 * 1024;

/// The most that all rooms together hold so, in bytes (64 MiB): enough for the newest page of every room
/// that people write in, and little beside the rest of a server with a thousand of them.
pub const TAILS_BYTES: usize = 64 * 1024 * 1024;

/// How long somebody stays present who is not heard of: longer than a phone takes from one poll to
/// the next, so that nobody flaps.
pub const GRACE: Duration = Duration::from_secs(15);

/// How often a room looks who has gone.
pub const LAPSE_BEAT: Duration = Duration::from_secs(1);

/// The most people that one room keeps account of; further ones chat without being announced.
pub const PEOPLE_MAX: usize = 10_000;

/// The most messages in one page of history.
pub const HISTORY_MAX: usize = 500;

/// How many messages a page of history has if the client does not say.
pub const HISTORY: usize = 50;

/// The most rooms in one page of their list.
pub const ROOMS_PAGE_MAX: usize = 500;

/// How many rooms a page of their list has if the client does not say: more than anybody looks through, and
/// little to send again every twenty seconds.
pub const ROOMS_PAGE: usize = 100;

/// How often a stream says that it lives: within the 30 s after which phones and proxies cut it.
pub const STREAM_BEAT: Duration = Duration::from_secs(15);

/// The most bytes of bodies and replies that are held for all clients together (128 MiB), where the
/// engine has a say in it. At the limit only those up to [`LIGHT`] are let through.
pub const HELD_MAX: usize = 128 * 1024 * 1024;

/// How much of that is one address's share (32 MiB). While there is room it may have more; when there is
/// none, what goes beyond it is taken back for an address that has less. Behind a proxy all are one address.
pub const HELD_SHARE: usize = HELD_MAX / 4;

/// The most bytes of a body or a reply (16 KiB) that is let through however much is held.
pub const LIGHT: usize = 16 * 1024;

/// The most requests of one connection that may stand behind the one that is being answered. What
/// `h2load`, `autocannon` and a proxy pipeline is less; each costs a few kilobytes.
pub const PIPELINE_MAX: usize = 64;

/// How long a connection may take to its first request, where the engine has a say in it.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The most header lines of a request, where the engine has a say in it.
pub const HEAD_LINES_MAX: usize = 100;

/// The most bytes of a request's head (16 KiB), where the engine has a say in it.
pub const HEAD_MAX: usize = 16 * 1024;
