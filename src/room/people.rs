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

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Now;
use crate::config::{GRACE, PEOPLE_MAX};
use crate::message::{Draft, Kind, Message, PersonName, Timestamp};
use crate::store::Present;

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was answered, or its time was up. The client is there to hear it.
    Answered,
    /// Its client is gone.
    Gone,
}

/// The people of one room.
#[derive(Debug, Default)]
pub struct People {
    /// Who has `joined` and not `left` in what is stored, and since when.
    stored: BTreeMap<PersonName, Timestamp>,
    /// Whom this instance holds by what is stored. Where it is the only one, that is everybody in `stored`.
    held: HashSet<PersonName>,
    /// Everybody in `held`, and those who are there and could not be announced yet.
    leases: HashMap<PersonName, Lease>,
    /// Who is announced by what is not settled yet, and whether each is held once all of it is stored.
    drafted: HashMap<PersonName, bool>,
}

/// What a draft is worth when a batch before it is settled.
#[derive(Debug, PartialEq, Eq)]
pub enum Worth {
    /// It holds as it is.
    Same,
    /// It announces something that is so already.
    Nothing,
    /// Its speaker is not held any more. This draft goes before it.
    After(Draft),
}

#[derive(Debug)]
struct Lease {
    seen: Instant,
    /// How many waits of this person stand. The lease does not run out while one does.
    waits: usize,
    /// When the lease ends if no wait stands and the person is not seen before. A page that goes away
    /// can't tell whether it is closed or only loaded again, nor whether there is another.
    ends: Option<Instant>,
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
        self.stored = present.iter().map(|person| (person.name.clone(), person.since)).collect();
        self.held =
            present.iter().filter(|person| person.is_held).map(|person| person.name.clone()).collect();
        for name in &self.held {
            self.leases.entry(name.clone()).or_insert(Lease::new(now));
        }
    }

    /// Who is present, and since when; by name.
    pub fn list(&self) -> Vec<(PersonName, Timestamp)> {
        self.stored.iter().map(|(name, since)| (name.clone(), *since)).collect()
    }

    /// How many are present.
    pub fn count(&self) -> usize {
        self.stored.len()
    }

    /// Whether this instance holds nobody, nor is about to.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// Whether something that is not settled yet announces this person.
    pub fn is_announced(&self, name: &PersonName) -> bool {
        self.drafted.contains_key(name)
    }

    /// Renews a person's lease. If the person is not held, gives the draft that says that it joined.
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
        (!self.will_be_held(name)).then(|| self.announce(Kind::Joined, name.clone(), now.wall))
    }

    /// Counts a wait of this person. Says whether it is counted: only then its end must be told.
    #[must_use = "the end of a wait that was not counted is not to be told"]
    pub fn waits(&mut self, name: &PersonName) -> bool {
        self.leases.get_mut(name).map(|lease| lease.waits += 1).is_some()
    }

    /// Counts off a wait of this person.
    pub fn waited(&mut self, name: &PersonName, end: End, now: Now) {
        if let Some(lease) = self.leases.get_mut(name) {
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
    #[must_use = "who left is to be announced"]
    pub fn leaves(&mut self, name: &PersonName, wait: Duration, now: Now) -> Option<Draft> {
        let lease = self.leases.get_mut(name)?;
        if lease.waits > 0 || !wait.is_zero() {
            lease.ends = now.clock.checked_add(wait);
            return None;
        }
        self.will_be_held(name).then(|| self.announce(Kind::Left, name.clone(), now.wall))
    }

    /// Announces who left because its lease has run out, and who waits and could not be announced before, or has
    /// left elsewhere.
    #[must_use = "who came and left is to be announced"]
    pub fn lapse(&mut self, now: Now) -> Vec<Draft> {
        let change = |(name, lease): (&PersonName, &Lease)| match self.will_be_held(name) {
            true if lease.has_lapsed(now) => Some((name.clone(), Kind::Left)),
            false if lease.waits > 0 => Some((name.clone(), Kind::Joined)),
            _ => None,
        };
        let mut changes: Vec<_> = self.leases.iter().filter_map(change).collect();
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        let drafts = changes.into_iter().map(|(name, kind)| self.announce(kind, name, now.wall)).collect();
        let People { held, drafted, leases, .. } = self;
        leases.retain(|name, lease| {
            held.contains(name) || drafted.contains_key(name) || !lease.has_lapsed(now)
        });
        drafts
    }

    /// Takes in messages that are stored. Who has left is held by nobody.
    pub fn enter(&mut self, messages: &[Arc<Message>]) {
        for message in messages {
            let Some(name) = &message.name else { continue };
            match message.kind {
                Kind::Joined => drop(self.stored.insert(name.clone(), message.at)),
                Kind::Left => {
                    self.stored.remove(name);
                    self.held.remove(name);
                }
                Kind::Message => {}
            }
        }
    }

    /// Notes that the store has this person among those whom this instance holds, or has no more.
    pub fn note(&mut self, name: &PersonName, is_held: bool) {
        match is_held {
            true => drop(self.held.insert(name.clone())),
            false => drop(self.held.remove(name)),
        }
    }

    /// A batch has ended: what is stored of it has been [entered](People::enter), and the rest has not been.
    /// Gives all who were announced by that batch or by what stands behind it. Each draft behind it is to
    /// be [judged](People::judge) next, in their order, and [`People::forget_those_not_there`] ends it.
    #[must_use = "what stands behind the batch is to be judged"]
    pub fn settle(&mut self) -> Vec<PersonName> {
        std::mem::take(&mut self.drafted).into_keys().collect()
    }

    /// Says what a draft is worth behind a batch that was settled.
    pub fn judge(&mut self, draft: &Draft) -> Worth {
        let Some(name) = &draft.name else { return Worth::Same };
        let is_held = self.will_be_held(name);
        match draft.kind {
            Kind::Message if is_held || !self.leases.contains_key(name) => Worth::Same,
            Kind::Message => Worth::After(self.announce(Kind::Joined, name.clone(), draft.at)),
            kind if is_held == (kind == Kind::Joined) => Worth::Nothing,
            kind => {
                self.drafted.insert(name.clone(), kind == Kind::Joined);
                Worth::Same
            }
        }
    }

    /// Drops the leases of those whose `joined` was not stored, unless they wait.
    pub fn forget_those_not_there(&mut self, announced: &[PersonName]) {
        announced.iter().for_each(|name| self.forget_who_is_not_there(name));
    }

    /// Drops the lease of a person who does not wait, is not held, and is not announced.
    fn forget_who_is_not_there(&mut self, name: &PersonName) {
        let is_known = self.held.contains(name) || self.is_announced(name);
        if !is_known && self.leases.get(name).is_some_and(|lease| lease.waits == 0) {
            self.leases.remove(name);
        }
    }

    /// Whether this instance holds the person once all that is drafted is stored.
    fn will_be_held(&self, name: &PersonName) -> bool {
        self.drafted.get(name).copied().unwrap_or_else(|| self.held.contains(name))
    }

    fn announce(&mut self, kind: Kind, name: PersonName, at: Timestamp) -> Draft {
        self.drafted.insert(name.clone(), kind == Kind::Joined);
        Draft { kind, name: Some(name), text: "".into(), sent_as: None, at }
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
