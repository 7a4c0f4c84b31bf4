//! The crowd of the backstage: it does what it is told, whatever the server does, until its stdin ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::proxy::Proxy;
use crate::{BINARY, SERVERS, Server, on_each};

/// Far more than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_crowd_grows_and_shrinks_and_hears_every_message() {
    on_each(&SERVERS[1..], |server| {
        let server = Server::start(server);
        let mut crowd = Crowd::start(server.address);
        crowd.order("{\"waiters\":60}");
        crowd.until("60 wait", |line, _| line["waiting"] == 60);
        server.until_waiters(60);
        crowd.order("{\"rate\":20}");
        crowd.until("60 have one message", |line, _| posts(line).any(|post| post["of"] == 60));
        crowd.order("{\"waiters\":10,\"size\":2000}");
        crowd.until("10 wait", |line, _| line["waiting"] == 10);
        crowd.until("10 have one message", |line, _| posts(line).any(|post| post["of"] == 10));
        for line in &crowd.lines {
            assert_eq!(line["lost"], 0);
            for post in posts(line) {
                assert_eq!(post["refused"], 0);
                assert!(post["first_us"].as_u64() <= post["last_us"].as_u64());
            }
        }
        crowd.order("{\"waiters\":0,\"rate\":0}");
        crowd.until("nobody waits", |line, _| line["waiting"] == 0);
        crowd.end();
    });
}

#[test]
fn a_crowd_comes_back_to_a_server_that_was_away() {
    on_each(&SERVERS[1..], |server| {
        let server = Server::start(server);
        let (proxy, address) = Proxy::start(server.address, None);
        let mut crowd = Crowd::start(address);
        crowd.order("{\"waiters\":20}");
        crowd.until("20 wait", |line, _| line["waiting"] == 20);
        proxy.go_away();
        crowd.until("it is told", |line, _| line["waiting"] == 0 && line["trouble"].is_string());
        proxy.come_back();
        crowd.until("20 wait again", |line, _| line["waiting"] == 20);
        assert!(crowd.end().contains("comes again"));
    });
}

#[test]
fn clients_vanish_come_in_bursts_and_read_nothing_when_they_are_told() {
    on_each(&SERVERS[1..], |server| {
        let server = Server::start(server);
        let mut crowd = Crowd::start(server.address);
        crowd.order("{\"waiters\":20}");
        crowd.until("20 wait", |line, _| line["waiting"] == 20);
        crowd.order("{\"failure\":\"vanish\",\"on\":true}");
        crowd.until("half have vanished", |_, did| did("vanished") >= 10);
        crowd.order("{\"failure\":\"vanish\",\"on\":false}");
        crowd.until("20 wait again", |line, _| line["waiting"] == 20);
        crowd.order("{\"waiters\":0}");
        crowd.order("{\"failure\":\"slow\",\"on\":true}");
        crowd.until("4 read nothing", |line, did| line["waiting"] == 0 && did("slow") >= 4);
        server.until_waiters(4);
        crowd.order("{\"failure\":\"slow\",\"on\":false}");
        crowd.order("{\"failure\":\"burst\",\"on\":true}");
        crowd.until("1,000 came at once", |_, did| did("burst") >= 1_000);
        crowd.order("{\"failure\":\"burst\",\"on\":false}");
        server.until_waiters(0);
        crowd.end();
    });
}

#[test]
fn calls_that_block_are_made_again_and_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer_stalls(stream.unwrap()));
        }
    });
    let mut crowd = Crowd::start(address);
    crowd.order("{\"failure\":\"stall\",\"on\":true}");
    let calls = 2 * thread::available_parallelism().map_or(1, usize::from) as u64;
    crowd.until("each has called often", |_, did| did("stalled") >= 10 * calls);
    crowd.order("{\"failure\":\"stall\",\"on\":false}");
    crowd.until("nobody calls", |line, _| line["did"]["stalled"] == 0);
    crowd.end();
}

#[test]
fn what_is_not_an_order_is_told_and_ignored() {
    let server = Server::start(SERVERS[1]);
    let mut crowd = Crowd::start(server.address);
    for line in ["more", "{\"waiters\":-5}", "{\"failure\":\"flood\",\"on\":true}", "{\"waiters\":3}"] {
        crowd.order(line);
    }
    crowd.until("3 wait", |line, _| line["waiting"] == 3);
    let complaints = crowd.end();
    assert_eq!(complaints.matches("not an order").count(), 3, "{complaints}");
}

/// Answers each call at once.
fn answer_stalls(stream: TcpStream) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream).lines();
    while lines.next()?.ok()? == "POST /backstage/stall HTTP/1.1" {
        while !lines.next()?.ok()?.is_empty() {}
        writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok()?;
    }
    panic!("another request came");
}

fn posts(line: &Value) -> impl Iterator<Item = &Value> {
    line["posts"].as_array().unwrap().iter()
}

/// A crowd as a process.
struct Crowd {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// All that it told.
    lines: Vec<Value>,
}

impl Crowd {
    fn start(server: SocketAddr) -> Crowd {
        let mut process = Command::new(BINARY)
            .args(["bench", "--crowd", &format!("http://{server}/chat/lobby")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Crowd { process, stdin, stdout: BufReader::new(stdout), lines: Vec::new() }
    }

    fn order(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    /// Reads what it tells from now on, until something holds: of a line, and of the sum of what it did.
    fn until(&mut self, what: &str, holds: impl Fn(&Value, &dyn Fn(&str) -> u64) -> bool) {
        let (begun, first) = (Instant::now(), self.lines.len());
        loop {
            assert!(begun.elapsed() < PATIENCE, "not {what}: {:?}", self.lines.last());
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "it ended");
            self.lines.push(serde_json::from_str(&line).unwrap());
            let lines = &self.lines[first..];
            let did = |name: &str| lines.iter().map(|line| line["did"][name].as_u64().unwrap()).sum();
            if holds(self.lines.last().unwrap(), &did) {
                return;
            }
        }
    }

    /// Ends its stdin, and so itself. Answers what it said on stderr.
    fn end(self) -> String {
        let Crowd { mut process, stdin, mut stdout, .. } = self;
        drop(stdin);
        stdout.read_to_string(&mut String::new()).unwrap();
        let mut complaints = String::new();
        process.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        assert!(process.wait().unwrap().success(), "{complaints}");
        complaints
    }
}

impl Server {
    /// How many wait, as it says itself.
    fn waiters(&self) -> u64 {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let figure = reply.lines().find_map(|line| line.strip_prefix("comet_chat_waiters "));
        figure.unwrap_or_else(|| panic!("{reply}")).trim().parse().unwrap()
    }

    fn until_waiters(&self, count: u64) {
        let begun = Instant::now();
        while self.waiters() != count {
            assert!(begun.elapsed() < PATIENCE, "{} wait, not {count}", self.waiters());
            thread::sleep(Duration::from_millis(20));
        }
    }
}
