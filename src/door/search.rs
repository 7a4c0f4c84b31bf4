//! A search through all states of a small model: what a test by chance may miss, it finds.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// Visits every state that can be reached from `start`, each once. `visit` checks a state and returns the states
/// that can follow it. States with one key count as one. Returns how many there are.
pub fn through_all_orders<S, K: Eq + Hash>(
    start: S,
    key: impl Fn(&S) -> K,
    mut visit: impl FnMut(&S) -> Vec<S>,
) -> usize {
    let mut known = HashSet::from([key(&start)]);
    let mut waiting = VecDeque::from([start]);
    while let Some(state) = waiting.pop_front() {
        waiting.extend(visit(&state).into_iter().filter(|next| known.insert(key(next))));
    }
    known.len()
}
