//! One request and its reply, through tiny_http.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;

use tiny_http::{HTTPVersion, Header, Request, Response};

use super::super::{Answer, Server, stream};
use super::connections::{Arrival, Visit};
use crate::message::TEXT_LIMIT;
use crate::metrics::METRICS;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{BodyLength, Format, Head};

/// Why there is no whole body.
enum NoBody {
    Refused(Refusal),
    /// The client left, or fell silent, half way: nobody is there to be told.
    Gone,
}

/// Answers one request. An `urgent` one may not wait.
pub fn exchange(server: &Server, mut request: Request, urgent: bool) {
    let _flight = server.door.in_flight.enter();
    let visit = match server.door.connections.arrive(request.remote_addr().copied(), urgent) {
        Arrival::First(visit) => {
            server.door.rescuer.call();
            visit
        }
        Arrival::Known(visit) => visit,
        Arrival::TooDeep(visit) => {
            let reply = refuse(head(&request).format(), &Refusal::TooDeepPipeline);
            return send(request, &reply, &visit, true);
        }
        Arrival::Unwelcome => return leave(request),
    };
    match read_body(&mut request) {
        Ok(body) => {
            let (format, answer) = {
                let head = head(&request);
                (head.format(), server.answer(&head, &body, &visit))
            };
            match answer {
                Ok(Answer::Reply(reply)) => send(request, &reply, &visit, false),
                Ok(Answer::Stream(stream)) => {
                    visit.end_wait();
                    let events = EventWriter::start(request);
                    // Whoever is gone comes back by its cursor.
                    let _ = events.and_then(|events| stream::send(server, stream, &visit, events));
                }
                Err(refusal) => send(request, &refuse(format, &refusal), &visit, false),
            }
        }
        Err(NoBody::Refused(refusal)) => {
            // Where the body ends is unclear from here on, and so is where the next request begins.
            visit.closes();
            let reply = refuse(head(&request).format(), &refusal);
            visit.end_wait();
            send_before_body(request, &reply);
        }
        Err(NoBody::Gone) => leave(request),
    }
}

fn head(request: &Request) -> Head<'_> {
    Head {
        method: request.method().as_str(),
        target: request.url(),
        headers: request.headers().iter().map(|h| (h.field.as_str().as_str(), h.value.as_str())).collect(),
    }
}

fn refuse(format: Format, refusal: &Refusal) -> Reply {
    METRICS.refused(refusal);
    reply::refused(format, refusal)
}

/// Reads the body, if its length is clear and within the limit.
///
/// **Fault:** tiny_http takes any `Transfer-Encoding` for chunked, the first of several
/// `Content-Length`, and a bad one for none. **Cure:** our own look at the headers comes first.
fn read_body(request: &mut Request) -> Result<Vec<u8>, NoBody> {
    let length = head(request).body_length().map_err(NoBody::Refused)?;
    let mut body = Vec::new();
    match length {
        BodyLength::Exact(0) => {}
        BodyLength::Exact(length) => {
            let read = request.as_reader().take(length as u64).read_to_end(&mut body);
            if read.ok() != Some(length) {
                return Err(NoBody::Gone);
            }
        }
        BodyLength::Chunked => match request.as_reader().take(TEXT_LIMIT as u64 + 1).read_to_end(&mut body) {
            Ok(length) if length > TEXT_LIMIT => return Err(NoBody::Refused(Refusal::MessageTooLarge)),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return Err(NoBody::Refused(Refusal::BadFraming(
                    "a chunk's size is not a hexadecimal number",
                )));
            }
            Err(_) => return Err(NoBody::Gone),
        },
    }
    Ok(body)
}

/// Sends a reply in one piece, and waits for nothing.
///
/// **Fault:** tiny_http prints a reply in pieces through 1 KiB, drops `Connection`, and gives a 204 a
/// length. **Cure:** head and body in one buffer, one write, one flush.
fn send(request: Request, reply: &Reply, visit: &Visit, close: bool) {
    let bytes = render(&request, reply, close);
    // The replies of a connection go out in order: none before a wait that still stands.
    visit.end_wait();
    let mut writer = request.into_writer();
    // Whether the client is still there is not to be had from here; it comes back by its cursor.
    let _ = writer.write_all(&bytes).and_then(|()| writer.flush());
}

/// The rest of a connection, given to a stream of events.
///
/// **Fault:** a body that tiny_http reads from us is not flushed before it ends. **Cure:** every event
/// is written and flushed here.
pub struct EventWriter {
    connection: Box<dyn Write + Send>,
    /// HTTP/1.0 knows no chunks: there the end of the connection is the end of the stream.
    chunked: bool,
}

impl EventWriter {
    fn start(request: Request) -> io::Result<EventWriter> {
        let chunked = *request.http_version() > HTTPVersion(1, 0);
        let mut head = reply::stream().render_head();
        head.push_str(if chunked {
            "Transfer-Encoding: chunked\r\n\r\n"
        } else {
            "Connection: close\r\n\r\n"
        });
        let mut connection = request.into_writer();
        connection.write_all(head.as_bytes())?;
        connection.flush()?;
        Ok(EventWriter { connection, chunked })
    }

    /// Sends events, whole. Fails when the client has not taken them for 10 s.
    pub fn send(&mut self, events: &str) -> io::Result<()> {
        let chunk =
            if self.chunked { format!("{:x}\r\n{events}\r\n", events.len()) } else { events.to_owned() };
        self.connection.write_all(chunk.as_bytes())?;
        self.connection.flush()
    }

    /// Ends the stream.
    pub fn finish(mut self) -> io::Result<()> {
        if self.chunked {
            self.connection.write_all(b"0\r\n\r\n")?;
        }
        self.connection.flush()
    }
}

fn render(request: &Request, reply: &Reply, close: bool) -> Vec<u8> {
    let mut text = reply.render_head();
    if reply.has_body() {
        let _ = write!(text, "Content-Length: {}\r\n", reply.body.len());
    }
    let _ = write!(
        text,
        "Connection: {}\r\n\r\n",
        if close || is_last(request) { "close" } else { "keep-alive" }
    );
    let mut bytes = text.into_bytes();
    if reply.has_body() && request.method().as_str() != "HEAD" {
        bytes.extend_from_slice(&reply.body);
    }
    bytes
}

/// Whether tiny_http reads nothing more from this request's connection.
fn is_last(request: &Request) -> bool {
    let connection = head(request).header("Connection").unwrap_or("").to_ascii_lowercase();
    match *request.http_version() {
        HTTPVersion(1, 0) => !connection.contains("keep-alive"),
        _ => connection.contains("close") || connection.contains("upgrade"),
    }
}

/// Sends a reply to a request whose body stands unread, and closes the connection for our part.
///
/// **Fault:** tiny_http drops the header `Connection` from such a reply. **Cure:** it passes a value on
/// as it is, line ends too, so the header travels as the second line of another.
///
/// **Fault:** when tiny_http drops a request it reads what is left of its body into a buffer of the
/// announced size; where that can't be had, Rust aborts the process. **Cure:** such a request is not
/// dropped, and answered through the one door that leaves it alive: an interim `100`, as which it is
/// "upgraded" to a stream, and the reply on that. Its connection stays, a thread and two descriptors,
/// for the life of the process. Below a hundred terabytes it does not come to that: the binary's
/// allocator takes address space for such a buffer without reserving memory for it.
fn send_before_body(request: Request, reply: &Reply) {
    if !is_droppable(&request) {
        let bytes = render(&request, reply, true);
        let mut stream = request.upgrade("none", Response::empty(100));
        let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
        return mem::forget(stream);
    }
    let mut response = Response::from_data(reply.body.to_vec()).with_status_code(reply.status);
    for (name, value) in &reply.headers {
        let value = if *name == "Cache-Control" {
            format!("{value}\r\nConnection: close")
        } else {
            value.to_string()
        };
        // Our own names and values are ASCII.
        response.add_header(Header::from_bytes(*name, value).expect("an ASCII header"));
    }
    let _ = request.respond(response);
}

/// Drops a request without a reply.
fn leave(request: Request) {
    if is_droppable(&request) {
        drop(request.into_writer());
    } else {
        mem::forget(request);
    }
}

/// Whether a buffer for all of its body can be had, so that dropping it does not end the process.
fn is_droppable(request: &Request) -> bool {
    Vec::<u8>::new().try_reserve_exact(request.body_length().unwrap_or(0)).is_ok()
}
