//! One request and its reply, through hyper.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode, Version};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::BODY_TIMEOUT;
use super::connections::Visit;
use crate::config::{HEAD_LINES_MAX, HEAD_MAX, LIGHT};
use crate::log::Entry;
use crate::message::TEXT_LIMIT;
use crate::metrics::METRICS;
use crate::nonblocking::stream::{self, Stream};
use crate::nonblocking::{Answer, Server};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{BodyLength, Format, Head};

/// The header lines of a [`Reply`].
type Fields = Vec<(&'static str, Cow<'static, str>)>;

/// Why there is no whole body.
enum NoBody {
    Refused(Refusal),
    /// The client left, or fell silent, half way: nobody is there to be told.
    Gone(Gone),
}

/// Ends a connection without a reply.
#[derive(Debug)]
pub struct Gone;

/// Answers one request.
pub async fn exchange(
    server: Arc<Server>,
    visit: Visit,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Gone> {
    let (parts, body) = request.into_parts();
    let head = match head(&parts) {
        Ok(head) => head,
        Err(refusal) => return Ok(send(refuse(Format::Plain, &refusal), visit, true)),
    };
    let format = head.format();
    let (reply, close) = match read_body(&head, body, &visit).await {
        Ok(body) => {
            match server.answer(&head, &body, &visit).await.and_then(|answer| weigh(answer, &visit)) {
                Ok(Answer::Reply(reply)) => (reply, false),
                Ok(Answer::Stream(stream)) => return Ok(EventWriter::start(server, stream, visit)),
                // In such a place nobody can stay.
                Err(refusal) => (refuse(format, &refusal), refusal == Refusal::TooManyWaiters),
            }
        }
        // Where the body ends is unclear from here on, and so is where the next request begins.
        Err(NoBody::Refused(refusal)) => (refuse(format, &refusal), true),
        Err(NoBody::Gone(gone)) => return Err(gone),
    };
    let close = close || server.door.is_closing() || server.door.is_crowded();
    Ok(send(reply, visit, close))
}

fn head(parts: &Parts) -> Result<Head<'_>, Refusal> {
    let mut headers = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        headers.push((name.as_str(), value.to_str().map_err(|_| Refusal::BadHeader)?));
    }
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let version = if parts.version == Version::HTTP_10 { (1, 0) } else { (1, 1) };
    Ok(Head { method: parts.method.as_str(), target, version, headers })
}

fn refuse(format: Format, refusal: &Refusal) -> Reply {
    METRICS.refused(refusal.code());
    reply::refused(format, refusal)
}

/// Reads the body, if its length is clear and within the limit.
async fn read_body(head: &Head<'_>, body: Incoming, visit: &Visit) -> Result<Vec<u8>, NoBody> {
    let length = head.body_length().map_err(NoBody::Refused)?;
    if length == BodyLength::Exact(0) {
        return Ok(Vec::new());
    }
    match timeout(BODY_TIMEOUT, collect(body, visit)).await {
        Ok(read) => read,
        Err(_elapsed) => Err(NoBody::Gone(Gone)),
    }
}

async fn collect(body: Incoming, visit: &Visit) -> Result<Vec<u8>, NoBody> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| match body.as_mut().poll_frame(cx) {
        Poll::Pending if visit.has_ended() => Poll::Ready(Err(NoBody::Gone(Gone))),
        polled => polled.map(Ok),
    })
    .await?
    {
        let frame = frame.map_err(|_| {
            NoBody::Refused(Refusal::BadFraming("a chunk's size is not a hexadecimal number"))
        })?;
        // Trailers are of no interest.
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > TEXT_LIMIT {
            return Err(NoBody::Refused(Refusal::MessageTooLarge));
        }
        visit.holds(bytes.len() + data.len()).map_err(NoBody::Refused)?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Counts a large reply that was made for this client alone, and keeps it back if that is too much.
/// What changes something is answered in few words, so nothing has changed then.
fn weigh(answer: Answer, visit: &Visit) -> Result<Answer, Refusal> {
    match &answer {
        Answer::Reply(Reply { body: Cow::Owned(body), .. }) if body.len() > LIGHT => {
            visit.holds(body.len()).map(|()| answer)
        }
        _ => Ok(answer),
    }
}

/// Hands a reply to hyper, which adds `Date` and `Content-Length`.
fn send(reply: Reply, visit: Visit, close: bool) -> Response<ReplyBody> {
    let bytes = match reply.body {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let body = ReplyBody::Whole { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()), _visit: Some(visit) };
    render_head(reply.status, reply.headers, body, close)
}

/// The way of events to hyper, which asks for them as it gets rid of them.
pub struct EventWriter {
    events: mpsc::Sender<Bytes>,
}

impl EventWriter {
    fn start(server: Arc<Server>, stream: Stream, visit: Visit) -> Response<ReplyBody> {
        let (sender, events) = mpsc::channel(1);
        let writing =
            async move { stream::send(&server, stream, &visit, EventWriter { events: sender }).await };
        let body = ReplyBody::Stream { writing: Some(Box::pin(writing)), events };
        let reply = reply::stream();
        render_head(reply.status, reply.headers, body, false)
    }

    /// Sends events, whole.
    pub async fn send(&mut self, events: &str) {
        // The writer and the reader are one future: they go together.
        let _ = self.events.send(Bytes::copy_from_slice(events.as_bytes())).await;
    }
}

fn render_head(status: u16, fields: Fields, body: ReplyBody, close: bool) -> Response<ReplyBody> {
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
    let value = match value {
        Cow::Borrowed(value) => HeaderValue::from_str(value),
        Cow::Owned(value) => HeaderValue::from_maybe_shared(Bytes::from(value)),
    };
    value.expect("our values are visible ASCII")
}

/// The reply to a head that hyper has refused, as it came.
pub fn refuse_unread(head: &[u8], peer: SocketAddr) -> Vec<u8> {
    let mut lines = [httparse::EMPTY_HEADER; HEAD_LINES_MAX];
    let mut request = httparse::Request::new(&mut lines);
    let (format, refusal) = match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {
            let text = |bytes| str::from_utf8(bytes).unwrap_or_default();
            let head = Head {
                method: request.method.unwrap_or_default(),
                target: request.path.unwrap_or_default(),
                version: (1, request.version.unwrap_or_default()),
                headers: request.headers.iter().map(|line| (line.name, text(line.value))).collect(),
            };
            (head.format(), head.body_length().err().unwrap_or(Refusal::BadRequest))
        }
        Ok(httparse::Status::Partial) if head.len() >= HEAD_MAX => (Format::Plain, Refusal::HeadTooLarge),
        Err(httparse::Error::TooManyHeaders) => (Format::Plain, Refusal::HeadTooLarge),
        _ => (Format::Plain, Refusal::BadRequest),
    };
    let (method, path) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    let reply = refuse(format, &refusal);
    Entry::begin(method, path, Some(peer)).answered(reply.status);
    let mut bytes = reply.render_head();
    // Writing to a string can't fail.
    let _ = write!(bytes, "Content-Length: {}\r\nConnection: close\r\n\r\n", reply.body.len());
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(&reply.body);
    bytes
}

/// The reply of a handler that panicked.
pub fn broken() -> Response<ReplyBody> {
    render_head(500, Vec::new(), ReplyBody::Whole { bytes: None, _visit: None }, true)
}

/// The body of a reply. Its request is being answered for as long as it lives.
pub enum ReplyBody {
    /// A reply in one piece.
    Whole {
        /// What is yet to be sent.
        bytes: Option<Bytes>,
        /// The request; none if its handler panicked.
        _visit: Option<Visit>,
    },
    /// Events as they come.
    Stream {
        /// What brings them forth, until it has ended.
        writing: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
        /// Those that it has brought forth.
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

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client left amid its request")
    }
}

impl std::error::Error for Gone {}
