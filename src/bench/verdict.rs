//! What was wrong with the deliveries of a run.

use std::fmt;

use serde::Serialize;

use super::mark::Number;
use crate::config::NAMED_FAULTS;

/// One way in which a delivery can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "fault")]
pub enum Fault {
    /// An acknowledged message never came.
    Lost { waiter: usize, message: Number },
    /// A message came more than once.
    Doubled { waiter: usize, message: Number },
    /// A message came after one that the room's order has behind it.
    Swapped { waiter: usize, message: Number, after: Number },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Lost { waiter, message } => {
                write!(f, "lost: waiter {waiter} never saw message {message}")
            }
            Fault::Doubled { waiter, message } => {
                write!(f, "doubled: waiter {waiter} saw message {message} again")
            }
            Fault::Swapped { waiter, message, after } => {
                write!(f, "swapped: waiter {waiter} saw message {message} after message {after}")
            }
        }
    }
}

/// Whether every waiter saw every message once and in one order.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    /// Acknowledged messages that a waiter never saw.
    pub lost: usize,
    /// Messages that a waiter saw again.
    pub doubled: usize,
    /// Messages that a waiter saw out of order.
    pub swapped: usize,
    /// The first of them, by name.
    pub named: Vec<Fault>,
}

impl Verdict {
    /// Whether nothing was wrong.
    pub fn is_clean(&self) -> bool {
        self.lost + self.doubled + self.swapped == 0
    }

    /// Counts a fault, and names it if there is room.
    pub fn add(&mut self, fault: Fault) {
        match fault {
            Fault::Lost { .. } => self.lost += 1,
            Fault::Doubled { .. } => self.doubled += 1,
            Fault::Swapped { .. } => self.swapped += 1,
        }
        self.name([fault]);
    }

    /// Names faults, if there is room.
    pub fn name(&mut self, faults: impl IntoIterator<Item = Fault>) {
        let room = NAMED_FAULTS - self.named.len();
        self.named.extend(faults.into_iter().take(room));
    }
}
