//! Who is present in a room: leases that every wait and message renews.
//!
//! There are two lists: `stored`, who is present as far as the store was told, and `leases`, who is to be
//! present now. Announcements are the difference between the two, and nothing else. They are drafts that
//! the room's owner stores with the rest of its batch, and by [`People::settle`] it tells what became of
//! them, before the next batch begins. So what could not be announced is announced later if it still
//! holds, and nobody leaves who never joined.
//!
//! Like the room it reads no clock.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Now;
use crate::config::{GRACE, PEOPLE_MAX};
use crate::message::{Draft, Kind, Message, PersonName, Timestamp};

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was answered, or its time was up: whoever waited is there to hear of it.
    Answered,
    /// Its client is gone.
    Gone,
}

/// The people of one room.
#[derive(Debug, Default)]
pub struct People {
    /// Who has `joined` and not `left` in what is stored, and since when.
    stored: BTreeMap<PersonName, Timestamp>,
    /// Everybody in `stored`, and who is there and could not be announced yet.
    leases: HashMap<PersonName, Lease>,
    /// Whom the batch announces, and whether each is present once it is stored.
    drafted: HashMap<PersonName, bool>,
}

#[derive(Debug)]
struct Lease {
    seen: Instant,
    /// How many waits of this person stand. While one does, the lease does not run out.
    waits: usize,
    /// When the lease ends once no wait stands, unless the person is seen before: a page that goes away
    /// can't tell whether it is closed or only loaded again, nor whether there is another.
    ends: Option<Instant>,
}

impl People {
    /// Those who were present when the room was last seen, by this process or by one that crashed. They
    /// have the grace time to come back.
    pub fn remembered(present: Vec<(PersonName, Timestamp)>, now: Now) -> People {
        let leases = present.iter().map(|(name, _)| (name.clone(), Lease::new(now))).collect();
        People { stored: present.into_iter().collect(), leases, drafted: HashMap::new() }
    }

    /// Who is present, and since when; by name.
    pub fn list(&self) -> Vec<(PersonName, Timestamp)> {
        self.stored.iter().map(|(name, since)| (name.clone(), *since)).collect()
    }

    /// How many are present.
    pub fn count(&self) -> usize {
        self.stored.len()
    }

    /// Whether nobody is present, nor about to be.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// Renews a person's lease. If the person is not present, gives the draft that says that it joined.
    #[must_use = "who joined is to be announced"]
    pub fn sees(&mut self, name: &PersonName, now: Now) -> Option<Draft> {
        let has_room = self.leases.len() < PEOPLE_MAX;
        match self.leases.entry(name.clone()) {
            Entry::Occupied(mut known) => {
                known.get_mut().seen = now.clock;
                known.get_mut().ends = None;
            }
            Entry::Vacant(new) if has_room => {
                new.insert(Lease::new(now));
            }
            Entry::Vacant(_) => return None,
        }
        (!self.will_be_present(name)).then(|| self.announce(Kind::Joined, name.clone(), now))
    }

    /// A wait of this person begins. Says whether it is counted, and so its end is to be told.
    #[must_use = "the end of a wait that was not counted is not to be told"]
    pub fn waits(&mut self, name: &PersonName) -> bool {
        self.leases.get_mut(name).map(|lease| lease.waits += 1).is_some()
    }

    /// A wait of this person, who was here until now, has ended.
    pub fn waited(&mut self, name: &PersonName, end: End, now: Now) {
        if let Some(lease) = self.leases.get_mut(name) {
            lease.waits -= 1;
            lease.seen = now.clock;
            // Whoever was answered has not left: it is on its way back.
            if end == End::Answered {
                lease.ends = None;
            }
        }
        self.forget_who_is_not_there(name);
    }

    /// Ends a person's presence, or has it end when that person has not been seen for as long as `wait`
    /// says. While a wait of this person stands, on this device or another, nobody has left. If the
    /// person was present and is not any more, gives the draft that says that it left.
    #[must_use = "who left is to be announced"]
    pub fn leaves(&mut self, name: &PersonName, wait: Duration, now: Now) -> Option<Draft> {
        let lease = self.leases.get_mut(name)?;
        if lease.waits > 0 || !wait.is_zero() {
            lease.ends = now.clock.checked_add(wait);
            return None;
        }
        self.will_be_present(name).then(|| self.announce(Kind::Left, name.clone(), now))
    }

    /// Says who left because its lease has run out, and who waits and could not be announced before.
    #[must_use = "who came and left is to be announced"]
    pub fn lapse(&mut self, now: Now) -> Vec<Draft> {
        let change = |(name, lease): (&PersonName, &Lease)| match self.will_be_present(name) {
            true if lease.has_lapsed(now) => Some((name.clone(), Kind::Left)),
            false if lease.waits > 0 => Some((name.clone(), Kind::Joined)),
            _ => None,
        };
        let mut changes: Vec<_> = self.leases.iter().filter_map(change).collect();
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        changes.into_iter().map(|(name, kind)| self.announce(kind, name, now)).collect()
    }

    /// The batch is stored, as these messages; or it is not, if there are none. Whoever was announced in
    /// vain is as before: who left has not, and who came has not unless it waits.
    pub fn settle(&mut self, messages: &[Arc<Message>]) {
        for message in messages {
            let Some(name) = &message.name else { continue };
            match message.kind {
                Kind::Joined => drop(self.stored.insert(name.clone(), message.at)),
                Kind::Left => drop(self.stored.remove(name)),
                Kind::Message => {}
            }
        }
        for name in std::mem::take(&mut self.drafted).into_keys() {
            self.forget_who_is_not_there(&name);
        }
    }

    /// Drops the lease of somebody who neither waits nor is present, nor is about to be.
    fn forget_who_is_not_there(&mut self, name: &PersonName) {
        let is_known = self.stored.contains_key(name) || self.drafted.contains_key(name);
        if !is_known && self.leases.get(name).is_some_and(|lease| lease.waits == 0) {
            self.leases.remove(name);
        }
    }

    /// Whether the person is present once the batch is stored.
    fn will_be_present(&self, name: &PersonName) -> bool {
        self.drafted.get(name).copied().unwrap_or_else(|| self.stored.contains_key(name))
    }

    fn announce(&mut self, kind: Kind, name: PersonName, now: Now) -> Draft {
        self.drafted.insert(name.clone(), kind == Kind::Joined);
        Draft { kind, name: Some(name), text: "".into(), sent_as: None, at: now.wall }
    }
}

impl Lease {
    fn new(now: Now) -> Lease {
        Lease { seen: now.clock, waits: 0, ends: None }
    }

    fn has_lapsed(&self, now: Now) -> bool {
        let is_over = self.ends.is_some_and(|ends| ends <= now.clock);
        self.waits == 0 && (is_over || now.clock.saturating_duration_since(self.seen) >= GRACE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Cursor, Epoch};

    const AT_ONCE: Duration = Duration::ZERO;

    /// A room's people with what is stored of them, and a clock that is only moved by hand.
    struct Scene {
        people: People,
        start: Instant,
        said: Vec<Kind>,
    }

    impl Scene {
        fn new() -> Scene {
            Scene { people: People::default(), start: Instant::now(), said: Vec::new() }
        }

        fn at(&self, seconds: f64) -> Now {
            Now { wall: Timestamp(1_000_000), clock: self.start + Duration::from_secs_f64(seconds) }
        }

        fn store(&mut self, drafts: impl IntoIterator<Item = Draft>) {
            let id = Cursor { epoch: Epoch::from_number(1), sequence: 1 };
            let messages: Vec<_> = drafts.into_iter().map(|draft| Arc::new(draft.numbered(id))).collect();
            self.said.extend(messages.iter().map(|message| message.kind));
            self.people.settle(&messages);
        }

        fn lapse(&mut self, seconds: f64) {
            let drafts = self.people.lapse(self.at(seconds));
            self.store(drafts);
        }

        fn sees_ann(&mut self, seconds: f64) {
            let draft = self.people.sees(&ann(), self.at(seconds));
            self.store(draft);
        }

        fn ann_waits(&mut self, seconds: f64) {
            self.sees_ann(seconds);
            assert!(self.people.waits(&ann()));
        }

        fn ann_waited(&mut self, end: End, seconds: f64) {
            self.people.waited(&ann(), end, self.at(seconds));
        }

        fn ann_leaves(&mut self, wait: f64, seconds: f64) {
            let draft = self.people.leaves(&ann(), Duration::from_secs_f64(wait), self.at(seconds));
            self.store(draft);
        }
    }

    fn ann() -> PersonName {
        "ann".parse().expect("a name")
    }

    const GRACE_S: f64 = GRACE.as_secs() as f64;

    #[test]
    fn who_keeps_polling_joins_once_and_never_leaves() {
        let mut scene = Scene::new();
        for poll in 0..30 {
            let begins = f64::from(poll) * 12.0;
            scene.ann_waits(begins);
            scene.lapse(begins + 9.9);
            scene.ann_waited(End::Answered, begins + 10.0);
            scene.lapse(begins + 11.9);
        }
        assert_eq!(scene.said, [Kind::Joined]);
    }

    #[test]
    fn who_is_not_heard_of_for_the_grace_time_has_left() {
        let mut scene = Scene::new();
        scene.sees_ann(0.0);
        scene.lapse(GRACE_S - 0.001);
        assert_eq!(scene.said, [Kind::Joined]);
        scene.lapse(GRACE_S);
        scene.lapse(GRACE_S * 2.0);
        assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
        assert!(scene.people.is_empty());
    }

    /// A clock set back an hour kept people present for an hour who had gone, and one set on an hour sent
    /// all away who were there.
    #[test]
    fn a_clock_that_is_set_moves_nobody() {
        let mut scene = Scene::new();
        let wall = |hours: u64, now: Now| Now { wall: Timestamp(hours * 3_600_000), ..now };
        let joined = scene.people.sees(&ann(), wall(10, scene.at(0.0)));
        scene.store(joined);
        assert_eq!(scene.people.lapse(wall(11, scene.at(1.0))), []);
        let left = scene.people.lapse(wall(9, scene.at(GRACE_S)));
        scene.store(left);
        assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
    }

    #[test]
    fn a_page_that_is_loaded_again_has_not_left() {
        let mut scene = Scene::new();
        scene.sees_ann(0.0);
        scene.ann_leaves(3.0, 1.0);
        scene.sees_ann(2.0);
        scene.lapse(5.0);
        scene.ann_leaves(3.0, 6.0);
        scene.lapse(8.9);
        assert_eq!(scene.said, [Kind::Joined]);
        scene.lapse(9.0);
        assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
        scene.ann_leaves(3.0, 9.0);
        assert!(scene.people.is_empty());
    }

    /// One name on a phone and a laptop: when the laptop closed the room was told that the person had left,
    /// and a moment later that it had joined.
    #[test]
    fn who_leaves_on_one_device_stays_while_another_waits() {
        let mut scene = Scene::new();
        scene.ann_waits(0.0);
        scene.ann_leaves(1.0, 1.0);
        scene.lapse(5.0);
        scene.ann_leaves(0.0, 6.0);
        scene.lapse(7.0);
        // The other device is answered: it lives, and is on its way back.
        scene.ann_waited(End::Answered, 8.0);
        scene.lapse(9.0);
        assert_eq!(scene.said, [Kind::Joined]);
    }

    #[test]
    fn a_wait_whose_client_is_gone_keeps_nobody_who_has_left() {
        let mut scene = Scene::new();
        scene.ann_waits(0.0);
        scene.ann_leaves(1.0, 1.0);
        scene.ann_waited(End::Gone, 1.1);
        scene.lapse(1.9);
        assert_eq!(scene.said, [Kind::Joined]);
        scene.lapse(2.0);
        assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
    }

    #[test]
    fn a_crash_leaves_no_ghost() {
        let mut scene = Scene::new();
        scene.people = People::remembered(vec![(ann(), Timestamp(0))], scene.at(100.0));
        scene.lapse(100.0 + GRACE_S - 0.001);
        assert_eq!(scene.said, [], "the grace time begins anew");
        scene.lapse(100.0 + GRACE_S);
        assert_eq!(scene.said, [Kind::Left]);
    }

    /// A batch that was not stored left a lease that nobody had been told of, and once the announcement of
    /// a leave for somebody who had never joined.
    #[test]
    fn what_could_not_be_stored_has_not_been_and_is_said_later_if_it_still_holds() {
        let mut scene = Scene::new();
        assert!(scene.people.sees(&ann(), scene.at(0.0)).is_some());
        assert!(scene.people.leaves(&ann(), AT_ONCE, scene.at(0.0)).is_some());
        scene.people.settle(&[]);
        assert!(scene.people.is_empty(), "who spoke in vain was never there");

        assert!(scene.people.sees(&ann(), scene.at(1.0)).is_some());
        assert!(scene.people.waits(&ann()));
        scene.people.settle(&[]);
        assert_eq!(scene.people.count(), 0);
        scene.lapse(2.0);
        assert_eq!(scene.said, [Kind::Joined], "who waits is there, and that is said");

        scene.ann_waited(End::Answered, 3.0);
        assert!(scene.people.leaves(&ann(), AT_ONCE, scene.at(4.0)).is_some());
        scene.people.settle(&[]);
        scene.lapse(5.0);
        assert_eq!(scene.said, [Kind::Joined], "a leave that was refused has not been");
        scene.ann_leaves(0.0, 6.0);
        assert_eq!(scene.said, [Kind::Joined, Kind::Left]);
    }
}
