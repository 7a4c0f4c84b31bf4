//! The addresses beside the rooms, and the methods of each.

use crate::chat::Chat;
use crate::client::{Reply, Request};

on_every_setup![
    help_explains_the_wire,
    health_says_that_all_is_well,
    the_root_leads_to_the_lobby,
    a_place_that_is_not_there_is_404,
    a_method_that_a_place_does_not_know_is_405_and_allow_says_which,
    options_says_what_is_allowed,
    head_is_the_reply_without_its_body,
    head_of_a_room_does_not_wait,
];

fn help_explains_the_wire(chat: Chat) {
    let reply = chat.ask(&Request::get("/help")).is(200);
    assert!(reply.expect_header("Content-Type").starts_with("text/plain"));
    for word in ["curl", "/chat", "message=", "after=", "wait=", "404", "204"] {
        assert!(reply.text().contains(word), "{word} is not explained");
    }
}

fn health_says_that_all_is_well(chat: Chat) {
    // More than once: a check must leave nothing in its own room.
    for _ in 0..3 {
        chat.is_well();
    }
    assert_eq!(chat.ask(&Request::get("/health/live")).is(200).text(), "ok");
}

fn the_root_leads_to_the_lobby(chat: Chat) {
    let reply = chat.ask(&Request::get("/").accept("text/html"));
    assert!((301..=308).contains(&reply.status), "{reply:?}");
    assert_eq!(reply.expect_header("Location"), "/chat/lobby");
}

fn a_place_that_is_not_there_is_404(chat: Chat) {
    for target in ["/nowhere", "/chat/a/b/c", "/chats", "/Chat", "/help/me", "/chat/lobby/nothing"] {
        let reply = chat.ask(&Request::get(target)).is(404);
        assert!(reply.text().ends_with('\n'), "{target}: {:?}", reply.text());
    }
}

/// The methods that `Allow` names, in alphabetical order.
#[track_caller]
fn allowed(reply: &Reply) -> Vec<String> {
    let allow = reply.expect_header("Allow").split(',');
    let mut methods: Vec<String> = allow.map(|method| method.trim().to_owned()).collect();
    methods.sort();
    methods
}

fn a_method_that_a_place_does_not_know_is_405_and_allow_says_which(chat: Chat) {
    for method in ["PUT", "DELETE", "PATCH", "BREW"] {
        let reply = chat.ask(&Request::new(method, &chat.path(""))).is(405);
        assert_eq!(allowed(&reply), ["GET", "HEAD", "OPTIONS", "POST"]);
    }
    for target in ["/help", "/health"] {
        let reply = chat.ask(&Request::post(target).text("hi")).is(405);
        assert_eq!(allowed(&reply), ["GET", "HEAD", "OPTIONS"]);
    }
}

fn options_says_what_is_allowed(chat: Chat) {
    let reply = chat.ask(&Request::new("OPTIONS", &chat.path("")));
    assert!([200, 204].contains(&reply.status), "{reply:?}");
    assert_eq!(allowed(&reply), ["GET", "HEAD", "OPTIONS", "POST"]);
    let reply = chat.ask(&Request::new("OPTIONS", "/help"));
    assert_eq!(allowed(&reply), ["GET", "HEAD", "OPTIONS"]);
}

fn head_is_the_reply_without_its_body(chat: Chat) {
    let mut connection = chat.connect();
    let full = connection.ask(&Request::get("/help")).is(200);
    let head = connection.ask(&Request::new("HEAD", "/help")).is(200);
    for name in ["Content-Type", "Content-Length", "Cache-Control"] {
        assert_eq!(head.header(name), full.header(name));
    }
    // No byte of a body stands between this reply and the last.
    connection.ask(&Request::get("/help")).is(200);
}

fn head_of_a_room_does_not_wait(chat: Chat) {
    let mut connection = chat.connect();
    // It would wait longer than this client has patience.
    let head = connection.ask(&Request::new("HEAD", &chat.path("?wait=60")));
    assert!(head.status < 500, "{head:?}");
    connection.ask(&Request::get("/help")).is(200);
}
