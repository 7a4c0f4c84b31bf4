//! The rooms that are awake here, and how they hear of other instances.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::message::RoomName;
use crate::store::{Following, Hear, Heard};

/// Who hears of which room. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Followers(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    next: u64,
    rooms: HashMap<Arc<str>, Room>,
}

#[derive(Default)]
struct Room {
    followers: Vec<(u64, Arc<Hear>)>,
    /// Whether it is in doubt whom this instance holds: it was taken for dead, Redis may have lost something, or an
    /// append was given up.
    is_in_doubt: bool,
}

impl Followers {
    pub(super) fn follow(&self, room: &RoomName, hear: Hear) -> Following {
        let name: Arc<str> = room.as_str().into();
        let mut inner = self.lock();
        inner.next += 1;
        let number = inner.next;
        inner.rooms.entry(name.clone()).or_default().followers.push((number, Arc::new(hear)));
        drop(inner);
        Following::until_dropped(Guard { followers: self.clone(), name, number })
    }

    /// Tells all who follow a room.
    pub(super) fn tell(&self, room: &str, heard: &Heard) {
        let followers: Vec<Arc<Hear>> = match self.lock().rooms.get(room) {
            Some(room) => room.followers.iter().map(|(_, hear)| hear.clone()).collect(),
            None => return,
        };
        followers.iter().for_each(|hear| hear(heard.clone()));
    }

    /// From now on it is in doubt whom this instance holds in any room.
    pub(super) fn doubt_all(&self) {
        self.lock().rooms.values_mut().for_each(|room| room.is_in_doubt = true);
    }

    /// Reminds the rooms for which that is still so: their next append tells them.
    pub(super) fn tell_those_in_doubt(&self) {
        let is_in_doubt = |(name, room): (&Arc<str>, &Room)| room.is_in_doubt.then(|| name.clone());
        let names: Vec<Arc<str>> = self.lock().rooms.iter().filter_map(is_in_doubt).collect();
        names.iter().for_each(|name| self.tell(name, &Heard::Lapsed));
    }

    /// From now on it is in doubt whom this instance holds in a room, or whose the names are there.
    pub(super) fn doubt(&self, room: &str) {
        if let Some(room) = self.lock().rooms.get_mut(room) {
            room.is_in_doubt = true;
        }
    }

    /// Whether it is in doubt whom this instance holds. The room's append on its way will tell.
    pub(super) fn take_doubt(&self, room: &RoomName) -> bool {
        self.lock().rooms.get_mut(room.as_str()).is_some_and(|room| std::mem::take(&mut room.is_in_doubt))
    }

    /// All rooms that are followed.
    pub(super) fn rooms(&self) -> Vec<Arc<str>> {
        self.lock().rooms.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nobody is called under this lock, and each change is one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the following when it is dropped.
struct Guard {
    followers: Followers,
    name: Arc<str>,
    number: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut inner = self.followers.lock();
        let Some(room) = inner.rooms.get_mut(&self.name) else { return };
        let (gone, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut room.followers).into_iter().partition(|(number, _)| *number == self.number);
        room.followers = kept;
        if room.followers.is_empty() {
            inner.rooms.remove(&self.name);
        }
        drop(inner);
        // What a follower holds may end more than itself.
        drop(gone);
    }
}
