//! Cross-site request defence: which site made a browser send a request, and under what name of this server.
//!
//! Any web page can make a browser send requests, also to servers in its user's own network. So a page of
//! another site must not make its user speak, come or go. And only the server's own names are answered:
//! an attacker can point a name of theirs at this machine, and read our answers as their own (DNS
//! rebinding).

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::sites::Sites;
use crate::address::PublicUrl;
use crate::wire::refusal::Refusal;
use crate::wire::request::{Format, Head, fields, lowered};

/// The names by which this server may be called.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    named: Vec<String>,
    any: bool,
    /// The origin of the server's pages behind a proxy, whatever that makes of `Host`.
    origin: Option<String>,
}

impl Hosts {
    /// The machine's own name, the names on the command line, where `*` is any, and that of the public address.
    pub fn new(given: &[String], public: Option<&PublicUrl>) -> Hosts {
        let mut named: Vec<String> = given.iter().map(|host| name_in(host).into_owned()).collect();
        let machine = rustix::system::uname();
        // A browser can't ask for a name that is not UTF-8.
        let machine = name_in(machine.nodename().to_str().unwrap_or_default());
        let (short, _) = machine.split_once('.').unwrap_or((&machine, ""));
        // NAME.local is found without a name server (mDNS).
        named.extend([short.to_owned(), format!("{short}.local"), machine.to_string()]);
        named.extend(public.map(|public| name_in(public.authority()).into_owned()));
        named.retain(|name| !name.is_empty() && !name.starts_with('.'));
        let origin = public.map(|public| public.origin().to_owned());
        Hosts { any: given.iter().any(|host| host == "*"), named, origin }
    }

    /// Refuses a request that came under a foreign name, or that changes something and came from another site than
    /// these.
    pub fn admit(&self, head: &Head<'_>, sites: &Sites) -> Result<(), Refusal> {
        let host = self.called(head)?;
        let comes_from_elsewhere =
            || !sites.sent(head) && self.comes_from_elsewhere(head, host.unwrap_or_default());
        if changes_something(head) && comes_from_elsewhere() {
            return Err(Refusal::OtherSite);
        }
        Ok(())
    }

    /// By which of the server's names it was called, if by any. Refuses a foreign one.
    pub fn called<'a>(&self, head: &Head<'a>) -> Result<Option<&'a str>, Refusal> {
        match host(head)? {
            Some(host) if !self.include(host) => Err(Refusal::UnknownHost),
            host => Ok(host),
        }
    }

    /// Whether this is one of the server's names. Every IP address is: rebinding needs a name, and behind a NAT,
    /// in a container or in a cloud no interface of the machine has the address that people use.
    fn include(&self, host: &str) -> bool {
        let name = name_in(host);
        let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let is_address =
            name.parse::<Ipv4Addr>().is_ok() || v6.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
        // No name server is asked for these names (RFC 6761).
        let is_here = name == "localhost" || name.ends_with(".localhost");
        self.any || is_address || is_here || self.named.iter().any(|named| *named == name)
    }

    /// Whether the headers say that a page of another site sent this request. Without such headers it comes from
    /// a script or from our own page, and passes.
    fn comes_from_elsewhere(&self, head: &Head<'_>, host: &str) -> bool {
        let mut origins = head.header_values("Origin").peekable();
        let is_own = |origin: &str| {
            is_at(origin, host) || self.origin.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(origin))
        };
        match head.header("Sec-Fetch-Site").map(str::to_ascii_lowercase).as_deref() {
            Some("same-origin" | "none") => false,
            Some("cross-site") => true,
            // A page under another name of the same domain, or on another port of this machine.
            Some("same-site") => origins.peek().is_none() || !origins.all(is_own),
            // Over plain HTTP, except to localhost, browsers send only `Origin`.
            _ => !origins.all(is_own),
        }
    }
}

/// The header `Host`. HTTP/1.1 requires it exactly once; HTTP/1.0 does not require it.
fn host<'a>(head: &Head<'a>) -> Result<Option<&'a str>, Refusal> {
    let mut hosts = head.header_values("Host");
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Err(Refusal::BadHost("Host came more than once")),
        (None | Some(""), _) if head.version > (1, 0) => {
            Err(Refusal::BadHost("a request in HTTP/1.1 names its server in Host"))
        }
        (host, _) => Ok(host.filter(|host| !host.is_empty())),
    }
}

/// Whether this request makes somebody speak, come or go. To open the page by a link with a name in it
/// changes nothing yet.
fn changes_something(head: &Head<'_>) -> bool {
    let (_, query) = head.path_and_query();
    // A malformed query is refused later.
    let names_somebody = || matches!(fields(query, ["name"]), Ok([Some(_)]));
    match head.method {
        "POST" => true,
        "GET" => names_somebody() && head.format() != Format::Html,
        _ => false,
    }
}

/// Whether an origin (`http://HOST:PORT`, or `null`) is this server's own.
pub(super) fn is_at(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let [authority, host] = [authority, host].map(|text| text.strip_suffix(port).unwrap_or(text));
    authority.eq_ignore_ascii_case(host)
}

/// A host without its port, in the form in which names are compared.
pub(super) fn name_in(host: &str) -> Cow<'_, str> {
    let name = match host.rsplit_once(':') {
        Some((name, _)) if name.ends_with(']') || !name.contains(':') => name,
        _ => host,
    };
    lowered(name.strip_suffix('.').unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let lines = headers.iter().copied().collect();
        let head = Head::new(method, target, (1, 1), &lines);
        Hosts::new(&["chat.example:8080".to_owned()], None).admit(&head, &Sites::default())
    }

    /// An attacker's name pointed at the server, and the attacker's page read its rooms.
    #[test]
    fn it_answers_to_addresses_and_to_names_of_its_own() {
        let machine = rustix::system::uname();
        let machine = machine.nodename().to_str().unwrap();
        for host in [
            "127.0.0.1:8080",
            "10.0.0.1",
            "[::1]:8080",
            "[2001:db8::1]",
            "localhost",
            "LocalHost.:8080",
            "chat.localhost",
            "chat.example",
            "Chat.Example.:80",
            machine,
        ] {
            assert_eq!(admitted("GET", "/chat", &[("Host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "[::1].evil.example",
            "a.chat.example",
            "evil.example:localhost",
            "::1",
            ".",
            ":80",
            "localhost@evil.example",
        ] {
            let refused = Err(Refusal::UnknownHost);
            assert_eq!(admitted("GET", "/chat", &[("Host", host)]), refused, "{host}");
        }
        let lines = [("host", "evil.example")].into_iter().collect();
        let head = Head::new("GET", "/", (1, 1), &lines);
        assert_eq!(Hosts::new(&["*".to_owned()], None).admit(&head, &Sites::default()), Ok(()));
    }

    /// A form on another site published in the room, under the name of the person who looked at it.
    #[test]
    fn another_site_s_page_changes_nothing() {
        let post = |headers: &[(&str, &str)]| {
            let host = [("Host", "localhost:8080")];
            admitted("POST", "/chat", &[&host, headers].concat())
        };
        let none: &[(&str, &str)] = &[];
        for headers in [
            none,
            &[("Sec-Fetch-Site", "same-origin")],
            &[("Sec-Fetch-Site", "none"), ("Origin", "null")],
            &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://localhost:8080")],
            &[("Origin", "http://LOCALHOST:8080")],
        ] {
            assert_eq!(post(headers), Ok(()), "{headers:?}");
        }
        let refused: [&[(&str, &str)]; 8] = [
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:8080")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://localhost:3000")],
            &[("Origin", "null")],
            &[("Origin", "http://localhost")],
            &[("Origin", "http://evil.example")],
            &[("Origin", "http://localhost:8080"), ("Origin", "http://evil.example")],
        ];
        for headers in refused {
            assert_eq!(post(headers), Err(Refusal::OtherSite), "{headers:?}");
        }
        let tls = [("Host", "chat.example"), ("Origin", "https://chat.example:443")];
        assert_eq!(admitted("POST", "/chat", &tls), Ok(()));
    }

    /// Behind a proxy that puts its own idea of `Host` in the request, the server's own page could not speak.
    #[test]
    fn the_public_address_is_one_of_its_own_whatever_a_proxy_makes_of_host() {
        let public: PublicUrl = "https://talk.example:8443/x".parse().unwrap();
        let hosts = Hosts::new(&[], Some(&public));
        let post = |host, origin| {
            let lines = [("Host", host), ("Origin", origin)].into_iter().collect();
            hosts.admit(&Head::new("POST", "/chat", (1, 1), &lines), &Sites::default())
        };
        for host in ["talk.example", "talk.example:8443", "127.0.0.1:8080"] {
            assert_eq!(post(host, "https://talk.example:8443"), Ok(()), "{host}");
        }
        assert_eq!(post("talk.example", "https://talk.example:9000"), Err(Refusal::OtherSite));
        assert_eq!(post("127.0.0.1", "http://talk.example:8443"), Err(Refusal::OtherSite));
    }
}
