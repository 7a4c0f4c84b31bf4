//! The server's figures, in Prometheus's format of old or in OpenMetrics.

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

/// In which format the figures are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus's text format 0.0.4, which every monitor reads.
    Prometheus,
    /// OpenMetrics 1.0, for who asks for it.
    OpenMetrics,
}

impl Exposition {
    /// The type of what [`Metrics::render`] makes.
    pub fn content_type(self) -> &'static str {
        match self {
            Exposition::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Exposition::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

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
    requests: Family<Answered, Counter>,
}

/// What is counted of a request: nothing that a stranger could make a new series of figures with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
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
        let requests = Family::default();
        let help = "Requests that were answered, by method, route and status";
        registry.register("requests", help, requests.clone());
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build_info", "Which version this is", build);
        Metrics {
            registry,
            deliveries,
            broadcasts,
            room_restarts,
            rescues,
            revivals,
            leaks,
            refusals,
            requests,
        }
    }

    /// Counts a refused request.
    pub fn refused(&self, refusal: &Refusal) {
        self.refusals.get_or_create(&Reason { reason: refusal.code() }).inc();
    }

    /// Counts a request that was answered.
    pub fn answered(&self, method: &'static str, route: &'static str, status: u16) {
        self.requests.get_or_create(&Answered { method, route, status }).inc();
    }

    /// All figures as text.
    pub fn render(&self, now: &Snapshot, exposition: Exposition) -> String {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &look_up(now)))
            .and_then(|()| encode_registry(&mut text, &process::figures()))
            .and_then(|()| encode_eof(&mut text))
            .expect("a String takes every write");
        match exposition {
            Exposition::OpenMetrics => text,
            Exposition::Prometheus => as_of_old(&text),
        }
    }
}

/// OpenMetrics as Prometheus's text format 0.0.4: there a counter has its whole name in what is said of it, and
/// there are no units.
fn as_of_old(text: &str) -> String {
    let mut old = String::with_capacity(text.len());
    let mut help = "";
    for line in text.lines() {
        if let Some((_, words)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            help = words;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let total = if kind == "counter" { "_total" } else { "" };
            old += &format!("# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n");
        } else if !line.starts_with('#') {
            old += line;
            old.push('\n');
        }
    }
    old
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
    use super::{AtomicU64, Counter, Gauge, Registry};

    /// By the names that all of Prometheus's libraries use.
    pub fn figures() -> Registry {
        let mut registry = Registry::default();
        let Some(process) = look() else { return registry };
        let cpu: Counter<f64, AtomicU64> = Counter::default();
        cpu.inc_by(process.cpu);
        registry.register("process_cpu_seconds", "Processor time of user and system", cpu);
        let mut gauge = |name: &str, help: &str, value: f64| {
            let gauge: Gauge<f64, AtomicU64> = Gauge::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        };
        gauge("process_start_time_seconds", "When it was started, in seconds since 1970", process.started);
        gauge("process_threads", "Threads", process.threads);
        gauge("process_open_fds", "Open file descriptors", process.descriptors);
        gauge("process_max_fds", "How many file descriptors it may have open", process.descriptors_max);
        gauge("process_resident_memory_bytes", "Resident memory", process.resident);
        gauge("process_virtual_memory_bytes", "Address space", process.space);
        registry
    }

    /// Numbers as figures have them.
    struct Process {
        cpu: f64,
        started: f64,
        threads: f64,
        descriptors: f64,
        descriptors_max: f64,
        resident: f64,
        space: f64,
    }

    #[cfg(target_os = "linux")]
    fn look() -> Option<Process> {
        let process = procfs::process::Process::myself().ok()?;
        let stat = process.stat().ok()?;
        let ticks = procfs::ticks_per_second() as f64;
        Some(Process {
            cpu: (stat.utime + stat.stime) as f64 / ticks,
            started: procfs::boot_time_secs().ok()? as f64 + stat.starttime as f64 / ticks,
            threads: stat.num_threads as f64,
            descriptors: process.fd_count().ok()? as f64,
            descriptors_max: rlimit::Resource::NOFILE.get_soft().ok()? as f64,
            resident: (stat.rss * procfs::page_size()) as f64,
            space: stat.vsize as f64,
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn look() -> Option<Process> {
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
