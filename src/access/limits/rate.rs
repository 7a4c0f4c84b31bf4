//! A rate for each key: governor's, over a table that does not grow without end.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use super::shards::Shards;
use crate::config::SHARD_ENTRIES;

/// How much each key may take in a time.
pub struct Rate<K, C: Clock = Monotonic>
where
    K: Hash + Eq + Clone,
{
    limiter: RateLimiter<K, Table<K>, C, NoOpMiddleware<C::Instant>>,
    /// The most that may be taken at once.
    burst: NonZeroU32,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    /// So much for each key.
    pub fn new(quota: Quota) -> Rate<K> {
        Rate::by(quota, Monotonic(Instant::now()))
    }
}

impl<K: Hash + Eq + Clone, C: Clock> Rate<K, C> {
    /// The same by another clock.
    pub fn by(quota: Quota, clock: C) -> Rate<K, C> {
        Rate { limiter: RateLimiter::new(quota, Table::default(), clock), burst: quota.burst_size() }
    }

    /// Takes so much of this key's allowance. If there is too little, takes nothing and says after what time
    /// there is enough. What is more than can ever be had at once takes all.
    pub fn take(&self, key: &K, much: u32) -> Result<(), Duration> {
        let Some(much) = NonZeroU32::new(much) else { return Ok(()) };
        // There is never too little capacity for this, see above.
        match self.limiter.check_key_n(key, much.min(self.burst)) {
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.limiter.clock().now())),
            _ => Ok(()),
        }
    }
}

/// When each key's allowance is whole again.
struct Table<K>(Shards<K, Nanos>);

impl<K: Hash + Eq> Default for Table<K> {
    fn default() -> Table<K> {
        Table(Shards::default())
    }
}

impl<K: Hash + Eq + Clone> StateStore for Table<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut part = self.0.part_of(key);
        let before = part.get_mut(key);
        let (decided, whole) = decide(before.as_deref().copied())?;
        match before {
            Some(before) => *before = whole,
            None => {
                if part.len() >= SHARD_ENTRIES {
                    // A newcomer had all of its allowance a moment ago: these have about as much.
                    part.retain(|_, other| *other > whole);
                }
                if part.len() >= SHARD_ENTRIES {
                    part.clear();
                }
                part.insert(key.clone(), whole);
            }
        }
        Ok(decided)
    }
}

/// The clock that nobody can set.
pub struct Monotonic(Instant);

impl Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;
    use crate::config::TABLE_SHARDS;

    fn rate(a_second: u32, burst: u32) -> (Rate<u32, FakeRelativeClock>, FakeRelativeClock) {
        let [a_second, burst] = [a_second, burst].map(|n| NonZeroU32::new(n).expect("more than none"));
        let clock = FakeRelativeClock::default();
        (Rate::by(Quota::per_second(a_second).allow_burst(burst), clock.clone()), clock)
    }

    #[test]
    fn what_is_refused_takes_nothing_and_says_when_there_is_enough() {
        let (rate, clock) = rate(2, 4);
        assert_eq!(rate.take(&1, 4), Ok(()));
        assert_eq!(rate.take(&1, 1), Err(Duration::from_millis(500)));
        assert_eq!(rate.take(&1, 3), Err(Duration::from_millis(1_500)));
        assert_eq!(rate.take(&2, 1), Ok(()), "another has an allowance of its own");
        clock.advance(Duration::from_millis(500));
        assert_eq!(rate.take(&1, 1), Ok(()));
        assert_eq!(rate.take(&1, 0), Ok(()));
        assert_eq!(rate.take(&1, 1), Err(Duration::from_millis(500)));
    }

    #[test]
    fn more_than_can_ever_be_had_at_once_takes_all() {
        let (rate, clock) = rate(1, 10);
        assert_eq!(rate.take(&1, 1_000), Ok(()));
        assert_eq!(rate.take(&1, 1_000), Err(Duration::from_secs(10)));
        clock.advance(Duration::from_secs(10));
        assert_eq!(rate.take(&1, 1_000), Ok(()));
    }

    /// Whoever has a network of IPv6 has more addresses than any memory holds.
    #[test]
    fn a_stranger_with_very_many_addresses_fills_no_memory_and_keeps_nobody_out() {
        let (rate, _clock) = rate(1, 2);
        for key in 0..100_000 {
            assert_eq!(rate.take(&key, 1), Ok(()));
        }
        assert!(rate.limiter.into_state_store().0.len() <= SHARD_ENTRIES * TABLE_SHARDS);
    }

    #[test]
    fn who_has_nothing_left_is_not_forgotten_for_those_who_have() {
        let (rate, clock) = rate(1, 2);
        for key in 0..100_000 {
            assert_eq!(rate.take(&key, 1), Ok(()));
        }
        clock.advance(Duration::from_secs(60));
        assert_eq!(rate.take(&7_000_000, 2), Ok(()));
        for key in 200_000..200_000 + SHARD_ENTRIES as u32 / 2 {
            assert_eq!(rate.take(&key, 1), Ok(()));
        }
        assert!(rate.take(&7_000_000, 1).is_err());
    }
}
