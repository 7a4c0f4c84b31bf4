//! The head of a request as it was read, by hyper or without it.

use hyper::http::request::Parts;
use hyper::{Method, Version};

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

impl HeadText {
    /// The beginning of a head: so many lines with so many bytes will follow.
    pub fn begin(method: Method, version: (u8, u8), target: &str, lines: usize, bytes: usize) -> HeadText {
        let mut text = String::with_capacity(target.len() + bytes);
        text.push_str(target);
        HeadText { method, version, text, target: target.len(), fields: Vec::with_capacity(lines) }
    }

    /// Adds a line.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        self.text.push_str(value);
        self.fields.push((name.len(), value.len()));
    }

    /// Copies a head. Refused if it has something else than text.
    pub fn copy(parts: &Parts) -> Result<HeadText, Refusal> {
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let lengths = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        let version = if parts.version == Version::HTTP_10 { (1, 0) } else { (1, 1) };
        let mut head =
            HeadText::begin(parts.method.clone(), version, target, parts.headers.len(), lengths.sum());
        for (name, value) in &parts.headers {
            head.push(name.as_str(), value.to_str().map_err(|_| Refusal::BadHeader)?);
        }
        Ok(head)
    }

    /// `GET` or `POST`, for example.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        &self.text[..self.target]
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
        Head::new(self.method(), target, self.version, headers)
    }
}
