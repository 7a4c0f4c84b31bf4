//! `comet-chat health`: a server's health for those who have no curl.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_comet-chat"))
}

fn health(url: &str) -> Output {
    program().args(["health", url]).output().unwrap()
}

/// Ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_that_works_is_told_by_status_0() {
    let mut server = Server(
        program()
            .args(["--listen", "127.0.0.1:0", "--store", "memory:", "--log", "error"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut greeting = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    let url = greeting.trim_end().rsplit_once(' ').unwrap().1.trim_end_matches("/chat/lobby");
    for url in [url, &format!("{url}/")] {
        // A check gives up after 2 s, which a busy machine may need.
        let well = (0..10).map(|_| health(url)).find(|output| output.status.success());
        assert!(!well.expect("it is well").stdout.is_empty());
    }
}

#[test]
fn a_server_that_does_not_work_is_told_by_status_1_and_a_sentence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/talk", listener.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        client.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nill\n").unwrap();
        String::from_utf8_lossy(&request).into_owned()
    });
    let output = health(&url);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("answered 503: ill"), "{output:?}");
    assert!(answering.join().unwrap().starts_with("GET /talk/health HTTP/1.1\r\nHost: 127.0.0.1:"));
    // Nobody listens there any more.
    for (url, word) in
        [(&*url, "does not answer"), ("https://localhost", "no TLS"), ("http://a b", "no address")]
    {
        let output = health(url);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(word), "{url}: {output:?}");
    }
}
