//! Editions of who may enter: a stream that was let in by an earlier one must ask again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The editions that there were.
#[derive(Default)]
pub struct Editions(Arc<AtomicU64>);

/// One of them.
#[derive(Clone, Default)]
pub struct Edition {
    number: u64,
    /// Without it there is none: the caller is not known yet.
    newest: Option<Arc<AtomicU64>>,
}

impl Editions {
    /// The newest one.
    pub fn now(&self) -> Edition {
        Edition { number: self.0.load(Ordering::SeqCst), newest: Some(self.0.clone()) }
    }

    /// Begins another one.
    pub fn next(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Edition {
    /// Whether there is a newer one.
    pub fn is_over(&self) -> bool {
        self.newest.as_ref().is_some_and(|newest| newest.load(Ordering::SeqCst) != self.number)
    }
}
