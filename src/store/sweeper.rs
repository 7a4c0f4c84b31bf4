//! A thread that forgets old messages in quiet rooms.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::Store;
use crate::clock::steady;
use crate::config::SWEEP_EVERY;
use crate::message::Timestamp;

/// Calls [`Store::expire`] every minute until it is dropped, which waits for its end.
pub struct Sweeper {
    /// Nothing is sent on it. Its drop is the signal to end. `None` only while this is dropped.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    /// Starts to sweep, at once for the first time.
    pub fn start(store: Arc<dyn Store>) -> io::Result<Sweeper> {
        let (alive, ended) = bounded(0);
        let thread =
            thread::Builder::new().name("store-sweeper".into()).spawn(move || sweep(&*store, &ended))?;
        Ok(Sweeper { alive: Some(alive), thread: Some(thread) })
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn sweep(store: &dyn Store, ended: &Receiver<()>) {
    loop {
        match catch_unwind(AssertUnwindSafe(|| store.expire(Timestamp::now(), steady()))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what is too old could not be forgotten"),
            Err(_) => tracing::error!("the store's sweeper panicked, and goes on"),
        }
        if ended.recv_timeout(SWEEP_EVERY) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}
