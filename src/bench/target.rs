//! The rooms on a server, as the wire addresses them, and the three requests that the bench makes.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use percent_encoding::percent_decode_str;

use super::mark::Number;

/// The room that is measured: what stands in `http://HOST:PORT/chat/ROOM`; or several, named after it.
#[derive(Debug, Clone)]
pub struct Target {
    /// `HOST:PORT` as it was given, for the header `Host`.
    host: String,
    /// `/chat/ROOM`, percent-encoded as it was given.
    path: String,
    /// A header line that lets in, or nothing.
    authorization: String,
    /// How many rooms there are. If there is more than one, each has the path with a number behind it.
    rooms: usize,
}

/// The form in which replies to polls are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// One message a reply.
    Plain,
    /// All messages that there are in one reply.
    Json,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Form::Plain => "text/plain",
            Form::Json => "application/json",
        }
    }
}

impl Target {
    /// So many rooms instead of one.
    pub fn with_rooms(self, rooms: usize) -> Target {
        Target { rooms, ..self }
    }

    /// How many rooms there are.
    pub fn rooms(&self) -> usize {
        self.rooms
    }

    /// Comes in with a token.
    pub fn with_token(self, token: &str) -> Target {
        Target { authorization: format!("Authorization: Bearer {token}\r\n"), ..self }
    }

    /// The room of a message: they take turns.
    pub fn room_of(&self, message: Number) -> usize {
        message as usize % self.rooms
    }

    /// Resolves the host: the first address that it has.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        let found = self.host.as_str().to_socket_addrs()?.next();
        found.ok_or_else(|| std::io::Error::other("the name has no address"))
    }

    /// Asks for nothing but the cursor at which the rooms stand now, and is answered at once.
    pub fn greeting(&self) -> Vec<u8> {
        self.get(&format!("{}?after=latest&wait=0", self.all()), Form::Plain)
    }

    /// Polls for what follows a cursor, which is given as the path that `rel="next"` named. It names the wait
    /// of the request before this one, which may have been none.
    pub fn poll(&self, next: &str, hold: Duration, form: Form) -> Vec<u8> {
        let (path, query) = next.split_once('?').unwrap_or((next, ""));
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("wait="));
        let kept: String = kept.map(|pair| format!("{pair}&")).collect();
        self.get(&format!("{path}?{kept}wait={}", hold.as_secs()), form)
    }

    /// Publishes a text in a room.
    pub fn publish(&self, room: usize, text: &str) -> Vec<u8> {
        self.post(&self.path_of(room), "text/plain; charset=utf-8", "", text)
    }

    /// Posts a body, with these header lines beside those that every request has.
    pub fn post(&self, path: &str, content_type: &str, lines: &str, body: &str) -> Vec<u8> {
        let (Target { host, authorization, .. }, length) = (self, body.len());
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Accept: application/json\r\n\
             Content-Type: {content_type}\r\nContent-Length: {length}\r\n{lines}\r\n{body}",
        )
        .into_bytes()
    }

    /// The path of what follows a cursor, for servers that send `Chat-Cursor` and no `Link`.
    pub fn after(&self, cursor: &str) -> String {
        format!("{}?after={cursor}", self.all())
    }

    /// The path of one of the rooms.
    pub fn path_of(&self, room: usize) -> String {
        if self.rooms == 1 { self.path.clone() } else { format!("{}.{room}", self.path) }
    }

    /// The path of a wait in all rooms: of the first, and the names of the others.
    fn all(&self) -> String {
        let (_, name) = self.path.rsplit_once('/').unwrap_or_default();
        (1..self.rooms).fold(self.path_of(0), |path, room| format!("{path},{name}.{room}"))
    }

    /// Follows by a stream, from the oldest message on.
    pub fn stream(&self) -> Vec<u8> {
        self.ask(&format!("{}?after=oldest", self.all()), "text/event-stream")
    }

    /// Gets a path.
    pub fn get(&self, path: &str, form: Form) -> Vec<u8> {
        self.ask(path, form.media_type())
    }

    fn ask(&self, path: &str, accept: &str) -> Vec<u8> {
        let Target { host, authorization, .. } = self;
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Accept: {accept}\r\n\r\n").into_bytes()
    }
}

impl FromStr for Target {
    type Err = String;

    /// Without a path the room is a fresh one with a random name, where nobody else talks. What stands before an `@`
    /// is the name and the passphrase, percent-encoded, to come in by HTTP Basic.
    fn from_str(url: &str) -> Result<Target, String> {
        let rest = url.strip_prefix("http://").ok_or("the address must begin with http://")?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let (authorization, authority) = match authority.rsplit_once('@') {
            None => (String::new(), authority),
            Some((person, authority)) => {
                let person: Vec<u8> = percent_decode_str(person).collect();
                (format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(person)), authority)
            }
        };
        if authority.is_empty() || authority.contains(['@', '?', '#']) {
            return Err("the address must look like http://HOST:PORT/chat/ROOM".to_owned());
        }
        if path.contains(|c: char| !c.is_ascii_graphic() || c == '?' || c == '#') {
            return Err("the path must be percent-encoded, without ? and #".to_owned());
        }
        let has_port = match authority.rsplit_once(':') {
            Some((_, port)) => port.parse::<u16>().is_ok(),
            None => false,
        };
        Ok(Target {
            host: if has_port { authority.to_owned() } else { format!("{authority}:80") },
            path: if path.len() > 1 {
                path.to_owned()
            } else {
                format!("/chat/bench-{:08x}", fastrand::u32(..))
            },
            authorization,
            rooms: 1,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.host, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_room_gets_a_room_of_its_own() {
        let one: Target = "http://localhost:8080".parse().unwrap();
        let other: Target = "http://localhost:8080/".parse().unwrap();
        assert!(one.path.starts_with("/chat/bench-"));
        assert_ne!(one.path, other.path);
        let named: Target = "http://[::1]/chat/caf%C3%A9".parse().unwrap();
        assert_eq!(named.to_string(), "http://[::1]:80/chat/caf%C3%A9");
    }

    #[test]
    fn several_rooms_are_waited_in_together_and_spoken_in_by_turns() {
        let one: Target = "http://h:1/chat/r".parse().unwrap();
        assert!(one.publish(one.room_of(7), "hi").starts_with(b"POST /chat/r HTTP/1.1\r\n"));
        let three = one.with_rooms(3);
        assert!(three.greeting().starts_with(b"GET /chat/r.0,r.1,r.2?after=latest&wait=0 HTTP/1.1\r\n"));
        assert!(three.publish(three.room_of(7), "hi").starts_with(b"POST /chat/r.1 HTTP/1.1\r\n"));
        assert_eq!(three.after("c"), "/chat/r.0,r.1,r.2?after=c");
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for url in [
            "localhost:8080",
            "https://localhost",
            "http://",
            "http:///chat",
            "http://a/chat?after=latest",
            "http://a/chat/ö",
        ] {
            assert!(url.parse::<Target>().is_err(), "{url:?} was accepted");
        }
    }

    #[test]
    fn it_comes_in_by_a_passphrase_or_a_token_and_tells_neither() {
        let person: Target = "http://anna:open%20sesame@h:1/chat/r".parse().unwrap();
        let basic = "Authorization: Basic YW5uYTpvcGVuIHNlc2FtZQ==\r\n";
        assert!(String::from_utf8(person.greeting()).unwrap().contains(basic));
        assert_eq!(person.to_string(), "http://h:1/chat/r");
        let script = "http://h:1/chat/r".parse::<Target>().unwrap().with_token("t0ken");
        let bearer = "Authorization: Bearer t0ken\r\n";
        assert!(String::from_utf8(script.publish(0, "hi")).unwrap().contains(bearer));
    }

    #[test]
    fn a_poll_keeps_the_path_that_the_server_named() {
        let target: Target = "http://h:1/chat/r".parse().unwrap();
        let poll = target.poll("/chat/r?after=7", Duration::from_secs(9), Form::Plain);
        assert!(poll.starts_with(b"GET /chat/r?after=7&wait=9 HTTP/1.1\r\n"));
        let poll = target.poll("/chat/r?after=7&wait=0&name=a", Duration::from_secs(9), Form::Plain);
        assert!(poll.starts_with(b"GET /chat/r?after=7&name=a&wait=9 HTTP/1.1\r\n"));
        let poll = target.poll("/chat/r", Duration::from_secs(9), Form::Plain);
        assert!(poll.starts_with(b"GET /chat/r?wait=9 HTTP/1.1\r\n"));
    }
}
