//! A reply as it is sent, by hyper or without it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::mpsc;

use super::connections::Visit;
use super::events::EventWriter;
use super::service::Stream;
use crate::wire::reply::{Headers, Reply};

/// Hands a reply to hyper, which adds `Date` and `Content-Length`.
pub fn send(reply: Reply, visit: Visit, close: bool) -> Response<ReplyBody> {
    let bytes = match reply.body {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let body = ReplyBody::Whole { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()), _visit: visit };
    respond(reply.status, reply.headers, body, close)
}

/// The head of a reply as it is sent without hyper.
pub fn render_head(reply: &Reply, close: bool) -> String {
    let mut head = reply.render_head();
    if reply.has_body() {
        // Writing to a string can't fail.
        let _ = write!(head, "Content-Length: {}\r\n", reply.body.len());
    }
    head.push_str(if close { "Connection: close\r\n\r\n" } else { "\r\n" });
    head
}

/// Hands a stream to hyper, which asks for its events.
pub fn start(head: Reply, stream: Stream, visit: Visit) -> Response<ReplyBody> {
    let (mut writer, events) = EventWriter::start(visit.connection().clone());
    let writing = async move {
        // If something is refused the stream ends, and its client comes back with its cursor.
        let _ = stream(&visit, &mut writer).await;
    };
    let body = ReplyBody::Stream { writing: Some(Box::pin(writing)), events };
    respond(head.status, head.headers, body, false)
}

fn respond(status: u16, fields: Headers, body: ReplyBody, close: bool) -> Response<ReplyBody> {
    let mut headers = HeaderMap::with_capacity(fields.len() + 2);
    for (name, value) in fields {
        headers.append(name_of(name), value_of(value));
    }
    if close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("our statuses have three digits");
    *response.headers_mut() = headers;
    response
}

fn name_of(name: &'static str) -> HeaderName {
    HeaderName::from_bytes(name.as_bytes()).expect("our names are tokens")
}

fn value_of(value: Cow<'static, str>) -> HeaderValue {
    match value {
        Cow::Borrowed(value) => HeaderValue::from_static(value),
        Cow::Owned(value) => {
            HeaderValue::from_maybe_shared(Bytes::from(value)).expect("our values are visible ASCII")
        }
    }
}

/// The body of a reply. While it lives, its request counts as being answered.
pub enum ReplyBody {
    /// A reply in one piece.
    Whole {
        /// The bytes, until hyper takes them.
        bytes: Option<Bytes>,
        /// The request.
        _visit: Visit,
    },
    /// Events as they come.
    Stream {
        /// The future that writes them, until it has ended.
        writing: Option<BoxFuture<'static, ()>>,
        /// What it has written.
        events: mpsc::Receiver<Bytes>,
    },
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.get_mut() {
            ReplyBody::Whole { bytes, .. } => bytes.take(),
            ReplyBody::Stream { writing, events } => {
                writing.take_if(|writing| writing.as_mut().poll(cx).is_ready());
                ready!(events.poll_recv(cx))
            }
        };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, ReplyBody::Whole { bytes: None, .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ReplyBody::Whole { bytes, .. } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            ReplyBody::Stream { .. } => SizeHint::default(),
        }
    }
}
