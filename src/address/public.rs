//! The address by which the outside sees this server: that of a proxy before it.

use std::fmt;
use std::str::FromStr;

/// The first segments of this server's own paths. A prefix may not begin with one of them: nobody could tell
/// whether a proxy has taken the prefix off `/chat/rooms`.
const OWN: [&str; 8] = ["chat", "rooms", "health", "metrics", "help", "openapi.json", "page", "login"];

/// An address such as `https://chat.example.org/talk`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host and port, as a browser names them in `Origin`: in small letters, without the scheme's own
    /// port.
    origin: String,
    /// What every path begins with: empty, or `/talk`.
    prefix: String,
}

impl PublicUrl {
    /// Scheme, host and port, as a browser names them in `Origin`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host, and the port if it is not the scheme's own.
    pub fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// What every path begins with: empty, or `/talk`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether browsers reach it by TLS.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// A path and query without the prefix, if it has the prefix.
    pub fn strip<'a>(&self, target: &'a str) -> Option<&'a str> {
        let rest = target.strip_prefix(&self.prefix).filter(|_| !self.prefix.is_empty())?;
        match rest.bytes().next() {
            None => Some("/"),
            Some(b'/' | b'?') => Some(rest),
            // Another word that begins alike.
            Some(_) => None,
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<PublicUrl, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it begins with https:// or http://")?;
        let scheme = scheme.to_ascii_lowercase();
        let own_port = match scheme.as_str() {
            "https" => "443",
            "http" => "80",
            _ => return Err("it begins with https:// or http://"),
        };
        if rest.contains(['?', '#', '@']) {
            return Err("it has a host, perhaps a port and a path, and nothing else");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !authority.ends_with(']') => (host, port),
            _ => (authority, own_port),
        };
        let is_v6 = host.starts_with('[') && host.ends_with(']');
        let is_host =
            |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b) || is_v6 && b"[]:".contains(&b);
        if host.is_empty() || !host.bytes().all(is_host) {
            return Err("its host is a name in ASCII (xn--... for other letters) or an address");
        }
        let port: u16 = port.parse().map_err(|_| "its port is a number up to 65535")?;
        let port = if port.to_string() == own_port { String::new() } else { format!(":{port}") };
        let host = host.to_ascii_lowercase();
        Ok(PublicUrl { origin: format!("{scheme}://{host}{port}"), prefix: prefix(path)? })
    }
}

/// The path of the address as what every path begins with.
fn prefix(path: &str) -> Result<String, &'static str> {
    let prefix = path.trim_end_matches('/');
    let mut segments = prefix.split('/').skip(1);
    // Only what nobody encodes or resolves on the way, so that every proxy passes it on as it is.
    let is_plain = |segment: &str| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain)
    };
    if !segments.clone().all(is_plain) {
        return Err("its path has only letters, digits, '-', '.', '_' and '~' between the '/'");
    }
    if segments.next().is_some_and(|first| OWN.contains(&first)) {
        return Err(
            "its path begins like one of the server's own, which are then mistaken for one another: \
                    take another, such as /talk, or none",
        );
    }
    Ok(prefix.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> PublicUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_address_is_read_as_a_browser_names_it() {
        for (text, origin, prefix) in [
            ("https://chat.example.org/talk", "https://chat.example.org", "/talk"),
            ("HTTPS://Chat.Example.org:443/", "https://chat.example.org", ""),
            ("http://chat.example:8080/a/b/", "http://chat.example:8080", "/a/b"),
            ("http://[::1]:80", "http://[::1]", ""),
            ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443", "/x"),
        ] {
            let url = url(text);
            assert_eq!((url.origin(), url.prefix()), (origin, prefix), "{text}");
            assert_eq!(url.to_string().parse(), Ok(url));
        }
        assert_eq!(url("https://chat.example:8443/x").authority(), "chat.example:8443");
    }

    #[test]
    fn what_is_no_such_address_is_refused() {
        for text in [
            "chat.example",
            "ftp://chat.example",
            "https://",
            "https:///talk",
            "https://anna@chat.example",
            "https://chat.example:port",
            "https://chat.example/talk?x",
            "https://chat.example/a//b",
            "https://chat.example/a/../b",
            "https://chat.example/%61",
            "https://größe.example",
            "https://chat.example/chat",
            "https://chat.example/rooms/x",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_whole_prefix_is_taken_off() {
        let url = url("https://chat.example/talk");
        for (target, rest) in [
            ("/talk", Some("/")),
            ("/talk/", Some("/")),
            ("/talk?x=1", Some("?x=1")),
            ("/talk/chat/lobby?after=oldest", Some("/chat/lobby?after=oldest")),
            ("/talk/talk", Some("/talk")),
            ("/talkative", None),
            ("/chat/lobby", None),
            ("/", None),
        ] {
            assert_eq!(url.strip(target), rest, "{target}");
        }
        assert_eq!("https://chat.example".parse::<PublicUrl>().unwrap().strip("/chat"), None);
    }
}
