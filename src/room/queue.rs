//! What waits for the store, in its order.
//!
//! A room has one batch on its way. What is drafted meanwhile stands here, and is the next batch.

use std::collections::VecDeque;

use super::Unwelcome;
use super::people::People;
use super::standing::{Standing, Worth};
use crate::message::{Draft, Kind, Person};
use crate::store::Appended;

/// Drafts, each with an asker: whoever is told what became of it. `A` is how an asker is answered.
pub struct Queue<A> {
    entries: VecDeque<Entry<A>>,
}

struct Entry<A> {
    /// `None` if the asker has nothing to store, but counts on what is stored before.
    draft: Option<Draft>,
    /// `None` if the room itself wrote the draft.
    asker: Option<A>,
}

/// Who is told what became of a batch.
pub struct Askers<A> {
    /// One for each draft, in their order.
    pub of_drafts: Vec<Option<A>>,
    /// Those without a draft.
    pub others: Vec<A>,
    /// Who is named in the batch: the index of the draft, what it reports, and who.
    named: Vec<(usize, Kind, Person)>,
}

impl<A> Askers<A> {
    /// Notes whom this instance holds by what became of the batch.
    pub fn note(&self, outcomes: &[Appended], people: &mut People) {
        for (draft, kind, Person { name, claim }) in &self.named {
            let is_so = matches!(outcomes.get(*draft), Some(Appended::Stored(_) | Appended::Needless));
            if is_so && matches!(kind, Kind::Joined | Kind::Left) {
                people.note(name, Standing::after(*kind, *claim));
            }
        }
    }

    /// Who may not be here under the name, by what became of the batch.
    pub fn turned_away(&self, outcomes: &[Appended]) -> impl Iterator<Item = (&Person, Unwelcome)> {
        self.named.iter().filter_map(|(draft, kind, who)| match outcomes.get(*draft)? {
            Appended::NameTaken(_) => Some((who, Unwelcome::Taken(who.name.clone()))),
            Appended::Denied(denied) if *kind == Kind::Joined => {
                Some((who, Unwelcome::Denied(denied.clone())))
            }
            _ => None,
        })
    }
}

impl<A> Default for Queue<A> {
    fn default() -> Queue<A> {
        Queue { entries: VecDeque::new() }
    }
}

impl<A> Queue<A> {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds what the room itself has to say.
    pub fn announce(&mut self, drafts: impl IntoIterator<Item = Draft>) {
        self.entries.extend(drafts.into_iter().map(|draft| Entry { draft: Some(draft), asker: None }));
    }

    /// Adds what somebody asks for.
    pub fn push(&mut self, draft: Option<Draft>, asker: A) {
        self.entries.push_back(Entry { draft, asker: Some(asker) });
    }

    /// Takes the next batch: at most `limit` entries.
    pub fn take(&mut self, limit: usize) -> (Vec<Draft>, Askers<A>) {
        let mut drafts = Vec::new();
        let mut askers = Askers { of_drafts: Vec::new(), others: Vec::new(), named: Vec::new() };
        for Entry { draft, asker } in self.entries.drain(..limit.min(self.entries.len())) {
            match draft {
                Some(draft) => {
                    if let Some(name) = draft.name.clone() {
                        let who = Person { name, claim: draft.claim };
                        askers.named.push((drafts.len(), draft.kind, who));
                    }
                    drafts.push(draft);
                    askers.of_drafts.push(asker);
                }
                None => askers.others.extend(asker),
            }
        }
        (drafts, askers)
    }

    /// Takes those who have nothing to store. They counted on a batch that was not stored.
    pub fn take_those_without_draft(&mut self) -> Vec<A> {
        let mut taken = Vec::new();
        self.entries.retain_mut(|entry| {
            if entry.draft.is_none() {
                taken.extend(entry.asker.take());
            }
            entry.draft.is_some()
        });
        taken
    }

    /// The batch on its way has ended, stored or not. What is here was drafted in the hope that it would be
    /// stored, so each draft is looked at once more.
    pub fn settle(&mut self, people: &mut People) {
        let announced = people.settle();
        for mut entry in std::mem::take(&mut self.entries) {
            match entry.draft.as_ref().map_or(Worth::Same, |draft| people.judge(draft)) {
                Worth::Same => {}
                Worth::Nothing => entry.draft = None,
                Worth::After(joined) => self.announce([joined]),
            }
            if entry.draft.is_some() || entry.asker.is_some() {
                self.entries.push_back(entry);
            }
        }
        people.forget_those_not_there(&announced);
    }
}
