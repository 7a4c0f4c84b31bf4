//! A plain HTTP/1.1 client that does what it is told, even if that is wrong.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::contract;
use crate::harness::PATIENCE;

/// One connection, on which requests and replies follow each other.
pub struct Connection {
    stream: BufReader<TcpStream>,
    /// The requests without a reply, oldest first.
    unanswered: VecDeque<Sent>,
}

/// What was sent.
enum Sent {
    Request(Request),
    /// Bytes that need not be HTTP.
    Bytes {
        reply_has_body: bool,
    },
}

impl Connection {
    /// Connects, or fails the test.
    #[track_caller]
    pub fn open(address: SocketAddr) -> Connection {
        Connection::try_open(address).expect("a connection to the server")
    }

    /// Connects, if the server lets us.
    pub fn try_open(address: SocketAddr) -> io::Result<Connection> {
        TcpStream::connect_timeout(&address, PATIENCE).map(Connection::over)
    }

    /// Speaks HTTP over a socket.
    #[track_caller]
    pub fn over(stream: TcpStream) -> Connection {
        let timeouts = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        timeouts.expect("options of a socket");
        Connection { stream: BufReader::new(stream), unanswered: VecDeque::new() }
    }

    /// Sends a request and reads its reply.
    #[track_caller]
    pub fn ask(&mut self, request: &Request) -> Reply {
        self.send(request);
        self.reply()
    }

    /// Sends a request and reads its reply, if a whole one comes.
    pub fn try_ask(&mut self, request: &Request) -> io::Result<Reply> {
        self.try_send(request)?;
        self.try_reply()
    }

    /// Sends a request; its reply is read later.
    #[track_caller]
    pub fn send(&mut self, request: &Request) {
        self.try_send(request).expect("the request is sent");
    }

    /// Sends a request, if the server still takes it.
    pub fn try_send(&mut self, request: &Request) -> io::Result<()> {
        self.unanswered.push_back(Sent::Request(request.clone()));
        self.stream.get_mut().write_all(&request.bytes())
    }

    /// Sends bytes as they are. They need not be HTTP.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send_bytes(bytes).expect("the bytes are sent");
    }

    /// Sends bytes as they are, if the server still takes them.
    pub fn try_send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Tells whether the reply to a request that is sent as bytes has a body.
    pub fn will_answer(&mut self, has_body: bool) {
        self.unanswered.push_back(Sent::Bytes { reply_has_body: has_body });
    }

    /// Reads the next reply.
    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        self.try_reply().expect("a reply")
    }

    /// Reads the next reply, if one comes within [`PATIENCE`].
    #[track_caller]
    pub fn try_reply(&mut self) -> io::Result<Reply> {
        let sent = self.unanswered.pop_front();
        let has_body = match &sent {
            Some(Sent::Request(request)) => request.method != "HEAD",
            Some(Sent::Bytes { reply_has_body }) => *reply_has_body,
            None => true,
        };
        loop {
            let reply = Reply::read(&mut self.stream, has_body)?;
            if reply.status < 200 {
                continue;
            }
            if let Some(Sent::Request(request)) = sent {
                contract::check(&request, &reply);
            }
            return Ok(reply);
        }
    }

    /// Waits for the interim reply to a request with `Expect: 100-continue`.
    #[track_caller]
    pub fn is_told_to_continue(&mut self) {
        let interim = Reply::read(&mut self.stream, false).expect("a reply");
        interim.is(100);
    }

    /// Whether a reply, or the connection's end, can be read at once.
    pub fn has_something(&self) -> bool {
        if !self.stream.buffer().is_empty() {
            return true;
        }
        let socket = self.stream.get_ref();
        socket.set_nonblocking(true).expect("non-blocking");
        let peeked = socket.peek(&mut [0]);
        socket.set_nonblocking(false).expect("blocking");
        !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits until a reply, or the connection's end, can be read; false if neither comes in time.
    #[cfg(feature = "async")]
    pub fn ends_within_its_patience(&self) -> bool {
        match self.stream.get_ref().peek(&mut [0]) {
            Ok(_) => true,
            Err(error) => !is_silence(&error),
        }
    }

    /// Ends our side of the connection; the server can still answer.
    pub fn stop_sending(&self) {
        // It fails where the server has ended it already.
        let _ = self.stream.get_ref().shutdown(std::net::Shutdown::Write);
    }

    /// The socket, when the test has sent enough.
    #[cfg(feature = "async")]
    pub fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }

    /// Our own end of it.
    pub fn local_address(&self) -> SocketAddr {
        self.stream.get_ref().local_addr().expect("the connection is open")
    }

    /// Gives up sooner, or later, than after [`PATIENCE`].
    pub fn set_patience(&self, patience: Duration) {
        let socket = self.stream.get_ref();
        socket.set_read_timeout(Some(patience)).expect("a time greater than zero");
    }
}

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    /// Whether it is on purpose not in the description of the wire.
    pub breaks_the_rules: bool,
}

impl Request {
    pub fn new(method: &str, target: &str) -> Request {
        let (method, target) = (method.to_owned(), target.to_owned());
        Request { method, target, headers: Vec::new(), body: None, breaks_the_rules: false }
    }

    pub fn get(target: &str) -> Request {
        Request::new("GET", target)
    }

    pub fn post(target: &str) -> Request {
        Request::new("POST", target)
    }

    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same request, which on purpose is not in the description of the wire.
    pub fn breaking_the_rules(self) -> Request {
        Request { breaks_the_rules: true, ..self }
    }

    pub fn accept(self, media_type: &str) -> Request {
        self.header("Accept", media_type)
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
        self.body = Some(body.into());
        self.header("Content-Type", content_type)
    }

    pub fn form(self, fields: &[(&str, &str)]) -> Request {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let pairs: Vec<String> =
            fields.iter().map(|&(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    pub fn json(self, value: serde_json::Value) -> Request {
        self.body("application/json", value.to_string())
    }

    pub fn text(self, message: &str) -> Request {
        self.body("text/plain; charset=utf-8", message)
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.headers.iter().any(|(name, _)| name == "Host") {
            head.push_str("Host: localhost\r\n");
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}

/// A reply that was read.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    fn read(stream: &mut BufReader<TcpStream>, has_body: bool) -> io::Result<Reply> {
        let mut reply = Reply::read_head(stream)?;
        if has_body && reply.status >= 200 && reply.status != 204 && reply.status != 304 {
            reply.body = reply.read_body(stream)?;
        }
        Ok(reply)
    }

    /// Reads a reply without its body.
    pub fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<Reply> {
        let line = read_line(stream)?;
        let status = line
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.strip_prefix("1 ").or(rest.strip_prefix("0 ")))
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(|| invalid(format!("{line:?} is no status line")))?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(stream)?;
            if line.is_empty() {
                break;
            }
            let (name, value) =
                line.split_once(':').ok_or_else(|| invalid(format!("{line:?} is no header")))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Reply { status, headers, body: Vec::new() })
    }

    fn read_body(&self, stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if let Some(length) = self.header("Content-Length") {
            let length = length.parse().map_err(|_| invalid(format!("{length:?} is no length")))?;
            body.resize(length, 0);
            stream.read_exact(&mut body)?;
        } else if self.header("Transfer-Encoding").is_some() {
            loop {
                let line = read_line(stream)?;
                let size = usize::from_str_radix(&line, 16)
                    .map_err(|_| invalid(format!("{line:?} is no chunk size")))?;
                let start = body.len();
                body.resize(start + size, 0);
                stream.read_exact(&mut body[start..])?;
                read_line(stream)?;
                if size == 0 {
                    break;
                }
            }
        } else {
            stream.read_to_end(&mut body)?;
        }
        Ok(body)
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The value of a header that must be there.
    #[track_caller]
    pub fn expect_header(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// `Chat-Cursor`.
    #[track_caller]
    pub fn cursor(&self) -> String {
        self.expect_header("Chat-Cursor").to_owned()
    }

    /// The target of `Link: <...>; rel="next"`.
    #[track_caller]
    pub fn next(&self) -> String {
        let link = self.expect_header("Link");
        link.strip_prefix('<')
            .and_then(|rest| rest.strip_suffix(r#">; rel="next""#))
            .unwrap_or_else(|| panic!("{link} is no link to the next wait"))
            .to_owned()
    }

    /// Fails the test unless this is the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{self:?} {:?}", self.text());
        self
    }
}

/// A line without its CR LF.
fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(invalid(format!("{line:?} does not end in CR LF"))),
    }
}

/// Whether this only says that nothing came in time.
pub fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
