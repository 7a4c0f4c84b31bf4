//! A proxy that plants faults in what a server delivers.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The first connection that reaches the delivery below gets a fault, and after it every so many.
pub const EVERY: usize = 5;

/// The delivery of a connection in which the fault is planted.
const TOUCHED: usize = 50;

/// What the proxy does to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The next message comes in its place.
    Drop,
    /// The message comes again.
    Double,
    /// The message comes after the next one.
    Swap,
}

/// Passes every request and every reply on, except for the planted faults.
pub struct Proxy {
    upstream: SocketAddr,
    fault: Option<Fault>,
    /// How many connections have reached that delivery.
    followers: AtomicUsize,
    planted: Mutex<Vec<String>>,
    /// The clients' connections; none is let in while the server is away.
    clients: Mutex<Vec<TcpStream>>,
    is_away: AtomicBool,
}

impl Proxy {
    /// A proxy before a server, and its address. Its threads end with the test's process, and the thread of a
    /// connection with its connection.
    pub fn start(upstream: SocketAddr, fault: Option<Fault>) -> (Arc<Proxy>, SocketAddr) {
        let followers = AtomicUsize::new(0);
        let proxy = Arc::new(Proxy {
            upstream,
            fault,
            followers,
            planted: Mutex::default(),
            clients: Mutex::default(),
            is_away: AtomicBool::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let relaying = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (proxy, client) = (relaying.clone(), client.unwrap());
                if proxy.lets_in(&client) {
                    thread::spawn(move || proxy.relay(&client));
                }
            }
        });
        (proxy, address)
    }

    /// The numbers of the messages with a planted fault.
    pub fn planted(&self) -> Vec<String> {
        self.planted.lock().unwrap().clone()
    }

    /// The server is away from now on: every connection ends, and so does every new one.
    pub fn go_away(&self) {
        let mut clients = self.clients.lock().unwrap();
        self.is_away.store(true, Ordering::SeqCst);
        clients.drain(..).for_each(|client| drop(client.shutdown(Shutdown::Both)));
    }

    /// The server is there again.
    pub fn come_back(&self) {
        self.is_away.store(false, Ordering::SeqCst);
    }

    fn lets_in(&self, client: &TcpStream) -> bool {
        let mut clients = self.clients.lock().unwrap();
        let is_there = !self.is_away.load(Ordering::SeqCst);
        if is_there {
            clients.push(client.try_clone().unwrap());
        }
        is_there
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

/// What the client gets now, and what it gets for its next request.
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
