//! **Exercise 1: a room with few places.**
//!
//! In a room whose name is `few-N-...`, such as `few-3-table`, at most N clients wait. One more is told `503`, with a
//! sentence and `Retry-After`. Whoever stops waiting gives the place back: answered, at the end of its time, or gone.
//! `wait=0` does not wait and needs no place.
//!
//! Read first `poll` in `src/blocking/poll.rs`: what `seat` does there, and when it ends. Then `RoomHandle` and
//! `Rooms::wake` in `room.rs`. `Refusal::TooManyWaiters` is near enough, and `Census` counts who waits; ask what it
//! has counted when two come at once.
//!
//! The traps. Both engines: to look and then to take are two steps, and somebody else comes between them. A stranger
//! chooses N. Tasks: if the client goes, its task ends at the `.await` where it stands, and no line below it is run.
//! What must happen in any case belongs in a `Drop`.

use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use crate::chat::Chat;
use crate::client::Connection;
use crate::harness::wait_until;

on_each_engine![as_many_wait_as_there_are_places, a_place_is_given_back_however_a_wait_ends];

/// How many may wait.
const PLACES: u64 = 3;

fn as_many_wait_as_there_are_places(chat: Chat) {
    let room = room_of(&chat);
    let mut crowd: Vec<Connection> = (0..20).map(|_| room.waits("?wait=60")).collect();
    let mut refused = Vec::new();
    wait_until("all are refused but those with a place", || {
        refused.extend(crowd.extract_if(.., |client| client.has_something()));
        let waiting = room.waiting();
        assert!(waiting <= PLACES, "there are {PLACES} places, and {waiting} wait: 20 clients came at once");
        crowd.len() as u64 <= PLACES
    });
    for mut client in refused {
        let reply = client.reply();
        assert_eq!(reply.status, 503, "one too many is told that there is no place: {reply:?}");
        assert!(reply.header("Retry-After").is_some(), "and when to come back: {reply:?}");
        assert!(!reply.text().is_empty(), "and why, in a sentence: {reply:?}");
    }
    assert_eq!(crowd.len() as u64, PLACES, "somebody was refused, though there was a place");
    let reply = room.ask(&room.get("?wait=0"));
    assert_eq!(reply.status, 404, "who only looks needs no place: {reply:?}");
    room.says_to(PLACES, "to all who sit");
    for mut client in crowd {
        assert_eq!(client.reply().is(200).text(), "to all who sit");
    }

    let others: Vec<Connection> = (0..=PLACES).map(|_| chat.waits("?wait=60")).collect();
    chat.says_to(others.len() as u64, "a room of any other name has a place for everybody");
    chat.room(&format!("few-{}-{}", u64::MAX / 2, chat.name())).says("a stranger's number hurts nobody");
}

fn a_place_is_given_back_however_a_wait_ends(chat: Chat) {
    let room = room_of(&chat);
    for _ in 0..=PLACES {
        let mut client = sits(&room, 0, "the message came that it had waited for");
        room.says("go");
        client.reply().is(200);
    }
    for _ in 0..=PLACES {
        let reply = room.ask(&room.get("?wait=0.1"));
        assert_eq!(reply.status, 404, "the place is given back at the end of a wait's time: {reply:?}");
    }
    for _ in 0..2 {
        let sitting: Vec<_> =
            (0..PLACES).map(|seated| sits(&room, seated, "its client was gone without a word")).collect();
        let extra = room.waits("?wait=60");
        wait_until("one too many is refused", || {
            assert!(room.waiting() <= PLACES, "there are {PLACES} places, and one more waits");
            extra.has_something()
        });
        drop(sitting);
        room.wait_until_waiting(0);
    }
}

fn room_of(chat: &Chat) -> Chat {
    chat.room(&format!("few-{PLACES}-{}", chat.name()))
}

/// Takes a place where so many are taken, as soon as it is given back.
#[track_caller]
fn sits(room: &Chat, seated: u64, given_back: &str) -> Connection {
    let mut sitting = None;
    wait_until(&format!("there is a place, given back when {given_back}"), || {
        // A room that nobody asks goes to sleep after 30 s, and is another one when it wakes.
        room.people();
        // When this client goes, it resets its connection, which drops a task that waits.
        let socket = TcpStream::connect(room.address()).expect("a connection");
        SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("an option of a socket");
        let mut client = Connection::over(socket);
        client.send(&room.get("?wait=60"));
        wait_until("a client waits or is refused", || client.has_something() || room.waiting() > seated);
        sitting = (!client.has_something()).then_some(client);
        sitting.is_some()
    });
    sitting.expect("a client with a place")
}
