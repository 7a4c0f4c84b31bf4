//! Several rooms in one request: what it says.

use std::borrow::Borrow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::harness::Launch;

on_every_setup![
    a_message_is_told_with_its_room,
    plain_text_has_one_message_and_says_its_room,
    the_order_of_the_rooms_in_the_address_does_not_matter,
    a_room_that_is_named_twice_counts_once,
    a_room_that_is_new_to_the_cursor_starts_from_now_on,
    a_cursor_of_several_rooms_goes_on_in_one_of_them,
    a_cursor_that_does_not_fit_the_rooms_is_refused,
    a_cursor_of_another_epoch_is_a_gap_in_every_room_that_it_holds,
    a_gap_names_its_rooms,
    a_stream_resumes_in_every_room,
    a_browser_is_sent_to_the_first_room,
    a_head_says_what_a_wait_would_begin_with,
];

/// So many new rooms, and the address of all of them.
pub fn rooms(chat: &Chat, count: usize) -> (Vec<Chat>, Chat) {
    let rooms: Vec<Chat> = (0..count).map(|n| chat.room(&format!("{}-{n}", chat.name()))).collect();
    let together = together(&rooms);
    (rooms, together)
}

/// The address of these rooms.
pub fn together(rooms: &[impl Borrow<Chat>]) -> Chat {
    let names: Vec<&str> = rooms.iter().map(|room| room.borrow().name()).collect();
    rooms[0].borrow().room(&names.join(","))
}

/// Asks for JSON.
#[track_caller]
pub fn in_json(chat: &Chat, query: &str) -> Reply {
    chat.ask(&chat.get(query).accept("application/json"))
}

/// Room and text of each message.
pub fn said(body: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let messages = body["messages"].as_array().expect("a list").iter();
    messages.map(|message| (text(&message["room"]), text(&message["text"]))).collect()
}

fn a_message_is_told_with_its_room(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let one = rooms[0].says("one");
    let two = rooms[1].says("two");
    let reply = in_json(&both, "?after=oldest").is(200);
    let body = reply.json();
    assert_eq!(body["room"], both.name());
    assert_eq!((&body["gap"], &body["gaps"]), (&json!(false), &json!([])));
    assert_eq!(body["next"], reply.cursor());
    assert_eq!(reply.next(), format!("/chat/{}?after={}", both.name(), reply.cursor()));
    let mut told = said(&body);
    told.sort();
    let name = |n: usize| rooms[n].name().to_owned();
    assert_eq!(told, [(name(0), "one".to_owned()), (name(1), "two".to_owned())]);
    // A message has the cursor of its own room.
    for message in body["messages"].as_array().unwrap() {
        let id = if message["text"] == "one" { &one } else { &two };
        assert_eq!(message["id"], **id);
    }
    // So it is in one room too.
    let body = in_json(&rooms[0], "?after=oldest").is(200).json();
    assert_eq!(said(&body), [(name(0), "one".to_owned())]);
    assert_eq!((&body["gap"], &body["gaps"]), (&json!(false), &json!([])));
}

fn plain_text_has_one_message_and_says_its_room(chat: Chat) {
    let lunch = chat.room(&format!("mittag-größe-{}", chat.name()));
    let both = together(&[&chat, &lunch]);
    chat.says("here");
    lunch.says("there");
    let mut heard = Vec::new();
    let mut next = both.path("?after=oldest&wait=0");
    for _ in 0..2 {
        let reply = chat.ask(&Request::get(&next)).is(200);
        heard.push((reply.expect_header("Chat-Room").to_owned(), reply.text().to_owned()));
        next = reply.next();
    }
    chat.ask(&Request::get(&next)).is(204);
    heard.sort_by_key(|(_, text)| text.clone());
    let lunch = utf8_percent_encode(lunch.name(), NON_ALPHANUMERIC).to_string().replace("%2D", "-");
    assert_eq!(heard, [(chat.name().to_owned(), "here".to_owned()), (lunch, "there".to_owned())]);
    // A client that asks for one room knows its name.
    assert_eq!(chat.ask(&chat.get("?after=oldest")).is(200).header("Chat-Room"), None);
}

fn the_order_of_the_rooms_in_the_address_does_not_matter(chat: Chat) {
    let (rooms, all) = rooms(&chat, 3);
    let next = all.cursor();
    rooms[1].says("hi");
    let name = |n: usize| rooms[n].name();
    for names in [
        format!("{},{},{}", name(2), name(0), name(1)),
        format!("{}%2C{}%2c{}", name(1), name(0), name(2)),
        format!("{},{},{},{}", name(0), name(1), name(2), name(0)),
    ] {
        let request = Request::get(&format!("/chat/{names}?after={next}")).accept("application/json");
        let body = chat.ask(&request).is(200).json();
        assert_eq!(said(&body), [(name(1).to_owned(), "hi".to_owned())]);
        assert_eq!(body["next"], all.cursor());
    }
}

fn a_room_that_is_named_twice_counts_once(chat: Chat) {
    let id = chat.says("hi");
    let (name, path) = (chat.name(), chat.path("?after=oldest"));
    let twice = format!("/chat/{name},{name}?after=oldest");
    let ask = |target: &str| chat.ask(&Request::get(target).accept("application/json")).is(200).json();
    assert_eq!(ask(&twice), ask(&path));
    assert_eq!(ask(&twice)["next"], id);
}

fn a_room_that_is_new_to_the_cursor_starts_from_now_on(chat: Chat) {
    let (rooms, _) = rooms(&chat, 3);
    rooms.iter().for_each(|room| drop(room.says("before")));
    let next = together(&[&rooms[0], &rooms[1]]).cursor();
    rooms.iter().for_each(|room| drop(room.says("after")));
    // One is dropped, one is new.
    let others = together(&[&rooms[1], &rooms[2]]);
    let body = in_json(&others, &format!("?after={next}")).is(200).json();
    assert_eq!(said(&body), [(rooms[1].name().to_owned(), "after".to_owned())]);
    rooms.iter().for_each(|room| drop(room.says("later")));
    let body = in_json(&others, &format!("?after={}", body["next"].as_str().unwrap())).is(200).json();
    let mut told = said(&body);
    told.sort();
    let later = |n: usize| (rooms[n].name().to_owned(), "later".to_owned());
    assert_eq!(told, [later(1), later(2)]);
}

fn a_cursor_of_several_rooms_goes_on_in_one_of_them(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    rooms[0].says("before");
    let next = both.cursor();
    let id = rooms[0].says("after");
    let reply = rooms[0].ask(&rooms[0].get(&format!("?after={next}"))).is(200);
    assert_eq!((reply.text(), reply.cursor()), ("after", id));
}

fn a_cursor_that_does_not_fit_the_rooms_is_refused(chat: Chat) {
    let (rooms, both) = rooms(&chat, 3);
    let several = together(&[&rooms[0], &rooms[1]]).cursor();
    let refused = |chat: &Chat, cursor: &str, words: &str| {
        for (name, query) in [("Last-Event-ID", String::new()), ("X", format!("?after={cursor}"))] {
            let request = chat.get(&query).header(name, cursor).accept("application/json");
            let problem = chat.ask(&request).is(400).json();
            assert_eq!(problem["type"], "urn:comet-chat:bad-cursor");
            assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
        }
    };
    refused(&both, &rooms[0].says("hi"), "after=oldest");
    refused(&rooms[2], &several, "none of these rooms");
    refused(&together(&[&rooms[2], &chat]), &several, "none of these rooms");
    for broken in [format!("{several}~"), format!("{several}x"), several.replace('~', "~~")] {
        refused(&both, &broken, "copy it whole");
    }
}

fn a_cursor_of_another_epoch_is_a_gap_in_every_room_that_it_holds(chat: Chat) {
    let (rooms, all) = rooms(&chat, 3);
    rooms.iter().for_each(|room| drop(room.says("hi")));
    let cursor = together(&[&rooms[0], &rooms[1]]).cursor();
    let (epoch, places) = cursor.split_once('~').expect("epoch and places");
    let other = if epoch == "0badcafe" { "0badcaff" } else { "0badcafe" };
    let reply = in_json(&all, &format!("?after={other}~{places}")).is(200);
    let body = reply.json();
    assert_eq!(body["gaps"], json!([rooms[0].name(), rooms[1].name()]));
    assert_eq!(reply.header("Chat-Gap"), Some(&*format!("{}, {}", rooms[0].name(), rooms[1].name())));
    assert_eq!(said(&body).len(), 2, "the third starts from now on");
    let body = in_json(&all, &format!("?after={}&wait=0", reply.cursor())).is(204);
    assert_eq!(body.header("Chat-Gap"), None, "announced twice");
}

fn a_gap_names_its_rooms(launch: Launch) {
    let server = launch.with_flag("--keep", "10").start();
    let chat = server.chat();
    let (rooms, both) = rooms(&chat, 2);
    let start = both.cursor();
    rooms[0].says("kept");
    for n in 0..20 {
        rooms[1].says(&n.to_string());
    }
    let query = format!("?after={start}");
    let reply = in_json(&both, &query).is(200);
    assert_eq!(reply.header("Chat-Gap"), Some(rooms[1].name()));
    let body = reply.json();
    assert_eq!((&body["gap"], &body["gaps"]), (&json!(true), &json!([rooms[1].name()])));
    assert_eq!(said(&body).len(), 11);
    let event = both.events(&query, &[]).next();
    assert_eq!(event.event.as_deref(), Some("gap"));
    assert_eq!(event.message(), json!({ "gap": true, "gaps": [rooms[1].name()] }));
    // Whichever room plain text begins with, the gap is told now, and once.
    let reply = both.ask(&both.get(&query)).is(200);
    assert_eq!(reply.header("Chat-Gap"), Some(rooms[1].name()));
    let mut next = reply.next();
    for _ in 1..11 {
        let reply = both.ask(&Request::get(&next)).is(200);
        assert_eq!(reply.header("Chat-Gap"), None, "announced twice");
        next = reply.next();
    }
    assert_eq!(both.ask(&Request::get(&format!("{next}&wait=0"))).is(204).header("Chat-Gap"), None);
}

fn a_stream_resumes_in_every_room(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let start = both.cursor();
    for n in 0..20 {
        rooms[n % 2].says(&n.to_string());
    }
    let (mut last, mut heard) = (start, Vec::new());
    while heard.len() < 20 {
        let mut events = both.events("", &[("Last-Event-ID", &last)]);
        for _ in 0..3.min(20 - heard.len()) {
            let event = events.next();
            let message = event.message();
            heard.push((message["room"].clone(), message["text"].clone()));
            last = event.id.expect("a place to resume from");
        }
    }
    for (n, room) in rooms.iter().enumerate() {
        let of_room = heard.iter().filter(|(name, _)| *name == room.name()).map(|(_, text)| text.clone());
        let expected: Vec<Value> = (0..10).map(|i| (2 * i + n).to_string().into()).collect();
        assert_eq!(of_room.collect::<Vec<_>>(), expected);
    }
    let beat = both.events("", &[("Last-Event-ID", &last)]).next();
    assert_eq!((beat.event.as_deref(), beat.id), (Some("beat"), Some(both.cursor())));
}

fn a_browser_is_sent_to_the_first_room(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let reply = chat.ask(&both.get("").accept("text/html")).is(303);
    assert_eq!(reply.header("Location"), Some(&*format!("/chat/{}", rooms[0].name())));
}

fn a_head_says_what_a_wait_would_begin_with(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    rooms[1].says("hi");
    let head = |query: &str| Request::new("HEAD", &both.path(query));
    assert_eq!(chat.ask(&head("")).is(404).cursor(), both.cursor());
    chat.ask(&head("?after=oldest&name=ann")).is(200);
    chat.ask(&head("").accept("text/event-stream")).is(200);
    assert!(rooms[0].people().is_empty());
}
