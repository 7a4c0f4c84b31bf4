//! Names: whoever holds one by a key has it alone, until they leave.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::harness::{Launch, wait_until};

on_every_setup![
    a_name_that_is_held_is_nobody_else_s,
    a_name_that_looks_like_one_that_is_held_is_taken,
    who_leaves_frees_the_name,
    two_devices_with_one_key_are_one_person,
    a_name_without_a_key_is_anybody_s_until_somebody_comes_with_one,
    a_name_is_held_in_its_own_room_only,
    one_of_several_rooms_refuses_for_all,
    a_key_is_taken_from_a_form_from_json_and_from_the_header,
    a_key_is_long_and_in_no_address,
    where_names_are_free_keys_change_nothing,
];

on_every_engine![who_is_refused_renews_no_lease];

const ANNA: &str = "the-secret-key-of-anna";
const MALLORY: &str = "the-secret-key-of-mallory";

trait Keyed {
    fn key(self, key: &str) -> Self;
}

impl Keyed for Request {
    fn key(self, key: &str) -> Request {
        self.header("Chat-Key", key)
    }
}

/// Anna has spoken with her key.
#[track_caller]
fn anna_speaks(chat: &Chat) {
    chat.ask(&says(chat, "Anna").key(ANNA)).is(200);
}

fn says(chat: &Chat, name: &str) -> Request {
    chat.post().form(&[("message", "hi"), ("name", name)])
}

#[track_caller]
fn is_taken(reply: Reply, name: &str) {
    let sentence = format!("{name} is taken here; choose another\n");
    assert_eq!((reply.status, reply.text()), (409, sentence.as_str()));
}

fn a_name_that_is_held_is_nobody_else_s(chat: Chat) {
    anna_speaks(&chat);
    for key in [None, Some(MALLORY)] {
        let with_key = |request: Request| match key {
            Some(key) => request.key(key),
            None => request,
        };
        is_taken(chat.ask(&with_key(says(&chat, "Anna"))), "Anna");
        is_taken(chat.ask(&with_key(chat.get("?name=Anna&wait=60"))), "Anna");
        is_taken(chat.ask(&with_key(chat.get("?name=Anna&wait=0&after=latest"))), "Anna");
        let stream = chat.get("?name=Anna&after=latest").accept("text/event-stream");
        is_taken(chat.ask(&with_key(stream)), "Anna");
        is_taken(chat.ask(&with_key(chat.leave("Anna"))), "Anna");
    }
    let problem = chat.ask(&says(&chat, "Anna").accept("application/json")).is(409).json();
    assert_eq!(problem["type"], "urn:comet-chat:name-taken");
    assert_eq!(
        (&problem["title"], &problem["detail"]),
        (&json!("Conflict"), &json!("Anna is taken here; choose another"))
    );
    anna_speaks(&chat);
    assert_eq!(chat.kinds(), ["joined", "message", "message"]);
}

fn a_name_that_looks_like_one_that_is_held_is_taken(chat: Chat) {
    anna_speaks(&chat);
    for name in ["anna", "ANNA", "Änna", "\u{410}nna", "\u{ff21}nna"] {
        is_taken(chat.ask(&says(&chat, name).key(MALLORY)), name);
        is_taken(chat.ask(&says(&chat, name)), name);
    }
    chat.ask(&says(&chat, "Anne").key(MALLORY)).is(200);
    // It is the same person.
    chat.ask(&says(&chat, "anna").key(ANNA)).is(200);
    assert_eq!(chat.people(), ["Anna", "Anne", "anna"]);
}

fn who_leaves_frees_the_name(chat: Chat) {
    anna_speaks(&chat);
    chat.ask(&chat.leave("Anna").key(ANNA)).is(200);
    chat.ask(&says(&chat, "anna").key(MALLORY)).is(200);
    is_taken(chat.ask(&says(&chat, "Anna").key(ANNA)), "Anna");
    assert_eq!(chat.people(), ["anna"]);
}

/// When the holder is silent the name is free after a while, however often others have tried it.
fn who_is_refused_renews_no_lease(chat: Chat) {
    anna_speaks(&chat);
    let mut tries = 0;
    wait_until("the name is free", || {
        // Not so often that this slows the tests beside it.
        thread::sleep(Duration::from_millis(200));
        tries += 1;
        match tries % 2 {
            0 => chat.ask(&chat.get("?name=Anna&wait=0").key(MALLORY)).status == 404,
            _ => chat.ask(&says(&chat, "Anna").key(MALLORY)).status == 200,
        }
    });
    assert!(tries > 2);
    wait_until("Mallory is there", || {
        chat.kinds().starts_with(&["joined", "message", "left", "joined"].map(str::to_owned))
    });
}

fn two_devices_with_one_key_are_one_person(chat: Chat) {
    let mut waiting = chat.connect();
    waiting.send(&chat.get("?name=Anna&wait=60&after=latest").key(ANNA));
    wait_until("Anna is here", || chat.people() == ["Anna"]);
    anna_speaks(&chat);
    chat.ask(&chat.leave("Anna").key(ANNA)).is(200);
    drop(waiting);
    assert_eq!(chat.kinds()[..2], ["joined", "message"]);
}

/// Clients from before there were keys go on as they did.
fn a_name_without_a_key_is_anybody_s_until_somebody_comes_with_one(chat: Chat) {
    chat.ask(&says(&chat, "Anna")).is(200);
    chat.ask(&says(&chat, "Anna")).is(200);
    anna_speaks(&chat);
    is_taken(chat.ask(&says(&chat, "Anna")), "Anna");
    is_taken(chat.ask(&says(&chat, "Anna").key(MALLORY)), "Anna");
    assert_eq!(chat.kinds(), ["joined", "message", "message", "message"]);
}

fn a_name_is_held_in_its_own_room_only(chat: Chat) {
    anna_speaks(&chat);
    let other = chat.room(&format!("{}-2", chat.name()));
    other.ask(&says(&other, "Anna").key(MALLORY)).is(200);
    is_taken(chat.ask(&says(&chat, "Anna").key(MALLORY)), "Anna");
    is_taken(other.ask(&says(&other, "Anna").key(ANNA)), "Anna");
}

fn one_of_several_rooms_refuses_for_all(chat: Chat) {
    anna_speaks(&chat);
    let other = chat.room(&format!("{}-2", chat.name()));
    let both = format!("/chat/{},{}", other.name(), chat.name());
    for query in ["?name=Anna&wait=60", "?name=Anna&wait=0&after=latest"] {
        is_taken(chat.ask(&Request::get(&format!("{both}{query}")).key(MALLORY)), "Anna");
    }
    assert!(other.people().is_empty(), "the others are not entered");
    let present = format!("{both}?name=Anna&wait=0&after=latest&present={}", other.name());
    chat.ask(&Request::get(&present).key(MALLORY)).is(204);
    wait_until("the name is free there", || other.people() == ["Anna"]);
}

fn a_key_is_taken_from_a_form_from_json_and_from_the_header(chat: Chat) {
    let form = [("message", "hi"), ("name", "Anna"), ("key", ANNA)];
    chat.ask(&chat.post().form(&form)).is(200);
    is_taken(chat.ask(&says(&chat, "Anna")), "Anna");
    chat.ask(&chat.post().json(json!({"message": "hi", "name": "Anna", "key": ANNA}))).is(200);
    chat.ask(&chat.post_to("?name=Anna").text("hi").key(ANNA)).is(200);
    chat.ask(&chat.post().json(json!({"message": "hi", "name": "Anna", "key": null})).key(ANNA)).is(200);
    // What stands in the body counts.
    chat.ask(&chat.post().form(&form).key(MALLORY)).is(200);
    is_taken(chat.ask(&chat.post_to("/leave").form(&[("name", "Anna"), ("key", MALLORY)])), "Anna");
    chat.ask(&chat.post_to("/leave").form(&[("name", "Anna"), ("key", ANNA)])).is(200);
    assert!(chat.people().is_empty());
    // The lobby takes it too. Others may be there.
    chat.ask(&Request::get("/chat?wait=0").key(ANNA)).is(404);
    chat.ask(&Request::post("/chat").form(&[("message", "hi")]).key(ANNA)).is(200);
}

fn a_key_is_long_and_in_no_address(chat: Chat) {
    for key in ["too-short", &"x".repeat(129), "a key with spaces"] {
        let refused = chat.ask(&says(&chat, "Anna").key(key).accept("application/json"));
        assert_eq!(refused.is(400).json()["type"], "urn:comet-chat:bad-key");
    }
    let query = format!("?name=Anna&key={ANNA}");
    for request in [chat.get(&query), chat.post_to(&query).text("hi")] {
        let refused = chat.ask(&request.breaking_the_rules().accept("application/json"));
        assert_eq!(refused.is(400).json()["type"], "urn:comet-chat:key-in-address");
    }
    assert!(chat.people().is_empty());
}

fn where_names_are_free_keys_change_nothing(launch: Launch) {
    let server = launch.with_flag("--names", "free").start();
    let chat = server.chat();
    anna_speaks(&chat);
    chat.ask(&says(&chat, "Anna").key(MALLORY)).is(200);
    chat.ask(&says(&chat, "anna")).is(200);
    chat.ask(&chat.leave("Anna")).is(200);
    assert_eq!(chat.people(), ["anna"]);
}
