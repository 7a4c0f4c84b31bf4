//! Thousands of waiters, and more than the machine can hold.

use crate::client::Connection;
use crate::harness::{Alone, make_room_for, wait_until};
use crate::rooms::{TOO_MANY, all_are_served};

on_every_engine![
    five_thousand_wait_for_one_message,
    waiters_beyond_the_limit_are_refused_and_the_others_stay,
    nobody_holds_the_places_of_all_rooms,
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

fn waiters_beyond_the_limit_are_refused_and_the_others_stay(Alone(launch): Alone) {
    make_room_for(2_000);
    // Few enough that the budget is soon reached, whatever a waiter costs.
    let server = launch.with_open_files(1_024).start();
    let chat = server.chat();
    let get = chat.get(&format!("?wait=60&after={}", chat.cursor()));
    let mut crowd = Vec::new();
    wait_until("somebody is too many", || {
        // Few at a time, so that the server can refuse them before it is flooded.
        for _ in 0..5 {
            let mut connection = server.connect();
            connection.send(&get);
            crowd.push(connection);
        }
        chat.cursor();
        crowd.iter().any(Connection::has_something)
    });

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
