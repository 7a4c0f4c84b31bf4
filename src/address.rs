//! By which addresses a listener is reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a listener can be reached from its own machine.
pub fn from_here(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

/// The addresses at which a listener can be reached from other machines, those of a local network first.
pub fn reachable(listening: SocketAddr) -> Vec<SocketAddr> {
    let ip = listening.ip();
    if ip.is_loopback() {
        return Vec::new();
    }
    if !ip.is_unspecified() {
        return vec![listening];
    }
    // A machine that does not tell its interfaces is reached all the same: only we can't say how.
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut ips: Vec<IpAddr> = interfaces.into_iter().map(|interface| interface.ip()).collect();
    ips.retain(|other| !other.is_loopback() && !is_link_local(other) && (other.is_ipv4() || ip.is_ipv6()));
    ips.sort_by_key(|ip| (!is_private(ip), ip.is_ipv6(), *ip));
    ips.dedup();
    ips.into_iter().map(|ip| SocketAddr::new(ip, listening.port())).collect()
}

/// The address to pass on to people nearby.
pub fn lan(listening: SocketAddr) -> Option<IpAddr> {
    reachable(listening).first().map(SocketAddr::ip)
}

/// Such an address says nothing without an interface beside it.
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
    fn a_loopback_server_is_reached_by_nobody_else() {
        assert_eq!(reachable("127.0.0.1:8080".parse().unwrap()), []);
        assert_eq!(lan("[::1]:8080".parse().unwrap()), None);
    }

    #[test]
    fn a_server_at_one_address_is_reached_there() {
        let address = "192.0.2.7:80".parse().unwrap();
        assert_eq!(reachable(address), [address]);
    }

    #[test]
    fn a_server_at_every_address_is_not_reached_by_its_loopback() {
        assert!(
            reachable("0.0.0.0:80".parse().unwrap()).iter().all(|a| !a.ip().is_loopback() && a.port() == 80)
        );
    }
}
