//! What the benchmark takes and bears with.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The stack of a connection's thread in the bare floor, in bytes. The thread only reads, waits and writes.
pub const FLOOR_STACK: usize = 64 * 1024;

/// How many ready sockets one turn of the readiness loop takes.
pub const BENCH_EVENTS: usize = 1024;

/// The longest nap before a publish. The loop's own clock ticks in milliseconds, so it naps within the last
/// of them.
pub const BENCH_NAP: Duration = Duration::from_micros(100);

/// How many bytes are read at once.
pub const BENCH_READ: usize = 16 * 1024;

/// The most headers of a reply.
pub const BENCH_HEADERS: usize = 64;

/// The most bytes of a reply (64 MiB): far more than any mode asks for.
pub const BENCH_REPLY: usize = 64 * 1024 * 1024;

/// The most waiters that connect at the same time. It is below 128, the listen backlog of a plain server, so
/// that no connection is dropped and tried again a second later.
pub const ON_THEIR_WAY: usize = 64;

/// The file descriptors beside the connections: the standard ones, `epoll`, `/proc`.
pub const BENCH_FILES: u64 = 32;

/// How often in a row a server may close a waiter's connection without a reply.
pub const CLOSED_IN_A_ROW: u8 = 3;

/// After this many rounds in which a waiter ran out of patience, the run ends.
pub const STALLED_ROUNDS: usize = 3;

/// The most faults that a verdict names one by one. More are only counted.
pub const NAMED_FAULTS: usize = 20;

/// How many messages a second are published to measure the latency of publishing.
pub const PUBLISH_RATE: f64 = 500.0;

/// How often the plot on the terminal moves.
pub const LIVE_BEAT: Duration = Duration::from_millis(250);

/// How many lines it is high, beside its caption.
pub const LIVE_ROWS: usize = 3;

/// How many visitors a soak has.
pub const SOAK_VISITORS: u32 = 200;

/// How many messages a second are said in a soak, in all rooms.
pub const SOAK_RATE: f64 = 20.0;

/// How long a visitor of a soak stays on average: long enough to wait out some polls.
pub const SOAK_STAY: Duration = Duration::from_secs(90);

/// How long it stays away on average: on both sides of [`GRACE`](super::GRACE), so that some leave by it.
pub const SOAK_AWAY: Duration = Duration::from_secs(12);

/// How many of ten visitors go without a word.
pub const SOAK_RUDE: usize = 4;

/// How many connections carry what the visitors of a soak say.
pub const SOAK_VOICES: usize = 16;

/// How often a soak looks who goes and who comes.
pub const SOAK_BEAT: Duration = Duration::from_millis(50);

/// The pause before a visitor of a soak tries again what was refused.
pub const SOAK_PAUSE: Duration = Duration::from_secs(1);

/// The pause between two looks at the server. A look takes 20 us for each of its threads.
pub const SOAK_SAMPLE: Duration = Duration::from_secs(5);

/// A figure may be so many times as large at the end as at the beginning, and the spare, to be called flat. Memory
/// depends on who happens to be there, and an allocator gives back late.
pub const SOAK_GROWTH: f64 = 1.15;

/// See [`SOAK_GROWTH`]: in bytes.
pub const SOAK_SPARE_MEMORY: u64 = 8 * 1024 * 1024;

/// See [`SOAK_GROWTH`]: in threads and files.
pub const SOAK_SPARE_COUNT: u64 = 64;

/// After so many refusals in a row the soak gives a visitor up.
pub const SOAK_REFUSALS: u32 = 30;

/// How often a crowd looks who comes and who goes. A lever moves this long after its order at most.
pub const CROWD_BEAT: Duration = Duration::from_millis(20);

/// How many of a crowd come or go in a second: a lever's whole way is a moment, and no burst.
pub const CROWD_PACE: f64 = 1_000.0;

/// How often a crowd tells what it did.
pub const CROWD_TELL: Duration = Duration::from_millis(200);

/// How many orders may stand in the queue. A lever that is pulled gives some in a beat.
pub const CROWD_ORDERS: usize = 64;

/// How many messages a second a crowd may be told to say, beside none.
pub const CROWD_RATES: RangeInclusive<f64> = 0.01..=1_000.0;

/// How many bytes a crowd's message has until it is told.
pub const CROWD_SIZE: usize = 64;

/// How many connections carry what a crowd says. If a server answers none of so many, more are no use.
pub const CROWD_VOICES: usize = 16;

/// What does not come for so long never comes. A server that stalls takes less.
pub const CROWD_PATIENCE: Duration = Duration::from_secs(30);

/// How long those stay away, at most, who were cut off: at random, so that not all come back at once.
pub const CROWD_AWAY: Duration = Duration::from_secs(1);

/// How often that is doubled for one for whom the server has no place, again and again: up to 32 s.
pub const CROWD_DOUBLINGS: u32 = 5;

/// How often half of the clients vanish, while they do. Of two thousand all come back between two times, and one sees that.
pub const CROWD_VANISH: Duration = Duration::from_secs(2);

/// How many read nothing of their stream.
pub const CROWD_SLOW: usize = 4;

/// How long each of them stays, if it is not cut off: longer than a server bears with one who takes nothing.
pub const CROWD_SLOW_STAY: Duration = Duration::from_secs(40);

/// The least size of a message while some read nothing (16 KiB). At two a second, what the kernels hold for a
/// connection is full after ten seconds. It is no more, since all others take it too.
pub const CROWD_SLOW_SIZE: usize = 16 * 1024;

/// How many connections come in a burst.
pub const CROWD_BURST: usize = 1_000;

/// How often a burst comes.
pub const CROWD_BURST_PAUSE: Duration = Duration::from_secs(2);

/// How many calls that block a crowd makes for each core: more than an engine of tasks has threads.
pub const CROWD_STALLS: usize = 2;

/// How many links a relay has: as many as jimblandy/context-switch, beside whose figures ours stand.
pub const RELAY_LINKS: usize = 500;

/// The stack of a link that is a thread, in bytes: as there. Only what it touches is resident.
pub const RELAY_STACK: usize = 1024 * 1024;

/// How often something goes through a relay before it is timed, so that every link has waited and has been woken.
pub const RELAY_WARM_UPS: usize = 20;

/// How often it goes through while it is timed: a second or two with 500 links that are the slowest.
pub const RELAY_ROUNDS: usize = 100;

/// The kernel stack of one thread, in bytes: THREAD_SIZE on x86-64 and arm64.
pub const KERNEL_STACK: u64 = 16 * 1024;
