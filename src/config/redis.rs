//! How the store on Redis shares it with other instances, and how long it waits.

use std::time::Duration;

use super::room::GRACE;

/// What the names of all keys begin with, if the command line does not say.
pub const REDIS_PREFIX: &str = "comet-chat";

/// The oldest version of Redis that will do: the first that runs a step by EVALSHA_RO and finds pieces of a sorted set
/// by name, by time and backwards in one way.
pub const REDIS_LEAST: (u32, u32) = (7, 0);

/// The first version of Redis that can wait for its append-only file (`WAITAOF`).
pub const REDIS_WAITAOF: (u32, u32) = (7, 2);

/// How long a connection to Redis may take.
pub const REDIS_CONNECT: Duration = Duration::from_secs(2);

/// How long Redis may take for one answer. A step takes less than a millisecond; a Redis that is busy with a fork, a
/// slow command or a full disk answers within this, or is as good as away.
pub const REDIS_ANSWER: Duration = Duration::from_secs(3);

/// How long whoever asks waits for an answer, with its turn on a connection that others use. A Redis that is away is
/// noticed by most sooner.
pub const REDIS_TURN: Duration = Duration::from_secs(4);

/// How long Redis waits for replicas or its file, where `--redis-durability` asks for it: less than an answer may take.
pub const REDIS_WAIT: Duration = Duration::from_secs(2);

/// How long an append is tried again while Redis is away. A restart of Redis, and most failovers, take less. Then the
/// sender is told to come back.
pub const REDIS_PATIENCE: Duration = Duration::from_secs(4);

/// How long Redis is looked for at the start, if it can't be reached or still reads its files: a machine may start both
/// at once. One line in the log tells of it.
pub const REDIS_START: Duration = Duration::from_secs(30);

/// The first and the longest pause before the next try to connect.
pub const REDIS_PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// How many connections read. A read takes far less than a millisecond.
pub const REDIS_READERS: usize = 4;

/// The most entries that one step reads from a room: as many as a reply holds.
pub const REDIS_READ: usize = 500;

/// The most rooms whose batches go to Redis in one trip.
pub const REDIS_TRIP: usize = 128;

/// How long an instance that gives no sign of life still counts as alive. Then those whom only it holds have left.
pub const REDIS_LEASE: Duration = GRACE;

/// How often an instance gives a sign of life, and tells its rooms where their orders end, in case a notice was lost.
pub const REDIS_PULSE: Duration = Duration::from_secs(3);

/// If no instance has given a sign of life for this time, Redis was away, and nobody is taken for dead until all have
/// had time for the next sign.
pub const REDIS_SILENCE: Duration = Duration::from_millis(7_500);

/// A connection for notices on which nothing comes for this time is dead: each sign of life is a notice too.
pub const REDIS_DEAF: Duration = Duration::from_secs(10);

/// How many people of a dead instance one step lets go, how many rooms one step reads the end of, and at how many old
/// messages one step looks: well below a millisecond of Redis each.
pub const REDIS_SWEEP: usize = 64;

/// How long the outcome of a room's last batch is kept, in milliseconds: for an instance that has not got the answer,
/// which asks again within [`REDIS_PATIENCE`], and against a batch that was given up and comes late.
pub const REDIS_OUTCOME_MS: u64 = 600_000;

/// How long a file waits in Redis for its message, in milliseconds, which follows it at once.
pub const REDIS_UPLOAD_MS: u64 = 60_000;

/// How much longer than a sender's id is remembered its key is kept, in milliseconds: clocks may be apart so much.
pub const REDIS_SENT_SPARE_MS: u64 = 60_000;
