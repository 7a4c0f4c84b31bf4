//! Which rooms are awake, and which of them makes place for another: what both engines' registries
//! decide alike.
//!
//! A room is needed while anybody holds its address: to wait, speak or look there. At the limit, the room
//! goes to sleep that nobody needs and that was used longest ago. If all are needed, the room goes that was
//! used longest ago, and its waiters are told to come back.
//!
//! A room may go to sleep with people in it. It is left for later, and woken when there is a place, so
//! that these people lapse.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use crate::config::{ROOMS_GOING_MAX, ROOMS_MAX};
use crate::message::RoomName;

/// The rooms that are awake, by name. `H` is a room's address, `O` a handle to join its thread or task.
pub struct Places<H, O> {
    awake: HashMap<RoomName, Place<H, O>>,
    /// How many of them were told to make place.
    going: usize,
    /// Rooms that sleep with people in them, as far as the store knows.
    left: BTreeSet<RoomName>,
    /// Which of these was woken last, so that each has its turn.
    turn: Option<RoomName>,
    uses: u64,
}

struct Place<H, O> {
    handle: Arc<H>,
    owner: O,
    /// When it was last asked for; a count, not a time.
    used: u64,
    going: bool,
}

/// As many rooms are awake as may be, and those that were told to go have not gone yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl<H, O> Default for Places<H, O> {
    fn default() -> Places<H, O> {
        Places { awake: HashMap::new(), going: 0, left: BTreeSet::new(), turn: None, uses: 0 }
    }
}

impl<H, O> Places<H, O> {
    /// Finds a room that is awake, for a caller who needs it. It does not have to go any more.
    pub fn find(&mut self, name: &RoomName) -> Option<Arc<H>> {
        let place = self.awake.get_mut(name)?;
        self.uses += 1;
        place.used = self.uses;
        self.going -= usize::from(std::mem::take(&mut place.going));
        Some(place.handle.clone())
    }

    /// Finds a room that is awake, for a caller who only looks.
    pub fn look(&self, name: &RoomName) -> Option<Arc<H>> {
        self.awake.get(name).map(|place| place.handle.clone())
    }

    /// Makes sure that there is a place for one more room. Gives the rooms that must be told to go for it.
    pub fn make_place(&mut self, name: &RoomName) -> Result<Vec<Arc<H>>, Full> {
        if has_its_place(name) {
            return Ok(Vec::new());
        }
        if self.awake.len() >= ROOMS_MAX + ROOMS_GOING_MAX {
            return Err(Full);
        }
        let mut told = Vec::new();
        while self.is_full() {
            let candidates =
                self.awake.iter_mut().filter(|(name, place)| !place.going && !has_its_place(name));
            let least_needed =
                candidates.min_by_key(|(_, place)| (Arc::strong_count(&place.handle) > 1, place.used));
            let Some((_, place)) = least_needed else { return Err(Full) };
            place.going = true;
            self.going += 1;
            told.push(place.handle.clone());
        }
        Ok(told)
    }

    /// Adds a room that was woken.
    pub fn insert(&mut self, name: RoomName, handle: Arc<H>, owner: O) {
        self.uses += 1;
        self.left.remove(&name);
        self.awake.insert(name, Place { handle, owner, used: self.uses, going: false });
    }

    /// Whether a room was told to go, and nobody has asked for it since.
    pub fn is_going(&self, name: &RoomName) -> bool {
        self.awake.get(name).is_some_and(|place| place.going)
    }

    /// Forgets a room if nobody else holds its address, so that no letter is lost. If there may be people
    /// in it, it is left for later.
    pub fn forget(&mut self, name: &RoomName, is_peopled: bool) -> bool {
        if self.awake.get(name).is_some_and(|place| Arc::strong_count(&place.handle) > 1) {
            return false;
        }
        let forgotten = self.awake.remove(name);
        self.going -= usize::from(forgotten.is_some_and(|place| place.going));
        if is_peopled {
            self.leave([name.clone()]);
        }
        true
    }

    /// Keeps for later rooms that sleep with people in them.
    pub fn leave(&mut self, names: impl IntoIterator<Item = RoomName>) {
        self.left.extend(names.into_iter().filter(|name| !self.awake.contains_key(name)));
    }

    /// Takes a room that was left for later, if there is a place for it.
    pub fn next_left(&mut self) -> Option<RoomName> {
        if self.is_full() {
            return None;
        }
        let next = match &self.turn {
            Some(turn) => self.left.range((Excluded(turn), Unbounded)).next(),
            None => None,
        };
        let next = next.or(self.left.first())?.clone();
        self.left.remove(&next);
        self.turn = Some(next.clone());
        Some(next)
    }

    /// All rooms that are awake.
    pub fn iter(&self) -> impl Iterator<Item = (&RoomName, &Arc<H>)> {
        self.awake.iter().map(|(name, place)| (name, &place.handle))
    }

    /// Forgets all rooms, and gives the handles to join them.
    pub fn take_owners(&mut self) -> Vec<O> {
        self.going = 0;
        std::mem::take(&mut self.awake).into_values().map(|place| place.owner).collect()
    }

    fn is_full(&self) -> bool {
        self.awake.len() - self.going >= ROOMS_MAX
    }
}

/// The lobby and the health check's room are never refused, and never have to go.
fn has_its_place(name: &RoomName) -> bool {
    name.is_internal() || *name == RoomName::lobby()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(number: usize) -> RoomName {
        format!("r{number}").parse().expect("a name")
    }

    /// Wakes rooms as a registry does, and names those that were told to go.
    fn wake(places: &mut Places<RoomName, ()>, name: RoomName) -> Result<Vec<RoomName>, Full> {
        if places.find(&name).is_some() {
            return Ok(Vec::new());
        }
        let told = places.make_place(&name)?.iter().map(|handle| (**handle).clone()).collect();
        places.insert(name.clone(), Arc::new(name), ());
        Ok(told)
    }

    fn full() -> Places<RoomName, ()> {
        let mut places = Places::default();
        for number in 0..ROOMS_MAX {
            assert_eq!(wake(&mut places, room(number)), Ok(vec![]));
        }
        places
    }

    #[test]
    fn the_room_goes_that_nobody_needs_and_that_was_used_longest_ago() {
        let mut places = full();
        let waits = places.find(&room(0));
        assert_eq!(wake(&mut places, room(2)), Ok(vec![]), "it is used again");
        assert_eq!(wake(&mut places, "new".parse().unwrap()), Ok(vec![room(1)]));
        assert_eq!(wake(&mut places, "newer".parse().unwrap()), Ok(vec![room(3)]));
        assert!(places.forget(&room(1), false) && !places.forget(&room(0), false));
        drop(waits);
    }

    #[test]
    fn if_all_are_needed_the_one_goes_that_was_used_longest_ago() {
        let mut places = full();
        let needed: Vec<_> = (0..ROOMS_MAX).map(|number| places.find(&room(number))).collect();
        assert_eq!(wake(&mut places, "new".parse().unwrap()), Ok(vec![room(0)]));
        assert!(!places.forget(&room(0), true), "somebody has its address yet");
        drop(needed);
        assert!(places.forget(&room(0), true));
    }

    #[test]
    fn who_is_asked_for_again_stays_and_another_goes() {
        let mut places = full();
        assert_eq!(wake(&mut places, "new".parse().unwrap()), Ok(vec![room(0)]));
        assert!(places.is_going(&room(0)));
        assert!(places.find(&room(0)).is_some() && !places.is_going(&room(0)));
        // There is one too many now, and place for one more is wanted.
        assert_eq!(wake(&mut places, "newer".parse().unwrap()), Ok(vec![room(1), room(2)]));
    }

    #[test]
    fn rooms_that_do_not_go_are_waited_for_but_never_by_the_lobby() {
        let mut places = full();
        for number in 0..ROOMS_GOING_MAX {
            assert_eq!(wake(&mut places, room(ROOMS_MAX + number)), Ok(vec![room(number)]));
        }
        assert_eq!(wake(&mut places, "new".parse().unwrap()), Err(Full));
        assert_eq!(wake(&mut places, RoomName::lobby()), Ok(vec![]));
        assert_eq!(wake(&mut places, RoomName::health()), Ok(vec![]));
    }

    /// Of 501 rooms with people in them at a crash the last was never woken, and its people stayed for ever.
    #[test]
    fn rooms_that_were_left_with_people_in_them_have_their_turn() {
        let mut places = full();
        places.leave(["b", "a"].map(|name| name.parse().unwrap()));
        assert_eq!(places.next_left(), None, "there is no place");
        assert!(places.forget(&room(0), true));
        assert_eq!(places.next_left(), Some("a".parse().unwrap()));
        places.leave(["a".parse().unwrap()]);
        let rest: Vec<_> = std::iter::from_fn(|| places.next_left()).collect();
        assert_eq!(rest.len(), 3);
        assert_eq!(rest[..2], ["b".parse().unwrap(), room(0)], "each has its turn before one has a second");
    }
}
