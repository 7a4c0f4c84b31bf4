//! Who is present in a room: leases that every wait and message renews.
//!
//! There are three lists: `stored`, who is present by the room's order; `held`, who of them is held by this
//! instance; and `leases`, who is to be held now. Announcements are the difference between the last two, and
//! nothing else. They are drafts that are stored in a batch with what is said. Where several instances share
//! the store, it drops those that are needless.
//!
//! An announcement is drafted in the hope that all drafts before it will be stored. [`People::settle`]
//! tells which of a batch were, and then [`People::judge`] looks at each draft behind it once more. So
//! what could not be announced is announced later if it still holds, and nobody leaves who never joined.
//!
//! A person who comes with a key holds the name. Then nobody else is [admitted](People::admits) under it, or under one
//! that looks like it, until it ends. What the store has of that counts first: another instance may have been faster.

mod settle;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::lease::{Counted, End, Lease};
use super::lookalikes::Lookalikes;
use super::standing::{Standing, Taken};
use crate::clock::Now;
use crate::config::PEOPLE_MAX;
use crate::message::{Draft, Holder, Kind, Message, Person, PersonName, Timestamp};
use crate::store::Present;

/// The people of one room.
#[derive(Debug, Default)]
pub struct People {
    /// Who has `joined` and not `left` in what is stored.
    stored: BTreeMap<PersonName, Stored>,
    /// Whom this instance holds by what is stored. Where it is the only one, that is everybody in `stored`.
    held: HashSet<PersonName>,
    /// Everybody in `held`, and those who are there and could not be announced yet.
    leases: HashMap<PersonName, Lease>,
    /// Who is announced by what is not settled yet, and how each stands once all of it is stored.
    drafted: HashMap<PersonName, Standing>,
    /// The names in `stored` and `leases` that somebody holds by a key, and perhaps some more.
    lookalikes: Lookalikes,
}

/// What is stored of somebody who is present.
#[derive(Debug)]
struct Stored {
    since: Timestamp,
    holder: Option<Holder>,
}

impl People {
    /// The people who were present when the room last went to sleep or crashed. Those whom this instance holds
    /// have the grace time to come back.
    pub fn remembered(present: &[Present], now: Now) -> People {
        let mut people = People::default();
        people.recall(present, now);
        people
    }

    /// Takes over who is present, and whom this instance holds. Who is held and was not known here has the grace
    /// time to come.
    pub fn recall(&mut self, present: &[Present], now: Now) {
        let stored = |person: &Present| Stored { since: person.since, holder: person.holder };
        self.stored = present.iter().map(|person| (person.name.clone(), stored(person))).collect();
        self.held =
            present.iter().filter(|person| person.is_held).map(|person| person.name.clone()).collect();
        for Present { name, holder, is_held, .. } in present {
            if holder.is_some() {
                self.lookalikes.add(name);
            }
            let is_another_s = |lease: &Lease| holder.is_some() && lease.holder != *holder;
            if self.leases.get(name).is_some_and(is_another_s) {
                self.leases.remove(name);
            }
            if *is_held {
                self.leases.entry(name.clone()).or_insert_with(|| Lease::new(now, *holder));
            }
        }
    }

    /// Who is present, and since when; by name.
    pub fn list(&self) -> Vec<(PersonName, Timestamp)> {
        self.stored.iter().map(|(name, stored)| (name.clone(), stored.since)).collect()
    }

    /// How many are present.
    pub fn count(&self) -> usize {
        self.stored.len()
    }

    /// Whether this instance holds nobody, nor is about to.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// Everybody whom this instance holds, or is about to.
    pub fn held(&self) -> Vec<Person> {
        let person =
            |(name, lease): (&PersonName, &Lease)| Person { name: name.clone(), claim: lease.holder.into() };
        self.leases.iter().map(person).collect()
    }

    /// Whether something that is not settled yet announces this person.
    pub fn is_announced(&self, name: &PersonName) -> bool {
        self.drafted.contains_key(name)
    }

    /// Refuses a person whose name somebody else holds, or one that looks like it.
    pub fn admits(&self, who: &Person) -> Result<(), Taken> {
        let holder = self.holder_of(&who.name);
        if who.claim.needs_no_key() || holder.is_some() && who.claim.holder() == holder {
            return Ok(());
        }
        let is_taken =
            |name: &PersonName| self.holder_of(name).is_some_and(|holder| !who.claim.opens(holder));
        match holder.is_some() || self.lookalikes.any_like(&who.name, is_taken) {
            true => Err(Taken),
            false => Ok(()),
        }
    }

    /// Renews a person's lease. If the person is not held, or not yet by this key, gives the draft that says that it
    /// joined.
    pub fn sees(&mut self, who: &Person, now: Now) -> Result<Option<Draft>, Taken> {
        self.admits(who)?;
        let (holder, has_room) = (who.claim.holder(), self.leases.len() < PEOPLE_MAX);
        match self.leases.entry(who.name.clone()) {
            Entry::Occupied(mut known) => {
                let lease = known.get_mut();
                if lease.holder != holder {
                    *lease = Lease::new(now, holder);
                }
                lease.seen = now.clock;
                lease.ends = None;
            }
            Entry::Vacant(new) if has_room => {
                new.insert(Lease::new(now, holder));
            }
            Entry::Vacant(_) => return Ok(None),
        }
        if holder.is_some() {
            self.lookalikes.add(&who.name);
        }
        let is_new = self.will_stand(&who.name).lacks(holder);
        Ok(is_new.then(|| self.announce(Kind::Joined, who.clone(), now.wall)))
    }

    /// Counts a wait of this person, whose end must be told then; `None` if it is not counted.
    #[must_use = "the end of a wait that is counted must be told"]
    pub fn waits(&mut self, name: &PersonName) -> Option<Counted> {
        let lease = self.leases.get_mut(name)?;
        lease.waits += 1;
        Some(Counted { name: name.clone(), lease: lease.number })
    }

    /// Counts off a wait of this person.
    pub fn waited(&mut self, wait: &Counted, end: End, now: Now) {
        let Counted { name, lease } = wait;
        if let Some(lease) = self.leases.get_mut(name).filter(|known| known.number == *lease) {
            lease.waits -= 1;
            lease.seen = now.clock;
            // A person who was answered has not left, but is on the way back.
            if end == End::Answered {
                lease.ends = None;
            }
        }
        self.forget_who_is_not_there(name);
    }

    /// Ends a person's presence, at once or after `wait` if the person is not seen before. A person who waits
    /// on another device stays. If the person was held and is not any more, gives the draft that says
    /// that it left.
    pub fn leaves(&mut self, who: &Person, wait: Duration, now: Now) -> Result<Option<Draft>, Taken> {
        if self.holder_of(&who.name).is_some_and(|holder| !who.claim.opens(holder)) {
            return Err(Taken);
        }
        let Some(lease) = self.leases.get_mut(&who.name) else { return Ok(None) };
        if lease.waits > 0 || !wait.is_zero() {
            lease.ends = now.clock.checked_add(wait);
            return Ok(None);
        }
        let person = Person { claim: lease.holder.into(), ..who.clone() };
        let is_held = self.will_stand(&who.name) != Standing::Gone;
        Ok(is_held.then(|| self.announce(Kind::Left, person, now.wall)))
    }

    /// The store has this person's name as another's, so the lease of it ends here. Gives by what its waits are
    /// known.
    pub fn loses(&mut self, who: &Person, now: Now) -> Option<u64> {
        let lease = self.leases.get_mut(&who.name).filter(|lease| lease.holder == who.claim.holder())?;
        let number = lease.number;
        match self.held.contains(&who.name) {
            // The store is to be told that this instance holds the person no more.
            true => *lease = Lease { ends: Some(now.clock), ..Lease::new(now, lease.holder) },
            false => drop(self.leases.remove(&who.name)),
        }
        Some(number)
    }

    /// Announces who left because its lease has run out, and who waits and could not be announced before, or has
    /// left elsewhere.
    #[must_use = "who came and left is to be announced"]
    pub fn lapse(&mut self, now: Now) -> Vec<Draft> {
        let change = |(name, lease): (&PersonName, &Lease)| {
            let person = || Person { name: name.clone(), claim: lease.holder.into() };
            let standing = self.will_stand(name);
            if standing != Standing::Gone && lease.has_lapsed(now) {
                return Some((person(), Kind::Left));
            }
            (lease.waits > 0 && standing.lacks(lease.holder)).then(|| (person(), Kind::Joined))
        };
        let mut changes: Vec<_> = self.leases.iter().filter_map(change).collect();
        changes.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        let drafts =
            changes.into_iter().map(|(person, kind)| self.announce(kind, person, now.wall)).collect();
        let People { held, drafted, leases, .. } = self;
        leases.retain(|name, lease| {
            held.contains(name) || drafted.contains_key(name) || !lease.has_lapsed(now)
        });
        let mut lookalikes = std::mem::take(&mut self.lookalikes);
        lookalikes.retain(|name| self.holder_of(name).is_some());
        self.lookalikes = lookalikes;
        drafts
    }

    /// Takes in messages that are stored. Who has left is held by nobody.
    pub fn enter(&mut self, messages: &[Arc<Message>]) {
        for message in messages {
            let Some(name) = &message.name else { continue };
            match message.kind {
                Kind::Joined => {
                    let (since, holder) = (message.at, message.holder);
                    self.stored.insert(name.clone(), Stored { since, holder });
                    if holder.is_some() {
                        self.lookalikes.add(name);
                    }
                }
                Kind::Left => {
                    self.stored.remove(name);
                    self.held.remove(name);
                }
                _ => {}
            }
        }
    }

    /// Notes how the store has this person now with this instance.
    pub fn note(&mut self, name: &PersonName, standing: Standing) {
        let Standing::Held(holder) = standing else {
            self.held.remove(name);
            return;
        };
        self.held.insert(name.clone());
        if let Some(stored) = self.stored.get_mut(name) {
            stored.holder = holder.or(stored.holder);
        }
    }

    /// Drops the lease of a person who does not wait, is not held, and is not announced.
    fn forget_who_is_not_there(&mut self, name: &PersonName) {
        let is_known = self.held.contains(name) || self.is_announced(name);
        if !is_known && self.leases.get(name).is_some_and(|lease| lease.waits == 0) {
            self.leases.remove(name);
        }
    }

    /// Who holds a name here. What is stored counts first.
    fn holder_of(&self, name: &PersonName) -> Option<Holder> {
        let stored = self.stored.get(name).and_then(|stored| stored.holder);
        stored.or_else(|| self.leases.get(name)?.holder)
    }

    /// How a person stands with this instance once all that is drafted is stored.
    fn will_stand(&self, name: &PersonName) -> Standing {
        match self.drafted.get(name) {
            Some(standing) => *standing,
            None if self.held.contains(name) => {
                Standing::Held(self.stored.get(name).and_then(|stored| stored.holder))
            }
            None => Standing::Gone,
        }
    }

    fn announce(&mut self, kind: Kind, Person { name, claim }: Person, at: Timestamp) -> Draft {
        self.drafted.insert(name.clone(), Standing::after(kind, claim));
        Draft { kind, name: Some(name), claim, text: "".into(), of: None, file: None, sent_as: None, at }
    }
}
