//! Readers of streams: server-sent events, and lines of JSON.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::client::{Reply, Request};
use crate::contract;
use crate::harness::PATIENCE;

/// A stream, while it is read.
struct Stream {
    stream: BufReader<TcpStream>,
    text: String,
    has_ended: bool,
}

impl Stream {
    /// Opens a stream, or fails the test if that is refused.
    #[track_caller]
    fn open(address: SocketAddr, request: &Request, content_type: &str) -> Stream {
        let socket = TcpStream::connect_timeout(&address, PATIENCE).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time greater than zero");
        let mut stream = BufReader::new(socket);
        stream.get_mut().write_all(&request.bytes()).expect("the request is sent");
        let head = Reply::read_head(&mut stream).expect("the head");
        contract::check(request, &head);
        let head = head.is(200);
        for (name, value) in [
            ("Content-Type", content_type),
            ("Cache-Control", "no-store"),
            ("Vary", "Accept"),
            ("Transfer-Encoding", "chunked"),
        ] {
            assert_eq!(head.expect_header(name), value);
        }
        Stream { stream, text: String::new(), has_ended: false }
    }

    /// What comes next up to this end, without it; `None` at the stream's proper end, and an error where it
    /// breaks off.
    fn next(&mut self, end: &str) -> io::Result<Option<String>> {
        loop {
            if let Some(at) = self.text.find(end) {
                let part = self.text[..at].to_owned();
                self.text.drain(..at + end.len());
                return Ok(Some(part));
            }
            if self.has_ended {
                assert_eq!(self.text, "", "the stream ends in the middle");
                return Ok(None);
            }
            let mut size = String::new();
            if self.stream.read_line(&mut size)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk's size");
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk)?;
            self.has_ended = size == 0;
            self.text.push_str(std::str::from_utf8(&chunk[..size]).expect("UTF-8, whole in each chunk"));
        }
    }
}

/// A stream of server-sent events.
pub struct Events {
    stream: Stream,
    /// The cursor from which an `EventSource` would go on.
    pub last_id: String,
}

/// One event, as the server wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    pub id: Option<String>,
    pub event: Option<String>,
    pub data: Option<String>,
    pub retry: Option<u64>,
    pub comment: bool,
}

impl Event {
    /// The message in it.
    #[track_caller]
    pub fn message(&self) -> Value {
        let data = self.data.as_deref().unwrap_or_else(|| panic!("no data in {self:?}"));
        serde_json::from_str(data).expect("data is JSON")
    }
}

impl Events {
    /// Opens a stream, or fails the test if that is refused.
    #[track_caller]
    pub fn open(address: SocketAddr, request: &Request) -> Events {
        let request = request.clone().accept("text/event-stream");
        let stream = Stream::open(address, &request, "text/event-stream; charset=utf-8");
        Events { stream, last_id: String::new() }
    }

    /// The next event with data; comments are skipped.
    #[track_caller]
    pub fn next(&mut self) -> Event {
        loop {
            let event = self.try_next().expect("the stream goes on").expect("the stream goes on");
            if !event.comment {
                return event;
            }
        }
    }

    /// The next message. Other events are skipped.
    #[track_caller]
    pub fn next_message(&mut self) -> Value {
        loop {
            let event = self.next();
            if event.event.as_deref() == Some("message") {
                return event.message();
            }
        }
    }

    /// The next event, `None` at the stream's proper end, and an error if it breaks off.
    pub fn try_next(&mut self) -> io::Result<Option<Event>> {
        let event = self.stream.next("\n\n")?.map(|text| parse(&text));
        if let Some(id) = event.as_ref().and_then(|event| event.id.as_ref()) {
            self.last_id.clone_from(id);
        }
        Ok(event)
    }
}

fn parse(text: &str) -> Event {
    let mut event = Event::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("", _)) => event.comment = true,
            Some(("id", id)) => event.id = Some(id.to_owned()),
            Some(("event", kind)) => event.event = Some(kind.to_owned()),
            Some(("data", data)) => event.data = Some(data.to_owned()),
            Some(("retry", millis)) => event.retry = Some(millis.parse().expect("milliseconds")),
            _ => panic!("{line:?} is no field of an event"),
        }
    }
    event
}

/// A stream of JSON objects, one a line.
pub struct Lines {
    stream: Stream,
}

impl Lines {
    /// Opens a stream, or fails the test if that is refused.
    #[track_caller]
    pub fn open(address: SocketAddr, request: &Request) -> Lines {
        let request = request.clone().accept("application/x-ndjson");
        Lines { stream: Stream::open(address, &request, "application/x-ndjson") }
    }

    /// The next line.
    #[track_caller]
    pub fn next(&mut self) -> Value {
        self.try_next().expect("the stream goes on").expect("the stream goes on")
    }

    /// The next line, `None` at the stream's proper end, and an error where it breaks off.
    pub fn try_next(&mut self) -> io::Result<Option<Value>> {
        let line = self.stream.next("\n")?;
        let line: Option<Value> = line.map(|line| serde_json::from_str(&line).expect("a line is JSON"));
        line.iter().for_each(|line| contract::is_a("Line", line));
        Ok(line)
    }
}
