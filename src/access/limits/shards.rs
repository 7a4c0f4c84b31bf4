//! A map in parts, each with a lock of its own.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::config::TABLE_SHARDS;

/// The map. Its hash is random, so that nobody can choose keys that fall into one part.
pub struct Shards<K, V> {
    parts: [Mutex<HashMap<K, V>>; TABLE_SHARDS],
    hasher: RandomState,
}

impl<K: Hash + Eq, V> Default for Shards<K, V> {
    fn default() -> Shards<K, V> {
        Shards { parts: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::new() }
    }
}

impl<K: Hash + Eq, V> Shards<K, V> {
    /// The part in which this key is.
    pub fn part_of(&self, key: &K) -> MutexGuard<'_, HashMap<K, V>> {
        let part = self.hasher.hash_one(key) as usize % TABLE_SHARDS;
        // Nothing under this lock can panic half way.
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many entries there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }
}
