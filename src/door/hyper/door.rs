//! The door itself: what all of its tasks share.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::counts::Counts;
use super::entrance::Entrance;
use crate::door::budget::Budget;
use crate::door::gate::Gate;
use crate::door::listen::Listener;

/// What the tasks share.
pub struct Door<S> {
    /// What answers the requests.
    pub service: S,
    /// Where clients come.
    pub entrances: Vec<Entrance>,
    /// Who waits, what is in flight, and what is held.
    pub counts: Arc<Counts>,
    /// A permit for each connection that may yet come.
    pub places: Arc<Semaphore>,
    /// A permit to render a large reply.
    pub turn: Semaphore,
    /// It is closed when nobody is let in any more. It has no permits.
    pub left: Semaphore,
}

impl<S> Door<S> {
    /// A door at these listeners, not open yet. To be called within a runtime.
    pub fn new(listeners: Vec<Listener>, budget: Budget, service: S) -> io::Result<Door<S>> {
        Ok(Door {
            service,
            entrances: listeners.into_iter().map(Entrance::new).collect::<io::Result<_>>()?,
            counts: Counts::new(Gate::new(budget)),
            places: Arc::new(Semaphore::new(budget.connections)),
            turn: Semaphore::new(1),
            left: Semaphore::new(0),
        })
    }

    /// Whether the server closes.
    pub fn is_closing(&self) -> bool {
        self.counts.gate.is_closing()
    }

    /// Whether only the lane of the POSTs is left. A connection that stays open there is in the way of others.
    pub fn is_crowded(&self) -> bool {
        let Budget { connections, waiters } = self.counts.gate.budget();
        self.places.available_permits() < connections - waiters
    }
}
