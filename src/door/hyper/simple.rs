//! Requests that are read without hyper, by its parser.

use std::mem::MaybeUninit;

use httparse::{Header, Status};
use hyper::Method;

use super::head::HeadText;
use crate::config::HEAD_LINES_MAX;
use crate::wire::request::may_ask_for_events;

/// What says that there is more to a request, or to its connection. hyper is to read that.
const MORE: [&str; 5] = ["Connection", "Expect", "TE", "Transfer-Encoding", "Upgrade"];

/// A request that has come as a whole.
pub struct Simple {
    /// Its head.
    pub head: HeadText,
    /// Its body.
    pub body: Vec<u8>,
}

impl Simple {
    /// Copies a simple request: a GET or POST by HTTP/1.1 that has come as a whole, and nothing behind it, and asks for no
    /// stream. `None` if it is not that, or anything in its head is unusual.
    pub fn copy(bytes: &[u8]) -> Option<Simple> {
        let method = match bytes {
            [b'G', b'E', b'T', b' ', b'/', ..] => Method::GET,
            [b'P', b'O', b'S', b'T', b' ', b'/', ..] => Method::POST,
            _ => return None,
        };
        let mut lines = [const { MaybeUninit::uninit() }; HEAD_LINES_MAX];
        let mut request = httparse::Request::new(&mut []);
        let Ok(Status::Complete(length)) = request.parse_with_uninit_headers(bytes, &mut lines) else {
            return None;
        };
        if request.version != Some(1) {
            return None;
        }
        let body = &bytes[length..];
        if body.len() != body_length(request.headers)? {
            return None;
        }
        let target = request.path.filter(|target| target.bytes().all(is_usual))?;
        let mut head = HeadText::begin(method, (1, 1), target, request.headers.len(), length);
        for line in request.headers {
            let is_text = line.value.iter().all(|byte| matches!(byte, b' '..=b'~'));
            let value = str::from_utf8(line.value).ok().filter(|_| is_text)?;
            let is_named = |name: &&str| name.eq_ignore_ascii_case(line.name);
            let is_kept_alive =
                line.name.eq_ignore_ascii_case("Connection") && value.eq_ignore_ascii_case("keep-alive");
            if MORE.iter().any(is_named) && !is_kept_alive {
                return None;
            }
            if line.name.eq_ignore_ascii_case("Accept") && may_ask_for_events(value) {
                return None;
            }
            head.push(line.name, value);
        }
        Some(Simple { head, body: body.to_vec() })
    }
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
