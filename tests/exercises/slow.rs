//! **Exercise 2: a room where people take their time.**
//!
//! In a room whose name is `slow-S-...`, such as `slow-5-debate`, messages of one name come at least S seconds apart.
//! A message that comes sooner is held back: its POST is answered `ok` later, when it is that name's turn. One is held
//! back for each name; a further one is refused with `429` and `Retry-After`. Nobody else is held up meanwhile.
//!
//! Read first `src/blocking/publish.rs`, all of it, then `Rooms` in `room.rs`. You need a place that all handlers
//! share for the names' turns, and something that waits. `Refusal::TooManyMessages` is near enough.
//!
//! The traps. Threads: whoever sleeps while it holds a lock makes all others sleep that need the lock. Tasks:
//! `thread::sleep` puts a worker to sleep, and with it every task that the worker would have run; and the compiler
//! lets no guard of a `std` lock live across an `.await`. Ask why the same code is fine with a thread each. Both: the
//! room's own thread or task is the wrong place to sleep. Who waits for it?
//!
//! To talk about: what becomes of a message that is held back, when its client hangs up? When the server ends? Is it
//! the same on both engines?

use std::time::{Duration, Instant};

use crate::chat::Chat;
use crate::client::{Connection, Request};
use crate::harness::wait_until;

on_each_engine![
    messages_of_one_name_come_apart,
    a_third_message_of_a_name_is_refused,
    nobody_else_is_held_up_by_those_who_are_held_back,
];

/// Longer than a busy machine needs for all that happens meanwhile.
const LONG: u64 = 60;

/// More than the async engine has workers: if each of these put one to sleep, nobody would be left.
const TALKERS: usize = 8;

fn messages_of_one_name_come_apart(chat: Chat) {
    // Before the exercise is done they come at once, in less than this on any machine.
    let room = chat.room(&format!("slow-5-{}", chat.name()));
    let mut listener = room.follower();
    let start = Instant::now();
    for text in ["one", "two", "three"] {
        room.ask(&says(&room, "anna", text)).is(200);
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(10), "three messages of one name are 10 s apart, and took {took:?}");
    assert_eq!(listener.hears(3), ["one", "two", "three"], "what is held back is said later, and once");
}

fn a_third_message_of_a_name_is_refused(chat: Chat) {
    let room = room_of(&chat);
    room.ask(&says(&room, "anna", "one")).is(200);
    let mut held: Vec<Connection> = (0..2).map(|_| sends(&room, "anna", "two")).collect();
    let mut answered = Vec::new();
    wait_until("one of two is refused while the other is held back", || {
        answered.extend(held.extract_if(.., |talker| talker.has_something()));
        !answered.is_empty()
    });
    let reply = answered.remove(0).reply();
    assert_eq!(reply.status, 429, "one message of a name is held back, a second one refused: {reply:?}");
    let after: u64 = reply.expect_header("Retry-After").parse().expect("seconds");
    assert!((1..=LONG).contains(&after), "it may come back when the first is said, and not in {after} s");
    assert!(answered.is_empty() && !held[0].has_something(), "the other one is held back for {LONG} s");
    room.ask(&says(&room, "bob", "of another name")).is(200);
}

fn nobody_else_is_held_up_by_those_who_are_held_back(chat: Chat) {
    let room = room_of(&chat);
    let names: Vec<String> = (0..TALKERS).map(|number| format!("talker {number}")).collect();
    for name in &names {
        room.ask(&says(&room, name, "one")).is(200);
    }
    let mut listener = room.waits("?wait=60");
    room.wait_until_waiting(1);
    let held: Vec<Connection> = names.iter().map(|name| sends(&room, name, "two")).collect();
    // Each of these would wait behind a worker that sleeps, or a lock that somebody holds asleep.
    for _ in 0..TALKERS {
        is_served(&chat, &says(&chat, "bob", "in a room of any other name"));
        is_served(&chat, &Request::get("/health/live"));
    }
    is_served(&room, &says(&room, "bob", "of another name, in the same room"));
    assert_eq!(listener.reply().is(200).text(), "of another name, in the same room");
    let answered = held.iter().filter(|talker| talker.has_something()).count();
    assert_eq!(answered, 0, "others are served while {TALKERS} messages are held back for {LONG} s");
}

fn room_of(chat: &Chat) -> Chat {
    chat.room(&format!("slow-{LONG}-{}", chat.name()))
}

fn says(room: &Chat, name: &str, text: &str) -> Request {
    room.post().form(&[("name", name), ("message", text)])
}

/// Sends a message, whose answer is read later.
fn sends(room: &Chat, name: &str, text: &str) -> Connection {
    let mut talker = room.connect();
    talker.send(&says(room, name, text));
    talker
}

/// Asks, and is answered while others are held back.
#[track_caller]
fn is_served(chat: &Chat, request: &Request) {
    let reply = chat.connect().try_ask(request);
    assert!(reply.is_ok_and(|reply| reply.status == 200), "who sleeps makes others wait: {}", request.target);
}
