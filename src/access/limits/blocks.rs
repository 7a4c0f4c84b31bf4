//! The blocks of addresses that count as one client.

use std::net::IpAddr;

use crate::address::network;
use crate::config::IPV6_TIERS;

/// A block of addresses: one address of IPv4, or a network of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block {
    /// Which of the [tiers](IPV6_TIERS) it is.
    pub tier: usize,
    first: IpAddr,
}

/// The blocks in which an address is, the narrowest first.
pub fn blocks(address: IpAddr) -> impl Iterator<Item = Block> {
    // An address of IPv4 is in no wider one.
    let tiers = if address.to_canonical().is_ipv4() { 1 } else { IPV6_TIERS.len() };
    let tiers = IPV6_TIERS.into_iter().take(tiers).enumerate();
    tiers.map(move |(tier, (bits, _))| Block { tier, first: network(address, bits) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firsts(address: &str) -> Vec<(usize, String)> {
        let address = address.parse().expect("an address");
        blocks(address).map(|block| (block.tier, block.first.to_string())).collect()
    }

    #[test]
    fn an_address_of_ipv4_is_a_client_and_a_network_of_ipv6_is_one_too() {
        assert_eq!(firsts("192.0.2.1"), [(0, "192.0.2.1".to_owned())]);
        assert_eq!(firsts("::ffff:192.0.2.1"), firsts("192.0.2.1"));
        let of = |tier: usize, first: &str| (tier, first.to_owned());
        assert_eq!(
            firsts("2001:db8:1:2345:6:7:8:9"),
            [of(0, "2001:db8:1:2345::"), of(1, "2001:db8:1:2300::"), of(2, "2001:db8:1::")]
        );
    }
}
