//! Several rooms in one request: how they share a reply, and what is refused.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use serde_json::Value;

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::harness::Launch;
use crate::several::{in_json, rooms, said, together};

on_every_setup![
    a_reply_is_shared_by_its_rooms,
    messages_that_rooms_have_forgotten_come_in_turns_too,
    a_quiet_room_is_heard_beside_a_lively_one,
    the_newest_of_each_room_come_and_a_limit_holds_for_all,
    kinds_hold_for_each_room,
    a_stream_ends_when_it_has_sent_so_many_of_all_rooms,
    if_waits_need_too_many_rooms_one_of_them_comes_back,
    more_rooms_than_one_request_may_have_are_refused,
    two_rooms_that_one_cursor_can_not_hold_are_refused,
    all_but_a_wait_is_for_one_room,
];

fn a_reply_is_shared_by_its_rooms(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let (mut ann, count) = (rooms[0].join("ann"), 520);
    for n in 0..count {
        ann.says(&n.to_string());
    }
    rooms[1].says("quiet");
    let mut next = both.path("?after=oldest&wait=0");
    let (mut lively, mut quiet, mut replies) = (Vec::new(), 0, 0);
    while lively.len() < count {
        let body = chat.ask(&Request::get(&next).accept("application/json")).is(200).json();
        let messages = body["messages"].as_array().unwrap();
        assert!(messages.len() <= 500);
        let spoken = said(&body).into_iter().zip(messages).filter(|(_, m)| m["kind"] == "message");
        for ((room, text), _) in spoken {
            match room == rooms[0].name() {
                true => lively.push(text),
                false => quiet += 1,
            }
        }
        replies += 1;
        assert_eq!(quiet, 1, "the first reply has the quiet room's message, and no other has");
        next = both.path(&format!("?wait=0&after={}", body["next"].as_str().unwrap()));
    }
    assert_eq!(replies, 2);
    assert_eq!(lively, (0..count).map(|n| n.to_string()).collect::<Vec<_>>());
    // The texts of one reply are a megabyte at most, over all rooms.
    let before = both.cursor();
    for n in 0..20 {
        rooms[n % 2].says(&"x".repeat(60_000));
    }
    let body = in_json(&both, &format!("?after={before}")).is(200).json();
    assert_eq!(body["messages"].as_array().unwrap().len(), 17);
}

/// A room remembers four megabytes, and the rest is read from the store.
fn messages_that_rooms_have_forgotten_come_in_turns_too(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let text = |n: usize| format!("{n} {}", "x".repeat(60_000));
    let mut people = [rooms[0].join("ann"), rooms[1].join("ben")];
    for n in 0..160 {
        people[n % 2].says(&text(n));
    }
    let mut follower = both.follower_from("oldest");
    let mut heard = follower.follow();
    let of_first = heard.iter().filter(|said| number(&said.text).is_multiple_of(2)).count();
    assert!(heard.len() <= 17 && of_first > 3 && heard.len() - of_first > 3, "{of_first} of {}", heard.len());
    heard.extend(follower.follow_until(160 - heard.len()));
    for (n, room) in rooms.iter().enumerate() {
        let ids = room.follower_from("oldest").follow_until(80).into_iter().map(|said| said.id);
        let of_room = heard.iter().filter(|said| number(&said.text) % 2 == n).map(|said| said.id.clone());
        assert!(of_room.eq(ids), "not all of a room in its order");
    }
}

fn number(text: &str) -> usize {
    text.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

fn a_quiet_room_is_heard_beside_a_lively_one(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    for n in 0..200 {
        rooms[0].says(&n.to_string());
    }
    rooms[1].says("quiet");
    let mut next = both.path("?after=oldest");
    // Each try is random: so many misses in a row do not happen.
    let is_heard = (0..100).any(|_| {
        let reply = chat.ask(&Request::get(&next)).is(200);
        next = reply.next();
        reply.text() == "quiet"
    });
    assert!(is_heard);
}

fn the_newest_of_each_room_come_and_a_limit_holds_for_all(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    for n in 0..6 {
        rooms[n % 2].says(&n.to_string());
    }
    let texts = |reply: &Reply| {
        let mut texts: Vec<String> = said(&reply.json()).into_iter().map(|(_, text)| text).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts(&in_json(&both, "?last=2").is(200)), ["2", "3", "4", "5"]);
    let first = in_json(&both, "?last=2&limit=3").is(200);
    assert!(first.next().ends_with(&format!("after={}&limit=3", first.cursor())), "{}", first.next());
    let second = chat.ask(&Request::get(&first.next()).accept("application/json")).is(200);
    let mut all = [texts(&first), texts(&second)].concat();
    all.sort();
    assert_eq!((all, texts(&second).len()), (["2", "3", "4", "5"].map(str::to_owned).to_vec(), 1));
    in_json(&both, "?last=0&wait=0").is(204);
    // If one room has nothing, the messages of the others come at once.
    assert_eq!(texts(&in_json(&together(&[&rooms[0], &chat]), "?last=1").is(200)), ["4"]);
}

fn kinds_hold_for_each_room(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    rooms.iter().for_each(|room| drop(room.join("ann").says("hi")));
    let body = in_json(&both, "?after=oldest&kinds=joined").is(200).json();
    let mut told = said(&body);
    told.sort();
    assert_eq!(told, [0, 1].map(|n| (rooms[n].name().to_owned(), String::new())));
    in_json(&both, &format!("?kinds=left&wait=0&after={}", both.cursor())).is(204);
    let reply = both.ask(&both.get("?after=oldest&kinds=joined")).is(200);
    assert_eq!((reply.text(), reply.header("Chat-Kind")), ("ann joined", Some("joined")));
    assert!(rooms.iter().any(|room| room.name() == reply.expect_header("Chat-Room")));
    // A message of another kind does not end the wait, in any of the rooms.
    let mut wait = both.waits("?after=latest&kinds=left&wait=60");
    rooms.iter().for_each(|room| room.wait_until_waiting(1));
    rooms[1].says("not wanted");
    rooms[0].ask(&rooms[0].leave("ann")).is(200);
    assert_eq!(wait.reply().is(200).text(), "ann left");
}

fn a_stream_ends_when_it_has_sent_so_many_of_all_rooms(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    for n in 0..4 {
        rooms[n % 2].says(&n.to_string());
    }
    let mut lines = both.lines("?after=oldest&limit=3");
    let told: Vec<Value> = (0..3).map(|_| lines.next()).collect();
    assert_eq!(lines.try_next().expect("a proper end"), None);
    let rest = in_json(&both, &format!("?wait=0&after={}", told[2]["next"].as_str().unwrap())).is(200);
    let mut all: Vec<Value> = told.iter().map(|line| line["text"].clone()).collect();
    all.push(rest.json()["messages"][0]["text"].clone());
    all.sort_by_key(Value::to_string);
    assert_eq!(all, ["0", "1", "2", "3"]);
}

/// Thirty-two waits in thirty-two rooms each are more rooms than may be awake.
fn if_waits_need_too_many_rooms_one_of_them_comes_back(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let mut waits: Vec<_> = (0..32)
        .map(|n| {
            let (rooms, all) = rooms(&chat.room(&format!("w{n}")), 32);
            let wait = all.waits("?wait=60");
            rooms[31].wait_until_waiting(1);
            (rooms, wait)
        })
        .collect();
    // The rooms that were used longest ago go, and with them the wait in them.
    let refused = waits[0].1.reply().is(503);
    assert_eq!(refused.header("Retry-After"), Some("1"));
    waits[0].0.iter().for_each(|room| room.wait_until_waiting(0));
    for (rooms, wait) in &mut waits[1..] {
        assert!(!wait.has_something());
        rooms[7].says_to(1, "hi");
        assert_eq!(wait.reply().is(200).text(), "hi");
    }
}

fn more_rooms_than_one_request_may_have_are_refused(chat: Chat) {
    let (_, most) = rooms(&chat, 32);
    let reply = in_json(&most, "?after=oldest&wait=0").is(204);
    in_json(&most, &format!("?wait=0&after={}", reply.cursor())).is(204);
    let (_, too_many) = rooms(&chat, 33);
    let problem = in_json(&too_many, "?wait=0").is(400).json();
    assert_eq!(problem["type"], "urn:comet-chat:too-many-asked");
    assert!(problem["detail"].as_str().unwrap().contains("at most 32"), "{problem}");
    for names in ["a,", ",a", ",", "a,,b", "a,b c", "a,~"] {
        let names = utf8_percent_encode(names, NON_ALPHANUMERIC);
        let request = Request::get(&format!("/chat/{names}?wait=0")).accept("application/json");
        assert_eq!(chat.ask(&request).is(400).json()["type"], "urn:comet-chat:bad-room", "{names}");
    }
}

fn two_rooms_that_one_cursor_can_not_hold_are_refused(chat: Chat) {
    let problem = in_json(&chat.room("costarring,liquid"), "?wait=0").is(400).json();
    assert_eq!(problem["type"], "urn:comet-chat:one-hash");
}

fn all_but_a_wait_is_for_one_room(chat: Chat) {
    let (_, both) = rooms(&chat, 2);
    let path = |part: &str| both.path(part);
    for request in [
        both.post().text("hi"),
        both.leave("ann"),
        Request::get(&path("/history")),
        Request::get(&path("/people")),
        Request::get(&path("/qr")),
    ] {
        let problem = chat.ask(&request.accept("application/json")).is(400).json();
        assert_eq!(problem["type"], "urn:comet-chat:one-room");
    }
    let allowed = chat.ask(&Request::new("OPTIONS", &path(""))).is(204);
    assert_eq!(allowed.header("Allow"), Some("GET, HEAD, OPTIONS"));
}
