//! What a store's writer counts, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Stats;

/// What the writer's thread has done.
#[derive(Default)]
pub(super) struct Counts {
    commits: AtomicU64,
    messages: AtomicU64,
    failures: AtomicU64,
    busy_micros: AtomicU64,
    restarts: AtomicU64,
}

impl Counts {
    /// Something was made durable.
    pub(super) fn commits(&self) {
        self.commits.fetch_add(1, Relaxed);
    }

    /// So many messages are kept.
    pub(super) fn keeps(&self, messages: usize) {
        self.messages.fetch_add(messages as u64, Relaxed);
    }

    /// So many failed.
    pub(super) fn fails(&self, times: usize) {
        self.failures.fetch_add(times as u64, Relaxed);
    }

    /// The thread worked for so long.
    pub(super) fn works(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.busy_micros.fetch_add(micros, Relaxed);
    }

    /// A thread of the store panicked, and goes on.
    pub(super) fn restarts(&self) {
        self.restarts.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self) -> Stats {
        Stats {
            commits: self.commits.load(Relaxed),
            messages: self.messages.load(Relaxed),
            failures: self.failures.load(Relaxed),
            busy: Duration::from_micros(self.busy_micros.load(Relaxed)),
            restarts: self.restarts.load(Relaxed),
        }
    }
}
