//! The head of a request as tiny_http read it, and the head of its reply.

use std::fmt::Write;

use tiny_http::Request;

use crate::wire::refusal::Refusal;
use crate::wire::reply::Reply;
use crate::wire::request::{BodyLength, Head, Lines, lowered};

/// How much body a head announces, if that is clear. A file of it may have so many bytes.
pub fn framing(request: &Request, file: usize) -> Result<BodyLength, Refusal> {
    head(request, &lines(request)).body_length(file)
}

/// The lines of a request's head.
pub fn lines(request: &Request) -> Lines {
    request.headers().iter().map(|h| (h.field.as_str().as_str(), h.value.as_str())).collect()
}

/// The head of a request with these lines.
pub fn head<'a>(request: &'a Request, lines: &'a Lines) -> Head<'a> {
    let version = (request.http_version().0, request.http_version().1);
    Head::new(request.method().as_str(), request.url(), version, lines)
}

/// The head of a reply. `is_last`: nothing comes after it on its connection.
pub fn render_head(reply: &Reply, is_last: bool) -> Vec<u8> {
    let mut text = reply.render_head();
    if reply.has_body() {
        let _ = write!(text, "Content-Length: {}\r\n", reply.body.len());
    }
    text.push_str(if is_last { "Connection: close\r\n\r\n" } else { "Connection: keep-alive\r\n\r\n" });
    text.into_bytes()
}

/// Whether tiny_http reads nothing more from this request's connection.
pub fn is_last(head: &Head<'_>) -> bool {
    let connection = lowered(head.header("Connection").unwrap_or_default());
    match head.version {
        (1, 0) => !connection.contains("keep-alive"),
        _ => connection.contains("close") || connection.contains("upgrade"),
    }
}
