//! The head of a request: its method, target and headers, and whether they are sound.

use std::borrow::Cow;

use super::lines::Lines;
use crate::wire::refusal::Refusal;

/// The head of a request, as an engine read it.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// `GET`, `POST` and so on.
    pub method: &'a str,
    /// Path and query, as they came.
    pub target: &'a str,
    /// The version of HTTP, major and minor.
    pub version: (u8, u8),
    /// Names and values.
    pub lines: &'a Lines,
    /// The target without a scheme and a host.
    local_target: &'a str,
}

impl<'a> Head<'a> {
    /// A head of these parts.
    pub fn new(method: &'a str, target: &'a str, version: (u8, u8), lines: &'a Lines) -> Head<'a> {
        Head { method, target, version, lines, local_target: local(target) }
    }

    /// The same, for another target.
    pub fn to(&self, target: &'a str) -> Head<'a> {
        Head { target, local_target: local(target), ..*self }
    }

    /// Refuses what is not HTTP/1. The engines' libraries let different things pass; after this check both
    /// engines accept the same.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let (path, query) = self.path_and_query();
        // Browsers percent-encode these characters (WHATWG URL).
        let is_target =
            !path.bytes().any(|b| b"<>`".contains(&b)) && !query.bytes().any(|b| b"<>\"".contains(&b));
        let is_seen = |b: u8| b > b' ' && b != 0x7f;
        if !matches!(self.version, (1, 0 | 1))
            || !is_token(self.method)
            || !self.target.bytes().all(is_seen)
            || !is_target
        {
            return Err(Refusal::BadRequest);
        }
        let is_value = |value: &str| value.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'));
        let are_sound = || self.lines.iter().all(|(name, value)| is_token(name) && is_value(value));
        if !self.lines.are_sound.get_or_init(are_sound) {
            return Err(Refusal::BadHeader);
        }
        if self.header_values("Expect").any(|what| !what.eq_ignore_ascii_case("100-continue")) {
            return Err(Refusal::UnknownExpectation);
        }
        Ok(())
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.header_values(name).next()
    }

    /// Every value of a header.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.lines.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim())
    }

    /// Whether this is a `HEAD`: its answer is that of a GET, without the body.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The path and the query of the target.
    pub fn path_and_query(&self) -> (&'a str, &'a str) {
        let target = self.local_target;
        match target.split_once('?') {
            Some(("", query)) => ("/", query),
            split => split.unwrap_or((target, "")),
        }
    }

    /// The target without a scheme and a host.
    pub fn local_target(&self) -> &'a str {
        self.local_target
    }
}

/// A target without a scheme and a host.
fn local(target: &str) -> &str {
    // A fragment (`#...`) is for the browser, which should not have sent it.
    let target = target.bytes().position(|b| b == b'#').map_or(target, |at| &target[..at]);
    if target.starts_with('/') {
        return target;
    }
    // Every server must accept an absolute target (http://host/path), though it is meant for proxies.
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    }
}

/// A text in lower case, which most are.
pub fn lowered(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|b| b.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}

/// Whether this is a valid name of a method or a header (RFC 9110, 5.6.2).
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
