//! Wrong tries: how often somebody may guess.
//!
//! Only what was wrong counts, so who knows the passphrase is never slowed by others at other addresses, and who
//! is in by a session never at all. This is the generic cell rate algorithm: of each address there is one time, at
//! which all its tries are forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::address::client;
use crate::config::{TRIES, TRIES_OF_ALL, TRIES_REMEMBERED, TRY_EVERY, TRY_EVERY_OF_ALL};

/// The wrong tries of all addresses.
#[derive(Default)]
pub struct Tries(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    of_all: Option<Instant>,
    of: HashMap<IpAddr, Instant>,
}

impl Tries {
    /// How long this address has to wait for its next try, if it has none now.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let counted = self.counted();
        let own = rest(counted.of.get(&client(address)).copied(), TRIES, TRY_EVERY, now);
        let all = rest(counted.of_all, TRIES_OF_ALL, TRY_EVERY_OF_ALL, now);
        own.max(all)
    }

    /// Counts a wrong try. Tells whether it was the last that this address has for now.
    pub fn was_wrong(&self, address: IpAddr, now: Instant) -> bool {
        let address = client(address);
        let mut counted = self.counted();
        counted.of_all = Some(counted.of_all.map_or(now, |end| end.max(now)) + TRY_EVERY_OF_ALL);
        if counted.of.len() >= TRIES_REMEMBERED && !counted.of.contains_key(&address) {
            counted.of.retain(|_, end| *end > now);
            if counted.of.len() >= TRIES_REMEMBERED {
                return false;
            }
        }
        let end = counted.of.entry(address).or_insert(now);
        *end = (*end).max(now) + TRY_EVERY;
        rest(Some(*end), TRIES, TRY_EVERY, now).is_some()
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long until one more try fits below the limit.
fn rest(end: Option<Instant>, limit: u32, every: Duration, now: Instant) -> Option<Duration> {
    let full = every * limit;
    let ahead = end?.saturating_duration_since(now) + every;
    (ahead > full).then(|| ahead - full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn an_address_has_so_many_tries_and_then_one_at_a_time() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 1..=TRIES {
            assert_eq!(tries.wait(address(1), now), None, "before try {n}");
            assert_eq!(tries.was_wrong(address(1), now), n == TRIES, "try {n}");
        }
        assert_eq!(tries.wait(address(1), now), Some(TRY_EVERY));
        assert_eq!(tries.wait(address(2), now), None, "others have theirs");
        let later = now + TRY_EVERY;
        assert_eq!(tries.wait(address(1), later), None);
        assert!(tries.was_wrong(address(1), later));
        assert_eq!(tries.wait(address(1), later), Some(TRY_EVERY));
        let much_later = later + TRY_EVERY * TRIES;
        assert!(!tries.was_wrong(address(1), much_later), "all is forgotten");
    }

    #[test]
    fn many_addresses_share_a_limit_and_little_memory() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 0..TRIES_OF_ALL {
            assert_eq!(tries.wait(address(n), now), None);
            tries.was_wrong(address(n), now);
        }
        assert_eq!(tries.wait(address(0xffff), now), Some(TRY_EVERY_OF_ALL));
        for n in 0..2 * TRIES_REMEMBERED as u32 {
            tries.was_wrong(address(n), now);
        }
        assert_eq!(tries.counted().of.len(), TRIES_REMEMBERED);
        let later = now + TRY_EVERY * TRIES;
        tries.was_wrong(address(0xffff_ffff), later);
        assert_eq!(tries.counted().of.len(), 1, "what is forgotten takes no memory");
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 0..TRIES {
            tries.was_wrong(format!("2001:db8::{n:x}").parse().unwrap(), now);
        }
        assert!(tries.wait("2001:db8::ffff".parse().unwrap(), now).is_some());
        assert!(tries.wait("2001:db8:0:1::1".parse().unwrap(), now).is_none());
        for _ in 0..TRIES {
            tries.was_wrong("::ffff:10.0.0.1".parse().unwrap(), now);
        }
        assert!(tries.wait("10.0.0.1".parse().unwrap(), now).is_some());
    }
}
