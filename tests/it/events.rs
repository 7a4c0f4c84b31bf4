//! A reader of server-sent events.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::client::Request;
use crate::harness::PATIENCE;

/// A stream, while it is read.
pub struct Events {
    stream: BufReader<TcpStream>,
    text: String,
    ready: VecDeque<Event>,
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
    pub fn message(&self) -> serde_json::Value {
        let data = self.data.as_deref().unwrap_or_else(|| panic!("no data in {self:?}"));
        serde_json::from_str(data).expect("data is JSON")
    }
}

impl Events {
    /// Opens a stream, or fails the test if that is refused.
    #[track_caller]
    pub fn open(address: SocketAddr, request: &Request) -> Events {
        let socket = TcpStream::connect_timeout(&address, PATIENCE).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time greater than zero");
        let mut stream = BufReader::new(socket);
        let request = request.clone().accept("text/event-stream");
        stream.get_mut().write_all(&request.bytes()).expect("the request is sent");
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).expect("the head");
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_ascii_lowercase());
        }
        assert_eq!(head[0], "http/1.1 200 ok");
        for header in [
            "content-type: text/event-stream; charset=utf-8",
            "cache-control: no-store",
            "transfer-encoding: chunked",
        ] {
            assert!(head.iter().any(|line| line == header), "no {header} in {head:?}");
        }
        Events { stream, text: String::new(), ready: VecDeque::new(), last_id: String::new() }
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

    /// The next event, `None` at the stream's proper end, and an error if it breaks off.
    pub fn try_next(&mut self) -> io::Result<Option<Event>> {
        while self.ready.is_empty() {
            let mut size = String::new();
            if self.stream.read_line(&mut size)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk's size");
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk)?;
            if size == 0 {
                return Ok(None);
            }
            self.text.push_str(std::str::from_utf8(&chunk[..size]).expect("UTF-8, whole in each chunk"));
            while let Some(end) = self.text.find("\n\n") {
                let event = parse(&self.text[..end]);
                self.text.drain(..end + 2);
                if let Some(id) = &event.id {
                    self.last_id.clone_from(id);
                }
                self.ready.push_back(event);
            }
        }
        Ok(self.ready.pop_front())
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
