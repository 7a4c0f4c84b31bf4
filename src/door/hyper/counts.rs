//! What is counted at this door: who waits, what is in flight, and what is held for clients.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::held::{Client, Held};
use crate::access::Caller;
use crate::door::gate::{self, Gate, Seat};
use crate::metrics::Snapshot;
use crate::wire::refusal::Refusal;

/// The counts.
pub struct Counts {
    /// Who waits, and what is in flight.
    pub gate: Arc<Gate>,
    /// What is held in memory of bodies and replies.
    held: Held,
}

/// One request in flight.
pub struct Flight {
    counts: Arc<Counts>,
    client: Arc<Client>,
    /// What is held for it.
    bytes: usize,
    _flight: gate::Flight,
}

impl Counts {
    /// Nobody is there yet.
    pub fn new(gate: Arc<Gate>) -> Arc<Counts> {
        Arc::new(Counts { gate, held: Held::default() })
    }

    /// Gives a request a seat for so long among those who wait, if there is one.
    pub fn admit(&self, caller: &Caller, hold: Duration) -> Result<Seat, Refusal> {
        self.gate.admit(caller, hold, || usize::MAX)
    }

    /// Counts a request of this client.
    pub fn enter(self: &Arc<Counts>, client: &Arc<Client>) -> Flight {
        Flight { counts: self.clone(), client: client.clone(), bytes: 0, _flight: self.gate.enter() }
    }

    /// How many are at the door, for the metrics.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { held: self.held.bytes(), ..self.gate.snapshot() }
    }
}

impl Flight {
    /// Sets how many bytes this request holds: first its body, then its reply. Refused if all requests together
    /// would hold too much and this one is not light. It then holds nothing.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        let held = self.counts.held.change(&self.client, self.bytes, bytes, Instant::now);
        self.bytes = if held.is_ok() { bytes } else { 0 };
        held
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Zero bytes are never refused.
        let _ = self.hold(0);
    }
}
