//! The bench is only worth something if it notices: a proxy plants faults, and the bench must
//! exit non-zero and name each of them, and nothing else.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const BINARY: &str = env!("CARGO_BIN_EXE_comet-chat");

/// What the bench measures here: the yardstick and the chat, each on a free port.
const SERVERS: &[&[&str]] = &[
    &["bench", "--floor=127.0.0.1:0"],
    &["--listen=127.0.0.1:0", "--store=memory:", "--engine=blocking"],
    #[cfg(feature = "async")]
    &["--listen=127.0.0.1:0", "--store=memory:", "--engine=async"],
];

/// Of this many waiters the first to come, and every so many after it, meets one fault.
const WAITERS: usize = 20;
const EVERY: usize = 5;

/// Each waiter's delivery that is touched.
const TOUCHED: usize = 50;

#[test]
fn a_run_without_faults_is_clean() {
    for server in SERVERS {
        let run = Run::firehose(server, None);
        assert!(run.output.status.success(), "{}", run.complaints());
        assert_eq!(run.verdict(), [0, 0, 0]);
    }
}

#[test]
fn one_lost_delivery_in_a_thousand_is_named() {
    for server in SERVERS {
        let run = Run::firehose(server, Some(Fault::Drop));
        assert_eq!(run.verdict(), [WAITERS / EVERY, 0, 0]);
        run.names("lost");
    }
}

#[test]
fn one_doubled_delivery_in_a_thousand_is_named() {
    for server in SERVERS {
        let run = Run::firehose(server, Some(Fault::Double));
        assert_eq!(run.verdict(), [0, WAITERS / EVERY, 0]);
        run.names("doubled");
    }
}

#[test]
fn one_swapped_delivery_in_a_thousand_is_named() {
    for server in SERVERS {
        let run = Run::firehose(server, Some(Fault::Swap));
        assert_eq!(run.verdict(), [0, 0, WAITERS / EVERY]);
        run.names("swapped");
    }
}

#[test]
fn a_fan_out_names_what_one_waiter_lost() {
    for server in SERVERS {
        let run = Run::new(server, Some(Fault::Drop), &["--mode=fan-out", "-n4", "--rounds=60"]);
        assert_eq!(run.verdict(), [1, 0, 0]);
        run.names("lost");
    }
}

#[test]
fn a_server_that_is_not_there_is_said_so() {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}");
    let output = Command::new(BINARY).args(["bench", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no server answers there"), "{said}");
}

/// A server, behind a proxy, under the bench.
struct Run {
    output: Output,
    /// The numbers of the messages that a fault met, as the proxy saw them.
    planted: Vec<String>,
}

impl Run {
    /// 20 waiters, 200 messages: 4,000 deliveries, of which a fault meets 4.
    fn firehose(server: &[&str], fault: Option<Fault>) -> Run {
        let waiters = format!("-n{WAITERS}");
        let mode = ["--mode=firehose", "--publishers=2", "--messages=100"];
        Run::new(server, fault, &[&mode[..], &[&waiters]].concat())
    }

    fn new(server: &[&str], fault: Option<Fault>, arguments: &[&str]) -> Run {
        let server = Server::start(server);
        let proxy = Arc::new(Proxy {
            upstream: server.address,
            fault,
            followers: AtomicUsize::new(0),
            planted: Mutex::default(),
        });
        let address = proxy.clone().start();
        let output = Command::new(BINARY)
            .args(["bench", "--json", "--patience=1", "--accept=plain"])
            .args(arguments)
            .arg(format!("http://{address}"))
            .output()
            .unwrap();
        let planted = proxy.planted.lock().unwrap().clone();
        Run { output, planted }
    }

    fn complaints(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Lost, doubled, swapped.
    fn verdict(&self) -> [usize; 3] {
        let report: serde_json::Value = serde_json::from_slice(&self.output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.complaints()));
        ["lost", "doubled", "swapped"].map(|key| report["verdict"][key].as_u64().unwrap() as usize)
    }

    /// Each planted fault is told as this kind, by its message, and nothing else is told.
    fn names(&self, kind: &str) {
        assert_eq!(self.output.status.code(), Some(1));
        let complaints = self.complaints();
        let mut named: Vec<&str> = complaints
            .lines()
            .map(|line| {
                assert!(line.starts_with(&format!("comet-chat bench: {kind}: waiter ")), "{line}");
                let (_, message) = line.split_once(" message ").unwrap();
                message.split(' ').next().unwrap()
            })
            .collect();
        let mut planted = self.planted.clone();
        named.sort_unstable();
        planted.sort_unstable();
        assert_eq!(named, planted);
    }
}

/// A server as a process, ended with the test.
struct Server {
    process: Child,
    address: SocketAddr,
    /// Held open, so that it may go on printing.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(arguments: &[&str]) -> Server {
        let mut process = Command::new(BINARY).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap();
        let address = address.split('/').next().unwrap().parse().unwrap();
        Server { process, address, _stdout: stdout }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// What the proxy does to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The next message comes in its place.
    Drop,
    /// It comes again.
    Double,
    /// It comes after the next one.
    Swap,
}

/// Hands every request on and every reply back, but for the planted faults.
struct Proxy {
    upstream: SocketAddr,
    fault: Option<Fault>,
    /// How many connections have had their touched delivery.
    followers: AtomicUsize,
    planted: Mutex<Vec<String>>,
}

impl Proxy {
    /// Its threads end with the test's process; each connection's ends with its connection.
    fn start(self: Arc<Proxy>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming() {
                let proxy = self.clone();
                thread::spawn(move || proxy.relay(&client.unwrap()));
            }
        });
        address
    }

    /// `None` when either side is gone.
    fn relay(&self, mut client: &TcpStream) -> Option<()> {
        let mut requests = BufReader::new(client);
        let mut upstream = Upstream::connect(self.upstream)?;
        let mut deliveries = 0;
        let mut owed = None;
        loop {
            let request = Part::read(&mut requests)?;
            let reply = match owed.take() {
                Some(reply) => reply,
                None => {
                    let reply = upstream.ask(&request)?;
                    let is_delivery = request.is_poll() && reply.is_message();
                    deliveries += usize::from(is_delivery);
                    let touched = is_delivery && deliveries == TOUCHED && {
                        let earlier = self.followers.fetch_add(1, Ordering::Relaxed);
                        earlier.is_multiple_of(EVERY)
                    };
                    match self.fault.filter(|_| touched) {
                        Some(fault) => {
                            self.planted.lock().unwrap().push(reply.number());
                            let (now, later) = plant(fault, reply, &mut upstream)?;
                            owed = later;
                            now
                        }
                        None => reply,
                    }
                }
            };
            reply.write(&mut client)?;
        }
    }
}

/// What the client is given now, and what for its next request.
fn plant(fault: Fault, reply: Part, upstream: &mut Upstream) -> Option<(Part, Option<Part>)> {
    if fault == Fault::Double {
        return Some((reply.clone(), Some(reply)));
    }
    let next = upstream.ask(&reply.next())?;
    Some(match fault {
        Fault::Drop => (next, None),
        _ => (Part { body: next.body, ..reply.clone() }, Some(Part { body: reply.body, ..next })),
    })
}

struct Upstream(BufReader<TcpStream>);

impl Upstream {
    fn connect(address: SocketAddr) -> Option<Upstream> {
        Some(Upstream(BufReader::new(TcpStream::connect(address).ok()?)))
    }

    fn ask(&mut self, request: &Part) -> Option<Part> {
        request.write(self.0.get_mut())?;
        Part::read(&mut self.0)
    }
}

/// A request or a reply.
#[derive(Clone)]
struct Part {
    /// The lines of the head, without Content-Length.
    head: Vec<String>,
    body: Vec<u8>,
}

impl Part {
    fn read(reader: &mut impl BufRead) -> Option<Part> {
        let mut head = Vec::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
            match line.strip_prefix("Content-Length:") {
                Some(value) => length = value.trim().parse().ok()?,
                None if line == "\r\n" => break,
                None => head.push(line),
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Part { head, body })
    }

    fn write(&self, stream: &mut impl Write) -> Option<()> {
        let mut bytes = self.head.concat().into_bytes();
        let length = format!("Content-Length: {}\r\n\r\n", self.body.len());
        bytes.extend_from_slice(length.as_bytes());
        bytes.extend_from_slice(&self.body);
        stream.write_all(&bytes).ok()
    }

    fn is_poll(&self) -> bool {
        self.head[0].starts_with("GET ")
    }

    fn is_message(&self) -> bool {
        self.head[0].starts_with("HTTP/1.1 200")
    }

    /// The number in a message's text: `TAG NUMBER ...`.
    fn number(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        text.split(' ').nth(1).unwrap().to_owned()
    }

    /// The poll for what follows this reply.
    fn next(&self) -> Part {
        let link = self.head.iter().find(|line| line.starts_with("Link:"));
        let path = link.unwrap().split(['<', '>']).nth(1).unwrap();
        Part {
            head: vec![format!("GET {path}&wait=60 HTTP/1.1\r\n"), "Host: localhost\r\n".to_owned()],
            body: Vec::new(),
        }
    }
}
