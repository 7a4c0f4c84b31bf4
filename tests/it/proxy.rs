//! Behind nginx, with the recipe in `scripts/proxy/`. What the blocking engine can't hold off does not reach it,
//! and everything else works as without nginx.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::chat::Chat;
use crate::harness::{Launch, left_out, wait_until};
use crate::raw;

on_every_engine![
    behind_nginx_the_chat_works,
    nginx_that_buffers_replies_passes_on_each_event_at_once,
    nginx_keeps_away_what_harms_tiny_http,
];

/// A proxy with the recipe, in front of a server. Dropping it kills the process.
struct Nginx {
    process: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Nginx {
    /// `None` where there is no nginx.
    fn before(server: SocketAddr) -> Option<Nginx> {
        Nginx::with_recipe(&recipe(), server)
    }

    fn with_recipe(recipe: &str, server: SocketAddr) -> Option<Nginx> {
        let directory = tempfile::tempdir().expect("a directory for nginx");
        // On an address of its own no other test takes the port before nginx does.
        let own = Ipv4Addr::new(127, fastrand::u8(1..255), fastrand::u8(..), fastrand::u8(1..255));
        let port = TcpListener::bind((own, 0)).and_then(|listener| listener.local_addr());
        let address = port.expect("a free port");
        let file = directory.path().join("nginx.conf");
        fs::write(
            &file,
            config(directory.path(), address, &recipe.replace("127.0.0.1:8080", &server.to_string())),
        )
        .expect("a file");
        let spawned = Command::new("nginx")
            .arg("-p")
            .arg(directory.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = spawned else {
            left_out("it needs nginx");
            return None;
        };
        let nginx = Nginx { process, address, _directory: directory };
        wait_until("nginx listens", || TcpStream::connect(address).is_ok());
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It fails only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The recipe, without the prefix: these tests ask for the addresses that the suite knows.
fn recipe() -> String {
    let recipe = include_str!("../../scripts/proxy/nginx.conf");
    assert!(recipe.contains("location /talk/ {"), "{recipe}");
    recipe.replace("location /talk/ {", "location / {")
}

/// What a process of this machine's needs beside the recipe. It is one process, so that nothing is left when it is
/// killed.
fn config(directory: &Path, address: SocketAddr, recipe: &str) -> String {
    let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {}/{name};\n", directory.display()))
        .collect();
    let recipe = recipe.replace("http {", &format!("http {{ {paths}"));
    let recipe = recipe.replace("listen 80;", &format!("listen {address};"));
    format!("{user} daemon off; master_process off; pid nginx.pid; error_log stderr;\n{recipe}")
}

fn behind_nginx_the_chat_works(launch: Launch) {
    let server = launch.with_flag("--allow-host", "chat.example").start();
    let Some(nginx) = Nginx::before(server.address()) else { return };
    let chat = Chat::at(nginx.address);
    let mut listener = chat.waits("?wait=30");
    chat.says_to(1, "through a proxy");
    assert_eq!(listener.reply().is(200).text(), "through a proxy");

    let mut events = chat.events("?after=latest", &[]);
    chat.says("as it happens");
    // The first event only says where the stream begins.
    events.next();
    assert_eq!(events.next().message()["text"], "as it happens");

    for (host, status) in [("chat.example", 200), ("elsewhere.example", 421)] {
        let mut connection = chat.connect();
        let get = format!("GET /help HTTP/1.1\r\nHost: {host}\r\n\r\n");
        connection.send_bytes(get.as_bytes());
        connection.reply().is(status);
    }
}

/// nginx keeps a reply until its buffer is full, unless the reply tells it not to.
fn nginx_that_buffers_replies_passes_on_each_event_at_once(launch: Launch) {
    let server = launch.start();
    let recipe = recipe().replace("proxy_buffering off", "proxy_buffering on");
    assert!(recipe.contains("proxy_buffering on"), "{recipe}");
    let Some(nginx) = Nginx::with_recipe(&recipe, server.address()) else { return };
    let chat = Chat::at(nginx.address);
    let mut events = chat.events("?after=latest", &[]);
    let mut lines = chat.lines("?after=latest");
    // The first event of each only says where the stream begins.
    assert_eq!(events.next().event.as_deref(), Some("beat"));
    assert_eq!(lines.next()["kind"], "beat");
    for text in ["one", "two", "three"] {
        chat.says(text);
        assert_eq!(events.next().message()["text"], text);
        assert_eq!(lines.next()["text"], text);
    }
}

fn nginx_keeps_away_what_harms_tiny_http(launch: Launch) {
    let server = launch.start();
    let Some(nginx) = Nginx::before(server.address()) else { return };
    let chat = Chat::at(nginx.address);
    chat.says("before");
    let start = chat.cursor();
    let before = server.footprint_at_rest(&server.chat());
    let path = chat.path("");
    let post = |headers: &str, rest: &str| raw::post(&chat, headers, rest);
    for refused in [
        format!("GET {path} HTTP/2.0\r\nHost: localhost\r\n\r\n").into_bytes(),
        chat.get("").header("X", &"a".repeat(200_000)).bytes(),
        post("Transfer-Encoding: chunked", "+5\r\nhello\r\n0\r\n\r\n"),
        post("Transfer-Encoding: \x0bchunked", "5\r\nhello\r\n0\r\n\r\n"),
        post("X: a\0b\r\nContent-Length: 5", "hello"),
        post("Content-Length: 5\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
    ] {
        // If each left a thread, that would show.
        for _ in 0..20 {
            let mut connection = chat.connect();
            // It may be refused before its end.
            let _ = connection.try_send_bytes(&refused);
            let refused = String::from_utf8_lossy(&refused);
            match connection.try_reply() {
                Ok(reply) => assert!(reply.status >= 400, "{} for {refused:.200}", reply.status),
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{refused:.200}"),
            }
        }
    }
    assert_eq!(chat.cursor(), start, "something was published");
    server.shrinks_to(before);

    let mut follower = chat.follower();
    let mut connection = chat.connect();
    connection.send_bytes(&post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"));
    connection.reply().is(200);
    connection.send_bytes(&post("Expect: 100-continue\r\nContent-Length: 2", ""));
    connection.is_told_to_continue();
    connection.send_bytes(b"hi");
    connection.reply().is(200);
    assert_eq!(follower.hears(2), ["hello", "hi"]);
}
