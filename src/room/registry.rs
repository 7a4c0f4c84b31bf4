//! The registry that finds a room by its name: the seed's `register` and `whereis`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use super::mailbox::{Kind, Mailbox};
use super::places::{Full, Places};
use crate::message::RoomName;

/// The rooms that are awake. `H` is a room's address, `O` how the end of its thread or task is heard of.
pub struct Registry<H, O> {
    /// Held to look up, to add and to remove; never while a letter is waited for.
    inner: Mutex<Inner<H, O>>,
}

struct Inner<H, O> {
    places: Places<H, O>,
    is_closed: bool,
}

/// Why there is no such room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The server is about to end.
    Closing,
    /// As many rooms are awake as may be.
    TooMany,
}

/// How many are in a room, for those who only look.
#[derive(Debug)]
pub struct Census {
    waiting: AtomicUsize,
    people: AtomicUsize,
    mailbox: Option<Mailbox>,
}

impl Default for Census {
    fn default() -> Census {
        Census { waiting: AtomicUsize::new(0), people: AtomicUsize::new(0), mailbox: Mailbox::watched() }
    }
}

impl Census {
    /// Notes that a letter is on its way into the mailbox.
    pub fn sent(&self, kind: Kind) {
        self.mailbox.iter().for_each(|mailbox| mailbox.sent(kind));
    }

    /// Notes that a letter was taken out of it.
    pub fn took(&self, kind: Kind) {
        self.mailbox.iter().for_each(|mailbox| mailbox.took(kind));
    }

    /// What lies in the mailbox, if somebody watches.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        self.mailbox.as_ref()
    }

    /// Notes how many subscriptions wait, and how many people are present.
    pub fn note(&self, waiting: usize, people: usize) {
        self.waiting.store(waiting, Relaxed);
        self.people.store(people, Relaxed);
    }

    /// How many subscriptions wait, and how many people are present.
    pub fn read(&self) -> (usize, usize) {
        (self.waiting.load(Relaxed), self.people.load(Relaxed))
    }
}

impl<H, O> Default for Registry<H, O> {
    fn default() -> Registry<H, O> {
        Registry { inner: Mutex::new(Inner { places: Places::default(), is_closed: false }) }
    }
}

impl<H, O> Registry<H, O> {
    /// Finds a room, and wakes it if it sleeps. If too many are awake, those that are needed least are told
    /// to make place.
    pub fn find(
        &self,
        name: &RoomName,
        wake: impl FnOnce() -> Option<(Arc<H>, O)>,
        tell_to_make_place: impl Fn(&H),
    ) -> Result<Arc<H>, NoRoom> {
        let mut inner = self.lock();
        if let Some(handle) = inner.places.find(name) {
            return Ok(handle);
        }
        if inner.is_closed {
            return Err(NoRoom::Closing);
        }
        for handle in inner.places.make_place(name).map_err(|Full| NoRoom::TooMany)? {
            tell_to_make_place(&handle);
        }
        let (handle, owner) = wake().ok_or(NoRoom::TooMany)?;
        inner.places.insert(name.clone(), handle.clone(), owner);
        Ok(handle)
    }

    /// Finds a room if it is awake, for somebody who only looks: that wakes nothing.
    pub fn look(&self, name: &RoomName) -> Result<Option<Arc<H>>, NoRoom> {
        let inner = self.lock();
        match inner.places.look(name) {
            None if inner.is_closed => Err(NoRoom::Closing),
            found => Ok(found),
        }
    }

    /// The rooms that are awake, and what there is to see of each.
    pub fn awake<T>(&self, see: impl Fn(&H) -> T) -> HashMap<RoomName, T> {
        self.lock().places.iter().map(|(name, handle)| (name.clone(), see(handle))).collect()
    }

    /// Leaves rooms for later that sleep with people in them.
    pub fn leave(&self, names: impl IntoIterator<Item = RoomName>) {
        self.lock().places.leave(names);
    }

    /// Wakes rooms that were left for later, as far as there are places. `wake` says whether it could.
    pub fn wake_those_left(&self, wake: impl Fn(&RoomName) -> bool) {
        loop {
            let mut inner = self.lock();
            if inner.is_closed {
                return;
            }
            let Some(name) = inner.places.next_left() else { return };
            drop(inner);
            if !wake(&name) {
                // It has its turn when the next room goes to sleep.
                return self.leave([name]);
            }
        }
    }

    /// Wakes no room any more. Gives all that are awake, which are to be told.
    pub fn close(&self) -> Vec<Arc<H>> {
        let mut inner = self.lock();
        inner.is_closed = true;
        inner.places.iter().map(|(_, handle)| handle.clone()).collect()
    }

    /// Forgets all rooms, and gives what hears of their ends. Each ends once nobody holds its address.
    pub fn take_owners(&self) -> Vec<O> {
        self.lock().places.take_owners()
    }

    /// Forgets a room if nobody but the registry holds its address, so that no letter can be lost. One that
    /// may have people in it is left for later.
    pub fn forget(&self, name: &RoomName, is_peopled: bool) -> bool {
        self.lock().places.forget(name, is_peopled)
    }

    /// Whether a room is to go to sleep for another, and was not asked for since.
    pub fn is_going(&self, name: &RoomName) -> bool {
        self.lock().places.is_going(name)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<H, O>> {
        // Nothing under this lock can panic half way.
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
