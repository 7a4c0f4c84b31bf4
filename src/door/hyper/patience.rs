//! How long a client may take, for each thing that it may take its time over.

use std::time::Duration;

use crate::config::HOLD_MAX;

/// How long a connection may be silent between two requests: longer than the longest wait and the gap
/// between two polls.
pub const SILENCE: Duration = HOLD_MAX.saturating_add(Duration::from_secs(15));

/// How long a client may take to send the head of a request.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to send a body, of 64 KiB at most.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a client may take nothing of a reply that is more than its kernel and ours hold. Whoever reads
/// on gets it, however slowly.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);
