//! The names that are held in a room, by how they look.

use std::collections::HashMap;

use crate::message::{Looks, PersonName};

/// Names, found by those that look like them. A name stays in it until somebody looks which are still held.
#[derive(Debug, Default)]
pub struct Lookalikes {
    names: HashMap<PersonName, Looks>,
    by_look: HashMap<u128, Vec<PersonName>>,
}

impl Lookalikes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Adds a name.
    pub fn add(&mut self, name: &PersonName) {
        if self.names.contains_key(name) {
            return;
        }
        let looks = Looks::of(name);
        looks.each().for_each(|look| self.by_look.entry(look).or_default().push(name.clone()));
        self.names.insert(name.clone(), looks);
    }

    /// Whether one of the names that look like this one is such.
    pub fn any_like(&self, name: &PersonName, is_such: impl Fn(&PersonName) -> bool) -> bool {
        if self.is_empty() {
            return false;
        }
        let looks = self.names.get(name).copied().unwrap_or_else(|| Looks::of(name));
        looks.each().filter_map(|look| self.by_look.get(&look)).flatten().any(is_such)
    }

    /// Drops the names that are not such.
    pub fn retain(&mut self, is_such: impl Fn(&PersonName) -> bool) {
        let Lookalikes { names, by_look } = self;
        names.retain(|name, looks| {
            let is_kept = is_such(name);
            for look in looks.each().filter(|_| !is_kept) {
                if let Some(same) = by_look.get_mut(&look) {
                    same.retain(|other| other != name);
                }
            }
            is_kept
        });
        by_look.retain(|_, same| !same.is_empty());
    }
}
