//! Who is present in a room: leases that every wait and message renews.
//!
//! Like the room it reads no clock. What changes is given as a draft, to be stored in the room's order
//! before anybody is told.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use crate::config::{GRACE, PEOPLE_MAX};
use crate::message::{Draft, Kind, PersonName, Timestamp};

/// The people of one room. Everybody here has `joined` in the room's order, or is about to.
#[derive(Debug, Default)]
pub struct People {
    leases: HashMap<PersonName, Lease>,
}

#[derive(Debug)]
struct Lease {
    since: Timestamp,
    seen: Timestamp,
    /// How many waits of this person stand. While one does, the lease does not run out.
    waits: usize,
    /// When the lease ends whatever waits, unless the person is seen before: a page that goes away
    /// can't tell whether it is closed or only loaded again.
    ends: Option<Timestamp>,
}

impl People {
    /// Those who were present when the room was last seen, by this process or by one that crashed. They
    /// have the grace time to come back.
    pub fn remembered(present: Vec<(PersonName, Timestamp)>, now: Timestamp) -> People {
        let lease = |since| Lease { since, seen: now, waits: 0, ends: None };
        People { leases: present.into_iter().map(|(name, since)| (name, lease(since))).collect() }
    }

    /// Who is present, and since when; by name.
    pub fn list(&self) -> Vec<(PersonName, Timestamp)> {
        let mut people: Vec<_> = self.leases.iter().map(|(name, p)| (name.clone(), p.since)).collect();
        people.sort();
        people
    }

    /// How many are present.
    pub fn count(&self) -> usize {
        self.leases.len()
    }

    /// Renews a person's lease. If it had none, gives the draft that says that the person joined.
    #[must_use = "who joined is to be announced"]
    pub fn sees(&mut self, name: &PersonName, now: Timestamp) -> Option<Draft> {
        let has_room = self.leases.len() < PEOPLE_MAX;
        match self.leases.entry(name.clone()) {
            Entry::Occupied(mut known) => {
                known.get_mut().seen = now;
                known.get_mut().ends = None;
            }
            Entry::Vacant(new) if has_room => {
                new.insert(Lease { since: now, seen: now, waits: 0, ends: None });
                return Some(announcement(Kind::Joined, name.clone(), now));
            }
            Entry::Vacant(_) => {}
        }
        None
    }

    /// A wait of this person begins.
    pub fn waits(&mut self, name: &PersonName) {
        if let Some(lease) = self.leases.get_mut(name) {
            lease.waits += 1;
        }
    }

    /// A wait of this person, who was here until now, has ended.
    pub fn waited(&mut self, name: &PersonName, now: Timestamp) {
        if let Some(lease) = self.leases.get_mut(name) {
            // Who left and joined again during a wait has a new lease, which does not count that wait.
            lease.waits = lease.waits.saturating_sub(1);
            lease.seen = now;
        }
    }

    /// Ends a person's lease, if it had one, and gives the draft that says that the person left: at
    /// once, or when that person has not been seen for as long as `wait` says.
    #[must_use = "who left is to be announced"]
    pub fn leaves(&mut self, name: &PersonName, wait: Duration, now: Timestamp) -> Option<Draft> {
        if !wait.is_zero() {
            let ends = Timestamp(now.0.saturating_add(wait.as_millis() as u64));
            self.leases.get_mut(name)?.ends = Some(ends);
            return None;
        }
        let (name, _) = self.leases.remove_entry(name)?;
        Some(announcement(Kind::Left, name, now))
    }

    /// Ends every lease that has run out.
    #[must_use = "who left is to be announced"]
    pub fn lapse(&mut self, now: Timestamp) -> Vec<Draft> {
        let has_lapsed = |_: &PersonName, lease: &mut Lease| {
            lease.ends.is_some_and(|ends| ends <= now) || lease.waits == 0 && lease.seen.until(now) >= GRACE
        };
        let mut names: Vec<_> = self.leases.extract_if(has_lapsed).map(|(name, _)| name).collect();
        names.sort();
        names.into_iter().map(|name| announcement(Kind::Left, name, now)).collect()
    }

    /// Takes back what an announcement says that could not be stored: presence is as it was.
    pub fn was_not_announced(&mut self, draft: &Draft, now: Timestamp) {
        let Some(name) = draft.name.clone() else { return };
        match draft.kind {
            // The next wait or message joins again.
            Kind::Joined => drop(self.leases.remove(&name)),
            // Whoever wanted it to end is told that it has not; if nobody did, it ends after the grace time.
            Kind::Left => {
                let lease = Lease { since: draft.at, seen: now, waits: 0, ends: None };
                self.leases.entry(name).or_insert(lease);
            }
            Kind::Message => {}
        }
    }
}

fn announcement(kind: Kind, name: PersonName, at: Timestamp) -> Draft {
    Draft { kind, name: Some(name), text: "".into(), sent_as: None, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000);
    const NOW: Duration = Duration::ZERO;

    fn after(seconds: f64) -> Timestamp {
        Timestamp(START.0 + (seconds * 1000.0) as u64)
    }

    fn ann() -> PersonName {
        "ann".parse().expect("a name")
    }

    fn kinds(drafts: impl IntoIterator<Item = Draft>) -> Vec<Kind> {
        drafts.into_iter().map(|draft| draft.kind).collect()
    }

    #[test]
    fn who_keeps_polling_joins_once_and_never_leaves() {
        let mut people = People::default();
        let mut said = Vec::new();
        for poll in 0..30 {
            let begins = f64::from(poll) * 12.0;
            said.extend(people.sees(&ann(), after(begins)));
            people.waits(&ann());
            said.extend(people.lapse(after(begins + 9.9)));
            people.waited(&ann(), after(begins + 10.0));
            said.extend(people.lapse(after(begins + 11.9)));
        }
        assert_eq!(kinds(said), [Kind::Joined]);
    }

    #[test]
    fn who_is_not_heard_of_for_the_grace_time_has_left() {
        let mut people = People::default();
        assert_eq!(kinds(people.sees(&ann(), START)), [Kind::Joined]);
        let grace = GRACE.as_secs_f64();
        assert_eq!(people.lapse(after(grace - 0.001)), []);
        assert_eq!(kinds(people.lapse(after(grace))), [Kind::Left]);
        assert_eq!(people.lapse(after(grace * 2.0)), []);
        assert_eq!(people.count(), 0);
    }

    #[test]
    fn who_leaves_is_gone_at_once_and_its_last_wait_does_not_bring_it_back() {
        let mut people = People::default();
        assert_eq!(kinds(people.sees(&ann(), START)), [Kind::Joined]);
        people.waits(&ann());
        assert_eq!(kinds(people.leaves(&ann(), NOW, after(1.0))), [Kind::Left]);
        people.waited(&ann(), after(2.0));
        assert_eq!(people.count(), 0);
        assert_eq!(people.leaves(&ann(), NOW, after(3.0)), None);
    }

    #[test]
    fn a_page_that_is_loaded_again_has_not_left() {
        let mut people = People::default();
        let soon = Duration::from_secs(3);
        assert_eq!(kinds(people.sees(&ann(), START)), [Kind::Joined]);
        people.waits(&ann());
        assert_eq!(people.leaves(&ann(), soon, after(1.0)), None);
        assert_eq!(people.sees(&ann(), after(2.0)), None);
        assert!(people.lapse(after(5.0)).is_empty());
        // The wait of the page that is gone may still stand: it keeps nobody.
        assert_eq!(people.leaves(&ann(), soon, after(6.0)), None);
        assert!(people.lapse(after(8.9)).is_empty());
        assert_eq!(kinds(people.lapse(after(9.0))), [Kind::Left]);
        assert_eq!(people.leaves(&ann(), soon, after(9.0)), None);
    }

    #[test]
    fn a_crash_leaves_no_ghost() {
        let mut people = People::remembered(vec![(ann(), START)], after(100.0));
        assert_eq!(people.lapse(after(101.0)), [], "the grace time begins anew");
        assert_eq!(kinds(people.lapse(after(100.0 + GRACE.as_secs_f64()))), [Kind::Left]);
    }

    #[test]
    fn what_could_not_be_stored_is_said_again() {
        let mut people = People::default();
        let joined = people.sees(&ann(), START).expect("ann joins");
        people.was_not_announced(&joined, START);
        assert_eq!(kinds(people.sees(&ann(), after(1.0))), [Kind::Joined]);
        let left = people.leaves(&ann(), NOW, after(2.0)).expect("ann leaves");
        people.was_not_announced(&left, after(2.0));
        assert_eq!(people.count(), 1, "ann was told that she has not left");
        assert_eq!(people.lapse(after(2.0)), []);
        assert_eq!(kinds(people.lapse(after(2.0 + GRACE.as_secs_f64()))), [Kind::Left]);
    }
}
