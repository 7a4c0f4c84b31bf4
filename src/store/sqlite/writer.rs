//! The way to the one thread that writes.
//!
//! ```text
//! room ────┐                        ┌─ everything that waits ─┐
//! room ────┼─▶ mailbox ─▶ writer ─▶ │ BEGIN ... COMMIT, fsync │ ─▶ an outcome to each
//! sweeper ─┘                        └─────────────────────────┘
//! ```
//!
//! After a slow commit it waits a moment for those who were answered to write again, see [`gather`](super::gather).
//!
//! The mailbox needs no bound of its own: each room has one batch on its way, and the sweeper one step.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, bounded, unbounded};
use rusqlite::Connection;

use super::pen::{Counts, Letter, Pen};
use crate::config::WRITER_STACK;
use crate::message::{Draft, Epoch, RoomName, Timestamp};
use crate::store::{Done, Error, Keep, Stats};

/// The handle by which every other thread writes. Dropping it ends the thread and closes the file.
pub(super) struct Writer {
    /// `None` only while this is dropped.
    mailbox: Option<Sender<Letter>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

impl Writer {
    /// Starts the thread on a connection that [`open::writer`](super::open::writer) made.
    pub(super) fn start(
        connection: Connection,
        path: &Path,
        epoch: Epoch,
        keep: Keep,
    ) -> Result<Writer, Error> {
        let (mailbox, letters) = unbounded();
        let counts = Arc::new(Counts::default());
        let mut pen = Pen::new(connection, path, epoch, keep, counts.clone());
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .stack_size(WRITER_STACK)
            .spawn(move || pen.run(&letters))
            .map_err(|error| Error(format!("cannot start the store's thread: {error}")))?;
        Ok(Writer { mailbox: Some(mailbox), thread: Some(thread), counts })
    }

    /// Returns at once. The outcome is told when the drafts are on the disk, or are not stored.
    pub(super) fn append(&self, room: &RoomName, drafts: Vec<Draft>, done: Done) {
        // If the thread has ended, the letter is dropped and with it `done`, which tells that.
        let _ = self.send(Letter::Append { room: room.clone(), drafts, done });
    }

    /// Returns when all that is too old is forgotten.
    pub(super) fn expire(&self, now: Timestamp, steady: Timestamp) -> Result<(), Error> {
        let mut after = 0;
        // Each step is a letter of its own, so that no message waits for more than one.
        loop {
            let (answer, outcome) = bounded(1);
            self.send(Letter::Expire { now, steady, after, answer })?;
            match outcome.recv().map_err(|_| gone())?? {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.counts.read()
    }

    fn send(&self, letter: Letter) -> Result<(), Error> {
        self.mailbox.as_ref().ok_or_else(gone)?.send(letter).map_err(|_| gone())
    }
}

fn gone() -> Error {
    Error("the store's thread has ended".into())
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.mailbox = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}
