//! Threads that tiny_http loses for good: the server begins anew without them.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::server::Server;

const PATIENCE: Duration = Duration::from_secs(240);

fn threads(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap().count()
}

#[test]
fn a_server_that_loses_its_threads_begins_anew_and_loses_nothing_else() {
    // Room for some two hundred connections.
    let server = Server::start_under("blocking", "ulimit -n 800");
    let client = Client::new(&server.url(), "lost", Instant::now() + PATIENCE);
    client.publish("before");
    let before = threads(&server);
    let _attackers: Vec<TcpStream> = (0..150)
        .map(|_| {
            let mut attacker = TcpStream::connect(server.address()).unwrap();
            attacker.write_all(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n").unwrap();
            attacker
        })
        .collect();
    let has_begun_anew = || server.log().matches("the blocking engine serves").count() == 2;
    let deadline = Instant::now() + PATIENCE;
    let mut most = 0;
    while !has_begun_anew() {
        assert!(Instant::now() < deadline, "it goes on with {} threads", threads(&server));
        most = most.max(threads(&server));
        thread::sleep(Duration::from_millis(50));
    }
    assert!(most > before + 100, "{most} threads: none was lost");
    client.publish("after");
    let kept: Vec<String> = client.read().into_iter().map(|seen| seen.text).collect();
    assert_eq!(kept, ["before", "after"]);
    assert!(threads(&server) < before + 50, "{} threads", threads(&server));
}
