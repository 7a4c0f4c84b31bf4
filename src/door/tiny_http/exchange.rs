//! One request and its reply, through tiny_http.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::Shutdown;

use tiny_http::{HTTPVersion, Header, Request, Response};

use super::connections::{Turn, Visit};
use super::{Held, sockets};
use crate::blocking::{Answer, Server, stream};
use crate::config::LIGHT;
use crate::log::Entry;
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

/// A body that has arrived whole.
struct Body {
    bytes: Vec<u8>,
    /// Whether nothing behind it can be read.
    is_last: bool,
}

/// Answers one request.
pub fn exchange(server: &Server, turn: Turn, visit: &Visit) {
    let _flight = server.door.in_flight.enter();
    let Turn { mut request, framing } = turn;
    let entry = Entry::begin(request.method().as_str(), request.url(), visit.peer());
    match framing.map_err(NoBody::Refused).and_then(|length| read_body(server, &mut request, length)) {
        Ok(body) => {
            if body.is_last {
                visit.closes(|peer| server.door.sockets.of(peer).ok().flatten());
            }
            let (format, answer) = {
                let head = head(&request);
                (head.format(), server.answer(&head, &body.bytes, visit))
            };
            match answer.and_then(|answer| weigh(server, answer)) {
                Ok((Answer::Reply(reply), _)) if body.is_last => {
                    send_and_close(server, entry, request, &reply, visit);
                }
                Ok((Answer::Reply(reply), _held)) => send(entry, request, &reply),
                Ok((Answer::Stream(stream), _held)) => {
                    let is_head = head(&request).is_head();
                    let events = EventWriter::start(entry, request);
                    if is_head {
                        return;
                    }
                    // Whoever is gone comes back by its cursor.
                    let _ = events.and_then(|events| stream::send(server, stream, visit, events));
                }
                Err(refusal) if body.is_last => {
                    send_and_close(server, entry, request, &refuse(format, &refusal), visit);
                }
                Err(refusal) => send(entry, request, &refuse(format, &refusal)),
            }
        }
        Err(NoBody::Refused(refusal)) => {
            // Where the body ends is unclear from here on, and so is where the next request begins.
            visit.closes(|peer| server.door.sockets.of(peer).ok().flatten());
            let reply = refuse(head(&request).format(), &refusal);
            send_and_close(server, entry, request, &reply, visit);
        }
        Err(NoBody::Gone) => leave(request),
    }
}

/// What a head says of the body behind it, if the whole of it is to be believed.
pub fn framing(request: &Request) -> Result<BodyLength, Refusal> {
    head(request).body_length()
}

fn head(request: &Request) -> Head<'_> {
    Head {
        method: request.method().as_str(),
        target: request.url(),
        version: (request.http_version().0, request.http_version().1),
        headers: request.headers().iter().map(|h| (h.field.as_str().as_str(), h.value.as_str())).collect(),
    }
}

fn refuse(format: Format, refusal: &Refusal) -> Reply {
    METRICS.refused(refusal.code());
    reply::refused(format, refusal)
}

/// Reads the body, whole.
///
/// **Fault:** when a client ends its side amid a chunk, tiny_http's decoder says that the body has
/// ended, as it does after the last chunk. **Cure:** the kernel knows whether the client has ended its
/// side. Who has is refused: whether that was amid the body or behind it can't be told.
///
/// **Fault:** after the last chunk the decoder takes nothing but an empty line: a trailer is an error,
/// the same as a chunk without a size. **Cure:** only who has announced a trailer is believed to have
/// sent one, and the connection ends with the reply.
fn read_body(server: &Server, request: &mut Request, length: BodyLength) -> Result<Body, NoBody> {
    let mut body = Vec::new();
    let mut is_last = false;
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
            Ok(_) if !is_open(server, request) => {
                return Err(NoBody::Refused(Refusal::BadFraming(CUT_OFF)));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                if head(request).header("Trailer").is_none() || !is_open(server, request) {
                    return Err(NoBody::Refused(Refusal::BadFraming(BAD_CHUNK)));
                }
                is_last = true;
            }
            Err(_) => return Err(NoBody::Gone),
        },
    }
    Ok(Body { bytes: body, is_last })
}

/// Whether the client may still send, as far as the kernel tells.
fn is_open(server: &Server, request: &Request) -> bool {
    let seen = request.remote_addr().map(|peer| server.door.sockets.of(*peer));
    !matches!(seen, Some(Ok(seen)) if seen.is_none_or(|seen| !seen.is_open))
}

const BAD_CHUNK: &str = "a chunk does not have its size in hexadecimal before it, or a trailer comes behind \
    the last one: send a Content-Length";

const CUT_OFF: &str =
    "the connection ended before the body was known to be whole: leave it open until the reply";

/// Sends a reply in one piece, and waits for nothing.
///
/// **Fault:** tiny_http prints a reply in pieces through 1 KiB, drops `Connection`, and gives a 204 a
/// length. **Cure:** head and body in one buffer, one write, one flush; a large body by itself, so that
/// it is in memory once.
fn send(entry: Entry, request: Request, reply: &Reply) {
    entry.answered(reply.status);
    let mut bytes = render_head(&request, reply, false);
    let body = if reply.has_body() && request.method().as_str() != "HEAD" { &*reply.body } else { &[] };
    let mut writer = request.into_writer();
    let whole = body.len() <= LIGHT;
    if whole {
        bytes.extend_from_slice(body);
    }
    // Whether the client is still there is not to be had from here; it comes back by its cursor.
    let _ = writer
        .write_all(&bytes)
        .and_then(|()| if whole { Ok(()) } else { writer.write_all(body) })
        .and_then(|()| writer.flush());
}

/// Counts a large reply, for as long as the client has not taken it; refused if that is too much.
/// What changes something is answered in few words, so nothing has changed then.
fn weigh<'a>(server: &'a Server, answer: Answer<'a>) -> Result<(Answer<'a>, Option<Held<'a>>), Refusal> {
    let held = match &answer {
        Answer::Reply(Reply { body: Cow::Owned(body), .. }) if body.len() > LIGHT => {
            Some(server.door.hold(body.len())?)
        }
        _ => None,
    };
    Ok((answer, held))
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
    fn start(entry: Entry, request: Request) -> io::Result<EventWriter> {
        let chunked = *request.http_version() > HTTPVersion(1, 0);
        let reply = reply::stream();
        entry.answered(reply.status);
        let mut head = reply.render_head();
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

fn render_head(request: &Request, reply: &Reply, close: bool) -> Vec<u8> {
    let mut text = reply.render_head();
    if reply.has_body() {
        let _ = write!(text, "Content-Length: {}\r\n", reply.body.len());
    }
    let close = close || is_last(request);
    let _ = write!(text, "Connection: {}\r\n\r\n", if close { "close" } else { "keep-alive" });
    text.into_bytes()
}

/// Whether tiny_http reads nothing more from this request's connection.
fn is_last(request: &Request) -> bool {
    let connection = head(request).header("Connection").unwrap_or("").to_ascii_lowercase();
    match *request.http_version() {
        HTTPVersion(1, 0) => !connection.contains("keep-alive"),
        _ => connection.contains("close") || connection.contains("upgrade"),
    }
}

/// Sends a reply to a request whose body stands unread, and closes the connection.
///
/// **Fault:** before tiny_http gives its writer away it drains the unread body, for as long as the
/// client likes; it takes what stands behind a bad chunk for a request, and answers it; and it does not
/// close. **Cure:** the reply goes out through a descriptor of our own, which then is shut for writing:
/// what tiny_http has to say goes nowhere. A moment later it is shut for reading as well, which ends
/// the drain and tiny_http's reader.
fn send_and_close(server: &Server, entry: Entry, request: Request, reply: &Reply, visit: &Visit) {
    entry.answered(reply.status);
    let mut bytes = render_head(&request, reply, true);
    if request.method().as_str() != "HEAD" {
        bytes.extend_from_slice(&reply.body);
    }
    let seen = visit.peer().and_then(|peer| server.door.sockets.of(peer).ok().flatten());
    match seen.map(|seen| sockets::duplicate(seen.inode)) {
        Some(Ok(mut connection)) => {
            let _ = connection.write_all(&bytes).and_then(|()| connection.shutdown(Shutdown::Write));
            server.door.closer.close(connection);
            leave(request);
        }
        // Nobody is there any more.
        None if server.door.sockets.are_seen() => leave(request),
        _ => send_before_body(request, reply, &bytes),
    }
}

/// The same where there is no descriptor of our own to be had.
///
/// **Fault:** tiny_http drops the header `Connection` from such a reply. **Cure:** it passes a value on
/// as it is, line ends too, so the header travels as the second line of another.
fn send_before_body(request: Request, reply: &Reply, bytes: &[u8]) {
    if !is_droppable(&request) {
        let mut stream = request.upgrade("none", Response::empty(100));
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        METRICS.leaks.inc();
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
///
/// **Fault:** when tiny_http drops a request it reads what is left of its body into a buffer of the
/// announced size; where that can't be had, Rust aborts the process. **Cure:** such a request is kept
/// for the life of the process, with its thread and its two descriptors, and counted. Below a hundred
/// terabytes it does not come to that: the binary's allocator takes address space for such a buffer
/// without reserving memory for it.
pub fn leave(request: Request) {
    if !is_droppable(&request) {
        METRICS.leaks.inc();
        return mem::forget(request);
    }
    drop(request.into_writer());
}

/// Whether a buffer for all of its body can be had, so that dropping it does not end the process.
fn is_droppable(request: &Request) -> bool {
    Vec::<u8>::new().try_reserve_exact(request.body_length().unwrap_or(0)).is_ok()
}
