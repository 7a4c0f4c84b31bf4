//! How far one search looks.

use std::time::Duration;

/// The longest query, in bytes: far below what servers and proxies take in an address, when it is encoded.
pub const QUERY_MAX: usize = 400;

/// The most words of a query. Each is looked for in each message.
pub const QUERY_WORDS: usize = 16;

/// How many messages a reply of a search has if the client does not say: what people look through at once.
pub const HITS: usize = 20;

/// The most entries that one search looks at, in all rooms together. A room that keeps no more than the default is
/// searched at once.
pub const SEARCH_ENTRIES: usize = 10_000;

/// The most text that one search looks at, in bytes (8 MiB): less than 0.1 s of a core.
pub const SEARCH_BYTES: usize = 8 * 1024 * 1024;

/// After this time a search looks no further, on a busy machine or a slow disk. It reads on a thread or connection that
/// others need too.
pub const SEARCH_TIME: Duration = Duration::from_millis(250);

/// How many messages a search reads from the store at a time: few enough that nobody waits long for the store.
pub const SEARCH_PORTION: usize = 250;
