//! The way to the one thread that writes.
//!
//! ```text
//! room ──┐                        ┌─ one batch of each room that waits ─┐
//! room ──┼─▶ mailbox ─▶ writer ─▶ │ a step for each, WAIT      one trip │ ─▶ an outcome to each
//! room ──┘                        └─────────────────────────────────────┘
//! ```
//!
//! The mailbox needs no bound of its own: each room has one batch on its way.

use std::sync::Arc;

use crossbeam_channel::{Sender, unbounded};
use redis::{Cmd, cmd};

use super::batch::Batch;
use super::courier::{Courier, Letter};
use super::followers::Followers;
use super::life::Life;
use super::spec::RedisSpec;
use crate::message::{Cursor, Draft, RoomName};
use crate::store::counts::Counts;
use crate::store::writing::WritingThread;
use crate::store::{Done, Error, Keep, Stats};

/// The handle by which every other thread writes. Dropping it ends the thread, after what is in its mailbox.
pub(super) struct Writer {
    life: Arc<Life>,
    /// Dropped before the thread, which ends by that.
    mailbox: Sender<Letter>,
    _thread: WritingThread,
    counts: Arc<Counts>,
}

impl Writer {
    pub(super) fn start(
        spec: &RedisSpec,
        life: &Arc<Life>,
        followers: &Followers,
        keep: Keep,
        counts: &Arc<Counts>,
    ) -> Result<Writer, Error> {
        let (mailbox, letters) = unbounded();
        let mut courier = Courier::new(spec.clone(), life.clone(), followers.clone(), keep, counts.clone());
        let thread = WritingThread::start(counts, move || courier.run(&letters))?;
        Ok(Writer { life: life.clone(), mailbox, _thread: thread, counts: counts.clone() })
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
        let _ = self.mailbox.send(letter);
    }
}
