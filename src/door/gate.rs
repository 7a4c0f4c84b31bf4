//! The counts that both doors share: who waits, what is in flight, whether the server closes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::budget::Budget;
use crate::access::{Caller, Waiting};
use crate::metrics::{Cell, Snapshot, cells};
use crate::wire::refusal::Refusal;

/// The counts.
pub struct Gate {
    budget: Budget,
    waiters: AtomicUsize,
    /// Requests that were received and are not answered yet.
    in_flight: AtomicUsize,
    /// Locked by whoever waits until no request is in flight, and whoever says so.
    landing: Mutex<()>,
    none_in_flight: Condvar,
    is_closing: AtomicBool,
}

/// A seat among those who wait. It is given back when this is dropped, and so is the place among the waits of the
/// client's address.
pub struct Seat {
    gate: Arc<Gate>,
    /// What is seen of it behind the stage.
    cell: Option<Cell>,
    _of_address: Option<Waiting>,
}

/// One request in flight, until this is dropped.
pub struct Flight(Arc<Gate>);

/// Why a wait ends from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Another request came behind it on its connection.
    Followed,
    /// The client is gone, or sends nothing more.
    Gone,
}

/// Ends a wait.
pub type Cancel = Box<dyn FnOnce(Interrupt) + Send>;

impl Gate {
    /// A gate for as many clients as the budget has.
    pub fn new(budget: Budget) -> Arc<Gate> {
        Arc::new(Gate {
            budget,
            waiters: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            landing: Mutex::new(()),
            none_in_flight: Condvar::new(),
            is_closing: AtomicBool::new(false),
        })
    }

    /// How many clients there may be.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// Gives a caller's request a seat for so long, if the budget has one, fewer than `most` wait, and its address does
    /// not have too many.
    ///
    /// **Fault:** `most` was found first. If the thread was then held up, others had come meanwhile with handlers of
    /// their own, and more waited than the old `most`: one of a crowd was refused without need. **Cure:** it is found
    /// after the waiters are counted.
    pub fn admit(
        self: &Arc<Gate>,
        caller: &Caller,
        hold: Duration,
        most: impl Fn() -> usize,
    ) -> Result<Seat, Refusal> {
        let _of_address = caller.wait()?;
        let taken = |n| (n < most().min(self.budget.waiters)).then_some(n + 1);
        match self.waiters.fetch_update(SeqCst, SeqCst, taken) {
            Ok(_) => {
                let cell = cells().map(|cells| cells.take(hold));
                Ok(Seat { gate: self.clone(), cell, _of_address })
            }
            Err(_) => Err(Refusal::TooManyWaiters),
        }
    }

    /// Counts a request that was received.
    pub fn enter(self: &Arc<Gate>) -> Flight {
        self.in_flight.fetch_add(1, SeqCst);
        Flight(self.clone())
    }

    /// Blocks until no request is in flight, or this time is over. Says whether none is.
    pub fn wait_for_none(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut landing = self.landing.lock().unwrap_or_else(PoisonError::into_inner);
        while self.in_flight.load(SeqCst) > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.none_in_flight.wait_timeout(landing, left);
            landing = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Begins to close.
    pub fn close(&self) {
        self.is_closing.store(true, SeqCst);
    }

    /// Whether the server closes.
    pub fn is_closing(&self) -> bool {
        self.is_closing.load(SeqCst)
    }

    /// How many wait, for the metrics.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            waiters: self.waiters.load(SeqCst),
            waiters_max: self.budget.waiters,
            ..Snapshot::default()
        }
    }
}

impl Seat {
    /// Notes whether something came for whoever waits.
    pub fn hears(&self, something: bool) {
        if let Some(cell) = self.cell.as_ref().filter(|_| something) {
            cell.flash();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.gate.waiters.fetch_sub(1, SeqCst);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let Flight(gate) = self;
        if gate.in_flight.fetch_sub(1, SeqCst) == 1 {
            let _landing = gate.landing.lock().unwrap_or_else(PoisonError::into_inner);
            gate.none_in_flight.notify_all();
        }
    }
}
