//! How much one reply holds.

/// The most messages in one JSON reply, and in one read from the store; the most that `last` and `limit` ask for.
pub const REPLY_MESSAGES: usize = 500;

/// The most text in one JSON reply, in bytes (1 MiB). A single message is sent whatever its size.
pub const REPLY_BYTES: usize = 1024 * 1024;

/// The fewest bytes of a reply that is compressed: a smaller one is one packet in any case. The answer to a
/// wait is never compressed, as it goes to all waiters at once.
pub const COMPRESSED_FROM: usize = 1_024;

/// How many bytes of events are rendered at once (16 KiB). All messages that a slow client missed can be
/// megabytes.
pub const EVENTS_BYTES: usize = 16 * 1024;

/// The most messages in one reply of history.
pub const HISTORY_MAX: usize = 500;

/// How many messages a reply of history has if the client does not say.
pub const HISTORY: usize = 50;

/// The most rooms in one reply of their list.
pub const ROOMS_LISTED_MAX: usize = 500;

/// How many rooms a reply of their list has if the client does not say: more than anybody looks through, and
/// little to send again every twenty seconds.
pub const ROOMS_LISTED: usize = 100;
