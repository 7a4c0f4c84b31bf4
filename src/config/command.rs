//! What the program does instead of serving.

use std::time::Duration;

/// How long a backup waits before it tries again, when the file is locked for a moment.
pub const BACKUP_PAUSE: Duration = Duration::from_millis(50);

/// How many entries an export reads, and an import stores, at once. A step on Redis then takes some milliseconds.
pub const ARCHIVE_READ: usize = 500;

/// How long `comet-chat health` waits. A server that works answers at once, and says itself when its store has not
/// answered for some seconds.
pub const HEALTH_PATIENCE: Duration = Duration::from_secs(15);

/// The most that `comet-chat health` reads of an answer, in bytes: it is one line.
pub const HEALTH_ANSWER: usize = 16 * 1024;
