//! What becomes of announcements that stand behind a batch.

use super::super::standing::{Standing, Worth};
use super::People;
use crate::message::{Draft, Kind, Person, PersonName};

impl People {
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
        let (standing, holder) = (self.will_stand(name), draft.claim.as_person().holder());
        let is_worth = match draft.kind {
            Kind::Message => {
                let person = Person { name: name.clone(), claim: draft.claim.as_person() };
                match self.leases.get(name) {
                    Some(lease) if standing == Standing::Gone && lease.holder == holder => {
                        return Worth::After(self.announce(Kind::Joined, person, draft.at));
                    }
                    // The name has changed hands since.
                    Some(_) if standing == Standing::Gone => false,
                    _ => return Worth::Same,
                }
            }
            Kind::Joined => standing.lacks(holder),
            Kind::Left => standing != Standing::Gone,
            _ => return Worth::Same,
        };
        if !is_worth {
            return Worth::Nothing;
        }
        self.drafted.insert(name.clone(), Standing::after(draft.kind, draft.claim));
        Worth::Same
    }

    /// Drops the leases of those whose `joined` was not stored, unless they wait.
    pub fn forget_those_not_there(&mut self, announced: &[PersonName]) {
        announced.iter().for_each(|name| self.forget_who_is_not_there(name));
    }
}
