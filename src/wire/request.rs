//! A request, parsed into what it asks for.

use std::borrow::Cow;
use std::time::Duration;

use percent_encoding::{percent_decode_str, utf8_percent_encode};
use serde::Deserialize;

use super::refusal::Refusal;
use super::reply::SEGMENT;
use crate::config::{HISTORY, HISTORY_MAX, HOLD, HOLD_MAX, ROOMS_PAGE, ROOMS_PAGE_MAX};
use crate::message::{Cursor, Invalid, PersonName, RoomName, SendId, TEXT_LIMIT, has_something_visible};
use crate::metrics::Exposition;
use crate::room::{After, Wants};
use crate::store::Order;

/// The head of a request, as an engine read it.
#[derive(Debug)]
pub struct Head<'a> {
    /// `GET`, `POST` and so on.
    pub method: &'a str,
    /// The request's target: path and query, as they came.
    pub target: &'a str,
    /// The version of HTTP, major and minor.
    pub version: (u8, u8),
    /// Names and values, in the order of their coming.
    pub headers: Vec<(&'a str, &'a str)>,
}

/// How much body follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes; 0 if there is none.
    Exact(usize),
    /// Chunks, until the last one.
    Chunked,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Wait for what comes next.
    Poll(Poll),
    /// The same, again and again on one connection.
    Stream(Poll),
    /// Send a message.
    Publish(Publish),
    /// What was said before.
    History(History),
    /// Who is in a room.
    People(RoomName),
    /// Say that somebody goes.
    Leave(Leave),
    /// Which rooms there are.
    Rooms(RoomsPage),
    /// The server's figures, for Prometheus.
    Metrics(Exposition),
    /// The room's page, for a browser.
    Page(View),
    /// A file that a page needs.
    Asset(Fetch),
    /// The room's address as a QR code.
    Code(View),
    /// Whether the server works.
    Health,
    /// Whether the process answers, whatever else works.
    Live,
    /// The wire in plain text.
    Help,
    /// A browser at `/`.
    Lobby,
    /// `OPTIONS`: the methods that the address has.
    Options(&'static str),
}

/// A wait for a room's next messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// Where.
    pub room: RoomName,
    /// From where on; `None` is the seed's protocol: the next message from now on, or 404.
    pub after: Option<After>,
    /// How long.
    pub hold: Duration,
    /// Whether `hold` was asked for by `Prefer`, and is to be confirmed.
    pub preferred: bool,
    /// Who.
    pub name: Option<PersonName>,
    /// How to answer.
    pub format: Format,
    /// What of the query goes on into the next request: `&wait=5&name=anna`, or nothing.
    pub kept: String,
}

impl Poll {
    /// Which messages this kind of answer can carry.
    pub fn wants(&self) -> Wants {
        match self.format {
            Format::Json | Format::EventStream => Wants::Everything,
            Format::Plain | Format::Html => Wants::Messages,
        }
    }
}

/// A page of a room's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Where.
    pub room: RoomName,
    /// What came before this; `None` for the newest.
    pub before: Option<Cursor>,
    /// How many messages at the most.
    pub limit: usize,
    /// How to answer.
    pub format: Format,
}

/// A message to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Where.
    pub room: RoomName,
    /// Who.
    pub name: Option<PersonName>,
    /// What.
    pub text: String,
    /// The sender's own name for it.
    pub send_id: Option<SendId>,
    /// How to answer.
    pub format: Format,
}

/// A room as a browser opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Where.
    pub room: RoomName,
    /// Whose form it is, without scripts.
    pub name: Option<PersonName>,
    /// Whether only the list of messages is wanted, for the frame of a page without scripts.
    pub backlog: bool,
    /// By what name the browser found this server: `Host`.
    pub host: Option<String>,
    /// What the page says that the browser sees in its place: scheme, host and port.
    pub origin: Option<String>,
}

/// A file that a page needs, and what the browser has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Its name beneath `/page/`.
    pub name: String,
    /// Whether the browser takes it compressed.
    pub gzip: bool,
    /// The versions that it has: `If-None-Match`, of which `*` is any.
    pub known: Vec<String>,
}

impl Fetch {
    /// Whether the browser has this version. An intermediary may have weakened its tag.
    pub fn knows(&self, etag: &str) -> bool {
        self.known.iter().any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
    }
}

/// A page of the list of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomsPage {
    /// In what order.
    pub order: Order,
    /// The room that the page comes after.
    pub after: Option<RoomName>,
    /// How many rooms at the most.
    pub limit: usize,
    /// How to answer.
    pub format: Format,
}

/// Somebody goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// Where from.
    pub room: RoomName,
    /// Who.
    pub name: PersonName,
    /// For how long the person may still come back as if nothing had been.
    pub wait: Duration,
}

/// In what form a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The seed's: one message, and nothing but its text.
    Plain,
    /// All that there is, with names, times and cursors.
    Json,
    /// A page for a person.
    Html,
    /// Server-sent events, for as long as the client listens.
    EventStream,
}

impl<'a> Head<'a> {
    /// Whether it is what HTTP/1 wants it to be. The libraries beneath the engines differ in what they let
    /// pass: this is what both make of it.
    fn is_sound(&self) -> Result<(), Refusal> {
        let (path, query) = self.path_and_query();
        // What browsers encode in either (WHATWG URL).
        let is_target = !path.contains(['<', '>', '`']) && !query.contains(['<', '>', '"']);
        let is_seen = |b: u8| b > b' ' && b != 0x7f;
        if !matches!(self.version, (1, 0 | 1))
            || !is_token(self.method)
            || !self.target.bytes().all(is_seen)
            || !is_target
        {
            return Err(Refusal::BadRequest);
        }
        let is_value = |value: &str| value.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'));
        if !self.headers.iter().all(|(name, value)| is_token(name) && is_value(value)) {
            return Err(Refusal::BadHeader);
        }
        if self.header_values("Expect").any(|what| !what.eq_ignore_ascii_case("100-continue")) {
            return Err(Refusal::UnknownExpectation);
        }
        Ok(())
    }

    /// A header's value; of the first, if it came several times.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.header_values(name).next()
    }

    /// Every value of a header.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// Whether an answer may be compressed by gzip.
    pub fn takes_gzip(&self) -> bool {
        self.header_values("Accept-Encoding").flat_map(|value| value.split(',')).any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let quality = quality.trim().strip_prefix("q=").and_then(|quality| quality.parse().ok());
            name.trim().eq_ignore_ascii_case("gzip") && quality.is_some_and(|quality: f32| quality > 0.0)
        })
    }

    /// Whether it is a `HEAD`, whose answer is a GET's without the body.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The media types of `Accept`, in lower case, and how much each is liked.
    fn accepts(&self) -> impl Iterator<Item = (String, f32)> {
        let ranges = self.header_values("Accept").flat_map(|value| value.split(','));
        ranges.map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or("").to_ascii_lowercase();
            let quality = parts
                .find_map(|p| p.strip_prefix("q=").or(p.strip_prefix("Q=")))
                .map_or(1.0, |q| q.parse().unwrap_or(0.0));
            (media_type, quality)
        })
    }

    /// The form of answer that `Accept` likes best; plain text if it says nothing that is known.
    pub fn format(&self) -> Format {
        let mut best = (Format::Plain, 0.0);
        for (media_type, quality) in self.accepts() {
            let format = match media_type.as_str() {
                "application/json" | "application/problem+json" | "application/*" => Format::Json,
                "text/event-stream" => Format::EventStream,
                "text/html" | "application/xhtml+xml" => Format::Html,
                "text/plain" | "text/*" | "*/*" => Format::Plain,
                _ => continue,
            };
            if quality > best.1 {
                best = (format, quality);
            }
        }
        best.0
    }

    /// The format of figures that `Accept` likes best; the one of old if it does not name the other.
    fn exposition(&self) -> Exposition {
        let liked = |wanted: &[&str]| {
            let qualities = self.accepts().filter(|(media_type, _)| wanted.contains(&&**media_type));
            qualities.map(|(_, quality)| quality).fold(0.0, f32::max)
        };
        let (new, old) = (liked(&["application/openmetrics-text"]), liked(&["text/plain", "text/*"]));
        if new > 0.0 && new >= old { Exposition::OpenMetrics } else { Exposition::Prometheus }
    }

    /// The path and the query of the target.
    pub fn path_and_query(&self) -> (&'a str, &'a str) {
        // What stands behind a `#` is meant for the browser that should not have sent it.
        let target = self.target.split('#').next().unwrap_or_default();
        // An absolute target (http://host/path) is for proxies, but every server has to take it.
        let target = match target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
                rest.find(['/', '?']).map_or("/", |at| &rest[at..])
            }
            _ => target,
        };
        match target.split_once('?') {
            Some(("", query)) => ("/", query),
            split => split.unwrap_or((target, "")),
        }
    }

    /// How much body follows, if the head is sound, and that is clear beyond doubt and within the limit.
    ///
    /// Where a proxy and we could read it differently, somebody could hide a request in a body.
    pub fn body_length(&self) -> Result<BodyLength, Refusal> {
        self.is_sound()?;
        let mut encodings = self.header_values("Transfer-Encoding");
        let mut lengths = self.header_values("Content-Length");
        match (encodings.next(), lengths.next()) {
            (None, None) => Ok(BodyLength::Exact(0)),
            (Some(_), None) if self.version == (1, 0) => {
                Err(Refusal::BadFraming("HTTP/1.0 has no Transfer-Encoding"))
            }
            // tiny_http reads no chunks where something else may follow.
            (Some(_), None) if self.header_values("Connection").any(has_upgrade) => {
                Err(Refusal::BadFraming("a body in chunks does not go with Connection: upgrade"))
            }
            (Some(encoding), None) => {
                if encoding.eq_ignore_ascii_case("chunked") && encodings.next().is_none() {
                    Ok(BodyLength::Chunked)
                } else {
                    Err(Refusal::BadFraming("the only Transfer-Encoding that is understood is chunked"))
                }
            }
            (Some(_), Some(_)) => {
                Err(Refusal::BadFraming("a request has Content-Length or Transfer-Encoding, not both"))
            }
            (None, Some(length)) => {
                if lengths.any(|other| other != length) {
                    return Err(Refusal::BadFraming("Content-Length came more than once"));
                }
                if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(Refusal::BadFraming("Content-Length is a whole number of bytes"));
                }
                match length.parse() {
                    Ok(length) if length <= TEXT_LIMIT => Ok(BodyLength::Exact(length)),
                    // What does not fit a number is over the limit as well.
                    _ => Err(Refusal::MessageTooLarge),
                }
            }
        }
    }
}

fn has_upgrade(connection: &str) -> bool {
    connection.to_ascii_lowercase().contains("upgrade")
}

/// What may stand in a method's or a header's name (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Says what a request asks for, or why it can't be had. The body is whole, and within [`TEXT_LIMIT`].
pub fn parse(head: &Head<'_>, body: &[u8]) -> Result<Intent, Refusal> {
    let (path, query) = head.path_and_query();
    if head.method == "OPTIONS" && path == "*" {
        return Ok(Intent::Options("GET, HEAD, POST, OPTIONS"));
    }
    let place = Place::parse(path)?;
    match head.method {
        "OPTIONS" => Ok(Intent::Options(place.allow())),
        "GET" | "HEAD" => get(head, place, query),
        "POST" => post(head, place, query, body),
        _ => Err(Refusal::MethodNotAllowed(place.allow())),
    }
}

fn get(head: &Head<'_>, place: Place, query: &str) -> Result<Intent, Refusal> {
    match place {
        Place::Lobby => Ok(Intent::Lobby),
        Place::Help => Ok(Intent::Help),
        Place::Health => Ok(Intent::Health),
        Place::Live => Ok(Intent::Live),
        Place::Metrics => Ok(Intent::Metrics(head.exposition())),
        Place::Rooms => rooms(head, query).map(Intent::Rooms),
        Place::Asset(name) => Ok(Intent::Asset(fetch(head, name))),
        Place::Code(room) => view(head, room, query).map(Intent::Code),
        Place::Room(room) => match head.format() {
            Format::Html => view(head, room, query).map(Intent::Page),
            Format::EventStream => poll(head, room, query).map(Intent::Stream),
            _ => poll(head, room, query).map(Intent::Poll),
        },
        Place::History(room) => history(head, room, query).map(Intent::History),
        Place::People(room) => Ok(Intent::People(room)),
        Place::Leave(_) => Err(Refusal::MethodNotAllowed(place.allow())),
    }
}

fn post(head: &Head<'_>, place: Place, query: &str, body: &[u8]) -> Result<Intent, Refusal> {
    match place {
        Place::Room(room) => publish(head, room, query, body).map(Intent::Publish),
        Place::Leave(room) => {
            let name = name_in(said(head, query, body)?.name)?;
            let name = name.ok_or(Refusal::BadForm("who leaves? send name=NAME"))?;
            let [wait] = fields(query, ["wait"])?;
            let wait = wait.map_or(Some(Duration::ZERO), |wait| seconds(&wait)).ok_or(Refusal::BadWait)?;
            Ok(Intent::Leave(Leave { room, name, wait }))
        }
        _ => Err(Refusal::MethodNotAllowed(place.allow())),
    }
}

/// A method for what is counted: all that we do not know are one.
pub fn known_method(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "OPTIONS"].into_iter().find(|known| *known == method).unwrap_or("other")
}

/// The kind of address that a path is one of, for what is counted.
pub fn route(path: &str) -> &'static str {
    let known = ["/", "/rooms", "/health", "/health/live", "/metrics", "/help"];
    if let Some(route) = known.into_iter().find(|known| *known == path) {
        return route;
    }
    if path.starts_with("/page/") {
        return "/page/FILE";
    }
    let rest = if path == "/chat" { Some("") } else { path.strip_prefix("/chat/") };
    let part = rest.map(|rest| rest.split_once('/').map_or("", |(_room, part)| part));
    match part {
        Some("") => "/chat/ROOM",
        Some("history") => "/chat/ROOM/history",
        Some("people") => "/chat/ROOM/people",
        Some("leave") => "/chat/ROOM/leave",
        Some("qr") => "/chat/ROOM/qr",
        _ => "other",
    }
}

/// An address of the server.
enum Place {
    Lobby,
    Room(RoomName),
    History(RoomName),
    People(RoomName),
    Leave(RoomName),
    Code(RoomName),
    Rooms,
    Asset(String),
    Health,
    Live,
    Metrics,
    Help,
}

impl Place {
    fn parse(path: &str) -> Result<Place, Refusal> {
        match path {
            "/" => return Ok(Place::Lobby),
            "/chat" | "/chat/" => return Ok(Place::Room(RoomName::lobby())),
            "/rooms" => return Ok(Place::Rooms),
            "/health" => return Ok(Place::Health),
            "/health/live" => return Ok(Place::Live),
            "/metrics" => return Ok(Place::Metrics),
            "/help" => return Ok(Place::Help),
            _ => {}
        }
        if let Some(name) = path.strip_prefix("/page/") {
            return Ok(Place::Asset(name.to_owned()));
        }
        let rest = path.strip_prefix("/chat/").ok_or(Refusal::NotFound)?;
        let (room, part) = rest.split_once('/').unwrap_or((rest, ""));
        let place = match part {
            "" => Place::Room,
            "history" => Place::History,
            "people" => Place::People,
            "leave" => Place::Leave,
            "qr" => Place::Code,
            _ => return Err(Refusal::NotFound),
        };
        Ok(place(decode(room)?.parse().map_err(|e: Invalid| Refusal::BadRoom(e.0))?))
    }

    fn allow(&self) -> &'static str {
        match self {
            Place::Room(_) => "GET, HEAD, POST, OPTIONS",
            Place::Leave(_) => "POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

fn view(head: &Head<'_>, room: RoomName, query: &str) -> Result<View, Refusal> {
    let [name, view, origin] = fields(query, ["name", "view", "origin"])?;
    Ok(View {
        room,
        origin,
        name: name_in(name)?,
        backlog: view.as_deref() == Some("backlog"),
        host: head.header("Host").map(str::to_owned),
    })
}

fn fetch(head: &Head<'_>, name: String) -> Fetch {
    let listed = |header| head.header_values(header).flat_map(|value| value.split(',')).map(str::trim);
    Fetch { name, gzip: head.takes_gzip(), known: listed("If-None-Match").map(str::to_owned).collect() }
}

fn poll(head: &Head<'_>, room: RoomName, query: &str) -> Result<Poll, Refusal> {
    let [after, wait, name, last_seen] = fields(query, ["after", "wait", "name", "lastEventId"])?;
    // An EventSource that comes back repeats its address and says in the header how far it got since; those
    // that can't send one say it in the query.
    let header = head.header("Last-Event-ID");
    let last_seen = header.or(last_seen.as_deref()).filter(|id| !id.is_empty());
    let after = match last_seen.or(after.as_deref()) {
        None => None,
        Some("oldest") => Some(After::Oldest),
        Some("latest") => Some(After::Latest),
        Some(cursor) => Some(After::Cursor(cursor_in(cursor)?)),
    };
    let wait = wait.map(|wait| seconds(&wait).ok_or(Refusal::BadWait)).transpose()?;
    let name = name_in(name)?;
    let mut kept = wait.map_or(String::new(), |wait| format!("&wait={}", wait.as_secs_f64()));
    if let Some(name) = &name {
        kept += &format!("&name={}", utf8_percent_encode(name.as_str(), SEGMENT));
    }
    let preferred = if wait.is_none() { preferred_wait(head) } else { None };
    // Nobody waits for a HEAD's answer, and who only looks is not there.
    let is_head = head.is_head();
    Ok(Poll {
        room,
        after,
        hold: if is_head { Duration::ZERO } else { wait.or(preferred).unwrap_or(HOLD) },
        preferred: preferred.is_some(),
        name: name.filter(|_| !is_head),
        format: head.format(),
        kept,
    })
}

fn history(head: &Head<'_>, room: RoomName, query: &str) -> Result<History, Refusal> {
    let [before, limit] = fields(query, ["before", "limit"])?;
    let before = before.as_deref().map(cursor_in).transpose()?;
    let limit = limit.map_or(Ok(HISTORY), |limit| limit.parse().map_err(|_| Refusal::BadLimit))?;
    if !(1..=HISTORY_MAX).contains(&limit) {
        return Err(Refusal::BadLimit);
    }
    Ok(History { room, before, limit, format: head.format() })
}

fn rooms(head: &Head<'_>, query: &str) -> Result<RoomsPage, Refusal> {
    let [order, after, limit] = fields(query, ["order", "after", "limit"])?;
    let order = match order.as_deref() {
        None | Some("name") => Order::Name,
        Some("recent") => Order::Recent,
        Some(_) => return Err(Refusal::BadOrder),
    };
    let after = after.map(|name| name.parse()).transpose().map_err(|e: Invalid| Refusal::BadRoom(e.0))?;
    let limit = limit.map_or(Ok(ROOMS_PAGE), |limit| limit.parse().map_err(|_| Refusal::BadLimit))?;
    if !(1..=ROOMS_PAGE_MAX).contains(&limit) {
        return Err(Refusal::BadLimit);
    }
    Ok(RoomsPage { order, after, limit, format: head.format() })
}

fn publish(head: &Head<'_>, room: RoomName, query: &str, body: &[u8]) -> Result<Publish, Refusal> {
    let Said { message, name, id } = said(head, query, body)?;
    let text = message.filter(|text| has_something_visible(text)).ok_or(Refusal::EmptyMessage)?;
    let id = id.as_deref().or(head.header("Idempotency-Key"));
    let send_id = id.map(str::parse::<SendId>).transpose().map_err(|e| Refusal::BadId(e.0))?;
    Ok(Publish { room, name: name_in(name)?, text, send_id, format: head.format() })
}

/// What a body says, in whichever of the three forms.
#[derive(Deserialize)]
struct Said {
    message: Option<String>,
    name: Option<String>,
    id: Option<String>,
}

fn said(head: &Head<'_>, query: &str, body: &[u8]) -> Result<Said, Refusal> {
    let text_of = |body| {
        let text = std::str::from_utf8(body).map_err(|_| Refusal::BadUtf8)?;
        // Some editors and shells write a byte order mark before a text.
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    };
    let codings = head.header_values("Content-Encoding").flat_map(|value| value.split(',').map(str::trim));
    if codings.into_iter().any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::UnsupportedContentEncoding);
    }
    let content_type = head.header("Content-Type").unwrap_or("application/x-www-form-urlencoded");
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media_type = parts.next().unwrap_or_default();
    let charset = parts.find_map(|p| p.strip_prefix("charset=").map(|c| c.trim_matches('"').to_owned()));
    if charset.is_some_and(|charset| !matches!(&*charset, "utf-8" | "utf8" | "us-ascii")) {
        return Err(Refusal::UnsupportedMediaType);
    }
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => {
            let [message, name, id] = fields(text_of(body)?, ["message", "name", "id"])?;
            Ok(Said { message, name, id })
        }
        "application/json" => {
            serde_json::from_str(text_of(body)?).map_err(|error| Refusal::BadJson(error.to_string()))
        }
        "text/plain" => {
            let [name, id] = fields(query, ["name", "id"])?;
            Ok(Said { message: Some(text_of(body)?.to_owned()), name, id })
        }
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

/// The fields with these names in a query or a form; of each the first.
pub(super) fn fields<const N: usize>(form: &str, names: [&str; N]) -> Result<[Option<String>; N], Refusal> {
    let mut found = [const { None }; N];
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(&name.replace('+', " "))?.into_owned();
        if let Some(at) = names.iter().position(|wanted| *wanted == name) {
            let value = decode(&value.replace('+', " "))?.into_owned();
            found[at].get_or_insert(value);
        }
    }
    Ok(found)
}

/// Percent-decodes strictly: what is malformed is refused, not passed on.
fn decode(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let bytes = text.as_bytes();
    let malformed = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if bytes.iter().enumerate().any(|(at, byte)| *byte == b'%' && malformed(at)) {
        return Err(Refusal::BadPercentEncoding);
    }
    percent_decode_str(text).decode_utf8().map_err(|_| Refusal::BadUtf8)
}

fn cursor_in(text: &str) -> Result<Cursor, Refusal> {
    text.parse().map_err(|e: Invalid| Refusal::BadCursor(e.0))
}

/// A form that leaves its name field empty gives no name.
fn name_in(name: Option<String>) -> Result<Option<PersonName>, Refusal> {
    let name = name.filter(|name| !name.trim().is_empty());
    name.map(|name| name.parse()).transpose().map_err(|e: Invalid| Refusal::BadName(e.0))
}

/// A number of seconds in plain decimal notation; what is over [`HOLD_MAX`] is met as far as it goes.
fn seconds(text: &str) -> Option<Duration> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let wait: f64 = text.parse().ok()?;
    Some(Duration::from_secs_f64(wait.min(HOLD_MAX.as_secs_f64())))
}

/// `Prefer: wait=N` (RFC 7240). A preference that makes no sense is passed over, as the RFC wants it;
/// one that is too long is met as far as it goes.
fn preferred_wait(head: &Head<'_>) -> Option<Duration> {
    let preferences = head.header_values("Prefer").flat_map(|value| value.split([',', ';']));
    let wait = |preference: &str| {
        let (name, value) = preference.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("wait") {
            return None;
        }
        value.trim().trim_matches('"').parse().ok()
    };
    let seconds = preferences.filter_map(wait).next()?;
    Some(Duration::from_secs(seconds).min(HOLD_MAX))
}
