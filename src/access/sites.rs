//! Cross-origin resource sharing (CORS): the other sites whose pages may use this server.
//!
//! A browser asks first (`OPTIONS`) whether a page of another site may send its request, and shows the page the
//! answer only if that names the page's origin.

use std::borrow::Cow;

use crate::config::PREFLIGHT_KEPT;
use crate::wire::reply::Reply;
use crate::wire::request::Head;

/// The origins of these sites.
#[derive(Debug, Clone, Default)]
pub struct Sites {
    named: Vec<String>,
    /// Every page may read.
    any: bool,
}

/// What a page of another site may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guest<'a> {
    /// Its site is named: it may do all that a page of this server may.
    Named(&'a str),
    /// It may only read what anybody may.
    Reader,
}

/// What such a page may send beside what every page may.
const HEADERS: &str = "Authorization, Chat-Key, Content-Type, Idempotency-Key, Last-Event-ID, Prefer";

/// What it may read of a reply's head beside what every page may.
const EXPOSED: &str =
    "Chat-Cursor, Chat-Gap, Chat-Kind, Chat-Room, Link, Preference-Applied, Retry-After, WWW-Authenticate";

impl Sites {
    /// The origins on the command line, where `*` lets every page read. An error is a sentence.
    pub fn new(given: &[String]) -> Result<Sites, String> {
        let mut sites = Sites::default();
        for text in given.iter().map(|text| text.trim()) {
            match text {
                "*" => sites.any = true,
                _ => sites.named.push(origin(text)?),
            }
        }
        Ok(sites)
    }

    /// Whether a page of a site that is named sent this request.
    pub fn sent(&self, head: &Head<'_>) -> bool {
        matches!(self.guest(head), Some(Guest::Named(_)))
    }

    /// Adds to a reply what lets the page that asked read it, or send what it asks to send.
    pub fn share(&self, head: Option<&Head<'_>>, reply: &mut Reply) {
        if self.named.is_empty() && !self.any {
            return;
        }
        add_to_vary(reply, "Origin");
        let Some((head, guest)) = head.and_then(|head| Some((head, self.guest(head)?))) else { return };
        let mut add = |name, value: Cow<'static, str>| reply.headers.push((name, value));
        let methods = match guest {
            Guest::Named(origin) => {
                add("Access-Control-Allow-Origin", origin.to_owned().into());
                add("Access-Control-Allow-Credentials", "true".into());
                "GET, HEAD, POST"
            }
            Guest::Reader => {
                add("Access-Control-Allow-Origin", "*".into());
                "GET, HEAD"
            }
        };
        if head.method == "OPTIONS" && head.header("Access-Control-Request-Method").is_some() {
            add("Access-Control-Allow-Methods", methods.into());
            add("Access-Control-Allow-Headers", HEADERS.into());
            add("Access-Control-Max-Age", PREFLIGHT_KEPT.as_secs().to_string().into());
        } else {
            add("Access-Control-Expose-Headers", EXPOSED.into());
        }
    }

    fn guest<'a>(&self, head: &Head<'a>) -> Option<Guest<'a>> {
        let mut origins = head.header_values("Origin");
        let (Some(origin), None) = (origins.next(), origins.next()) else { return None };
        if self.named.iter().any(|named| named == origin) {
            Some(Guest::Named(origin))
        } else if self.any && head.method != "POST" {
            Some(Guest::Reader)
        } else {
            None
        }
    }
}

/// An origin as browsers write it: `https://app.example`, with the port if it is not the scheme's own.
fn origin(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    let default = [("https://", ":443"), ("http://", ":80")];
    let known = default.into_iter().find_map(|(scheme, port)| Some((text.strip_prefix(scheme)?, port)));
    let is_host = |host: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        !host.is_empty() && host.chars().all(plain)
    };
    match known {
        Some((host, port)) if is_host(host) => Ok(text.strip_suffix(port).unwrap_or(&text).to_owned()),
        _ => Err(format!(
            "--allow-origin {text}: write a site's scheme and host as its pages have them, such as https://app.example \
             or http://localhost:3000, without a path; * lets every page read"
        )),
    }
}

/// Says that a reply depends on one more header of its request.
pub(super) fn add_to_vary(reply: &mut Reply, name: &'static str) {
    match reply.headers.iter_mut().find(|(field, _)| *field == "Vary") {
        Some((_, value)) => *value = format!("{value}, {name}").into(),
        None => reply.headers.push(("Vary", name.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (given, means) in [
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example:443", "https://app.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(origin(given), Ok(means.to_owned()));
        }
        for given in [
            "",
            "null",
            "app.example",
            "https://",
            "https://a.example/",
            "https://a@b",
            "ftp://a",
            "https://*",
        ] {
            let error = origin(given).expect_err(given);
            assert!(error.contains("https://app.example"), "{error}");
        }
    }
}
