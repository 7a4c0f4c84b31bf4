//! What a server for an open network promises as well: no client holds its threads, its memory or its time,
//! whatever bytes it sends.

use std::time::{Duration, Instant};

use crate::chat::Chat;
use crate::client::{Connection, Request};
use crate::harness::{Launch, PATIENCE, wait_until};
use crate::server::Server;

on_async_engine![
    a_client_that_leaves_during_a_wait_is_forgotten_at_once,
    a_head_that_trickles_in_is_cut_off,
    a_body_that_trickles_in_is_cut_off,
    a_client_that_sends_nothing_is_cut_off,
    a_client_that_does_not_take_a_reply_is_cut_off,
    an_endless_head_is_refused,
    a_hundred_thousand_headers_are_refused,
    another_version_of_http_is_refused,
    failed_accepts_are_logged_once,
];

fn a_client_that_leaves_during_a_wait_is_forgotten_at_once(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let start = Instant::now();
    let crowd: Vec<Connection> = (0..50).map(|_| chat.waits("?wait=60")).collect();
    wait_until("all of them wait", || chat.waiting() == 50);
    drop(crowd);
    wait_until("nobody waits", || chat.waiting() == 0);
    server.shrinks_to(before);
    assert!(start.elapsed() < PATIENCE, "the server waited for them");
}

fn a_head_that_trickles_in_is_cut_off(chat: Chat) {
    let head = chat.get("?wait=60").header("X-Slow", &"x".repeat(1_000)).bytes();
    let reply = trickle(&mut chat.connect(), &head);
    assert!(reply.is_none(), "a head of {} bytes in as many steps was answered {reply:?}", head.len());
    chat.says("still here");
}

fn a_body_that_trickles_in_is_cut_off(chat: Chat) {
    let start = chat.cursor();
    let post = chat.post().text(&"x".repeat(1_000)).bytes();
    let (head, body) = post.split_at(post.len() - 1_000);
    let mut connection = chat.connect();
    connection.send_bytes(head);
    let reply = trickle(&mut connection, body);
    assert!(reply.is_none(), "a body of {} bytes in as many steps was answered {reply:?}", body.len());
    assert_eq!(chat.cursor(), start, "something was published");
}

/// Sends byte after byte, ten in a second, until the server ends the connection. Returns the status if there
/// was a reply.
#[track_caller]
fn trickle(connection: &mut Connection, bytes: &[u8]) -> Option<u16> {
    let start = Instant::now();
    connection.set_patience(Duration::from_millis(100));
    for byte in bytes {
        assert!(start.elapsed() < PATIENCE, "it may go on for {PATIENCE:?}");
        if connection.try_send_bytes(&[*byte]).is_err() {
            return None;
        }
        if connection.ends_within_its_patience() {
            return connection.try_reply().ok().map(|reply| reply.status);
        }
    }
    panic!("all {} bytes were taken", bytes.len());
}

fn a_client_that_sends_nothing_is_cut_off(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let silent: Vec<Connection> = (0..50).map(|_| server.connect()).collect();
    wait_until("they are there", || server.footprint().open_files >= before.open_files + 50);
    server.shrinks_to(before);
    drop(silent);
}

fn a_client_that_does_not_take_a_reply_is_cut_off(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let text = "x".repeat(60_000);
    for _ in 0..16 {
        chat.ask(&chat.post().text(&text)).is(200);
    }
    let before = server.footprint_at_rest(&chat);
    let history = Request::get(&chat.path("?after=oldest")).accept("application/json").bytes();
    let mut deaf: Vec<Connection> = (0..20).map(|_| server.connect()).collect();
    for connection in &mut deaf {
        // More requests than the kernel's buffers can hold replies.
        for _ in 0..20 {
            connection.send_bytes(&history);
        }
    }
    wait_until("they are there", || server.footprint().open_files >= before.open_files + 20);
    server.shrinks_to(before);
    drop(deaf);
}

fn an_endless_head_is_refused(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    for start in ["GET /chat?", "GET /chat HTTP/1.1\r\nX-Endless: "] {
        let mut connection = chat.connect();
        connection.send_bytes(start.as_bytes());
        floods(&mut connection, &[b'x'; 4_096]);
    }
    stays_small(&server);
    chat.says("still here");
}

fn a_hundred_thousand_headers_are_refused(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let head = chat.get("?wait=0").bytes();
    let mut connection = chat.connect();
    connection.send_bytes(&head[..head.len() - 2]);
    floods(&mut connection, "X-Many: x\r\n".repeat(100_000).as_bytes());
    stays_small(&server);
    chat.says("still here");
}

/// Sends the bytes again and again until the server says that the head is too large, and closes.
#[track_caller]
fn floods(connection: &mut Connection, bytes: &[u8]) {
    for sent in 1.. {
        if connection.has_something() || connection.try_send_bytes(bytes).is_err() {
            break;
        }
        assert!(sent * bytes.len() < 1 << 30, "a gigabyte was taken");
    }
    connection.reply().is(431);
}

fn another_version_of_http_is_refused(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    for line in ["GET /chat HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /chat HTTP/3\r\n\r\n"]
    {
        let mut crowd: Vec<Connection> = (0..100).map(|_| server.connect()).collect();
        for connection in &mut crowd {
            connection.send_bytes(line.as_bytes());
        }
        for connection in &mut crowd {
            let reply = connection.reply().is(400);
            assert!(reply.text().contains("HTTP/1.1"), "{}", reply.text());
        }
    }
    server.shrinks_to(before);
}

/// At the limit of files each failed accept was a warning, up to fifty in a second as long as it lasted: the
/// pauses began again at their shortest whenever one client could be accepted in between.
fn failed_accepts_are_logged_once(launch: Launch) {
    let server = launch.start();
    let mut inside = server.connect();
    let failures = |inside: &mut Connection| {
        let figures = inside.ask(&Request::get("/metrics")).is(200);
        let line = figures.text().lines().find_map(|line| line.strip_prefix("comet_chat_revivals_total "));
        line.expect("the figure").parse::<u64>().expect("a number")
    };
    assert_eq!(failures(&mut inside), 0);
    let mut outside = Vec::new();
    for round in 1..=3 {
        server.limit_open_files(3);
        outside.push(server.connect());
        wait_until("accepting has failed", || failures(&mut inside) >= 2 * round);
        server.limit_open_files(1_000);
        // The client is accepted, and its time is not over yet.
        outside.last_mut().expect("it is there").ask(&Request::get("/help")).is(200);
    }
    let warnings = server.lines_with("no connection could be accepted");
    assert_eq!(warnings, 1, "of {} failures", failures(&mut inside));
}

/// Expects that the server never had much in memory.
#[track_caller]
fn stays_small(server: &Server) {
    let peak = server.peak_kib();
    assert!(peak < 64 * 1024, "{peak} KiB");
}
