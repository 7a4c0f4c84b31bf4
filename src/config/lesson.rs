//! What a lesson shows, and how far its levers go.

use std::time::Duration;

/// The pause between two frames of the backstage: a cell that flashes is seen, and a page stays smooth.
pub const FRAME_EVERY: Duration = Duration::from_millis(100);

/// The pause between two looks at what the kernel knows of the process. A look takes longer the more threads there are.
pub const PROCESS_EVERY: Duration = Duration::from_millis(500);

/// How many rooms a frame has: the busiest. More would not fit on a screen.
pub const FRAME_ROOMS: usize = 8;

/// How many pages may look behind the stage at once. Each takes a thread of the blocking engine that no waiter has.
pub const WATCHERS_MAX: usize = 8;

/// How long the blocking call of the lesson takes: long enough to be seen, and less than a client waits.
pub const STALL: Duration = Duration::from_secs(2);

/// The most synthetic waiters: what one process may open where nobody has raised the limits of files.
pub const LEVER_WAITERS_MAX: u32 = 10_000;

/// The most messages a second. One room takes about so many at a thousand waiters.
pub const LEVER_RATE_MAX: u32 = 1_000;

/// How many reports of the crowd are kept for those who look: ten seconds of them.
pub const CROWD_REPORTS: usize = 50;

/// How many more files may be opened when the limit is reached: so many come in, and nobody after them.
pub const FILES_LEFT: u64 = 8;

/// How long no more files may be opened. It ends by itself, since nobody could come in to end it.
pub const FILES_FAIL: Duration = Duration::from_secs(15);
