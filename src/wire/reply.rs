//! Answers, rendered: the same bytes whichever engine sends them.

use std::borrow::Cow;
use std::fmt::Write;
use std::iter;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use flate2::Compression;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::page;
use super::refusal::Refusal;
use super::request::{Fetch, Format, Head, History, Poll, Publish, RoomsPage, View};
use crate::config::{COMPRESSED_FROM, PAGE_BYTES, PAGE_LIMIT};
use crate::message::{Cursor, Kind, Message, PersonName, RoomName, Timestamp, is_terminal_control};
use crate::metrics::Exposition;
use crate::room::{Outcome, Page, Published};
use crate::store::{Order, Tail};

/// What is left as it is in a path segment (RFC 3986, unreserved).
pub(super) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// A reply but for what the connection adds: `Date`, `Content-Length`, `Connection`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names and values. The values hold nothing of a user's that is not encoded.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; a 204 and a 304 have none.
    pub body: Cow<'static, [u8]>,
}

impl Reply {
    fn new(status: u16, content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Reply {
        Reply {
            status,
            headers: vec![
                ("Content-Type", content_type.into()),
                ("Cache-Control", "no-store".into()),
                ("Vary", "Accept".into()),
                // A message is a text of a stranger's: no browser may take it for a page.
                ("X-Content-Type-Options", "nosniff".into()),
            ],
            body: body.into(),
        }
    }

    /// Whether it has a body, be it of no bytes.
    pub fn has_body(&self) -> bool {
        !matches!(self.status, 204 | 304)
    }

    /// The status line, `Date` and the header lines. What the connection adds, and the empty line, follow.
    pub fn render_head(&self) -> String {
        let mut head = String::with_capacity(512);
        let date = httpdate::fmt_http_date(SystemTime::now());
        // Writing to a string can't fail.
        let _ = write!(head, "HTTP/1.1 {} {}\r\nDate: {date}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head
    }

    /// Compresses the body, if it is worth it and the client takes it so. Quickly, since it is done for each.
    pub fn compressed(mut self, head: &Head<'_>) -> Reply {
        let is_encoded = self.headers.iter().any(|(name, _)| *name == "Content-Encoding");
        if self.body.len() < COMPRESSED_FROM || is_encoded {
            return self;
        }
        self = self.with("Vary", "Accept-Encoding");
        if head.takes_gzip() {
            self.body = page::gzip(&self.body, Compression::fast()).into();
            self = self.with("Content-Encoding", "gzip");
        }
        self
    }

    fn empty(status: u16) -> Reply {
        let headers = vec![("Cache-Control", "no-store".into()), ("Vary", "Accept".into())];
        Reply { status, headers, body: Cow::Borrowed(&[]) }
    }

    fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// Where to go on from, for every answer to a poll.
    fn with_cursor(self, poll: &Poll, next: Cursor) -> Reply {
        let (path, kept) = (room_path(&poll.room), &poll.kept);
        self.with("Link", format!("<{path}?after={next}{kept}>; rel=\"next\""))
            .with("Chat-Cursor", next.to_string())
    }

    fn with_gap(self, gap: bool) -> Reply {
        if gap { self.with("Chat-Gap", "true") } else { self }
    }
}

/// The address of a room.
pub fn room_path(room: &RoomName) -> String {
    format!("/chat/{}", utf8_percent_encode(room.as_str(), SEGMENT))
}

/// The answer to a poll.
pub fn polled(poll: &Poll, outcome: &Outcome) -> Result<Reply, Refusal> {
    match outcome {
        Outcome::Page(found) => Ok(page(poll, found)),
        Outcome::Expired(next) => Ok(nothing(poll, *next, false)),
        // Without a cursor the client would miss what comes until it is back, so it is no `404`.
        Outcome::Closing(_) if poll.after.is_none() => Err(Refusal::Closing),
        Outcome::Closing(next) => Ok(nothing(poll, *next, false)),
    }
}

fn page(poll: &Poll, page: &Page) -> Reply {
    match poll.format {
        Format::Json => {
            let messages = clip(&page.messages);
            let next = messages.last().map_or(page.next, |m| m.id);
            json_page(200, poll, messages.iter().map(AsRef::as_ref), next, page.gap)
        }
        _ => match page.messages.iter().find(|m| poll.wants().includes(m)) {
            Some(message) => plain_message(poll, message, page.gap),
            // A gap with nothing after it: there is no text to send, but the loss is told at once.
            None => nothing(poll, page.next, page.gap),
        },
    }
}

fn plain_message(poll: &Poll, message: &Message, gap: bool) -> Reply {
    let reply = Reply::new(200, PLAIN, message.text.as_bytes().to_vec());
    confirm(poll, reply.with_cursor(poll, message.id).with_gap(gap))
}

/// The answer to a poll that nothing came for: `204`, or the seed's `404` for one without a cursor.
fn nothing(poll: &Poll, next: Cursor, gap: bool) -> Reply {
    match (poll.after, poll.format) {
        (None, Format::Json) => json_page(404, poll, [], next, gap),
        // No sentence: a script that prints the body must not take it for a message.
        (None, _) => confirm(poll, Reply::new(404, PLAIN, &[][..]).with_cursor(poll, next).with_gap(gap)),
        (Some(_), _) => confirm(poll, Reply::empty(204).with_cursor(poll, next).with_gap(gap)),
    }
}

fn confirm(poll: &Poll, reply: Reply) -> Reply {
    if poll.preferred {
        reply.with("Preference-Applied", format!("wait={}", poll.hold.as_secs()))
    } else {
        reply
    }
}

fn json_page<'a>(
    status: u16,
    poll: &Poll,
    messages: impl IntoIterator<Item = &'a Message>,
    next: Cursor,
    gap: bool,
) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        room: &'a RoomName,
        messages: Vec<&'a Message>,
        next: Cursor,
        gap: bool,
    }
    let body = Body { room: &poll.room, messages: messages.into_iter().collect(), next, gap };
    confirm(poll, Reply::new(status, JSON, json(&body)).with_cursor(poll, next).with_gap(gap))
}

/// As much of a page as one reply carries.
fn clip(messages: &[Arc<Message>]) -> &[Arc<Message>] {
    let mut bytes = 0;
    let fits = |m: &&Arc<Message>| {
        bytes += m.text.len();
        bytes <= PAGE_BYTES
    };
    let count = messages.iter().take(PAGE_LIMIT).take_while(fits).count().max(1).min(messages.len());
    &messages[..count]
}

/// As much of the end of a page as one reply carries.
fn clip_newest(messages: &[Arc<Message>]) -> &[Arc<Message>] {
    let mut bytes = 0;
    let fits = |m: &&Arc<Message>| {
        bytes += m.text.len();
        bytes <= PAGE_BYTES
    };
    let count = messages.iter().rev().take_while(fits).count().max(1).min(messages.len());
    &messages[messages.len() - count..]
}

/// The answer to a message that was stored and handed out.
pub fn published(publish: &Publish, published: Published) -> Reply {
    let reply = match publish.format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body {
                id: Cursor,
                delivered: usize,
            }
            Reply::new(200, JSON, json(&Body { id: published.id, delivered: published.delivered }))
        }
        Format::Plain | Format::EventStream => Reply::new(200, PLAIN, &b"ok"[..]),
        // A browser without JavaScript sent the form of the page: show it the page again.
        Format::Html => {
            let name =
                publish.name.as_ref().map(|name| utf8_percent_encode(name.as_str(), SEGMENT).to_string());
            let query = name.map_or(String::new(), |name| format!("?name={name}"));
            Reply::new(303, PLAIN, &b"ok"[..]).with("Location", room_path(&publish.room) + &query)
        }
    };
    reply.with("Chat-Cursor", published.id.to_string())
}

/// A page of a room's past, and the way to the page before it. `messages` may hold one more that was said
/// than was asked for, which tells that there is more.
pub fn history(history: &History, messages: &[Arc<Message>], next: Cursor, gap: bool) -> Reply {
    let said = messages.iter().enumerate().rev().filter(|(_, message)| message.kind == Kind::Message);
    let mut said = said.map(|(at, _)| at).skip(history.limit - 1);
    let (first, more) = (said.next(), said.next().is_some());
    let messages = &messages[first.filter(|_| more).unwrap_or(0)..];
    let messages = clip_newest(messages);
    let previous = messages.first().filter(|first| more || first.id.sequence > 1).map(|first| first.id);
    let reply = match history.format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body<'a> {
                room: &'a RoomName,
                messages: Vec<&'a Message>,
                previous: Option<Cursor>,
                next: Cursor,
                gap: bool,
            }
            let messages = messages.iter().map(AsRef::as_ref).collect();
            Reply::new(200, JSON, json(&Body { room: &history.room, messages, previous, next, gap }))
        }
        _ => {
            let lines: String = messages.iter().map(|message| line(message)).collect();
            Reply::new(200, PLAIN, lines.into_bytes())
        }
    };
    let reply = reply.with_gap(gap).with("Chat-Cursor", next.to_string());
    match previous {
        None => reply,
        Some(previous) => {
            let path = room_path(&history.room);
            let limit = history.limit;
            reply.with("Link", format!("<{path}/history?before={previous}&limit={limit}>; rel=\"prev\""))
        }
    }
}

/// A message as a line for a person to read.
fn line(message: &Message) -> String {
    let name = shown(message.name.as_ref().map_or("somebody", PersonName::as_str));
    match message.kind {
        // A message of several lines stays apart from the next by its indent.
        Kind::Message => {
            let text = message.text.replace("\r\n", "\n");
            let lines: Vec<String> = text.trim_end().split('\n').map(shown).collect();
            format!("{} {name}: {}\n", message.at, lines.join("\n    "))
        }
        Kind::Joined | Kind::Left => format!("{} {name} {}\n", message.at, message.kind.as_str()),
    }
}

/// A text of a stranger's for a terminal: what would move its cursor or turn its lines around is named, as in
/// `\u{1b}`, not sent.
fn shown(text: &str) -> String {
    let show =
        |c: char| if c != '\t' && is_terminal_control(c) { c.escape_unicode().to_string() } else { c.into() };
    text.chars().map(show).collect()
}

/// Who is in a room, and since when.
pub fn people(format: Format, room: &RoomName, people: &[(PersonName, Timestamp)]) -> Reply {
    match format {
        Format::Json => {
            #[derive(Serialize)]
            struct Person<'a> {
                name: &'a PersonName,
                since: Timestamp,
            }
            #[derive(Serialize)]
            struct Body<'a> {
                room: &'a RoomName,
                people: Vec<Person<'a>>,
            }
            let people = people.iter().map(|(name, since)| Person { name, since: *since }).collect();
            Reply::new(200, JSON, json(&Body { room, people }))
        }
        _ => {
            let lines: String = people
                .iter()
                .map(|(name, since)| format!("{} since {since}\n", shown(name.as_str())))
                .collect();
            Reply::new(200, PLAIN, lines.into_bytes())
        }
    }
}

/// Says that somebody has left.
pub fn left() -> Reply {
    Reply::new(200, PLAIN, &b"ok"[..])
}

/// A room in the list of rooms.
#[derive(Debug, Serialize)]
pub struct RoomEntry {
    /// Its name.
    pub room: RoomName,
    /// Its newest message; `null` if nothing was said yet.
    pub latest: Option<Cursor>,
    /// When that was.
    pub at: Option<Timestamp>,
    /// How many wait there.
    pub waiting: usize,
    /// How many are present.
    pub people: usize,
}

/// A page of the rooms that there are, and the way to the page after it, if there is one.
pub fn rooms(asked: &RoomsPage, rooms: &[RoomEntry], more: bool) -> Reply {
    let next = rooms.last().filter(|_| more).map(|entry| &entry.room);
    let reply = match asked.format {
        Format::Json => {
            #[derive(Serialize)]
            struct Body<'a> {
                rooms: &'a [RoomEntry],
                next: Option<&'a RoomName>,
            }
            Reply::new(200, JSON, json(&Body { rooms, next }))
        }
        _ => {
            let line = |entry: &RoomEntry| format!("{} {} present\n", room_path(&entry.room), entry.people);
            Reply::new(200, PLAIN, rooms.iter().map(line).collect::<String>().into_bytes())
        }
    };
    let Some(next) = next else { return reply };
    let order = if asked.order == Order::Recent { "order=recent&" } else { "" };
    let (after, limit) = (utf8_percent_encode(next.as_str(), SEGMENT), asked.limit);
    reply.with("Link", format!("</rooms?{order}after={after}&limit={limit}>; rel=\"next\""))
}

/// The head of a stream of events. Its body has no end that is known.
pub fn stream() -> Reply {
    // nginx would otherwise keep the events until its buffer is full.
    Reply::new(200, "text/event-stream; charset=utf-8", &[][..]).with("X-Accel-Buffering", "no")
}

/// About how many bytes of events are rendered at once (16 KiB): a page of messages may have megabytes,
/// and its client may not take them.
const PIECE: usize = 16 * 1024;

/// How a stream begins, in pieces, and where it goes on from: what is there already, or, if that is nothing,
/// a [beat](stream_beat). The first event says when to come back after a loss, spread so that not all come
/// at once: in a block of its own some clients take that for an event without data.
pub fn stream_start(first: &Outcome) -> (impl Iterator<Item = String>, Cursor) {
    let retry = fastrand::u32(1_000..3_000);
    let (beat, page, next) = match first {
        Outcome::Page(page) => (None, Some(page), page.next),
        Outcome::Expired(next) | Outcome::Closing(next) => (Some(stream_beat(*next)), None, *next),
    };
    let mut pieces = beat.into_iter().chain(page.into_iter().flat_map(stream_page));
    let start = pieces.next().map(|piece| format!("retry: {retry}\n{piece}"));
    (start.into_iter().chain(pieces), next)
}

/// A page of messages as events, in pieces.
pub fn stream_page(page: &Page) -> impl Iterator<Item = String> {
    let gap = page.gap.then(|| "event: gap\ndata: {\"gap\":true}\n\n".to_owned());
    let mut messages = page.messages.iter();
    gap.into_iter().chain(iter::from_fn(move || {
        let mut piece = String::new();
        while piece.len() < PIECE
            && let Some(message) = messages.next()
        {
            let data = serde_json::to_string(&**message).expect("plain data is written to memory");
            let _ = write!(piece, "id: {}\nevent: {}\ndata: {data}\n\n", message.id, message.kind.as_str());
        }
        (!piece.is_empty()).then_some(piece)
    }))
}

/// What a stream says when there is nothing to say: an event that tells a script that the line is alive, and
/// keeps its place fresh.
pub fn stream_beat(next: Cursor) -> String {
    format!("id: {next}\nevent: beat\ndata: {{}}\n\n")
}

/// The answer to a request that was refused.
pub fn refused(format: Format, refusal: &Refusal) -> Reply {
    let mut reply = match format {
        Format::Json => {
            #[derive(Serialize)]
            struct Problem {
                r#type: String,
                title: &'static str,
                status: u16,
                detail: String,
            }
            let problem = Problem {
                r#type: format!("urn:comet-chat:{}", refusal.code()),
                title: reason(refusal.status()),
                status: refusal.status(),
                detail: refusal.to_string(),
            };
            Reply::new(refusal.status(), "application/problem+json", json(&problem))
        }
        _ => Reply::new(refusal.status(), PLAIN, format!("{refusal}\n").into_bytes()),
    };
    if let Some(after) = refusal.retry_after() {
        reply = reply.with("Retry-After", after.as_secs().to_string());
    }
    if let Some(allow) = refusal.allow() {
        reply = reply.with("Allow", allow);
    }
    reply
}

/// Says that the server works.
pub fn healthy(format: Format) -> Reply {
    match format {
        Format::Json => Reply::new(200, JSON, &b"{\"status\":\"ok\"}"[..]),
        _ => Reply::new(200, PLAIN, &b"ok"[..]),
    }
}

/// The server's figures.
pub fn metrics(exposition: Exposition, text: String) -> Reply {
    Reply::new(200, exposition.content_type(), text.into_bytes())
}

/// The wire in plain text.
pub fn help() -> Reply {
    Reply::new(200, PLAIN, include_str!("help.txt").as_bytes())
}

/// Sends a browser from `/` to the lobby.
pub fn to_lobby() -> Reply {
    Reply::new(303, PLAIN, &b"/chat/lobby\n"[..]).with("Location", room_path(&RoomName::lobby()))
}

/// The answer to `OPTIONS`.
pub fn options(allow: &'static str) -> Reply {
    Reply::empty(204).with("Allow", allow)
}

/// A room's page. `tail` is the end of the room's order, `next` the cursor to follow from there, and
/// `lan` the address by which others reach this server, if it is not only for this machine.
pub fn room_page(view: &View, tail: &Tail, next: Cursor, lan: Option<IpAddr>) -> Reply {
    let html = if view.backlog {
        page::render_backlog(&view.room, &tail.messages)
    } else {
        page::render(&page::Page {
            room: &view.room,
            messages: &tail.messages,
            next,
            address: &address(view, lan),
            name: view.name.as_ref(),
        })
    };
    Reply::new(200, HTML, html.into_bytes()).with("Content-Security-Policy", page::CSP)
}

/// A room's address as a QR code.
pub fn room_code(view: &View, lan: Option<IpAddr>) -> Result<Reply, Refusal> {
    let svg = page::qr_svg(&address(view, lan)).ok_or(Refusal::NotFound)?;
    Ok(Reply::new(200, page::SVG, svg.into_bytes()).with("Content-Security-Policy", page::CSP))
}

fn address(view: &View, lan: Option<IpAddr>) -> String {
    page::base(view.host.as_deref().unwrap_or("localhost"), view.origin.as_deref(), lan)
        + &room_path(&view.room)
}

/// A file that a page needs, unless the browser has this version of it.
pub fn asset(fetch: &Fetch) -> Result<Reply, Refusal> {
    let asset = page::asset(&fetch.name).ok_or(Refusal::NotFound)?;
    let file = if fetch.gzip { &asset.gzip } else { &asset.plain };
    let mut reply = if fetch.knows(&file.etag) {
        Reply::empty(304)
    } else {
        Reply::new(200, asset.content_type, &file.body[..])
    };
    if fetch.gzip && reply.has_body() {
        reply = reply.with("Content-Encoding", "gzip");
    }
    reply.headers.retain(|(name, _)| !matches!(*name, "Cache-Control" | "Vary"));
    Ok(reply
        .with("Cache-Control", page::ASSET_CACHE_CONTROL)
        .with("ETag", file.etag.as_str())
        .with("Vary", "Accept-Encoding"))
}

/// The standard phrase for a status (RFC 9110).
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        303 => "See Other",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "",
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // These are structs of strings and numbers, written to memory: neither can fail.
    serde_json::to_vec(value).expect("plain data is written to memory")
}
