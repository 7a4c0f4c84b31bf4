//! What the async engine's door takes from its clients.

use std::time::Duration;

/// How long a client may take to send a body, of 64 KiB at most.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// After how long a client that takes nothing is cut off for anybody else. A reader of 60 KB/s takes what the
/// kernel holds for it in less.
pub const STUCK: Duration = Duration::from_secs(3);

/// The most bytes that are read and thrown away while a connection [lingers](super::LINGER).
pub const LINGER_BYTES: u64 = 1024 * 1024;

/// The pauses after a failed accept: from the first, doubled up to the last. When there is room again, a new
/// client waits no longer than the last.
pub const ACCEPT_PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
