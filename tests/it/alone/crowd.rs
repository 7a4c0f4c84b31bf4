//! Thousands of waiters, and more than the machine can hold.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use socket2::{Domain, Socket, Type};

use crate::client::Connection;
use crate::harness::{Alone, make_room_for, wait_until};
use crate::rooms::{TOO_MANY, all_are_served};

on_every_engine![
    five_thousand_wait_for_one_message,
    waiters_beyond_the_limit_are_refused_and_the_others_stay,
    nobody_holds_the_places_of_all_rooms,
    ten_thousand_connections_that_say_nothing_take_nothing_from_those_who_are_there,
];

/// How many wait.
const CROWD: usize = 5_000;

fn five_thousand_wait_for_one_message(Alone(launch): Alone) {
    make_room_for(CROWD as u64);
    let server = launch.start();
    let chat = server.chat();
    let elsewhere = server.chat();
    let mut next = chat.cursor();
    let mut crowd: Vec<Connection> = (0..CROWD).map(|_| server.connect()).collect();
    // The second time they are the clients that come back from the first.
    for text in ["one", "two"] {
        let get = chat.get(&format!("?wait=60&after={next}"));
        crowd.iter_mut().for_each(|connection| connection.send(&get));
        chat.wait_until_waiting(CROWD as u64);

        // The crowd would wait longer than this client has patience.
        elsewhere.says("not for the crowd");

        next = chat.says_to(CROWD as u64, text);
        for connection in &mut crowd {
            let reply = connection.reply().is(200);
            assert_eq!((reply.text(), reply.cursor()), (text, next.clone()));
        }
    }
}

/// The machine may hold fewer than that: then the others wait in the kernel, or are refused by it.
fn ten_thousand_connections_that_say_nothing_take_nothing_from_those_who_are_there(Alone(launch): Alone) {
    const SILENT: usize = 10_000;
    make_room_for(SILENT as u64 + 500);
    let server = launch.start();
    let chat = server.chat();
    let mut speaker = chat.connect();
    let post = |text| chat.post().form(&[("message", text)]);
    let after = speaker.ask(&post("before")).is(200).cursor();
    let query = format!("?wait=60&after={after}");
    let mut waiters: Vec<Connection> = (0..100).map(|_| chat.waits(&query)).collect();
    chat.wait_until_waiting(100);
    let mut silent: Vec<TcpStream> = (0..SILENT)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            // Nobody waits for one that the kernel does not let in yet.
            socket.set_nonblocking(true).expect("an option of a socket");
            let _ = socket.connect(&server.address().into());
            socket.into()
        })
        .collect();
    // Whoever is there is served.
    speaker.ask(&post("meanwhile")).is(200);
    for waiter in &mut waiters {
        assert_eq!(waiter.reply().is(200).text(), "meanwhile");
    }
    // The silent ones are cut off, and others come in. Each of them was looked for among all descriptors: that took minutes.
    wait_until("they are cut off", || {
        silent.iter_mut().any(|connection| match connection.read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected),
        })
    });
    drop(silent);
    chat.serves_again();
}

fn waiters_beyond_the_limit_are_refused_and_the_others_stay(Alone(launch): Alone) {
    make_room_for(2_000);
    // Few enough that the budget is soon reached, whatever a waiter costs.
    let server = launch.with_open_files(1_024).start();
    let chat = server.chat();
    let get = chat.get(&format!("?wait=60&after={}", chat.cursor()));
    let mut crowd: Vec<Connection> = Vec::new();
    while !crowd.iter().any(Connection::has_something) {
        assert!(crowd.len() < 1_024, "nobody is too many");
        // Few at a time, so that the server can refuse them before it is flooded.
        for _ in 0..5 {
            let mut connection = server.connect();
            connection.send(&get);
            crowd.push(connection);
        }
        chat.cursor();
    }

    // The waiters that came first are still there, and a POST is answered.
    chat.says("for those who have a place");
    let replies: Vec<_> = crowd.iter_mut().map(Connection::reply).collect();
    let (heard, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|r| r.status == 200);
    assert!(heard.len() >= 100, "only {} fit in", heard.len());
    for reply in heard {
        assert_eq!(reply.text(), "for those who have a place");
    }
    for reply in &refused {
        assert_eq!(reply.status, 503, "{reply:?}");
        let seconds = reply.expect_header("Retry-After").parse::<u32>();
        assert!(seconds.is_ok_and(|seconds| seconds >= 1), "{reply:?}");
    }
    assert!(!refused.is_empty());

    // When they have gone, there are places again.
    drop(crowd);
    let mut listener = chat.waits("?wait=60");
    chat.says_to(1, "room again");
    assert_eq!(listener.reply().is(200).text(), "room again");
}

/// One client that waited in a thousand rooms was enough to have every other room refused.
fn nobody_holds_the_places_of_all_rooms(Alone(launch): Alone) {
    make_room_for(TOO_MANY as u64);
    let server = launch.start();
    let chat = server.chat();
    let mut waits: Vec<_> =
        (0..TOO_MANY).map(|n| chat.room(&format!("held-{n}")).waits("?after=latest&wait=60")).collect();
    let mut told = None;
    wait_until("the first waiters are told to come back", || {
        told = waits.iter().position(Connection::has_something);
        told.is_some()
    });
    let told = told.expect("somebody");
    waits[told].reply().is(503).expect_header("Retry-After");
    all_are_served(&chat);
    let last = chat.room(&format!("held-{}", TOO_MANY - 1));
    last.says_to(1, "hi");
    assert_eq!(waits[TOO_MANY - 1].reply().is(200).text(), "hi");
}
