//! Trusted proxies: whose word for the address of a client is believed.
//!
//! Anybody can send `X-Forwarded-For`. Each proxy adds to its end the address from which a request came. So it
//! is read from its end, and only as far as trusted proxies have written it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// The proxies that are trusted.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    networks: Vec<IpNet>,
    on_unix_sockets: bool,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The client's address; none if it came by a unix socket.
    pub address: Option<IpAddr>,
    /// Whether the client is on this machine, and is no proxy that speaks for another.
    pub is_here: bool,
    /// Whether the connection's other end is a trusted proxy.
    pub is_by_proxy: bool,
}

impl Proxies {
    /// The proxies on the command line: addresses, networks (`10.0.0.0/8`), or `unix`. An error is a sentence.
    pub fn new(given: &[String]) -> Result<Proxies, String> {
        let mut proxies = Proxies::default();
        for text in given.iter().map(|text| text.trim()) {
            match text {
                "unix" => proxies.on_unix_sockets = true,
                _ => proxies.networks.push(network(text)?),
            }
        }
        Ok(proxies)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.on_unix_sockets
    }

    /// Whether the machine at the other end of a connection is a trusted proxy. A peer without an address is
    /// on a unix socket.
    pub fn trust(&self, peer: Option<IpAddr>) -> bool {
        match peer {
            None => self.on_unix_sockets,
            Some(peer) => self.networks.iter().any(|network| network.contains(&peer.to_canonical())),
        }
    }

    /// Where a request came from, by the connection's other end and the lines of `X-Forwarded-For`.
    ///
    /// If a trusted proxy says something that is no address, the source is the proxy itself: it must never be
    /// somebody who has nothing to do with it.
    pub fn source<'a>(&self, peer: Option<IpAddr>, forwarded: impl Iterator<Item = &'a str>) -> Source {
        let peer = peer.map(|peer| peer.to_canonical());
        let is_by_proxy = self.trust(peer);
        let lines: Vec<&str> = if is_by_proxy { forwarded.collect() } else { Vec::new() };
        if lines.is_empty() {
            let is_here = peer.is_none_or(|peer| peer.is_loopback());
            return Source { address: peer, is_here, is_by_proxy };
        }
        let mut source = Source { address: peer, is_here: false, is_by_proxy };
        for text in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let Some(said) = address_in(text.trim()) else { return Source { address: peer, ..source } };
            source.address = Some(said);
            if !self.trust(source.address) {
                break;
            }
        }
        source
    }
}

/// An address, or a network.
fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    match network {
        // A peer's address is IPv4 wherever it can be, so such a network would have nobody in it.
        Some(IpNet::V6(v6)) if v6.addr().to_ipv4_mapped().is_some() => {
            Err(format!("--trusted-proxy {text}: write an IPv4 network as such, for example 10.0.0.0/8"))
        }
        Some(network) => Ok(network),
        None => Err(format!(
            "--trusted-proxy {text}: this is no address, no network such as 10.0.0.0/8 or fd00::/8, and not unix"
        )),
    }
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn address_in(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text.parse().ok().or_else(bracketed).or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn trusting(given: &[&str]) -> Proxies {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        Proxies::new(&given).expect("proxies")
    }

    fn from(address: &str) -> Source {
        Source { address: Some(ip(address)), is_here: false, is_by_proxy: true }
    }

    fn itself(address: &str) -> Source {
        Source { is_by_proxy: false, ..from(address) }
    }

    #[test]
    fn a_client_s_own_word_for_its_address_counts_for_nothing() {
        let proxies = trusting(&["10.0.0.0/8"]);
        let forged = || ["1.2.3.4"].into_iter();
        assert_eq!(proxies.source(Some(ip("192.0.2.1")), forged()), itself("192.0.2.1"));
        assert_eq!(Proxies::default().source(Some(ip("10.0.0.1")), forged()), itself("10.0.0.1"));
        let here = Source { is_here: true, ..itself("127.0.0.1") };
        assert_eq!(Proxies::default().source(Some(ip("::ffff:127.0.0.1")), forged()), here);
        let unix = Source { address: None, ..here };
        assert_eq!(proxies.source(None, forged()), unix);
    }

    #[test]
    fn a_trusted_proxy_s_word_counts_as_far_as_trusted_proxies_have_written_it() {
        let proxies = trusting(&["127.0.0.1", "10.0.0.0/8", "fd00::/8", "unix"]);
        for (lines, client) in [
            (&["192.0.2.1"][..], "192.0.2.1"),
            (&["1.2.3.4, 192.0.2.1"], "192.0.2.1"),
            (&["1.2.3.4, 192.0.2.1, 10.1.2.3"], "192.0.2.1"),
            (&["1.2.3.4", "192.0.2.1 , fd00::7", "10.1.2.3"], "192.0.2.1"),
            (&["nonsense, 192.0.2.1"], "192.0.2.1"),
            (&["::ffff:192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1:4711"], "192.0.2.1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            // A client in a network of trusted proxies.
            (&["10.0.0.9"], "10.0.0.9"),
        ] {
            for peer in [Some(ip("127.0.0.1")), Some(ip("::ffff:10.0.0.1")), None] {
                assert_eq!(proxies.source(peer, lines.iter().copied()), from(client), "{lines:?}");
            }
        }
    }

    #[test]
    fn a_proxy_that_says_no_address_speaks_for_itself() {
        let proxies = trusting(&["10.0.0.0/8", "127.0.0.1"]);
        for line in
            ["", ",", "192.0.2.1,", "unknown", "_hidden", "unix:", "192.0.2.300", "192.0.2.1 10.0.0.2"]
        {
            let source = proxies.source(Some(ip("10.0.0.1")), [line].into_iter());
            assert_eq!(source, from("10.0.0.1"), "{line:?}");
        }
        // Without the header it is a program on the proxy's machine that asks.
        let none = || std::iter::empty();
        assert_eq!(proxies.source(Some(ip("10.0.0.1")), none()), from("10.0.0.1"));
        assert!(proxies.source(Some(ip("127.0.0.1")), none()).is_here);
    }

    /// Against the plain rule: the last address that is not a trusted proxy, whatever a client wrote before it.
    #[test]
    fn nothing_that_a_client_sends_makes_it_somebody_else() {
        let seed = fastrand::u64(..);
        eprintln!("seed {seed}");
        fastrand::seed(seed);
        let proxies = trusting(&["10.0.0.0/8", "fd00::/8"]);
        let trusted = || if fastrand::bool() { "10.9.8.7" } else { "fd00::9" };
        for _ in 0..20_000 {
            let client = if fastrand::bool() { "192.0.2.1" } else { "2001:db8::1" };
            let pieces = ["1.2.3.4", "10.0.0.1", "fd00::1", ",", " ", "[", "]:", "::ffff:", "x", "\t", "%"];
            let forged: String =
                (0..fastrand::usize(..8)).map(|_| pieces[fastrand::usize(..pieces.len())]).collect();
            let mut lines: Vec<String> = forged.split('%').map(str::to_owned).collect();
            // Each proxy writes the address from which the request came to it, in this line or in a new one.
            let hops = fastrand::usize(..4);
            for said in std::iter::once(client).chain((0..hops).map(|_| trusted())) {
                match lines.last_mut() {
                    Some(last) if fastrand::bool() => *last += &format!(", {said}"),
                    _ => lines.push(said.to_owned()),
                }
            }
            let source = proxies.source(Some(ip(trusted())), lines.iter().map(String::as_str));
            assert_eq!(source, from(client), "{lines:?}, seed {seed}");
            let other = proxies.source(Some(ip(client)), lines.iter().map(String::as_str));
            assert_eq!(other, itself(client), "{lines:?}, seed {seed}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_a_sentence() {
        for given in ["", "proxy.example", "10.0.0.0/33", "10.0.0", "::ffff:10.0.0.1", "/8", "10.0.0.1:80"] {
            let error = Proxies::new(&[given.to_owned()]).expect_err(given);
            assert!(error.contains("10.0.0.0/8"), "{error}");
        }
    }
}
