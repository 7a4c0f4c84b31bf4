//! Requests without a clear end, and bytes that are no requests at all.

use std::time::Duration;

use crate::chat::Chat;
use crate::client::Connection;
use crate::harness::Launch;
use crate::raw::post;

on_every_engine![
    a_body_over_the_limit_is_refused_unread_and_leaves_nothing_behind,
    a_body_beyond_all_numbers_is_refused,
    a_length_that_is_none_is_refused,
    an_unclear_end_of_a_body_is_refused,
    what_follows_an_unclear_end_is_not_taken_for_a_request,
    a_body_in_chunks_is_read,
    a_body_in_endless_chunks_is_refused,
    an_unsound_head_is_refused,
    what_is_not_http_does_no_harm,
];

/// Expects the refusal, and that the connection ends with it: nobody knows where the next request would
/// begin.
#[track_caller]
fn refuses(chat: &Chat, bytes: &[u8], status: u16) {
    let mut connection = chat.connect();
    connection.send_bytes(bytes);
    let reply = connection.reply().is(status);
    assert!(reply.body.is_empty() || reply.text().ends_with('\n'));
    let says = reply.expect_header("Connection");
    assert!(says.eq_ignore_ascii_case("close"), "Connection: {says}");
}

/// A hundred gigabytes were once enough to end the process, which tried to read them all.
fn a_body_over_the_limit_is_refused_unread_and_leaves_nothing_behind(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    for _ in 0..20 {
        for length in ["65537", "99999999999", "30000000000000"] {
            refuses(&chat, &post(&chat, &format!("Content-Length: {length}"), "hi"), 413);
        }
    }
    server.shrinks_to(before);
    assert!(server.resident_kib() < 200 * 1024, "it took memory for a body");
}

fn a_body_beyond_all_numbers_is_refused(chat: Chat) {
    for length in ["9223372036854775807", "18446744073709551615", "99999999999999999999999999"] {
        refuses(&chat, &post(&chat, &format!("Content-Length: {length}"), "hi"), 413);
    }
    chat.says("still here");
}

fn a_length_that_is_none_is_refused(chat: Chat) {
    for length in ["-1", "+2", "2.0", "0x2", "two", "2 2", ""] {
        refuses(&chat, &post(&chat, &format!("Content-Length: {length}"), "hi"), 400);
    }
    chat.says("still here");
}

fn an_unclear_end_of_a_body_is_refused(chat: Chat) {
    for headers in [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2, 3",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
        "Transfer-Encoding: nonsense",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: gzip",
    ] {
        refuses(&chat, &post(&chat, headers, "hi"), 400);
    }
    chat.says("still here");
}

fn what_follows_an_unclear_end_is_not_taken_for_a_request(chat: Chat) {
    let start = chat.cursor();
    let smuggled = String::from_utf8(post(&chat, "Content-Length: 2", "hi")).expect("text");
    for headers in [
        "Content-Length: 0\r\nContent-Length: 100",
        "Content-Length: 99999999999",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: nonsense",
        "Content-Length: nonsense",
    ] {
        let mut connection = chat.connect();
        connection.send_bytes(&post(&chat, headers, &format!("0\r\n\r\n{smuggled}")));
        let reply = connection.reply();
        assert!([400, 413].contains(&reply.status), "{headers}: {reply:?}");
        connection.stop_sending();
        connection.set_patience(Duration::from_secs(1));
        while let Ok(reply) = connection.try_reply() {
            assert_ne!(reply.status, 200, "{headers}: {reply:?}");
        }
    }
    assert_eq!(chat.cursor(), start, "something was published");
}

fn a_body_in_chunks_is_read(chat: Chat) {
    let mut follower = chat.follower();
    let mut connection = chat.connect();
    connection.send_bytes(&post(&chat, "Transfer-Encoding: chunked", ""));
    connection.send_bytes(b"5\r\nhello\r\n");
    connection.send_bytes(b"6;part=2\r\n world\r\n0\r\n\r\n");
    connection.reply().is(200);
    // The connection goes on where the body ended.
    connection.ask(&chat.post().text("and on")).is(200);
    assert_eq!(follower.hears(2), ["hello world", "and on"]);
}

fn a_body_in_endless_chunks_is_refused(chat: Chat) {
    let mut connection = chat.connect();
    connection.send_bytes(&post(&chat, "Transfer-Encoding: chunked", ""));
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    // The server closes in the middle of it.
    while !connection.has_something() && connection.try_send_bytes(chunk.as_bytes()).is_ok() {}
    assert_eq!(connection.reply().status, 413);
    chat.says("still here");
}

/// The engines differed. One took a NUL in a header, brackets in a header's name and chunks of HTTP/1.0; the
/// other ignored every `Expect`.
fn an_unsound_head_is_refused(chat: Chat) {
    let start = chat.cursor();
    let path = chat.path("");
    let status = |line: &str, headers: &str| {
        let mut connection = chat.connect();
        let rest = "Host: localhost\r\nContent-Length: 2\r\nContent-Type: text/plain";
        connection.send_bytes(format!("{line}\r\n{headers}{rest}\r\n\r\nhi").as_bytes());
        connection.reply().status
    };
    let line = format!("POST {path} HTTP/1.1");
    for headers in ["X: a\0b\r\n", "X: a\x7fb\r\n", "X(y): z\r\n", ": z\r\n", "X\0: y\r\n"] {
        assert_eq!(status(&line, headers), 400, "{headers:?}");
    }
    for headers in ["Expect: the-unexpected\r\n", "Expect: 200-ok\r\n", "expect: 100-continue, more\r\n"] {
        assert_eq!(status(&line, headers), 417, "{headers:?}");
    }
    for line in [
        format!("PO(ST {path} HTTP/1.1"),
        format!("POST {path} HTTP/0.9"),
        format!("POST {path}<b> HTTP/1.1"),
        format!("POST {path}\x01 HTTP/1.1"),
        format!("POST {path}?name=\"ann\" HTTP/1.1"),
    ] {
        assert_eq!(status(&line, ""), 400, "{line:?}");
    }
    let mut connection = chat.connect();
    let head = format!("POST {path} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    connection.send_bytes(head.as_bytes());
    connection.reply().is(400);
    // This request stood until the client gave up.
    let mut connection = chat.connect();
    let headers = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked";
    connection.send_bytes(&post(&chat, headers, "2\r\nhi\r\n0\r\n\r\n"));
    connection.reply().is(400);
    assert_eq!(chat.cursor(), start, "something was published");
    for (line, headers) in [
        (line.as_str(), "X: a\tb~\r\n"),
        (&line, "Connection: Upgrade\r\nUpgrade: h2c\r\n"),
        // The same length twice is still one length.
        (&line, "Content-Length: 2\r\n"),
        (&format!("POST http://localhost{path} HTTP/1.1"), ""),
        (&format!("POST {path}#end HTTP/1.1"), ""),
        (&format!("POST {path}?x={{a}}|^` HTTP/1.1"), ""),
    ] {
        assert_eq!(status(line, headers), 200, "{line} {headers:?}");
    }
}

fn what_is_not_http_does_no_harm(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let tls_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let all_bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    for bytes in [
        tls_hello.as_slice(),
        &all_bytes,
        b"\r\n\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /chat\r\n\r\n",
        b"GET /chat HTTP/9.9\r\n\r\n",
        b"GET /chat HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /chat HTTP/1.1\r\n\xff\xfe: \xff\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
    ] {
        let mut connection: Connection = server.connect();
        connection.send_bytes(bytes);
        connection.stop_sending();
        // A refusal or nothing at all, but the connection ends.
        while connection.try_reply().is_ok() {}
    }
    chat.says("still here");
    server.shrinks_to(before);
}
