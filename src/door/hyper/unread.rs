//! The reply to a head that hyper has refused.

use std::net::SocketAddr;

use super::response::render_head;
use super::service::Service;
use crate::config::{HEAD_LINES_MAX, HEAD_MAX};
use crate::door::answer::refuse;
use crate::log::Entry;
use crate::wire::refusal::Refusal;
use crate::wire::request::{Format, Head, Lines};

/// Refuses a head. This much of it has come.
pub fn refuse_unread(service: &impl Service, head: &[u8], peer: Option<SocketAddr>) -> Vec<u8> {
    let mut lines = [httparse::EMPTY_HEADER; HEAD_LINES_MAX];
    let mut request = httparse::Request::new(&mut lines);
    let (format, refusal) = match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {
            let text = |bytes| str::from_utf8(bytes).unwrap_or_default();
            let lines: Lines = request.headers.iter().map(|line| (line.name, text(line.value))).collect();
            let head = Head::new(
                request.method.unwrap_or_default(),
                request.path.unwrap_or_default(),
                (1, request.version.unwrap_or_default()),
                &lines,
            );
            (head.format(), head.body_length(service.upload_limit()).err().unwrap_or(Refusal::BadRequest))
        }
        Ok(httparse::Status::Partial) if head.len() >= HEAD_MAX => (Format::Plain, Refusal::HeadTooLarge),
        Err(httparse::Error::TooManyHeaders) => (Format::Plain, Refusal::HeadTooLarge),
        _ => (Format::Plain, Refusal::BadRequest),
    };
    let (method, path) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    let mut reply = refuse(format, &refusal);
    service.dress(None, &mut reply);
    Entry::begin(method, service.local(path), peer).answered(reply.status);
    let mut bytes = render_head(&reply, true).into_bytes();
    bytes.extend_from_slice(&reply.body);
    bytes
}
