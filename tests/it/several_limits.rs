//! Several rooms in one request: how they share a reply, and what is refused.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::chat::Chat;
use crate::client::Request;
use crate::several::{in_json, rooms, said};

on_every_setup![
    a_reply_is_shared_by_its_rooms,
    a_quiet_room_is_heard_beside_a_lively_one,
    more_rooms_than_one_request_may_have_are_refused,
    two_rooms_that_one_cursor_can_not_hold_are_refused,
    all_but_a_wait_is_for_one_room,
];

fn a_reply_is_shared_by_its_rooms(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let mut people: Vec<_> = rooms.iter().map(|room| room.join("ann")).collect();
    let count = 520;
    for n in 0..count {
        people[0].says(&n.to_string());
    }
    people[1].says("quiet");
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
        people[n % 2].says(&"x".repeat(60_000));
    }
    let body = in_json(&both, &format!("?after={before}")).is(200).json();
    assert_eq!(body["messages"].as_array().unwrap().len(), 17);
}

fn a_quiet_room_is_heard_beside_a_lively_one(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    for n in 0..200 {
        rooms[0].says(&n.to_string());
    }
    rooms[1].says("quiet");
    let mut next = both.path("?after=oldest");
    // Chance decides each time, so that this many misses do not happen.
    let is_heard = (0..100).any(|_| {
        let reply = chat.ask(&Request::get(&next)).is(200);
        next = reply.next();
        reply.text() == "quiet"
    });
    assert!(is_heard);
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
