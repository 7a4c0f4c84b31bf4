//! A reply: its status, headers and body.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::SystemTime;

use flate2::Compression;
use httpdate::HttpDate;
use serde::Serialize;

use super::status::reason;
use crate::config::COMPRESSED_FROM;
use crate::page::{Language, gzip, policy};

/// JSON.
pub const JSON: &str = "application/json";
/// Server-sent events.
pub const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
pub(super) const JSON_LINES: &str = "application/x-ndjson";
pub(super) const PLAIN: &str = "text/plain; charset=utf-8";
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// Names and values.
pub type Headers = Vec<(&'static str, Cow<'static, str>)>;

/// A reply, without the headers that the connection adds: `Date`, `Content-Length`, `Connection`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names and values. Whatever came from a client is encoded in them.
    pub headers: Headers,
    /// The body. A 204 and a 304 have none.
    pub body: Cow<'static, [u8]>,
}

impl Reply {
    /// A reply that nobody keeps.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Reply {
        Reply { status, headers: headers(Some(content_type)), body: body.into() }
    }

    /// A page of HTML, which people read.
    pub(super) fn page(status: u16, html: String, language: Language) -> Reply {
        let reply = Reply::new(status, HTML, html.into_bytes()).with("Content-Security-Policy", policy());
        reply.varying("Accept-Language").with("Content-Language", language.tag())
    }

    /// Another one for each value of this header of the request.
    fn varying(mut self, by: &str) -> Reply {
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| *name == "Vary") {
            if !value.split(", ").any(|known| known == by) {
                *value = format!("{value}, {by}").into();
            }
        }
        self
    }

    /// Whether it has a body, which may be empty.
    pub fn has_body(&self) -> bool {
        !matches!(self.status, 204 | 304)
    }

    /// The status line, `Date` and the headers. The connection's own headers and the empty line follow.
    pub fn render_head(&self) -> String {
        let mut head = String::with_capacity(1024);
        let date = HttpDate::from(SystemTime::now());
        // Writing to a string can't fail.
        let _ = write!(head, "HTTP/1.1 {} {}\r\nDate: {date}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            for piece in [name, ": ", value, "\r\n"] {
                head.push_str(piece);
            }
        }
        head
    }

    /// Compresses the body, if that is worth it and the client accepts it. Pictures are compressed already, and so are most
    /// files. The level is a fast one, since every reply is compressed anew; a page, for which somebody waits, may take
    /// 0.3 ms more to be a third shorter.
    pub fn compressed(mut self, takes_gzip: bool) -> Reply {
        let is_encoded = |(name, _): &(&str, _)| matches!(*name, "Content-Encoding" | "Content-Disposition");
        let is_encoded = self.headers.iter().any(is_encoded);
        if self.body.len() < COMPRESSED_FROM || is_encoded {
            return self;
        }
        self = self.varying("Accept-Encoding");
        if takes_gzip {
            let level = if self.is_page() { Compression::new(4) } else { Compression::fast() };
            self.body = gzip(&self.body, level).into();
            self = self.with("Content-Encoding", "gzip");
        }
        self
    }

    fn is_page(&self) -> bool {
        self.headers.iter().any(|(name, value)| *name == "Content-Type" && value == HTML)
    }

    pub(super) fn empty(status: u16) -> Reply {
        Reply { status, headers: headers(None), body: Cow::Borrowed(&[]) }
    }

    /// With one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// Without these headers.
    pub(super) fn without(mut self, names: &[&str]) -> Reply {
        self.headers.retain(|(name, _)| !names.contains(name));
        self
    }

    /// Announces a gap, if there is one.
    pub(super) fn with_gap(self, gap: bool) -> Reply {
        if gap { self.with("Chat-Gap", "true") } else { self }
    }
}

/// The headers of a reply that nobody keeps, with room for those that most replies have beside them.
fn headers(content_type: Option<&'static str>) -> Headers {
    let mut headers = Vec::with_capacity(16);
    headers.extend(content_type.map(|content_type| ("Content-Type", content_type.into())));
    headers.extend([("Cache-Control", "no-store".into()), ("Vary", "Accept".into())]);
    headers
}

/// JSON as text.
pub(super) fn json_text(value: &impl Serialize) -> String {
    // Plain structs of strings and numbers can't fail, and neither can memory.
    serde_json::to_string(value).expect("plain data is written to memory")
}

/// A body in JSON.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain structs of strings and numbers can't fail, and neither can memory.
    serde_json::to_vec(value).expect("plain data is written to memory")
}
