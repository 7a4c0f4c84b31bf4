//! What a server for an open network promises on top: nobody holds its threads, its memory or its
//! time, by whatever bytes.

use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::chat::Chat;
use crate::client::{Connection, Request};
use crate::harness::{Alone, Launch, PATIENCE, make_room_for, wait_until};
use crate::server::Server;

on_open_network_setups![
    nine_thousand_wait_on_fewer_than_ten_threads,
    who_leaves_amid_a_wait_is_forgotten_at_once,
    a_head_that_trickles_in_is_cut_off,
    a_body_that_trickles_in_is_cut_off,
    who_says_nothing_is_cut_off,
    who_does_not_take_a_reply_is_cut_off,
    replies_that_nobody_takes_fill_no_memory,
    large_replies_keep_nobody_else_waiting,
    an_endless_head_is_refused,
    a_hundred_thousand_headers_are_refused,
    another_version_of_http_is_refused,
    slow_bodies_take_no_more_memory_than_they_have,
    in_a_flood_of_slow_heads_others_are_served,
    what_can_t_be_accepted_is_said_once,
];

// In a file, where every reader is given messages of its own.
on_setup!(
    async_sqlite,
    "async",
    "sqlite:{dir}/chat.db",
    streams_that_nobody_reads_fill_no_memory,
    large_replies_keep_nobody_else_waiting
);

/// How many wait.
const CROWD: usize = 9_000;

fn nine_thousand_wait_on_fewer_than_ten_threads(Alone(launch): Alone) {
    make_room_for(CROWD as u64);
    let server = launch.start();
    let chat = server.chat();
    let before = server.resident_kib();
    let query = format!("?wait=60&after={}", chat.cursor());
    let mut crowd: Vec<Connection> = (0..CROWD).map(|_| chat.waits(&query)).collect();
    wait_until("all of them wait", || chat.waiting() == CROWD as u64);
    let threads = server.footprint().threads;
    assert!(threads < 10, "{threads} threads");
    let each = (server.resident_kib() - before) / CROWD as u64;
    assert!(each < 40, "{each} KiB for each who waits");

    let post = chat.post().text("for all").accept("application/json");
    assert_eq!(chat.ask(&post).is(200).json()["delivered"], CROWD);
    for connection in &mut crowd {
        assert_eq!(connection.reply().is(200).text(), "for all");
    }
    let threads = server.footprint().threads;
    assert!(threads < 10, "{threads} threads");
}

fn who_leaves_amid_a_wait_is_forgotten_at_once(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let start = Instant::now();
    let crowd: Vec<Connection> = (0..50).map(|_| chat.waits("?wait=60")).collect();
    wait_until("all of them wait", || chat.waiting() == 50);
    drop(crowd);
    wait_until("nobody waits", || chat.waiting() == 0);
    server.shrinks_to(before);
    assert!(start.elapsed() < PATIENCE, "they were waited for");
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

/// Sends byte after byte, ten in a second, until the server ends the connection: with a reply, whose
/// status is returned, or without.
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

fn who_says_nothing_is_cut_off(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let silent: Vec<Connection> = (0..50).map(|_| server.connect()).collect();
    wait_until("they are there", || server.footprint().open_files >= before.open_files + 50);
    server.shrinks_to(before);
    drop(silent);
}

fn who_does_not_take_a_reply_is_cut_off(launch: Launch) {
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
        // More of them than the kernel's buffers hold the replies of.
        for _ in 0..20 {
            connection.send_bytes(&history);
        }
    }
    wait_until("they are there", || server.footprint().open_files >= before.open_files + 20);
    server.shrinks_to(before);
    drop(deaf);
}

fn replies_that_nobody_takes_fill_no_memory(Alone(launch): Alone) {
    make_room_for(400);
    let server = launch.start();
    let chat = server.chat();
    for _ in 0..16 {
        chat.ask(&chat.post().text(&"x".repeat(60_000))).is(200);
    }
    let before = server.resident_kib();
    // Nearly a megabyte for each of them.
    let history = Request::get(&chat.path("/history?limit=16"));
    let deaf = ask_and_read_nothing(&server, &history);
    let mut follower = chat.follower();
    chat.says("beside them");
    assert_eq!(follower.hears(1), ["beside them"]);
    let taken = (server.peak_kib() - before) / 1_024;
    assert!(taken < 200, "{taken} MiB");
    drop(deaf);
    server.comes_to_rest();
    chat.ask(&history).is(200);
}

fn streams_that_nobody_reads_fill_no_memory(Alone(launch): Alone) {
    make_room_for(400);
    let server = launch.start();
    let chat = server.chat();
    // More than the room itself remembers.
    for _ in 0..100 {
        chat.ask(&chat.post().text(&"x".repeat(60_000))).is(200);
    }
    let before = server.resident_kib();
    let stream = chat.get("?after=oldest").accept("text/event-stream");
    let deaf = ask_and_read_nothing(&server, &stream);
    let taken = (server.peak_kib() - before) / 1_024;
    assert!(taken < 300, "{taken} MiB");
    drop(deaf);
    server.comes_to_rest();
    chat.says("still here");
}

/// Sends a request on each of many connections, whose kernels take little of the reply.
fn ask_and_read_nothing(server: &Server, request: &Request) -> Vec<Connection> {
    let deaf = (0..400).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("an option");
        socket.connect(&server.address().into()).expect("a connection");
        let mut connection = Connection::over(socket.into());
        connection.send(request);
        connection
    });
    let deaf = deaf.collect();
    server.comes_to_rest();
    deaf
}

fn large_replies_keep_nobody_else_waiting(Alone(launch): Alone) {
    make_room_for(400);
    let server = launch.start();
    let chat = server.chat();
    for _ in 0..4 {
        chat.ask(&chat.post().text(&"x".repeat(60_000))).is(200);
    }
    let history = Request::get(&chat.path("/history?limit=4")).accept("application/json");
    let mut crowd: Vec<Connection> = (0..400).map(|_| server.connect()).collect();
    let start = Instant::now();
    crowd.iter_mut().for_each(|connection| connection.send(&history));
    let elsewhere = server.chat();
    elsewhere.says("quickly");
    let took = start.elapsed();
    for connection in &mut crowd {
        connection.reply().is(200);
    }
    let all = start.elapsed();
    assert!(took < all / 3, "a small message took {took:?} of the {all:?} of {} large ones", crowd.len());
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

/// Sends the bytes again and again until the server closes, having said that the head is too large.
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

fn slow_bodies_take_no_more_memory_than_they_have(Alone(launch): Alone) {
    make_room_for(1_000);
    let server = launch.start();
    let chat = server.chat();
    let before = server.resident_kib();
    let post = chat.post().text(&"x".repeat(60_000)).bytes();
    let mut slow: Vec<Connection> = (0..500).map(|_| server.connect()).collect();
    for connection in &mut slow {
        connection.send_bytes(&post[..post.len() - 1]);
    }
    server.comes_to_rest();
    chat.says("beside them");
    let each = (server.peak_kib() - before) / 500;
    assert!(each < 250, "{each} KiB for a body of 60");
    for connection in &mut slow {
        connection.send_bytes(&post[post.len() - 1..]);
        connection.reply().is(200);
    }
}

fn in_a_flood_of_slow_heads_others_are_served(Alone(launch): Alone) {
    make_room_for(5_000);
    let server = launch.start();
    let chat = server.chat();
    let before = server.resident_kib();
    let request = chat.get("?wait=60").header("X-Slow", &"x".repeat(1_000)).bytes();
    let mut slow: Vec<Connection> = (0..5_000).map(|_| server.connect()).collect();
    for connection in &mut slow {
        connection.send_bytes(&request[..request.len() - 1]);
    }
    let mut follower = chat.follower();
    for round in 0..20 {
        let start = Instant::now();
        chat.says(&round.to_string());
        assert_eq!(follower.hears(1), [round.to_string()]);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "it took {took:?}");
    }
    let each = (server.peak_kib() - before) / 5_000;
    assert!(each < 40, "{each} KiB for a head of 1");
}

/// At the limit of files each failed accept was a warning, up to fifty in a second for as long as it lasted:
/// the pauses began anew whenever one client could be accepted in between.
fn what_can_t_be_accepted_is_said_once(launch: Launch) {
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
        // It is accepted, and its time is not over yet.
        outside.last_mut().expect("it is there").ask(&Request::get("/help")).is(200);
    }
    let warnings = server.lines_with("no connection could be accepted");
    assert_eq!(warnings, 1, "of {} failures", failures(&mut inside));
}

/// Wants the server never to have had much in memory.
#[track_caller]
fn stays_small(server: &Server) {
    let peak = server.peak_kib();
    assert!(peak < 64 * 1024, "{peak} KiB");
}
