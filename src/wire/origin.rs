//! Cross-site request defence: who may have made a browser send a request, and by what name it came here.
//!
//! A browser sends what any page tells it to, from within its person's network. So a page of another site
//! may not make somebody speak, come or go; and no name but our own may lead here, since whoever owns a
//! name can point it at this machine, and then their page is read as ours (DNS rebinding).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::refusal::Refusal;
use super::request::{Format, Head, fields};

/// The names by which this server may be called.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    named: Vec<String>,
    any: bool,
}

impl Hosts {
    /// The machine's own name, and those given by whoever runs the server; `*` stands for all there are.
    pub fn new(given: &[String]) -> Hosts {
        let mut named: Vec<String> = given.iter().map(|host| name_in(host)).collect();
        let machine = rustix::system::uname();
        // A name that is not UTF-8 is none that a browser could ask for.
        let machine = name_in(machine.nodename().to_str().unwrap_or_default());
        let (short, _) = machine.split_once('.').unwrap_or((&machine, ""));
        // By the second of them it is found without a name server (mDNS).
        named.extend([short.to_owned(), format!("{short}.local")]);
        named.push(machine);
        named.retain(|name| !name.is_empty() && !name.starts_with('.'));
        Hosts { any: given.iter().any(|host| host == "*"), named }
    }

    /// Lets a request pass that came by a name of ours and, if it changes something, not from another site.
    pub fn admit(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let host = host(head)?;
        if host.is_some_and(|host| !self.include(host)) {
            return Err(Refusal::UnknownHost);
        }
        if changes_something(head) && comes_from_elsewhere(head, host.unwrap_or_default()) {
            return Err(Refusal::OtherSite);
        }
        Ok(())
    }

    /// An address is always ours: rebinding takes a name, and behind a NAT, in a container or a cloud the
    /// address that people use is on none of the machine's interfaces.
    fn include(&self, host: &str) -> bool {
        let name = name_in(host);
        let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let is_address =
            name.parse::<Ipv4Addr>().is_ok() || v6.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
        // No name server is asked for these (RFC 6761).
        let is_here = name == "localhost" || name.ends_with(".localhost");
        self.any || is_address || is_here || self.named.contains(&name)
    }
}

/// `Host`, which a request of HTTP/1.1 has once, and one of HTTP/1.0 need not have.
fn host<'a>(head: &Head<'a>) -> Result<Option<&'a str>, Refusal> {
    let mut hosts = head.header_values("Host");
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Err(Refusal::BadHost("Host came more than once")),
        (None | Some(""), _) if head.version > (1, 0) => {
            Err(Refusal::BadHost("a request in HTTP/1.1 says in Host whom it is for"))
        }
        (host, _) => Ok(host.filter(|host| !host.is_empty())),
    }
}

/// Whether somebody speaks, comes or goes by it. A page that is opened by a link with a name in it does
/// nothing yet.
fn changes_something(head: &Head<'_>) -> bool {
    let (_, query) = head.path_and_query();
    // What is malformed will be refused.
    let names_somebody = || matches!(fields(query, ["name"]), Ok([Some(_)]));
    match head.method {
        "POST" => true,
        "GET" => names_somebody() && head.format() != Format::Html,
        _ => false,
    }
}

/// Whether a browser says that another site's page made it send this. Where a browser says nothing it is
/// none, or a page of ours: scripts and `curl` pass.
fn comes_from_elsewhere(head: &Head<'_>, host: &str) -> bool {
    let mut origins = head.header_values("Origin").peekable();
    match head.header("Sec-Fetch-Site").map(str::to_ascii_lowercase).as_deref() {
        Some("same-origin" | "none") => false,
        Some("cross-site") => true,
        // A neighbour's page: another name beneath the same domain, or another port of this one.
        Some("same-site") => origins.peek().is_none() || !origins.all(|origin| is_at(origin, host)),
        // Over plain HTTP, but for localhost, browsers say no more than this.
        _ => !origins.all(|origin| is_at(origin, host)),
    }
}

/// Whether an origin (`http://HOST:PORT`, or `null`) is the one that the request went to.
fn is_at(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let [authority, host] = [authority, host].map(|text| text.strip_suffix(port).unwrap_or(text));
    authority.eq_ignore_ascii_case(host)
}

/// A host without its port, as names are compared.
fn name_in(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, _)) if name.ends_with(']') || !name.contains(':') => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let headers = headers.to_vec();
        let head = Head { method, target, version: (1, 1), headers };
        Hosts::new(&["chat.example:8080".to_owned()]).admit(&head)
    }

    /// A page whose name had been pointed at the server read its rooms.
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
        let head =
            Head { method: "GET", target: "/", version: (1, 1), headers: vec![("host", "evil.example")] };
        assert_eq!(Hosts::new(&["*".to_owned()]).admit(&head), Ok(()));
    }

    /// A form on another site spoke in the room, under the name of whoever looked at it.
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
}
