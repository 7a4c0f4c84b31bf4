//! How many waits each address has at once.

use std::net::IpAddr;
use std::sync::Arc;

use super::blocks::{Block, blocks};
use super::shards::Shards;
use crate::config::IPV6_TIERS;

/// The counts. There is an entry only for who waits, so there are no more entries than seats.
pub struct Waits {
    most: u32,
    counts: Shards<Block, u32>,
}

/// One wait. It is given back when this is dropped.
pub struct Waiting {
    waits: Arc<Waits>,
    blocks: Vec<Block>,
}

impl Waits {
    /// Nobody waits yet. So many may of one address.
    pub fn new(most: u32) -> Arc<Waits> {
        Arc::new(Waits { most, counts: Shards::default() })
    }

    /// Counts one more wait of an address. None if that is one too many.
    pub fn begin(self: &Arc<Waits>, address: IpAddr) -> Option<Waiting> {
        // What was counted before a block is full is given back when this is dropped.
        let mut waiting = Waiting { waits: self.clone(), blocks: Vec::with_capacity(1) };
        for block in blocks(address) {
            let mut part = self.counts.part_of(&block);
            let count = part.entry(block).or_default();
            if *count >= self.most.saturating_mul(IPV6_TIERS[block.tier].1.get()) {
                return None;
            }
            *count += 1;
            drop(part);
            waiting.blocks.push(block);
        }
        Some(waiting)
    }

    /// How many one address may have.
    pub fn most(&self) -> u32 {
        self.most
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        for block in &self.blocks {
            let mut part = self.waits.counts.part_of(block);
            if let Some(count) = part.get_mut(block) {
                *count -= 1;
                if *count == 0 {
                    part.remove(block);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_address_has_so_many_and_what_ends_leaves_nothing() {
        let waits = Waits::new(2);
        let one = waits.begin(ip("192.0.2.1")).expect("a place");
        let two = waits.begin(ip("192.0.2.1")).expect("a place");
        assert!(waits.begin(ip("192.0.2.1")).is_none());
        let other = waits.begin(ip("192.0.2.2")).expect("a place");
        drop(one);
        let three = waits.begin(ip("192.0.2.1")).expect("a place");
        drop((two, three, other));
        assert_eq!(waits.counts.len(), 0);
    }

    /// Who has a network of IPv6 has an address for each wait.
    #[test]
    fn a_network_of_ipv6_has_so_many_and_a_wider_one_some_times_as_many() {
        let waits = Waits::new(1);
        let mut held = Vec::new();
        held.extend(waits.begin(ip("2001:db8:0:100::1")));
        assert!(waits.begin(ip("2001:db8:0:100::2")).is_none(), "the same /64");
        for subnet in 0..100 {
            held.extend(waits.begin(ip(&format!("2001:db8:0:1{subnet:02}::1"))));
        }
        assert_eq!(held.len() as u32, IPV6_TIERS[1].1.get(), "of one /56");
        for subnet in 0..200 {
            held.extend(waits.begin(ip(&format!("2001:db8:0:{subnet:x}00::1"))));
        }
        assert_eq!(held.len() as u32, IPV6_TIERS[2].1.get(), "of one /48");
        held.extend(waits.begin(ip("2001:db8:1::1")));
        assert_eq!(held.len() as u32, IPV6_TIERS[2].1.get() + 1);
        drop(held);
        assert_eq!(waits.counts.len(), 0, "what was refused leaves nothing");
    }
}
