//! Requests that are read without hyper, by its parser.

use httparse::{EMPTY_HEADER, Header, Status, parse_headers};

use crate::config::HEAD_LINES_MAX;
use crate::wire::request::{Head, Lines, may_ask_for_events};

/// What says that there is more to a request, or to its connection. hyper is to read that.
const MORE: [&str; 5] = ["Connection", "Expect", "TE", "Transfer-Encoding", "Upgrade"];

/// A simple request: a GET or POST by HTTP/1.1 that has come as a whole, with nothing behind it, which asks for no stream
/// and has nothing unusual in its head.
///
/// Its connection keeps it: most clients send the same lines again, and then nothing is looked for in them again.
#[derive(Default)]
pub struct Simple {
    method: &'static str,
    target: String,
    lines: Lines,
    /// The length of a body behind these lines.
    length: usize,
}

impl Simple {
    /// Takes in what has come, in the place of the last request, and gives its body. `None` if that is not simple.
    pub fn take(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let (method, rest) = match bytes {
            [b'G', b'E', b'T', b' ', rest @ ..] => ("GET", rest),
            [b'P', b'O', b'S', b'T', b' ', rest @ ..] => ("POST", rest),
            _ => return None,
        };
        let (target, rest) = rest.split_at(rest.iter().position(|byte| *byte == b' ')?);
        let rest = rest.strip_prefix(b" HTTP/1.1\r\n")?;
        if !target.starts_with(b"/") || !target.iter().all(|byte| is_usual(*byte)) {
            return None;
        }
        let known = self.lines.text();
        if known.is_empty() || !rest.starts_with(known.as_bytes()) {
            (self.lines, self.length) = read_lines(rest)?;
        }
        let body = &rest[self.lines.text().len()..];
        if body.len() != self.length {
            return None;
        }
        self.method = method;
        self.target.clear();
        self.target.push_str(str::from_utf8(target).ok()?);
        Some(body.to_vec())
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Its head.
    pub fn head(&self) -> Head<'_> {
        Head::new(self.method, &self.target, (1, 1), &self.lines)
    }
}

/// Reads the lines of a head up to the empty one, if they are usual, and the length of the body that they announce.
fn read_lines(bytes: &[u8]) -> Option<(Lines, usize)> {
    let mut space = [EMPTY_HEADER; HEAD_LINES_MAX];
    let Ok(Status::Complete((length, lines))) = parse_headers(bytes, &mut space) else { return None };
    let text = str::from_utf8(&bytes[..length]).ok()?;
    let fields = lines.iter().map(|line| Some((line.name, usual(line)?))).collect::<Option<Vec<_>>>()?;
    Some((Lines::within(text, &fields)?, body_length(lines)?))
}

/// The value of a line, if that is text and says nothing unusual.
fn usual<'a>(line: &Header<'a>) -> Option<&'a str> {
    let is_text = line.value.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let value = str::from_utf8(line.value).ok().filter(|_| is_text)?;
    let is_named = |name: &str| name.eq_ignore_ascii_case(line.name);
    let is_kept_alive = is_named("Connection") && value.eq_ignore_ascii_case("keep-alive");
    let says_more = MORE.iter().any(|name| is_named(name)) && !is_kept_alive;
    let may_be_a_stream = is_named("Accept") && may_ask_for_events(value);
    (!says_more && !may_be_a_stream).then_some(value)
}

/// How many bytes follow this head, if that is said once or not at all.
fn body_length(lines: &[Header<'_>]) -> Option<usize> {
    let mut lengths = lines.iter().filter(|line| line.name.eq_ignore_ascii_case("Content-Length"));
    let Some(length) = lengths.next() else { return Some(0) };
    let is_clear = lengths.next().is_none() && length.value.iter().all(u8::is_ascii_digit);
    str::from_utf8(length.value).ok().filter(|_| is_clear)?.parse().ok()
}

/// Whether a byte of a target is one that means nothing by itself.
fn is_usual(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECES: [&[&str]; 5] = [
        &["GET /chat", "GET /chat?after=7-1", "POST /chat", "HEAD /chat", "GET /a b", "GET chat"],
        &[" HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/1.1\n"],
        &["Host: a\r\n", "Host: ab\r\n", "Host: a\r\nHost: b\r\n", ""],
        &[
            "Content-Length: 2\r\n",
            "Content-Length: 0\r\n",
            "Content-Length: x\r\n",
            "Connection: close\r\n",
            "",
        ],
        &["\r\n", "\r\n", "\r\nhi", "\r\nho", "\r\nhi!", "\r", "\n"],
    ];

    /// What is read of a request, if it is simple.
    fn read(simple: &mut Simple, bytes: &[u8]) -> Option<String> {
        let body = simple.take(bytes)?;
        let head = simple.head();
        let lines: Vec<_> = head.lines.iter().collect();
        Some(format!("{} {} {lines:?} {:?} {body:?}", head.method, head.target, head.body_length(0)))
    }

    #[test]
    fn a_request_is_the_same_whatever_came_before_it() {
        let mut chance = fastrand::Rng::with_seed(2008);
        let mut kept = Simple::default();
        let (mut simple, mut others) = (0, 0);
        for _ in 0..20_000 {
            let request: String = PIECES.iter().map(|some| some[chance.usize(..some.len())]).collect();
            let fresh = read(&mut Simple::default(), request.as_bytes());
            assert_eq!(read(&mut kept, request.as_bytes()), fresh, "{request:?}");
            *if fresh.is_some() { &mut simple } else { &mut others } += 1;
        }
        assert!(simple > 1_000 && others > 1_000, "{simple} simple, {others} others");
    }
}
