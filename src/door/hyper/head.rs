//! The head of a request as it was read, by hyper or without it.

use std::mem::MaybeUninit;

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

/// What says that there is more to a request than its head, or to its connection. Only hyper is to read that.
const MORE: [&str; 6] = ["Connection", "Content-Length", "Expect", "TE", "Transfer-Encoding", "Upgrade"];

impl HeadText {
    /// Copies a simple head: of a GET by HTTP/1.1 that has come as a whole, without a body and without anything
    /// behind it. `None` if it is not that, or anything in it is unusual.
    pub fn simple(bytes: &[u8]) -> Option<HeadText> {
        if !bytes.starts_with(b"GET /") || !bytes.ends_with(b"\r\n\r\n") {
            return None;
        }
        let mut lines = [const { MaybeUninit::uninit() }; HEAD_LINES_MAX];
        let mut request = httparse::Request::new(&mut []);
        let parsed = request.parse_with_uninit_headers(bytes, &mut lines);
        if parsed != Ok(httparse::Status::Complete(bytes.len())) || request.version != Some(1) {
            return None;
        }
        let target = request.path.filter(|target| target.bytes().all(is_usual))?;
        let mut head = HeadText {
            method: Method::GET,
            version: (1, 1),
            text: String::with_capacity(bytes.len()),
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
        Some(head)
    }

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

/// Whether a byte of a target is one that means nothing by itself.
fn is_usual(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?".contains(&byte)
}
