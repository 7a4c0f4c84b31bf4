//! The threads that work for a store. Whatever panics in them, they go on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::Error;
use super::counts::Counts;
use crate::config::{STORE_RESTART, WRITER_STACK};

/// The thread that writes. Dropping this waits for its end: drop its mailbox first, which ends it.
pub(super) struct WritingThread(Option<JoinHandle<()>>);

impl WritingThread {
    /// Starts it. The work returns when the mailbox is closed. What it had taken from there when it panicked is
    /// answered by the drop of each [`Done`](super::Done).
    pub(super) fn start(
        counts: &Arc<Counts>,
        mut work: impl FnMut() + Send + 'static,
    ) -> Result<WritingThread, Error> {
        let counts = counts.clone();
        thread::Builder::new()
            .name("store-writer".into())
            .stack_size(WRITER_STACK)
            .spawn(move || {
                while let Panicked::Yes = once("writer", &counts, &mut work) {
                    thread::sleep(STORE_RESTART);
                }
            })
            .map(|thread| WritingThread(Some(thread)))
            .map_err(|error| Error(format!("cannot start the store's thread: {error}")))
    }
}

impl Drop for WritingThread {
    fn drop(&mut self) {
        // Its panics were told and counted.
        self.0.take().map(JoinHandle::join);
    }
}

/// Whether work has panicked.
#[derive(PartialEq)]

pub(super) enum Panicked {
    Yes,
    No,
}

/// Does work of a store's thread, and tells if it panics. What it works with must be fit to work on after that.
pub(super) fn once(thread: &str, counts: &Counts, work: impl FnOnce()) -> Panicked {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(()) => Panicked::No,
        Err(_) => {
            counts.restarts();
            tracing::error!("the store's {thread} panicked, and goes on");
            Panicked::Yes
        }
    }
}
