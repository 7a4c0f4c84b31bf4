//! How long a connection lasts, and how requests are read. Where time counts the clock is stopped: it goes on to the next
//! timer whenever there is nothing to do.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep, timeout};

use super::door::Door;
use super::{Answer, Service, Visit, handlers, prepare};
use crate::access::Caller;
use crate::config::{BODY_TIMEOUT, SEND_TIMEOUT, SILENCE, TEXT_LIMIT, UPLOAD_PACE};
use crate::door::budget::Budget;
use crate::door::listen::{self, Listener};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Head, lowered};

/// What is said in all, in bytes: more than the kernels of both sides hold.
const MEBIBYTE: usize = 1024 * 1024;

const HISTORY: &str = "GET /chat/history-of-much/history?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A service that says again all that was said.
#[derive(Default)]
struct Said(Mutex<Vec<u8>>);

impl Service for Said {
    async fn answer(&self, head: &Head<'_>, body: &[u8], visit: &Visit) -> Result<Answer, Refusal> {
        if head.target.contains("wait=1") {
            visit.begin_wait(|_| {});
            sleep(Duration::from_secs(1)).await;
            visit.end_wait();
        }
        if head.target.contains("pause") {
            sleep(Duration::from_millis(1)).await;
        }
        if head.target.starts_with("/echo") {
            let lines = head.lines.iter().map(|(name, value)| format!("{}: {value}", lowered(name)));
            let mut lines: Vec<_> = lines.collect();
            lines.sort();
            let echo =
                format!("{} {} {:?}\n{}\n{body:?}", head.method, head.target, head.version, lines.join("\n"));
            return Ok(Reply::new(200, "text/plain", echo.into_bytes()).into());
        }
        self.0.lock().expect("nobody panics").extend(body);
        if !head.target.contains("/history?") {
            return Ok(reply::left().into());
        }
        let said = self.0.lock().expect("nobody panics").clone();
        let bytes = said.len();
        let render = move || Ok(Reply { status: 200, headers: Vec::new(), body: said.into() });
        Answer::rendered(bytes, render)
    }

    fn caller(&self, _head: &Head<'_>, _peer: Option<IpAddr>) -> Caller {
        Caller::default()
    }

    fn may_stream(&self, _target: &str) -> bool {
        false
    }

    fn foresee(&self, _head: &Head<'_>, _caller: &Caller) -> Result<(), Refusal> {
        Ok(())
    }

    fn upload_limit(&self) -> usize {
        MEBIBYTE
    }

    fn local<'a>(&self, target: &'a str) -> &'a str {
        target
    }

    fn prefix(&self) -> &str {
        ""
    }

    fn dress(&self, _head: Option<&Head<'_>>, _reply: &mut Reply) {}

    fn close(&self) {}

    async fn join(&self) {}
}

/// Runs a client against a door of its own, with a clock that is stopped.
fn serve<F: Future<Output = ()>>(client: impl FnOnce(SocketAddr) -> F) {
    serve_by(Builder::new_current_thread().enable_all().start_paused(true), client);
}

/// The same with a clock that goes: a stopped one may go on before the kernel has handed over what was sent.
fn serve_in_time<F: Future<Output = ()>>(client: impl FnOnce(SocketAddr) -> F) {
    serve_by(Builder::new_current_thread().enable_all(), client);
}

fn serve_by<F: Future<Output = ()>>(runtime: &mut Builder, client: impl FnOnce(SocketAddr) -> F) {
    let runtime = runtime.build();
    runtime.expect("a runtime").block_on(async {
        let listener = listen::tcp(([127, 0, 0, 1], 0).into(), prepare).expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let budget = Budget { connections: 100, waiters: 90 };
        let door = Door::new(vec![Listener::Tcp(listener)], budget, Said::default()).expect("a door");
        let accepting = tokio::spawn(handlers::receive(Arc::new(door), 0));
        client(address).await;
        accepting.abort();
    });
}

/// What is answered to these bytes, sent one piece after the other: its lines but for the time, in the order of the
/// alphabet, since hyper has another.
async fn answered(address: SocketAddr, pieces: [&[u8]; 2]) -> Vec<String> {
    let mut client = connect(address).await;
    for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        client.write_all(piece).await.expect("it is taken");
        // Most probably the server has read it then.
        sleep(Duration::from_micros(200)).await;
    }
    let reply = String::from_utf8_lossy(&all_replies(client).await).into_owned();
    let mut lines: Vec<_> =
        reply.lines().filter(|line| !line.starts_with("Date: ")).map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What comes until the end, after the client has said all.
async fn all_replies(mut client: TcpStream) -> Vec<u8> {
    // The server may have closed the connection.
    let _ = client.shutdown().await;
    let mut replies = Vec::new();
    let _ = client.read_to_end(&mut replies).await;
    replies
}

/// A request that comes in one piece may be read without hyper; one that comes in two never is.
#[test]
fn a_request_is_read_the_same_with_and_without_hyper() {
    const TARGETS: [&str; 12] = [
        "/echo",
        "/echo?a=b&c=%20d",
        "/echo/ü",
        "/echo\"x",
        "/echo#part",
        "/echo|{}^`",
        "//echo",
        "*",
        "http://a/echo",
        "/echo?a b",
        "/chat/a?wait=0",
        "/echo\\",
    ];
    const LINES: [&str; 25] = [
        "Host: localhost",
        "host:\tlocalhost\t",
        "Accept: */*",
        "ACCEPT: text/plain",
        "Connection: keep-alive",
        "Connection: close",
        "connection: Upgrade",
        "Content-Length: 0",
        "Content-Length: 2",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "Upgrade: h2c",
        "TE: trailers",
        "X-Text: käse",
        "X-Empty:",
        "X-Tab: a\tb",
        "X Space: 1",
        "X-Bell: \x07",
        " folded: 1",
        "Cookie: a=\"1\"; b=2",
        "nothing",
        "Content-Length: +2",
        "Content-Length: 3",
        "content-length: 2",
    ];
    let mut chance = fastrand::Rng::with_seed(16);
    serve_in_time(|address| async move {
        for round in 0..600 {
            // Most are of the kind that is read without hyper.
            let mut one =
                |all: &[&'static str]| all[if chance.u8(..3) > 0 { 0 } else { chance.usize(..all.len()) }];
            let (method, target, version) = (
                one(&[["GET", "POST"][round % 2], "HEAD", "PUT", "get"]),
                one(&TARGETS),
                one(&["HTTP/1.1", "HTTP/1.0", "HTTP/2.0"]),
            );
            let (end, length) = [("\r\n", "X: y"), ("\r\nhi", "Content-Length: 2")][round % 2];
            let (end, length) =
                (one(&[end, "\n", "\r\n\r\n", "\r\nhi!"]), one(&[length, "Content-Length: 0"]));
            let mut request = format!("{method} {target} {version}\r\n{length}\r\n");
            for _ in 0..chance.usize(..5) {
                request.push_str(LINES[chance.usize(..LINES.len())]);
                request.push_str("\r\n");
            }
            request.push_str(end);
            let (whole, cut) = (request.as_bytes(), 1 + chance.usize(..request.len() - 1));
            let once = answered(address, [whole, &[]]).await;
            let twice = answered(address, [&whole[..cut], &whole[cut..]]).await;
            assert_eq!(once, twice, "round {round}: {request:?}, cut at {cut}");
        }
    });
}

/// The request with this number, of a kind by chance, and what the answer to it has in it.
fn numbered(number: usize, chance: &mut fastrand::Rng) -> (String, String) {
    let (length, body) = (number.to_string().len(), format!("{number}"));
    let host = "Host: localhost\r\n";
    let echo =
        |method: &str, body: &str| (format!("{method} /echo?{number}"), format!("{:?}", body.as_bytes()));
    let (request, (line, body)) = match chance.u8(..6) {
        0 => (format!("HEAD /echo?{number} HTTP/1.1\r\n{host}\r\n"), (String::new(), String::new())),
        1 => (format!("GET /echo?{number}&pause HTTP/1.1\r\n{host}\r\n"), echo("GET", "")),
        2 => (
            format!("POST /echo?{number} HTTP/1.1\r\n{host}Content-Length: {length}\r\n\r\n{body}"),
            echo("POST", &body),
        ),
        3 => (
            format!(
                "POST /echo?{number} HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n{length}\r\n{body}\r\n0\r\n\r\n"
            ),
            echo("POST", &body),
        ),
        _ => (format!("GET /echo?{number} HTTP/1.1\r\n{host}\r\n"), echo("GET", "")),
    };
    (request, format!("{line}|{body}"))
}

/// Requests go from hand to hand: hyper reads some of them, and others are read without it.
#[test]
fn requests_are_answered_in_their_order_however_they_are_cut() {
    let mut chance = fastrand::Rng::with_seed(2008);
    serve_in_time(|address| async move {
        for round in 0..300 {
            let asked: Vec<_> =
                (0..1 + chance.usize(..7)).map(|number| numbered(number, &mut chance)).collect();
            let all: String = asked.iter().map(|(request, _)| request.as_str()).collect();
            let all = all + "GET /echo?last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            let mut client = connect(address).await;
            let mut rest = all.as_bytes();
            while !rest.is_empty() {
                let piece = match chance.u8(..4) {
                    // As most do: one request after the other.
                    0 => {
                        all.len() - rest.len()
                            + asked.iter().map(|(request, _)| request.len()).next().unwrap_or(1)
                    }
                    1 => 1 + chance.usize(..4),
                    _ => 1 + chance.usize(..rest.len()),
                };
                let (now, later) = rest.split_at(piece.min(rest.len()));
                client.write_all(now).await.expect("it is taken");
                sleep(Duration::from_micros(chance.u64(..400))).await;
                rest = later;
            }
            let replies = String::from_utf8_lossy(&all_replies(client).await).into_owned();
            let mut from = 0;
            for (request, expected) in &asked {
                for part in expected.split('|') {
                    let found = replies[from..].find(part);
                    from += found
                        .unwrap_or_else(|| panic!("round {round}: no answer to {request:?} in {replies:?}"));
                }
            }
            assert_eq!(replies.matches("HTTP/1.1 2").count(), asked.len() + 1, "round {round}: {replies:?}");
            assert!(replies[from..].contains("GET /echo?last"), "round {round}: {replies:?}");
        }
    });
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("a connection")
}

fn post(room: &str, text: &str) -> String {
    let length = text.len();
    format!(
        "POST /chat/{room} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\n\r\n{text}"
    )
}

/// Fills the room that [`HISTORY`] asks for.
async fn say_much(address: SocketAddr) {
    let mut client = connect(address).await;
    for _ in 0..MEBIBYTE / 60_000 {
        let said = post("history-of-much", &"x".repeat(60_000));
        client.write_all(said.as_bytes()).await.expect("it is taken");
        let mut reply = [0; 4_096];
        let length = client.read(&mut reply).await.expect("a reply");
        assert!(reply[..length].starts_with(b"HTTP/1.1 200 "));
    }
}

/// A connection that was silent after one POST or one poll stood for ever: hyper does not look for what
/// comes behind a reply before it is woken, and nobody else knew the time.
#[test]
fn a_client_that_is_silent_after_a_reply_is_cut_off_in_time() {
    serve(|address| async move {
        say_much(address).await;
        let waits = "GET /chat/a?wait=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let looks = "GET /chat/a?wait=0&after=latest HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let help = "HEAD /help HTTP/1.1\r\nHost: localhost\r\n\r\n";
        for request in [&*post("a", "hello"), looks, waits, help, HISTORY, &looks.repeat(3)] {
            let mut client = connect(address).await;
            client.write_all(request.as_bytes()).await.expect("it is taken");
            let (mut buffer, mut heard) = (vec![0; 64 * 1024], Instant::now());
            loop {
                let read = timeout(SILENCE * 3, client.read(&mut buffer)).await;
                let read = read.unwrap_or_else(|_| panic!("still open, long after {request:?}"));
                if read.expect("the connection's end") == 0 {
                    break;
                }
                heard = Instant::now();
            }
            let silent = heard.elapsed();
            let in_time = SILENCE..SILENCE + Duration::from_secs(1);
            assert!(in_time.contains(&silent), "{silent:?} after {request:?}");
        }
    });
}

const FILE: &str = "POST /chat/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n\
                    Content-Length: 600000\r\n\r\n";

/// Sends so many bytes of a file, so many a second, and gives what is answered, and when.
async fn send_slowly(address: SocketAddr, bytes: usize, speed: usize) -> (String, Duration) {
    let mut client = connect(address).await;
    let began = Instant::now();
    client.write_all(FILE.as_bytes()).await.expect("it is taken");
    for _ in 0..bytes / speed {
        client.write_all(&vec![b'x'; speed]).await.expect("it is taken");
        sleep(Duration::from_secs(1)).await;
    }
    let mut reply = [0; 4_096];
    let length = timeout(Duration::from_secs(300), client.read(&mut reply)).await.expect("an answer");
    let length = length.expect("a reply");
    (String::from_utf8_lossy(&reply[..length]).into_owned(), began.elapsed())
}

#[test]
fn a_file_may_come_slowly_but_not_more_slowly_than_that() {
    serve(|address| async move {
        let (reply, took) = send_slowly(address, 600_000, 20_000).await;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply} after {took:?}");
        let (reply, took) = send_slowly(address, 200_000, 200_000).await;
        assert!(reply.starts_with("HTTP/1.1 408 "), "{reply} after {took:?}");
        let pace = Duration::from_millis((200_000 - TEXT_LIMIT as u64) * 1_000 / UPLOAD_PACE);
        let until = BODY_TIMEOUT + pace;
        assert!((until..until + Duration::from_secs(1)).contains(&took), "after {took:?}, not {until:?}");
    });
}

/// Reads the page at a steady speed, in bytes a second; says how many bytes came before the end.
async fn read_slowly(address: SocketAddr, speed: usize) -> usize {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(32 * 1024).expect("an option");
    let mut client = socket.connect(address).await.expect("a connection");
    client.write_all(HISTORY.as_bytes()).await.expect("it is taken");
    let (mut buffer, mut all) = (vec![0; speed], 0);
    loop {
        sleep(Duration::from_secs(1)).await;
        match client.try_read(&mut buffer) {
            Ok(0) => return all,
            Ok(length) => all += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return all,
        }
        if all > MEBIBYTE / 60_000 * 60_000 {
            return all;
        }
    }
}

/// A page of 1 MiB was cut off after 13.7 s at 60 KB/s, and again at each new try: all of it had to be
/// with the kernel within 10 s.
#[test]
fn who_reads_slowly_gets_it_all() {
    serve(|address| async move {
        say_much(address).await;
        for speed in [200_000, 60_000, 20_000, 6_000] {
            let all = read_slowly(address, speed).await;
            assert!(all > MEBIBYTE / 60_000 * 60_000, "{all} bytes at {speed} a second");
        }
    });
}

#[test]
fn a_client_that_stops_reading_is_cut_off_in_time() {
    serve(|address| async move {
        say_much(address).await;
        let mut client = connect(address).await;
        SockRef::from(&client).set_recv_buffer_size(4_096).expect("an option");
        client.write_all(HISTORY.as_bytes()).await.expect("it is taken");
        let start = Instant::now();
        // The connection is reset when the server has given up.
        while client.write_all(b"\r\n").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
            assert!(start.elapsed() < SEND_TIMEOUT * 2, "it is still there");
        }
        assert!(start.elapsed() >= SEND_TIMEOUT, "it had {:?}", start.elapsed());
    });
}
