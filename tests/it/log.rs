//! The log: what an operator reads in it, and what it never holds.

use crate::client::Request;
use crate::harness::{Launch, wait_until};

on_every_engine![every_request_is_a_line_without_what_was_said];

/// `--log debug` had no line for a request. An operator who looked for a slow or a refused one had to put a
/// proxy in front.
fn every_request_is_a_line_without_what_was_said(launch: Launch) {
    let server = launch.with_flag("--log", "debug").start();
    let chat = server.chat();
    let mut connection = chat.connect();
    let peer = connection.local_address();
    connection.ask(&chat.post_to("?name=Zaphod").text("xyzzy-said")).is(200);
    connection.ask(&chat.post().form(&[("message", "xyzzy-said"), ("name", "Zaphod")])).is(200);
    connection.ask(&chat.get("?wait=0&name=Zaphod&after=xyzzy-cursor")).is(400);
    connection.ask(&chat.get("?after=oldest&name=Zaphod")).is(200);
    connection.ask(&Request::new("HEAD", "/help?xyzzy").breaking_the_rules()).is(200);
    // Its bytes must not reach the reader's terminal, whatever the answer is.
    let mut rude = chat.connect();
    rude.send(&Request::get("/nowhere\"\u{1b}[2J"));
    let _ = rude.try_reply();
    let stream = chat.get("?after=oldest").accept("text/event-stream");
    connection.send(&stream);
    let path = chat.path("");
    for (method, path, status, times) in [
        ("POST", &*path, 200, 2),
        ("GET", &path, 400, 1),
        // A stream has its line when it begins.
        ("GET", &path, 200, 2),
        ("HEAD", "/help", 200, 1),
    ] {
        let line = format!("answered method=\"{method}\" path=\"{path}\" status={status} ms=");
        wait_until(&format!("{line} has been written {times} times"), || {
            server.lines_with(&line) == times && server.lines_with(&format!("peer={peer}")) >= 6
        });
    }
    drop(connection);
    for secret in ["xyzzy", "Zaphod", "\u{1b}[2J"] {
        assert_eq!(server.lines_with(secret), 0, "{secret:?} is in the log");
    }
}
