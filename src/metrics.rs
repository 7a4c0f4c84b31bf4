//! The server's figures, in the format of Prometheus (OpenMetrics).

use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::store::Stats;
use crate::wire::refusal::Refusal;

/// The content type of what [`Metrics::render`] makes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is counted as it happens. A process is one server, so there is one of it.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Counters that only grow.
pub struct Metrics {
    registry: Registry,
    /// Times that a waiting subscriber was handed something.
    pub deliveries: Counter,
    /// How long it took to hand a batch to all who waited for it, in seconds.
    pub broadcasts: Histogram,
    /// Rooms that panicked and were restarted.
    pub room_restarts: Counter,
    /// Connections made by the rescuer.
    pub rescues: Counter,
    /// Servers of tiny_http started after the first, or accept errors survived.
    pub revivals: Counter,
    /// Requests that are kept for ever, because dropping them would end the process.
    pub leaks: Counter,
    refusals: Family<Reason, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// What is looked up when somebody asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snapshot {
    /// Requests and streams that wait, and the most that may.
    pub waiters: usize,
    /// See above.
    pub waiters_max: usize,
    /// Bytes of bodies and replies that are held for clients.
    pub held: usize,
    /// Threads that answer requests; 0 where there are none of the kind.
    pub handlers: usize,
    /// Rooms that are awake.
    pub rooms: usize,
    /// People present in them.
    pub people: usize,
    /// What they hold of their newest messages, in bytes.
    pub tail_bytes: usize,
    /// What the store has done.
    pub store: Stats,
}

impl Metrics {
    fn new() -> Metrics {
        let mut registry = Registry::with_prefix("comet_chat");
        let deliveries = Counter::default();
        registry.register("deliveries", "Waiting subscribers that were handed something", deliveries.clone());
        // From 10 us to about 0.3 s, each bucket twice the one before.
        let broadcasts = Histogram::new(exponential_buckets(0.000_01, 2.0, 16));
        let help = "Handing one batch of messages to all who waited";
        registry.register_with_unit("broadcast", help, Unit::Seconds, broadcasts.clone());
        let room_restarts = Counter::default();
        registry.register("room_restarts", "Rooms that panicked and were restarted", room_restarts.clone());
        let rescues = Counter::default();
        registry.register("rescues", "Connections made to rescue stranded ones", rescues.clone());
        let revivals = Counter::default();
        registry.register(
            "revivals",
            "Times that accepting connections had to be begun anew",
            revivals.clone(),
        );
        let leaks = Counter::default();
        registry.register(
            "leaks",
            "Requests that tiny_http can't drop, each with a thread and two files for good",
            leaks.clone(),
        );
        let refusals = Family::default();
        registry.register("refusals", "Requests that were refused, by reason", refusals.clone());
        Metrics { registry, deliveries, broadcasts, room_restarts, rescues, revivals, leaks, refusals }
    }

    /// Counts a refused request.
    pub fn refused(&self, refusal: &Refusal) {
        self.refusals.get_or_create(&Reason { reason: refusal.code() }).inc();
    }

    /// All figures as text.
    pub fn render(&self, now: &Snapshot) -> String {
        let looked_up = look_up(now);
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &looked_up))
            .and_then(|()| encode_eof(&mut text))
            .expect("a String takes every write");
        text
    }
}

fn look_up(now: &Snapshot) -> Registry {
    let mut registry = Registry::with_prefix("comet_chat");
    let mut gauge = |name: &str, help: &str, value: usize| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    gauge("waiters", "Polls and streams that wait", now.waiters);
    gauge("waiters_max", "How many may wait on this machine", now.waiters_max);
    gauge("held_bytes", "Bodies and large replies that are held for clients", now.held);
    gauge("handlers", "Threads that answer requests", now.handlers);
    gauge("rooms", "Rooms that are awake", now.rooms);
    gauge("people", "People who are present, over all rooms", now.people);
    gauge("tail_bytes", "Newest messages that rooms hold in memory, at most 64 MiB", now.tail_bytes);
    if let Some(process) = process::look() {
        gauge("process_threads", "Threads of the process", process.threads);
        gauge("process_open_fds", "Open file descriptors", process.descriptors);
        gauge("process_resident_memory_bytes", "Resident memory", process.resident);
    }
    let mut counter = |name: &str, help: &str, value: u64| {
        let counter: Counter = Counter::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    };
    counter("messages", "Messages stored, with joined and left", now.store.messages);
    counter("store_commits", "Transactions of the store; messages / commits share one", now.store.commits);
    counter("store_failures", "Transactions that failed, and stored nothing", now.store.failures);
    let busy: Counter<f64, AtomicU64> = Counter::default();
    busy.inc_by(now.store.busy.as_secs_f64());
    registry.register_with_unit("store_commit", "Time spent in transactions", Unit::Seconds, busy);
    registry
}

/// What the kernel knows of this process.
pub(crate) mod process {
    pub struct Process {
        pub threads: usize,
        pub descriptors: usize,
        /// In bytes.
        pub resident: usize,
    }

    #[cfg(target_os = "linux")]
    pub fn look() -> Option<Process> {
        let process = procfs::process::Process::myself().ok()?;
        let stat = process.stat().ok()?;
        Some(Process {
            threads: usize::try_from(stat.num_threads).ok()?,
            descriptors: process.fd_count().ok()?,
            resident: usize::try_from(stat.rss * procfs::page_size()).ok()?,
        })
    }

    #[cfg(not(target_os = "linux"))]
    pub fn look() -> Option<Process> {
        None
    }

    /// How many threads there are, for far less than the rest costs where many files are open.
    #[cfg(target_os = "linux")]
    pub fn threads() -> Option<i64> {
        Some(procfs::process::Process::myself().ok()?.stat().ok()?.num_threads)
    }

    #[cfg(not(target_os = "linux"))]
    pub fn threads() -> Option<i64> {
        None
    }
}
