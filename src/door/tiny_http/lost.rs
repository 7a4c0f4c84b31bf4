//! Threads that tiny_http has lost for good.
//!
//! **Fault:** a request line with `HTTP/2.0` makes the thread of its connection wait for itself. Nothing in this process
//! can end that, and its descriptors stay open. **Cure:** a connection that was shut in both directions and whose
//! descriptor is still open after a while has such a thread. If these are many, the server begins anew: it sends itself
//! the signal of an upgrade, by which the same program goes on with the same sockets, and without those threads.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use rustix::process::{Signal, getpid, kill_process};

use super::sockets::open_sockets;
use crate::config::{LOST_AFTER, LOST_BEAT, LOST_LEAST};
use crate::door::budget::Budget;
use crate::metrics::METRICS;

/// The connections that were shut, and whether their threads have let go of them.
#[derive(Default)]
pub struct Lost {
    /// When each was shut.
    shut: HashMap<u32, Instant>,
    looked: Option<Instant>,
    /// Whether the server was told to begin anew.
    is_told: bool,
}

impl Lost {
    /// Notes connections that are shut in both directions now, by the numbers of their sockets.
    pub fn note(&mut self, shut: &HashSet<u32>, now: Instant) {
        for inode in shut {
            self.shut.entry(*inode).or_insert(now);
        }
    }

    /// Looks now and then how many are lost, and has the server begin anew if they are too many.
    pub fn look(&mut self, budget: Budget, now: Instant) {
        if self.shut.is_empty() || self.looked.is_some_and(|looked| now - looked < LOST_BEAT) {
            return;
        }
        self.looked = Some(now);
        let lost = self.count(&open_sockets(), now);
        METRICS.lost.set(lost as i64);
        if lost >= most(budget) && !self.is_told {
            self.is_told = true;
            tracing::error!(lost, "tiny_http has lost threads for good: the server begins anew without them");
            if let Err(error) = kill_process(getpid(), Signal::USR2) {
                tracing::error!(%error, "it can't begin anew");
            }
        }
    }

    fn count(&mut self, open: &HashSet<u32>, now: Instant) -> usize {
        self.shut.retain(|inode, _| open.contains(inode));
        self.shut.values().filter(|shut| now.saturating_duration_since(**shut) >= LOST_AFTER).count()
    }
}

/// So many lost threads are borne with: a quarter of what the machine can hold.
fn most(budget: Budget) -> usize {
    (budget.connections / 4).max(LOST_LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_lost_if_its_shut_connection_stays_open() {
        let mut lost = Lost::default();
        let begin = Instant::now();
        lost.note(&HashSet::from([1, 2]), begin);
        // What is shut again was shut before.
        lost.note(&HashSet::from([1]), begin + LOST_AFTER / 2);
        assert_eq!(lost.count(&HashSet::from([1, 2, 3]), begin + LOST_AFTER / 2), 0);
        assert_eq!(lost.count(&HashSet::from([1, 3]), begin + LOST_AFTER), 1);
        assert_eq!(lost.count(&HashSet::from([2, 3]), begin + LOST_AFTER), 0);
    }
}
