//! The addresses at which this server is reached.

mod listen;
mod public;
mod site;

pub use self::listen::Listen;
pub use self::public::PublicUrl;
pub use self::site::Site;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::CLIENT_BITS;

/// The address of a listener from its own machine.
pub fn from_here(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

/// The addresses that are in one network with this one: for IPv6 by so many bits. An address of IPv4 is by itself.
pub fn network(address: IpAddr, bits: u8) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - u32::from(bits));
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

/// The network that counts as one client: whoever has one address of IPv6 has all 2^64 with the same first half.
pub fn client(address: IpAddr) -> IpAddr {
    network(address, CLIENT_BITS)
}

/// The addresses of a listener from other machines, those of a local network first.
pub fn reachable(listening: SocketAddr) -> Vec<SocketAddr> {
    let ip = listening.ip();
    if ip.is_loopback() {
        return Vec::new();
    }
    if !ip.is_unspecified() {
        return vec![listening];
    }
    // If the machine does not list its interfaces, others can still reach it, but we can't say where.
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut ips: Vec<IpAddr> = interfaces.into_iter().map(|interface| interface.ip()).collect();
    ips.retain(|other| !other.is_loopback() && !is_link_local(other) && (other.is_ipv4() || ip.is_ipv6()));
    ips.sort_by_key(|ip| (!is_private(ip), ip.is_ipv6(), *ip));
    ips.dedup();
    ips.into_iter().map(|ip| SocketAddr::new(ip, listening.port())).collect()
}

/// The address for people nearby.
pub fn lan(listening: SocketAddr) -> Option<IpAddr> {
    reachable(listening).first().map(SocketAddr::ip)
}

/// A link-local address means nothing without the name of an interface.
fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_machine_reaches_a_loopback_server() {
        assert_eq!(reachable("127.0.0.1:8080".parse().unwrap()), []);
        assert_eq!(lan("[::1]:8080".parse().unwrap()), None);
    }

    #[test]
    fn a_server_at_one_address_is_reached_there() {
        let address = "192.0.2.7:80".parse().unwrap();
        assert_eq!(reachable(address), [address]);
    }

    #[test]
    fn a_server_at_every_address_is_not_reached_at_its_loopback() {
        assert!(
            reachable("0.0.0.0:80".parse().unwrap()).iter().all(|a| !a.ip().is_loopback() && a.port() == 80)
        );
    }
}
