//! The head of a request as hyper read it.

use hyper::header::{HeaderName, HeaderValue, ToStrError};
use hyper::http::request::Parts;
use hyper::{Method, Version};

use crate::wire::refusal::Refusal;
use crate::wire::request::{Head, Lines};

/// The text of a head.
///
/// **Fault:** hyper reads into a buffer of 8 KiB, and the head of a request is a part of it. Whoever waited kept that
/// buffer, and hyper made another one to read on. **Cure:** the text is copied, and the buffer is free for what comes.
pub struct HeadText {
    method: Method,
    version: (u8, u8),
    target: String,
    lines: Lines,
}

impl HeadText {
    /// Copies a head. Refused if it has something else than text.
    pub fn copy(parts: &Parts) -> Result<HeadText, Refusal> {
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let version = if parts.version == Version::HTTP_10 { (1, 0) } else { (1, 1) };
        let line = |(name, value)| Ok((HeaderName::as_str(name), HeaderValue::to_str(value)?));
        let lines = parts.headers.iter().map(line).collect::<Result<_, ToStrError>>();
        let lines = lines.map_err(|_| Refusal::BadHeader)?;
        Ok(HeadText { method: parts.method.clone(), version, target: target.to_owned(), lines })
    }

    /// The head.
    pub fn head(&self) -> Head<'_> {
        Head::new(self.method.as_str(), &self.target, self.version, &self.lines)
    }
}
