//! The head of a request as it was read, by hyper or without it.

use std::mem::MaybeUninit;

use httparse::{Header, Status};
use hyper::http::request::Parts;
use hyper::{Method, Version};

use crate::config::HEAD_LINES_MAX;
use crate::wire::refusal::Refusal;
use crate::wire::request::Head;

/// The text of a head.
///
/// **Fault:** hyper reads into a buffer of 8 KiB, and the head of a request is a part of it. Whoever waited kept that
/// buffer, and hyper made another one to read on. **Cure:** the text is copied, and the buffer is free for what comes.
pub struct HeadText {
    method: Method,
    version: (u8, u8),
    /// The target, and behind it the name and the value of each header.
    text: String,
    target: usize,
    /// How long each name and value is.
    fields: Vec<(usize, usize)>,
}

/// What says that there is more to a request, or to its connection. Only hyper is to read that.
const MORE: [&str; 5] = ["Connection", "Expect", "TE", "Transfer-Encoding", "Upgrade"];

/// A request that has come as a whole.
pub struct Simple {
    /// Its head.
    pub head: HeadText,
    /// Its body.
    pub body: Vec<u8>,
}

impl Simple {
    /// Copies a simple request: a GET or POST by HTTP/1.1 that has come as a whole, and nothing behind it. `None` if it is
    /// not that, or anything in its head is unusual.
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
        let (head, body) = bytes.split_at(length);
        if body.len() != body_length(request.headers)? {
            return None;
        }
        let target = request.path.filter(|target| target.bytes().all(is_usual))?;
        let mut head = HeadText {
            method,
            version: (1, 1),
            text: String::with_capacity(head.len()),
            target: target.len(),
            fields: Vec::with_capacity(request.headers.len()),
        };
        head.text.push_str(target);
        for line in request.headers {
            let is_text = line.value.iter().all(|byte| matches!(byte, b' '..=b'~'));
            let value = str::from_utf8(line.value).ok().filter(|_| is_text)?;
            let is_named = |name: &&str| name.eq_ignore_ascii_case(line.name);
            let is_kept_alive =
                line.name.eq_ignore_ascii_case("Connection") && value.eq_ignore_ascii_case("keep-alive");
            if MORE.iter().any(is_named) && !is_kept_alive {
                return None;
            }
            head.push(line.name, value);
        }
        Some(Simple { head, body: body.to_vec() })
    }
}

impl HeadText {
    fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        self.text.push_str(value);
        self.fields.push((name.len(), value.len()));
    }

    /// Copies a head. Refused if it has something else than text.
    pub fn copy(parts: &Parts) -> Result<HeadText, Refusal> {
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let lengths = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        let mut head = HeadText {
            method: parts.method.clone(),
            version: if parts.version == Version::HTTP_10 { (1, 0) } else { (1, 1) },
            text: String::with_capacity(target.len() + lengths.sum::<usize>()),
            target: target.len(),
            fields: Vec::with_capacity(parts.headers.len()),
        };
        head.text.push_str(target);
        for (name, value) in &parts.headers {
            head.push(name.as_str(), value.to_str().map_err(|_| Refusal::BadHeader)?);
        }
        Ok(head)
    }

    /// The head.
    pub fn head(&self) -> Head<'_> {
        let (target, mut rest) = self.text.split_at(self.target);
        let mut take = |length| {
            let (taken, left) = rest.split_at(length);
            rest = left;
            taken
        };
        let headers = self.fields.iter().map(|(name, value)| (take(*name), take(*value))).collect();
        Head { method: self.method.as_str(), target, version: self.version, headers }
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
