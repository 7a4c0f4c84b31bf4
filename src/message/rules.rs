//! Rules: what holds in a room beside its messages: its topic, and what its operator has decided.
//!
//! Rules are the newest entries that say so. So they follow from a room's order, and whoever sees the order knows them.
//! A store keeps those entries as long as they are in force, also when the order from that time is forgotten.

use std::sync::Arc;

use super::draft::Draft;
use super::entry::{Kind, Message};
use super::key::{Claim, Holder};
use super::looks::Looks;
use super::names::PersonName;
use crate::clock::Timestamp;
use crate::config::BARRED_MAX;

/// The rules of one room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

/// An entry that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    entry: Arc<Message>,
    /// How the name of a muted or removed person looks.
    looks: Option<Looks>,
}

/// Why somebody may not do something in a room now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// The person is muted, until a time or until an operator allows it.
    Muted(Option<Timestamp>),
    /// The person is removed, likewise.
    Removed(Option<Timestamp>),
    /// The room is in slow mode: one message in so many seconds, and the next one after so many milliseconds.
    Slow(u64, u64),
    /// The room is locked, with this notice.
    Locked(Arc<str>),
    /// More people are muted or removed than a room keeps account of.
    TooMany,
}

/// Who said something, and when it came.
pub type Said = (Option<Holder>, Option<PersonName>, Timestamp);

impl Rules {
    /// The entries that are in force, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.0.iter().map(|rule| &rule.entry)
    }

    /// Takes in an entry of the room's order.
    pub fn enter(&mut self, entry: &Arc<Message>) {
        let kind = entry.kind;
        if !kind.is_rule() {
            return;
        }
        self.0.retain(|rule| !overrides(entry, &rule.entry));
        let is_in_force = match kind {
            Kind::Topic => !entry.text.is_empty(),
            Kind::Slowed => entry.seconds() > Some(0),
            Kind::Allowed | Kind::Unlocked => false,
            _ => true,
        };
        if is_in_force {
            let looks = entry.name.as_ref().filter(|_| kind.is_bar()).map(Looks::of);
            self.0.push(Rule { entry: entry.clone(), looks });
        }
    }

    /// The topic, with who set it.
    pub fn topic(&self) -> Option<&Message> {
        self.of_kind(Kind::Topic)
    }

    /// The lock, with its notice.
    pub fn lock(&self) -> Option<&Message> {
        self.of_kind(Kind::Locked)
    }

    /// How many seconds are between two messages of a person.
    pub fn slow(&self) -> Option<u64> {
        self.slowed()?.seconds()
    }

    /// The entry that says so.
    pub fn slowed(&self) -> Option<&Message> {
        self.of_kind(Kind::Slowed)
    }

    /// Who is muted or removed at this time.
    pub fn barred(&self, now: Timestamp) -> impl Iterator<Item = &Message> {
        self.bars(now).map(|rule| &*rule.entry)
    }

    /// Whether a person may not be in the room.
    pub fn removes(&self, claim: Claim, name: &PersonName, now: Timestamp) -> Option<Denied> {
        let removed = self.bar(Kind::Removed, claim, Some(name), now)?;
        (!claim.is_operator()).then(|| Denied::Removed(removed.ends()))
    }

    /// Why this may not be stored, but for [slow mode](Rules::slows).
    pub fn judge(&self, draft: &Draft) -> Option<Denied> {
        let Draft { kind, claim, at, .. } = *draft;
        let is_new = |name: &PersonName| !self.barred(at).any(|entry| entry.name.as_ref() == Some(name));
        if kind.is_bar() && draft.name.as_ref().is_some_and(is_new) && self.bars(at).count() >= BARRED_MAX {
            return Some(Denied::TooMany);
        }
        if self.0.is_empty() || claim.is_operator() {
            return None;
        }
        let speaks = matches!(kind, Kind::Message | Kind::Edited | Kind::Topic);
        if !speaks && kind != Kind::Joined {
            return None;
        }
        let bar = |kind| self.bar(kind, claim, draft.name.as_ref(), at);
        if let Some(removed) = bar(Kind::Removed) {
            return Some(Denied::Removed(removed.ends()));
        }
        if !speaks {
            return None;
        }
        if let Some(muted) = bar(Kind::Muted) {
            return Some(Denied::Muted(muted.ends()));
        }
        self.lock().map(|lock| Denied::Locked(lock.text.clone()))
    }

    /// Whether slow mode has the speaker wait, by what was said before, the newest first.
    pub fn slows(&self, draft: &Draft, said: impl Iterator<Item = Said>) -> Option<Denied> {
        let seconds = self.slow().filter(|_| !draft.claim.is_operator())?;
        if !matches!(draft.kind, Kind::Message | Kind::Topic) {
            return None;
        }
        let author = draft.claim.author();
        let is_same =
            |(holder, name, _): &Said| *holder == author && (author.is_some() || *name == draft.name);
        let topic = self.topic().map(|topic| (topic.holder, topic.name.clone(), topic.at));
        let millis = seconds.saturating_mul(1_000);
        let left = |(.., at): Said| {
            // What is from the future was said before the clock was set back, nobody knows when.
            let passed = draft.at.0.checked_sub(at.0)?;
            millis.checked_sub(passed).filter(|left| *left > 0)
        };
        let is_recent = |(.., at): &Said| at.0.saturating_add(millis) > draft.at.0;
        let said = said.take_while(is_recent).filter(is_same).find_map(left);
        let left = topic.filter(is_same).and_then(left).max(said)?;
        Some(Denied::Slow(seconds, left))
    }

    fn bars(&self, now: Timestamp) -> impl Iterator<Item = &Rule> {
        let is_in_time = move |rule: &&Rule| rule.entry.ends().is_none_or(|end| now < end);
        self.0.iter().filter(|rule| rule.looks.is_some()).filter(is_in_time)
    }

    /// What keeps a person from something. Whoever comes with the same key is the same person, under any name.
    fn bar(&self, kind: Kind, claim: Claim, name: Option<&PersonName>, now: Timestamp) -> Option<&Message> {
        let mut bars = self.bars(now).filter(|rule| rule.entry.kind == kind).peekable();
        bars.peek()?;
        let (author, looks) = (claim.author(), name.map(Looks::of));
        let is_it = |rule: &&Rule| {
            let is_alike =
                |(one, other): (Looks, Looks)| one.each().any(|look| other.each().any(|o| o == look));
            author.is_some() && rule.entry.holder == author || rule.looks.zip(looks).is_some_and(is_alike)
        };
        bars.find(is_it).map(|rule| &*rule.entry)
    }

    fn of_kind(&self, kind: Kind) -> Option<&Message> {
        self.entries().find(|entry| entry.kind == kind).map(AsRef::as_ref)
    }
}

impl FromIterator<Arc<Message>> for Rules {
    /// The rules of a room by entries of it, oldest first.
    fn from_iter<I: IntoIterator<Item = Arc<Message>>>(entries: I) -> Rules {
        let mut rules = Rules::default();
        entries.into_iter().for_each(|entry| rules.enter(&entry));
        rules
    }
}

/// Whether an entry takes the place of an earlier one, or ends it.
fn overrides(later: &Message, earlier: &Message) -> bool {
    match later.kind {
        Kind::Unlocked => earlier.kind == Kind::Locked,
        Kind::Muted | Kind::Removed | Kind::Allowed => {
            let is_over = earlier.kind.is_bar() && earlier.ends().is_some_and(|end| end <= later.at);
            is_over || earlier.kind.is_bar() && earlier.name == later.name
        }
        kind => earlier.kind == kind,
    }
}
