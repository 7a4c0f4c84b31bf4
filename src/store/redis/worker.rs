//! A thread with a connection of its own, which ends when it is told to, whatever it waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::link::Link;
use super::spec::RedisSpec;
use super::stream::Handle;
use super::trouble::Trouble;
use crate::config::{REDIS_PAUSES, WRITER_STACK};
use crate::store::Error;
use crate::store::counts::Counts;
use crate::store::writing::{Panicked, once};

/// Dropping it ends the connection and the thread. If the work panics, it begins again.
pub(super) struct Worker {
    /// Nothing is sent on it: its drop is the signal to end. `None` only while this is dropped.
    alive: Option<Sender<()>>,
    slot: Arc<Mutex<Slot>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread is given.
pub(super) struct Seat {
    spec: RedisSpec,
    ended: Receiver<()>,
    slot: Arc<Mutex<Slot>>,
    pause: Duration,
}

#[derive(Default)]
struct Slot {
    is_ending: bool,
    handle: Option<Handle>,
}

impl Worker {
    pub(super) fn start(
        name: &str,
        spec: &RedisSpec,
        counts: &Arc<Counts>,
        mut work: impl FnMut(&mut Seat) + Send + 'static,
    ) -> Result<Worker, Error> {
        let (alive, ended) = bounded(0);
        let slot = Arc::new(Mutex::new(Slot::default()));
        let (called, counts) = (name.to_owned(), counts.clone());
        let mut seat = Seat { spec: spec.clone(), ended, slot: slot.clone(), pause: REDIS_PAUSES.0 };
        let thread = thread::Builder::new()
            .name(name.into())
            .stack_size(WRITER_STACK)
            .spawn(
                move || {
                    while once(&called, &counts, || work(&mut seat)) == Panicked::Yes && seat.pause() {}
                },
            )
            .map_err(|error| Error(format!("cannot start the store's thread {name}: {error}")))?;
        Ok(Worker { alive: Some(alive), slot, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        slot.is_ending = true;
        drop(slot.handle.take());
        drop(slot);
        self.alive = None;
        // Its panics were told and counted.
        self.thread.take().map(JoinHandle::join);
    }
}

impl Seat {
    /// Connects, and gives up the connection before. It fails when the thread is to end.
    pub(super) fn connect(&mut self) -> Result<Link, Trouble> {
        let link = Link::open(&self.spec)?;
        let handle = link.handle()?;
        let mut slot = lock(&self.slot);
        if slot.is_ending {
            return Err(Trouble::Lost("is not needed any more".into()));
        }
        slot.handle = Some(handle);
        drop(slot);
        self.pause = REDIS_PAUSES.0;
        Ok(link)
    }

    /// Whether the thread is to end.
    pub(super) fn is_ending(&self) -> bool {
        lock(&self.slot).is_ending
    }

    /// Waits before the next try to connect, each time longer. `false` if the thread is to end.
    pub(super) fn pause(&mut self) -> bool {
        let pause = self.pause;
        self.pause = (pause * 2).min(REDIS_PAUSES.1);
        // Instances that lost Redis together do not come back in step.
        self.rest(pause.mul_f64(0.5 + fastrand::f64() / 2.0))
    }

    /// Waits. `false` if the thread is to end.
    pub(super) fn rest(&self, pause: Duration) -> bool {
        self.ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout)
    }

    /// Tells when the thread is to end, by being disconnected.
    pub(super) fn ended(&self) -> &Receiver<()> {
        &self.ended
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    // It is whole after each line under the lock.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
