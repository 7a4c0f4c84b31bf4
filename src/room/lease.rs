//! A lease: how long a person is present who was seen.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::clock::Now;
use crate::config::GRACE;
use crate::message::{Holder, PersonName};

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was answered, or its time was up. The client is there to hear it.
    Answered,
    /// Its client is gone.
    Gone,
}

/// A person is there, until it ends.
#[derive(Debug)]
pub(super) struct Lease {
    /// Another one for each. When a name changes hands, the waits before that are not counted off from the new lease.
    pub(super) number: u64,
    /// Who holds the name, if anybody does.
    pub(super) holder: Option<Holder>,
    /// When the person was last seen.
    pub(super) seen: Instant,
    /// How many waits of this person stand. The lease does not run out while one does.
    pub(super) waits: usize,
    /// When the lease ends if no wait stands and the person is not seen before. A page that goes away
    /// can't tell whether it is closed or only loaded again, nor whether there is another.
    pub(super) ends: Option<Instant>,
}

/// A wait that is counted, by which its end is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub(super) name: PersonName,
    pub(super) lease: u64,
}

impl Lease {
    /// The person is seen now.
    pub(super) fn new(now: Now, holder: Option<Holder>) -> Lease {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Relaxed);
        Lease { number, holder, seen: now.clock, waits: 0, ends: None }
    }

    /// Whether nobody is there any more.
    pub(super) fn has_lapsed(&self, now: Now) -> bool {
        let is_over = self.ends.is_some_and(|ends| ends <= now.clock);
        self.waits == 0 && (is_over || now.clock.saturating_duration_since(self.seen) >= GRACE)
    }
}
