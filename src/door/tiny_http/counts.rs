//! What is counted at this door: who waits, how many handlers there are, and what is held for clients.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use super::crew::Crew;
use crate::access::Caller;
use crate::config::{HANDLERS_SPARE, HELD_MAX, LIGHT};
use crate::door::gate::{Gate, Seat};
use crate::metrics::Snapshot;
use crate::wire::refusal::Refusal;

/// The counts.
pub struct Counts {
    /// Who waits, and what is in flight.
    pub gate: Arc<Gate>,
    /// The handlers.
    pub crew: Crew,
    /// The bytes of large replies that clients have not taken yet.
    held: AtomicUsize,
}

/// What is held for one request. It is given back when this is dropped.
pub struct Held {
    counts: Arc<Counts>,
    bytes: usize,
}

impl Counts {
    /// Nobody is there yet.
    pub fn new(gate: Arc<Gate>) -> Arc<Counts> {
        Arc::new(Counts { gate, crew: Crew::default(), held: AtomicUsize::new(0) })
    }

    /// Gives a request a seat for so long among those who wait, if there is one and its thread can be spared.
    pub fn admit(&self, caller: &Caller, hold: Duration) -> Result<Seat, Refusal> {
        self.gate.admit(caller, hold, || self.crew.count().saturating_sub(HANDLERS_SPARE))
    }

    /// How many are at the door, for the metrics.
    pub fn snapshot(&self) -> Snapshot {
        let (held, handlers) = (self.held.load(SeqCst), self.crew.count());
        Snapshot { held, handlers, ..self.gate.snapshot() }
    }
}

impl Held {
    /// Nothing is held yet.
    pub fn nothing(counts: &Arc<Counts>) -> Held {
        Held { counts: counts.clone(), bytes: 0 }
    }

    /// Sets how many bytes this request holds. A small reply counts as none. Refused if all requests together
    /// would hold too much. This one then holds nothing.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        let bytes = if bytes > LIGHT { bytes } else { 0 };
        let before = mem::replace(&mut self.bytes, bytes);
        let held = &self.counts.held;
        let all = held.fetch_add(bytes, SeqCst) + bytes - before;
        held.fetch_sub(before, SeqCst);
        if bytes > 0 && all > HELD_MAX {
            self.bytes = 0;
            held.fetch_sub(bytes, SeqCst);
            return Err(Refusal::TooMuchHeld);
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.counts.held.fetch_sub(self.bytes, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::door::budget::Budget;

    /// Of 5,000 clients that came at once, one was told now and then that this machine can't hold more: its
    /// handler had counted the handlers, and others came before it counted who waits.
    #[test]
    fn whoever_brings_a_handler_finds_a_seat_however_many_come_at_once() {
        const EACH: usize = 20_000;
        let counts = Counts::new(Gate::new(Budget { connections: usize::MAX, waiters: usize::MAX }));
        (0..HANDLERS_SPARE).for_each(|_| assert!(counts.crew.grow(usize::MAX)));
        let come = || {
            let comes = |_| {
                assert!(counts.crew.grow(usize::MAX));
                counts.admit(&Caller::default(), Duration::MAX).expect("a seat")
            };
            (0..EACH).map(comes).collect::<Vec<_>>()
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(come);
            }
        });
        assert_eq!(counts.gate.snapshot().waiters, 0);
    }
}
