//! **Exercise 3: a room where only the first hears it.**
//!
//! In a room whose name begins with `first-`, such as `first-jobs`, a message goes only to one of those who wait for
//! the next message (`GET` without a cursor): the one who has waited longest. The others go on waiting, in the order
//! of their coming. Who leaves the line, or waits to the end of its time, is passed over. `/rooms` still counts all
//! who wait. It is enough that this holds for messages which come one after the other, each when the one before is
//! answered `ok`.
//!
//! Read first `Carrier::carry` in `src/blocking/room.rs`, and the letters in `src/room/letter.rs`. The owner wakes all
//! whom it has. So how many should it have?
//!
//! The traps. Not in `poll.rs`: if those who wait agree among themselves by a lock or a token, then a message that
//! comes between two turns is heard by nobody, and a lock that is held over a wait has no end. Both engines: who
//! leaves must find its place in the line, also while it is being chosen; the room has the last word. Then compare
//! your two solutions. How many lines differ, and why so few?
//!
//! To talk about: two POSTs at once may share one batch of the store, and then one letter `Arrived`. Who hears the
//! second message? Which promise of README.md would be broken, and where would you mend it?

use crate::chat::Chat;
use crate::client::Connection;

on_each_engine![the_one_who_has_waited_longest_hears_it, who_leaves_the_line_is_passed_over];

fn the_one_who_has_waited_longest_hears_it(chat: Chat) {
    let room = room_of(&chat);
    let mut line: Vec<Connection> = (0..6).map(|place| lines_up(&room, place, "?wait=60")).collect();
    while !line.is_empty() {
        let text = format!("for one of {}", line.len());
        one_hears(&room, &mut line, &text);
    }
    says(&room, "for nobody", 0);
    let mut line = vec![lines_up(&room, 0, "?wait=60")];
    one_hears(&room, &mut line, "for one who came later");

    let mut others: Vec<Connection> = (0..3).map(|_| chat.waits("?wait=60")).collect();
    chat.says_to(3, "in a room of any other name all hear it");
    others.iter_mut().for_each(|other| drop(other.reply().is(200)));
}

fn who_leaves_the_line_is_passed_over(chat: Chat) {
    let room = room_of(&chat);
    // Its time is up when it stands in the line, and not at its end.
    let mut line: Vec<Connection> = (0..5).map(|place| lines_up(&room, place, "?wait=60")).collect();
    let reply = room.ask(&room.get("?wait=0.5"));
    assert_eq!(reply.status, 404, "who waits in the line in vain hears so at the end of its time: {reply:?}");
    room.wait_until_waiting(5);
    drop(line.remove(2));
    room.wait_until_waiting(4);
    one_hears(&room, &mut line, "for the first");
    drop(line.remove(0));
    room.wait_until_waiting(2);
    one_hears(&room, &mut line, "for the next who is still here");
    one_hears(&room, &mut line, "for the last");
}

fn room_of(chat: &Chat) -> Chat {
    chat.room(&format!("first-{}", chat.name()))
}

/// Starts to wait behind so many.
#[track_caller]
fn lines_up(room: &Chat, behind: u64, query: &str) -> Connection {
    let client = room.waits(query);
    room.wait_until_waiting(behind + 1);
    client
}

/// Publishes a message that so many must be handed.
#[track_caller]
fn says(room: &Chat, text: &str, hearers: u64) {
    let request = room.post().form(&[("message", text)]).accept("application/json");
    let reply = room.ask(&request).is(200).json();
    assert_eq!(reply["delivered"], hearers, "{text:?} is handed to so many of those who wait");
}

/// Publishes a message that the first in line hears, and nobody else.
#[track_caller]
fn one_hears(room: &Chat, line: &mut Vec<Connection>, text: &str) {
    says(room, text, 1);
    let mut first = line.remove(0);
    let heard = first.reply().is(200);
    assert_eq!(heard.text(), text, "the one who has waited longest hears it");
    let others = line.iter().filter(|client| client.has_something()).count();
    assert_eq!(others, 0, "only one hears {text:?}, and the others go on waiting");
    room.wait_until_waiting(line.len() as u64);
}
