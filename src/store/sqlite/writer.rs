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

use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded, unbounded};
use rusqlite::Connection;

use super::pen::{Letter, Pen};
use crate::message::{Draft, Epoch, RoomName, Timestamp};
use crate::store::counts::Counts;
use crate::store::writing::WritingThread;
use crate::store::{Done, Error, Keep, Stats};

/// The handle by which every other thread writes. Dropping it ends the thread and closes the file.
pub(super) struct Writer {
    /// Dropped before the thread, which ends by that.
    mailbox: Sender<Letter>,
    _thread: WritingThread,
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
        let thread = WritingThread::start(&counts, move || pen.run(&letters))?;
        Ok(Writer { mailbox, _thread: thread, counts })
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
        self.mailbox.send(letter).map_err(|_| gone())
    }
}

fn gone() -> Error {
    Error("the store's thread has ended".into())
}
