//! The failures that a class may try.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A blocking call inside a task.
    Stall,
    /// Clients that vanish while they wait.
    Vanish,
    /// Readers of a stream that read nothing.
    Slow,
    /// Many connections at once.
    Burst,
    /// A room that panics, once.
    Panic,
    /// The store takes nothing.
    Store,
    /// No more files may be opened.
    Files,
    /// All threads share one core.
    Pin,
}

impl Failure {
    /// All of them, with their names on the wire.
    pub const ALL: [(Failure, &str); 8] = [
        (Failure::Stall, "stall"),
        (Failure::Vanish, "vanish"),
        (Failure::Slow, "slow"),
        (Failure::Burst, "burst"),
        (Failure::Panic, "panic"),
        (Failure::Store, "store"),
        (Failure::Files, "files"),
        (Failure::Pin, "pin"),
    ];

    /// The failure of this name.
    pub fn named(name: &str) -> Option<Failure> {
        Failure::ALL.into_iter().find_map(|(failure, its)| (its == name).then_some(failure))
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        Failure::ALL[self as usize].1
    }
}

/// Which failures there are now.
#[derive(Default)]
pub struct Failures([AtomicBool; Failure::ALL.len()]);

impl Failures {
    /// Whether there is this one.
    pub fn are(&self, failure: Failure) -> bool {
        self.0[failure as usize].load(SeqCst)
    }

    /// Notes that this one begins, or ends.
    pub fn switch(&self, failure: Failure, on: bool) {
        self.0[failure as usize].store(on, SeqCst);
    }

    /// Ends this one. Says whether there was one.
    pub fn end(&self, failure: Failure) -> bool {
        self.0[failure as usize].swap(false, SeqCst)
    }

    /// All of them by their names.
    pub fn by_name(&self) -> BTreeMap<&'static str, bool> {
        Failure::ALL.map(|(failure, name)| (name, self.are(failure))).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_the_name_beside_it() {
        assert!(Failure::ALL.into_iter().all(|(failure, name)| failure.name() == name));
    }
}
