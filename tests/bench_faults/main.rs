//! The benchmark must notice faults: a proxy plants them, and the benchmark must exit with an error and name
//! each of them, and nothing else.

mod crowd;
mod proxy;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;

use proxy::{EVERY, Fault, Proxy};
use socket2::{Domain, Socket, Type};

const BINARY: &str = env!("CARGO_BIN_EXE_comet-chat");

/// The servers that the benchmark measures here: the floor and the chat, each on a free port.
const SERVERS: &[&[&str]] = &[
    &["bench", "--floor=127.0.0.1:0"],
    &["--listen=127.0.0.1:0", "--store=memory:", "--engine=blocking"],
    #[cfg(feature = "async")]
    &["--listen=127.0.0.1:0", "--store=memory:", "--engine=async"],
];

/// How many wait in a firehose.
const WAITERS: usize = 20;

#[test]
fn a_run_without_faults_is_clean() {
    on_each(SERVERS, |server| {
        let run = Run::firehose(server, None);
        assert!(run.output.status.success(), "{}", run.complaints());
        assert_eq!(run.verdict(), [0, 0, 0]);
    });
}

#[test]
fn one_lost_delivery_in_a_thousand_is_named() {
    on_each(SERVERS, |server| {
        let run = Run::firehose(server, Some(Fault::Drop));
        assert_eq!(run.verdict(), [WAITERS / EVERY, 0, 0]);
        run.names("lost");
    });
}

#[test]
fn one_doubled_delivery_in_a_thousand_is_named() {
    on_each(SERVERS, |server| {
        let run = Run::firehose(server, Some(Fault::Double));
        assert_eq!(run.verdict(), [0, WAITERS / EVERY, 0]);
        run.names("doubled");
    });
}

#[test]
fn one_swapped_delivery_in_a_thousand_is_named() {
    on_each(SERVERS, |server| {
        let run = Run::firehose(server, Some(Fault::Swap));
        assert_eq!(run.verdict(), [0, 0, WAITERS / EVERY]);
        run.names("swapped");
    });
}

#[test]
fn a_fan_out_names_what_one_waiter_lost() {
    on_each(SERVERS, |server| {
        let run = Run::new(server, Some(Fault::Drop), &["--mode=fan-out", "-n4", "--rounds=60"]);
        assert_eq!(run.verdict(), [1, 0, 0]);
        run.names("lost");
    });
}

/// The yardstick has only one room.
#[test]
fn faults_are_named_too_where_each_waits_in_several_rooms() {
    on_each(&SERVERS[1..], |server| {
        let run = |fault| {
            let mode = ["--mode=firehose", "--rooms=3", "--publishers=2", "--messages=100", "-n20"];
            Run::new(server, fault, &mode)
        };
        let clean = run(None);
        assert!(clean.output.status.success(), "{}", clean.complaints());
        assert_eq!(clean.verdict(), [0, 0, 0]);
        run(Some(Fault::Drop)).names("lost");
        run(Some(Fault::Double)).names("doubled");
    });
}

/// The yardstick knows no names.
#[test]
fn a_soak_loses_nothing_and_names_what_is_lost() {
    on_each(&SERVERS[1..], |server| {
        let run = |fault, rooms| {
            let soak = ["--soak", "-n20", "--seconds=4", "--rate=60", "--hold=2"];
            Run::new(server, fault, &[&soak[..], &[rooms]].concat())
        };
        let clean = run(None, "--rooms=3");
        assert!(clean.output.status.success(), "{}", clean.complaints());
        assert_eq!(clean.verdict(), [0, 0, 0]);
        run(Some(Fault::Drop), "--rooms=1").names("lost");
    });
}

#[test]
fn a_server_that_is_not_there_is_said_so() {
    // Nobody listens on this port, and nobody else can.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap().as_socket().unwrap());
    let output = Command::new(BINARY).args(["bench", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no server answers there"), "{said}");
}

/// Runs a test on these servers at the same time: it mostly waits.
fn on_each(servers: &[&'static [&'static str]], test: impl Fn(&'static [&'static str]) + Sync) {
    thread::scope(|scope| {
        for server in servers {
            scope.spawn(|| test(server));
        }
    });
}

/// A server behind a proxy, measured by the benchmark.
struct Run {
    output: Output,
    /// The numbers of the messages with a planted fault, as the proxy saw them.
    planted: Vec<String>,
}

impl Run {
    /// 20 waiters, 200 messages: 4,000 deliveries. A fault is planted in 4 of them.
    fn firehose(server: &[&str], fault: Option<Fault>) -> Run {
        let waiters = format!("-n{WAITERS}");
        let mode = ["--mode=firehose", "--publishers=2", "--messages=100"];
        Run::new(server, fault, &[&mode[..], &[&waiters]].concat())
    }

    fn new(server: &[&str], fault: Option<Fault>, arguments: &[&str]) -> Run {
        let server = Server::start(server);
        let (proxy, address) = Proxy::start(server.address, fault);
        let output = Command::new(BINARY)
            // So long must nothing come before something counts as lost: also on a busy machine it is.
            .args(["bench", "--json", "--patience=12", "--accept=plain"])
            .args(arguments)
            .arg(format!("http://{address}"))
            .output()
            .unwrap();
        Run { output, planted: proxy.planted() }
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

    /// Each planted fault is named as this kind, with its message, and nothing else is named.
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

/// A server as a process, which ends with the test.
struct Server {
    process: Child,
    address: SocketAddr,
    /// Held open, so that the process can go on printing.
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
