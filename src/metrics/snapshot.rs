//! Snapshot: figures that are read when somebody asks, not counted.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::store::Stats;

/// What the server holds at this moment, read when somebody asks for the figures.
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

impl Snapshot {
    /// Its figures.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("comet_chat");
        let mut gauge = |name: &str, help: &str, value: usize| {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            registry.register(name, help, gauge);
        };
        gauge("waiters", "Polls and streams that wait", self.waiters);
        gauge("waiters_max", "How many may wait on this machine", self.waiters_max);
        gauge("held_bytes", "Bodies and large replies that are held for clients", self.held);
        gauge("handlers", "Threads that answer requests", self.handlers);
        gauge("rooms", "Rooms that are awake", self.rooms);
        gauge("people", "People who are present, over all rooms", self.people);
        gauge("tail_bytes", "Newest messages that rooms hold in memory, at most 64 MiB", self.tail_bytes);
        let mut counter = |name: &str, help: &str, value: u64| {
            let counter: Counter = Counter::default();
            counter.inc_by(value);
            registry.register(name, help, counter);
        };
        counter("messages", "Messages stored, with joined and left", self.store.messages);
        counter(
            "store_commits",
            "Transactions of the store; messages / commits share one",
            self.store.commits,
        );
        counter("store_failures", "Transactions that failed, and stored nothing", self.store.failures);
        counter("store_restarts", "Threads of the store that panicked and went on", self.store.restarts);
        let busy: Counter<f64, AtomicU64> = Counter::default();
        busy.inc_by(self.store.busy.as_secs_f64());
        registry.register_with_unit("store_commit", "Time spent in transactions", Unit::Seconds, busy);
        registry
    }
}
