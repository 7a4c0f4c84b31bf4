//! The way to the one thread that writes.
//!
//! ```text
//! room ──┐                        ┌─ one batch of each room that waits ─┐
//! room ──┼─▶ mailbox ─▶ writer ─▶ │ a step for each, WAIT      one trip │ ─▶ an outcome to each
//! room ──┘                        └─────────────────────────────────────┘
//! ```
//!
//! The mailbox needs no bound of its own: each room has one batch on its way.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, unbounded};
use redis::{Cmd, cmd};

use super::batch::Batch;
use super::courier::{Counts, Courier, Letter};
use super::followers::Followers;
use super::life::Life;
use super::spec::RedisSpec;
use crate::config::WRITER_STACK;
use crate::message::{Cursor, Draft, RoomName};
use crate::store::{Done, Error, Keep, Stats};

/// The handle by which every other thread writes. Dropping it ends the thread, after what is in its mailbox.
pub(super) struct Writer {
    life: Arc<Life>,
    /// `None` only while this is dropped.
    mailbox: Option<Sender<Letter>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

impl Writer {
    pub(super) fn start(
        spec: &RedisSpec,
        life: &Arc<Life>,
        followers: &Followers,
        keep: Keep,
    ) -> Result<Writer, Error> {
        let (mailbox, letters) = unbounded();
        let counts = Arc::new(Counts::default());
        let courier = Courier::new(spec.clone(), life.clone(), followers.clone(), keep, counts.clone());
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .stack_size(WRITER_STACK)
            .spawn(move || courier.run(&letters))
            .map_err(|error| Error(format!("cannot start the store's thread: {error}")))?;
        Ok(Writer { life: life.clone(), mailbox: Some(mailbox), thread: Some(thread), counts })
    }

    /// Returns at once. The outcome is told when Redis has said it, or does not say it in time.
    pub(super) fn append(&self, room: &RoomName, seen: Cursor, drafts: Vec<Draft>, done: Done) {
        self.send(Letter::Append(Batch::new(&self.life, room, seen, drafts, done)));
    }

    /// Tells all instances that listen. Nobody waits for it, and it may be lost.
    pub(super) fn tell(&self, notice: &str) {
        let notice: Cmd = cmd("PUBLISH").arg(format!("{}:notices", self.life.prefix)).arg(notice).take();
        self.send(Letter::Notice(notice));
    }

    pub(super) fn stats(&self) -> Stats {
        self.counts.read()
    }

    fn send(&self, letter: Letter) {
        // If the thread has ended, the letter is dropped and with it `done`, which tells that.
        if let Some(mailbox) = &self.mailbox {
            let _ = mailbox.send(letter);
        }
    }
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
