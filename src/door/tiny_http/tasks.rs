//! The tasks of the handlers.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::config::HANDLER_IDLE;
use crate::door::pace::Pace;
use crossbeam_channel::{Receiver, Sender, unbounded};

/// What a handler is to do.
pub enum Task {
    /// Do this, which may take a while.
    Do(Box<dyn FnOnce() + Send>),
    /// End.
    End,
}

/// The tasks that no handler has taken yet.
pub struct Tasks {
    given: Sender<Task>,
    taken: Receiver<Task>,
    /// How often there was no thread to be had.
    missed: Mutex<Pace>,
}

impl Tasks {
    /// None yet.
    pub fn new() -> Tasks {
        // It needs no bound: each connection has at most one task in it.
        let (given, taken) = unbounded();
        Tasks { given, taken, missed: Mutex::new(Pace::new(HANDLER_IDLE, HANDLER_IDLE)) }
    }

    /// Gives a task to whichever handler is free first.
    pub fn give(&self, task: Task) {
        // It can't fail: the receiver is in the same struct.
        let _ = self.given.send(task);
    }

    /// Takes a task, if one comes within [`HANDLER_IDLE`].
    pub fn take(&self) -> Option<Task> {
        self.taken.recv_timeout(HANDLER_IDLE).ok()
    }

    /// Logs that the machine gives no thread, but not every time.
    pub fn report_miss(&self, error: &io::Error) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = missed.fails(Instant::now()).times {
            tracing::warn!(%error, times, "the machine gives no thread to answer with");
        }
    }
}
