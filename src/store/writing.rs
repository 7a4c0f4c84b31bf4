//! The thread that writes for a store.

use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

use super::Error;
use crate::config::WRITER_STACK;

/// The thread. Dropping this waits for its end, and hands on its panic: drop its mailbox first, which ends it.
pub(super) struct WritingThread(Option<JoinHandle<()>>);

impl WritingThread {
    pub(super) fn start(work: impl FnOnce() + Send + 'static) -> Result<WritingThread, Error> {
        thread::Builder::new()
            .name("store-writer".into())
            .stack_size(WRITER_STACK)
            .spawn(work)
            .map(|thread| WritingThread(Some(thread)))
            .map_err(|error| Error(format!("cannot start the store's thread: {error}")))
    }
}

impl Drop for WritingThread {
    fn drop(&mut self) {
        if let Some(Err(panic)) = self.0.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}
