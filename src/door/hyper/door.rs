//! The door itself: what all of its tasks share.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::counts::Counts;
use crate::door::budget::Budget;
use crate::door::gate::Gate;

/// What the tasks share.
pub struct Door<S> {
    /// What answers the requests.
    pub service: S,
    /// Where clients come.
    pub listener: TcpListener,
    /// Who waits, what is in flight, and what is held.
    pub counts: Arc<Counts>,
    /// A permit for each connection that may yet come.
    pub places: Arc<Semaphore>,
    /// A permit to render a large reply.
    pub turn: Semaphore,
}

impl<S> Door<S> {
    /// A door at this listener, not open yet. To be called within a runtime.
    pub fn new(listener: std::net::TcpListener, budget: Budget, service: S) -> io::Result<Door<S>> {
        Ok(Door {
            service,
            listener: TcpListener::from_std(listener)?,
            counts: Counts::new(Gate::new(budget)),
            places: Arc::new(Semaphore::new(budget.connections)),
            turn: Semaphore::new(1),
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
