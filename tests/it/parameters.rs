//! What a wait brings: the newest messages, a part of them, some kinds of them.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::{Connection, Reply, Request};
use crate::harness::{Launch, wait_until};

on_every_setup![
    the_newest_messages_come_at_once,
    the_newest_are_counted_by_what_the_client_wants,
    where_there_are_fewer_all_of_them_come,
    where_there_is_none_the_newest_are_waited_for,
    the_newest_of_a_room_that_forgot_the_others_are_no_gap,
    an_event_source_that_comes_back_goes_on_after_its_last_event,
    a_limit_cuts_a_reply_into_parts,
    a_stream_ends_when_it_has_sent_so_many,
    other_kinds_are_left_out,
    the_cursor_moves_past_what_was_left_out,
    other_kinds_do_not_end_a_wait,
    plain_text_says_who_came_and_went,
    a_message_is_handed_to_those_who_want_its_kind,
    every_message_names_its_room,
    a_head_is_answered_without_waiting,
];
// It waits for two beats, which are no matter of the store.
on_every_engine![a_beat_stands_behind_what_was_left_out];

fn json(chat: &Chat, query: &str) -> Reply {
    chat.ask(&chat.get(query).accept("application/json"))
}

fn texts(body: &Value) -> Vec<&str> {
    let messages = body["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["text"].as_str().expect("a text")).collect()
}

/// Somebody comes into the room, and all are told.
#[track_caller]
fn joins(chat: &Chat, name: &str) {
    is_told(chat, || chat.ask(&chat.get(&format!("?after=latest&wait=0&name={name}"))).is(204));
}

/// Somebody comes into the room, and is there for as long as the connection is open and nobody leaves.
#[track_caller]
fn stays(chat: &Chat, name: &str) -> Connection {
    is_told(chat, || chat.waits(&format!("?after=latest&wait=60&kinds=left&name={name}")))
}

/// Waits until the room knows that somebody joined. That may be after the answer, and is after the store knows it.
#[track_caller]
fn is_told<T>(chat: &Chat, joins: impl FnOnce() -> T) -> T {
    let joined = || {
        let reply = json(chat, "?after=oldest&wait=0&kinds=joined");
        if reply.status == 204 { 0 } else { texts(&reply.is(200).json()).len() }
    };
    let before = joined();
    let result = joins();
    wait_until("the room knows that somebody joined", || joined() == before + 1);
    result
}

fn say_numbers(chat: &Chat, count: usize) {
    (0..count).for_each(|number| drop(chat.says(&number.to_string())));
}

fn the_newest_messages_come_at_once(chat: Chat) {
    say_numbers(&chat, 10);
    let reply = json(&chat, "?last=3").is(200);
    assert_eq!(texts(&reply.json()), ["7", "8", "9"]);
    assert_eq!((&reply.json()["gap"], &reply.json()["gaps"]), (&json!(false), &json!([])));
    assert!(reply.next().ends_with(&format!("?after={}", reply.cursor())), "{}", reply.next());
    let mut target = chat.path("?last=2&wait=0");
    for text in ["8", "9"] {
        let reply = chat.ask(&Request::get(&target)).is(200);
        assert_eq!(reply.text(), text);
        target = reply.next();
    }
    chat.ask(&Request::get(&target)).is(204);
    let mut events = chat.events("?last=2", &[]);
    assert_eq!(
        (events.next().message()["text"].clone(), events.next().message()["text"].clone()),
        (json!("8"), json!("9"))
    );
    let mut lines = chat.lines("?last=1");
    assert_eq!(lines.next()["text"], "9");
}

fn the_newest_are_counted_by_what_the_client_wants(chat: Chat) {
    let _ann = stays(&chat, "ann");
    say_numbers(&chat, 5);
    let _others = ["bob", "cyd"].map(|name| stays(&chat, name));
    assert_eq!(chat.ask(&chat.get("?last=2")).is(200).text(), "3");
    assert_eq!(texts(&json(&chat, "?last=3").is(200).json()), ["4", "", ""]);
    assert_eq!(texts(&json(&chat, "?last=3&kinds=message").is(200).json()), ["2", "3", "4"]);
    let joined = json(&chat, "?last=3&kinds=joined,left").is(200).json();
    assert_eq!(joined["messages"].as_array().map(Vec::len), Some(3));
    assert_eq!(joined["messages"][0]["name"], "ann");
}

fn where_there_are_fewer_all_of_them_come(chat: Chat) {
    say_numbers(&chat, 3);
    for last in [3, 4, 500] {
        assert_eq!(texts(&json(&chat, &format!("?last={last}")).is(200).json()), ["0", "1", "2"]);
    }
}

fn where_there_is_none_the_newest_are_waited_for(chat: Chat) {
    for before in [0, 1] {
        say_numbers(&chat, before);
        for query in ["?last=0", "?last=5&kinds=left"] {
            let mut wait = chat.waits(&format!("{query}&wait=60"));
            chat.wait_until_waiting(1);
            if query == "?last=0" {
                chat.says_to(1, "next");
                assert_eq!(wait.reply().is(200).text(), "next");
            }
            // It would be counted for the next one.
            drop(wait);
            chat.wait_until_waiting(0);
        }
    }
    let empty = chat.room(&format!("{}-empty", chat.name()));
    empty.ask(&empty.get("?last=5&wait=0")).is(204);
    let mut wait = empty.waits("?last=5&wait=60");
    empty.says_to(1, "the first");
    assert_eq!(wait.reply().is(200).text(), "the first");
}

fn the_newest_of_a_room_that_forgot_the_others_are_no_gap(launch: Launch) {
    let server = launch.with_flag("--keep", "10").start();
    let chat = server.chat();
    say_numbers(&chat, 25);
    for (last, first) in [(3, "22"), (9, "16"), (10, "15"), (11, "15")] {
        let reply = json(&chat, &format!("?last={last}")).is(200);
        assert_eq!((texts(&reply.json())[0], reply.header("Chat-Gap")), (first, None), "last={last}");
    }
}

/// An `EventSource` repeats its address when it comes back.
fn an_event_source_that_comes_back_goes_on_after_its_last_event(chat: Chat) {
    say_numbers(&chat, 5);
    let mut events = chat.events("?last=3", &[]);
    assert_eq!(events.next().message()["text"], "2");
    let last = events.last_id;
    let mut events = chat.events("?last=3", &[("Last-Event-ID", &last)]);
    say_numbers(&chat, 2);
    let texts: Vec<Value> = (0..4).map(|_| events.next().message()["text"].clone()).collect();
    assert_eq!(texts, ["3", "4", "0", "1"]);
}

fn a_limit_cuts_a_reply_into_parts(chat: Chat) {
    say_numbers(&chat, 10);
    let mut target = chat.path("?after=oldest&limit=4&wait=0");
    for expected in [&["0", "1", "2", "3"][..], &["4", "5", "6", "7"], &["8", "9"]] {
        let reply = chat.ask(&Request::get(&target).accept("application/json")).is(200);
        assert_eq!(texts(&reply.json()), expected);
        assert_eq!(reply.json()["next"], reply.cursor());
        target = reply.next();
    }
    chat.ask(&Request::get(&target).accept("application/json")).is(204);
    // Plain text has one message a reply, whatever the limit.
    let reply = chat.ask(&chat.get("?after=oldest&limit=4")).is(200);
    assert_eq!(reply.text(), "0");
    assert!(reply.next().ends_with("&limit=4"));
}

fn a_stream_ends_when_it_has_sent_so_many(chat: Chat) {
    say_numbers(&chat, 3);
    let mut events = chat.events("?after=oldest&limit=2", &[]);
    let mut lines = chat.lines("?after=latest&limit=2");
    assert_eq!(
        (events.next().message()["text"].clone(), events.next().message()["text"].clone()),
        (json!("0"), json!("1"))
    );
    assert_eq!(events.try_next().expect("a proper end"), None);
    assert_eq!(lines.next()["kind"], "beat");
    say_numbers(&chat, 2);
    assert_eq!((lines.next()["text"].clone(), lines.next()["text"].clone()), (json!("0"), json!("1")));
    assert_eq!(lines.try_next().expect("a proper end"), None);
}

fn other_kinds_are_left_out(chat: Chat) {
    joins(&chat, "ann");
    say_numbers(&chat, 2);
    chat.ask(&chat.leave("ann")).is(200);
    let all = ["joined", "message", "message", "left"];
    for kinds in ["message", "joined", "left", "left,joined", "message,left", "message,joined,left"] {
        let query = format!("?after=oldest&kinds={kinds}");
        let expected: Vec<&str> = all.into_iter().filter(|kind| kinds.contains(kind)).collect();
        let body = json(&chat, &query).is(200).json();
        let found: Vec<&Value> =
            body["messages"].as_array().expect("messages").iter().map(|m| &m["kind"]).collect();
        assert_eq!(found, expected);
        let (mut events, mut lines) = (chat.events(&query, &[]), chat.lines(&query));
        for kind in expected {
            assert_eq!(events.next().event.as_deref(), Some(kind));
            assert_eq!(lines.next()["kind"], kind);
        }
    }
}

fn the_cursor_moves_past_what_was_left_out(chat: Chat) {
    chat.says("hi");
    joins(&chat, "ann");
    let reply = json(&chat, "?after=oldest&kinds=message").is(200);
    assert_eq!((texts(&reply.json()), reply.cursor()), (vec!["hi"], chat.cursor()));
    // The cursor moves even if the client wants none of the messages.
    let reply = json(&chat, &format!("?after={}&kinds=left&wait=0", reply.cursor())).is(204);
    assert_eq!(reply.cursor(), chat.cursor());
}

fn a_beat_stands_behind_what_was_left_out(chat: Chat) {
    chat.says("hi");
    let mut lines = chat.lines("?after=oldest&kinds=left");
    let beat = lines.next();
    assert_eq!((&beat["kind"], &beat["next"]), (&json!("beat"), &json!(chat.cursor())));
    let said = chat.says("and on");
    // The next beat comes after some seconds, and its cursor stands behind the message.
    let beat = lines.next();
    assert_eq!((&beat["kind"], &beat["next"]), (&json!("beat"), &json!(said)));
}

fn other_kinds_do_not_end_a_wait(chat: Chat) {
    let mut wait = chat.waits("?after=latest&kinds=left&wait=60");
    chat.wait_until_waiting(1);
    let reply = chat.ask(&chat.post().text("hi").accept("application/json")).is(200);
    assert_eq!(reply.json()["delivered"], 0);
    joins(&chat, "bob");
    chat.wait_until_waiting(1);
    assert!(!wait.has_something());
    chat.ask(&chat.leave("bob")).is(200);
    assert_eq!(wait.reply().is(200).text(), "bob left");
}

fn plain_text_says_who_came_and_went(chat: Chat) {
    joins(&chat, "Zo%C3%AB");
    chat.says("hi");
    chat.ask(&chat.leave("Zo\u{eb}")).is(200);
    let mut target = chat.path("?after=oldest&kinds=joined,message,left");
    for (text, kind) in [("Zo\u{eb} joined", Some("joined")), ("hi", None), ("Zo\u{eb} left", Some("left"))] {
        let reply = chat.ask(&Request::get(&target)).is(200);
        assert_eq!((reply.text(), reply.header("Chat-Kind")), (text, kind));
        target = reply.next();
    }
}

fn a_message_is_handed_to_those_who_want_its_kind(chat: Chat) {
    let _everything = chat.lines("?after=latest");
    let _messages = chat.waits("?after=latest&wait=60");
    let _lefts = chat.waits("?after=latest&kinds=left&wait=60");
    chat.wait_until_waiting(3);
    let reply = chat.ask(&chat.post().text("hi").accept("application/json")).is(200);
    assert_eq!(reply.json()["delivered"], 2);
}

fn every_message_names_its_room(chat: Chat) {
    chat.says("hi");
    assert_eq!(json(&chat, "?after=oldest").is(200).json()["messages"][0]["room"], chat.name());
    assert_eq!(json(&chat, "/history").is(200).json()["messages"][0]["room"], chat.name());
    assert_eq!(chat.events("?after=oldest", &[]).next().message()["room"], chat.name());
    assert_eq!(chat.lines("?after=oldest").next()["room"], chat.name());
}

fn a_head_is_answered_without_waiting(chat: Chat) {
    say_numbers(&chat, 3);
    let mut connection = chat.connect();
    let mut head =
        |query: &str, accept: &str| connection.ask(&Request::new("HEAD", &chat.path(query)).accept(accept));
    for accept in ["text/plain", "application/json"] {
        let reply = head("?last=2&kinds=message&limit=1", accept).is(200);
        assert!(reply.next().ends_with("&kinds=message&limit=1"), "{}", reply.next());
        assert_eq!(reply.body, b"");
        head("?last=2&kinds=left", accept).is(204);
        head("?last=0", accept).is(204);
        head("?last=two", accept).is(400);
    }
    let reply = head("?last=2&limit=1", "application/x-ndjson").is(200);
    assert_eq!(reply.expect_header("Content-Type"), "application/x-ndjson");
}
