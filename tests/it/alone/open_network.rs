//! A server for an open network, and a crowd that wants all of its threads, memory or time.

use std::time::Instant;

use comet_chat::config::HEAD_TIMEOUT;
use socket2::{Domain, Socket, Type};

use crate::client::{Connection, Request};
use crate::harness::{Alone, make_room_for, wait_until};
use crate::server::Server;

on_async_engine![
    nine_thousand_wait_on_fewer_than_ten_threads,
    replies_that_nobody_takes_fill_no_memory,
    large_replies_keep_nobody_else_waiting,
    slow_bodies_take_no_more_memory_than_they_have,
    in_a_flood_of_slow_heads_others_are_served,
];

// In a file: then every reader gets copies of its own.
on_setup!(
    nonblocking_file,
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
    assert!(each < 40, "{each} KiB for each waiter");

    let post = chat.post().text("for all").accept("application/json");
    assert_eq!(chat.ask(&post).is(200).json()["delivered"], CROWD);
    for connection in &mut crowd {
        assert_eq!(connection.reply().is(200).text(), "for all");
    }
    let threads = server.footprint().threads;
    assert!(threads < 10, "{threads} threads");
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
    // More than the room itself holds.
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

/// Sends a request on each of many connections. The client's kernel takes little of the reply.
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
    // The kernel holds these replies for a client that does not read yet.
    let history = Request::get(&chat.path("/history?limit=4")).accept("application/json");
    let mut crowd: Vec<Connection> = (0..200).map(|_| server.connect()).collect();
    let elsewhere = server.chat();
    // A busy disk may be late with the small message, so the test tries again.
    wait_until("a small message overtakes most of the large replies", || {
        crowd.iter_mut().for_each(|connection| connection.send(&history));
        let waiting = |crowd: &[Connection]| crowd.iter().filter(|each| !each.has_something()).count();
        let before = waiting(&crowd);
        elsewhere.says("quickly");
        let after = waiting(&crowd);
        for connection in &mut crowd {
            connection.reply().is(200);
        }
        before > 50 && after > before * 2 / 3
    });
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
    // All first: a body must come within 20 s of its head.
    for connection in &mut slow {
        connection.send_bytes(&post[post.len() - 1..]);
    }
    for connection in &mut slow {
        connection.reply().is(200);
    }
}

fn in_a_flood_of_slow_heads_others_are_served(Alone(launch): Alone) {
    make_room_for(5_000);
    // On a machine that is too busy the flood is cut off before the others have spoken.
    wait_until("others are served while the flood is there", || {
        let server = launch.again().start();
        let chat = server.chat();
        let before = server.resident_kib();
        let request = chat.get("?wait=60").header("X-Slow", &"x".repeat(1_000)).bytes();
        let mut slow: Vec<Connection> = (0..5_000).map(|_| server.connect()).collect();
        for connection in &mut slow {
            connection.send_bytes(&request[..request.len() - 1]);
        }
        let mut follower = chat.follower();
        let start = Instant::now();
        for round in 0..20 {
            chat.says(&round.to_string());
            assert_eq!(follower.hears(1), [round.to_string()]);
        }
        let took = start.elapsed();
        let is_there = slow.iter().any(|connection| !connection.has_something());
        let each = (server.peak_kib() - before) / 5_000;
        assert!(each < 40, "{each} KiB for a head of 1");
        is_there && took < HEAD_TIMEOUT
    });
}
