//! The hall behind the doors: what all threads of a server share, whichever way its clients come in.

use std::sync::{Arc, Mutex};

use super::counts::Counts;
use super::service::Service;
use super::tasks::Tasks;
use crate::door::budget::Budget;
use crate::door::gate::Gate;

/// What the threads share.
pub struct Hall {
    /// What answers the requests.
    pub service: Box<dyn Service>,
    /// Who waits, who answers, and what is held.
    pub counts: Arc<Counts>,
    /// What the handlers are given to do.
    pub tasks: Tasks,
    /// Locked while a large reply is rendered.
    pub turn: Mutex<()>,
}

impl Hall {
    /// Nobody is there yet.
    pub fn new(budget: Budget, service: impl Service) -> Arc<Hall> {
        Arc::new(Hall {
            service: Box::new(service),
            counts: Counts::new(Gate::new(budget)),
            tasks: Tasks::new(),
            turn: Mutex::new(()),
        })
    }

    /// Whether the server closes.
    pub fn is_closing(&self) -> bool {
        self.counts.gate.is_closing()
    }
}
