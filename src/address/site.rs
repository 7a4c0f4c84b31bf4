//! How people reach this server: the address to share.

use std::net::IpAddr;

use super::public::PublicUrl;

/// What is known of how people reach this server.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The address by which the outside sees it, if the operator has said so. It is believed before all else.
    pub public: Option<PublicUrl>,
    /// By which address other machines reach this one, if they do.
    pub lan: Option<IpAddr>,
    /// The most bytes of a file that a page may send; 0 if none.
    pub upload_limit: usize,
}

impl Site {
    /// What every path begins with, in a browser's view: empty, or `/talk`.
    pub fn prefix(&self) -> &str {
        self.public.as_ref().map_or("", PublicUrl::prefix)
    }

    /// The server's address for people to share, to which a path is appended.
    ///
    /// If nobody has said how the outside sees the server, it is the address that the browser used (`host`, the
    /// header), except for a loopback name, which would mean another machine there: then it is that in the local
    /// network. `seen` is the origin that the page's script sees. It knows the scheme and port of a proxy, but must
    /// name the same host.
    pub fn base(&self, host: &str, seen: Option<&str>) -> String {
        if let Some(public) = &self.public {
            return public.to_string();
        }
        let (name, port) = name_and_port(host);
        let is_ours = |seen: &&str| {
            let authority = seen.strip_prefix("https://").or(seen.strip_prefix("http://"));
            authority.is_some_and(|authority| name_and_port(authority).0.eq_ignore_ascii_case(name))
        };
        let ip: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        let loopback = name.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback());
        match (self.lan, seen.filter(is_ours)) {
            (Some(IpAddr::V4(ip)), _) if loopback => format!("http://{ip}{port}"),
            (Some(IpAddr::V6(ip)), _) if loopback => format!("http://[{ip}]{port}"),
            (_, Some(seen)) => seen.to_owned(),
            _ => format!("http://{host}"),
        }
    }
}

/// The name and the port in `Host`. The port has its colon, and is empty if there is none.
fn name_and_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, &host[name.len()..]),
        _ => (host, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(host: &str, seen: Option<&str>, lan: Option<IpAddr>) -> String {
        Site { lan, ..Site::default() }.base(host, seen)
    }

    #[test]
    fn the_address_to_pass_on_is_one_that_others_reach() {
        let lan = Some("192.168.1.5".parse().unwrap());
        for loopback in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
            assert_eq!(base(loopback, None, lan), "http://192.168.1.5:8080");
            assert_eq!(base(loopback, None, None), format!("http://{loopback}"));
        }
        let lan6 = Some("fd00::5".parse().unwrap());
        assert_eq!(base("localhost", None, lan6), "http://[fd00::5]");
        for host in ["chat.example", "chat.example:8080", "10.0.0.1:8080", "[fd00::1]:8080", "[fd00::1]"] {
            assert_eq!(base(host, None, lan), format!("http://{host}"));
        }
        // Behind a proxy with TLS the code for phones had `http://`, and no port.
        for seen in ["https://chat.example", "https://chat.example:8443", "http://Chat.Example:80"] {
            assert_eq!(base("chat.example", Some(seen), lan), seen);
        }
        for other in [
            "https://evil.example",
            "https://chat.example@evil.example",
            "ftp://chat.example",
            "chat.example",
        ] {
            assert_eq!(base("chat.example", Some(other), lan), "http://chat.example");
        }
    }

    #[test]
    fn what_the_operator_says_of_the_outside_is_believed_first() {
        let site = Site {
            public: "https://chat.example/talk".parse().ok(),
            lan: "10.0.0.1".parse().ok(),
            upload_limit: 0,
        };
        for (host, seen) in [("localhost:8080", None), ("other.example", Some("http://other.example"))] {
            assert_eq!(site.base(host, seen), "https://chat.example/talk");
        }
    }
}
