//! Counters: what the server counts as it happens.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::config::BROADCAST_BUCKETS;

/// The counters of this process. A process is one server, so they are global.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Counters that only grow.
pub struct Metrics {
    registry: Registry,
    /// How often a waiting subscriber was handed messages.
    pub deliveries: Counter,
    /// How long it took to hand messages to all subscribers, in seconds.
    pub broadcasts: Histogram,
    /// Rooms that panicked and were restarted.
    pub room_restarts: Counter,
    /// Connections made by the rescuer.
    pub rescues: Counter,
    /// Servers of tiny_http started after the first, or accept errors survived.
    pub revivals: Counter,
    /// Requests that are kept for ever, because to drop them would end the process.
    pub leaks: Counter,
    /// Threads that tiny_http has lost for good, now.
    pub lost: Gauge,
    refusals: Family<Reason, Counter>,
    requests: Family<Answered, Counter>,
}

/// The labels of an answered request. All have few values: a client must not be able to make new series.
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

impl Metrics {
    fn new() -> Metrics {
        let mut registry = Registry::with_prefix("comet_chat");
        let deliveries = Counter::default();
        registry.register("deliveries", "Waiting subscribers that were handed something", deliveries.clone());
        let (shortest, buckets) = BROADCAST_BUCKETS;
        let broadcasts = Histogram::new(exponential_buckets(shortest, 2.0, buckets));
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
        let lost = Gauge::default();
        let help = "Threads that tiny_http has lost for good; if they are many, the server begins anew";
        registry.register("lost_threads", help, lost.clone());
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
            lost,
            refusals,
            requests,
        }
    }

    /// Counts a refused request, by the stable name of its reason.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    /// Counts a request that was answered.
    pub fn answered(&self, method: &'static str, route: &'static str, status: u16) {
        self.requests.get_or_create(&Answered { method, route, status }).inc();
    }

    /// All of them, to be rendered.
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }
}
