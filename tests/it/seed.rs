//! The chat of 2008: a GET waits for the next message, a POST publishes one.

use std::time::{Duration, Instant};

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::PATIENCE;

on_every_setup![
    a_wait_is_answered_with_exactly_the_text,
    a_message_is_answered_ok_without_anybody_there,
    a_shorter_wait_ends_in_404_sooner,
    everybody_who_waits_hears_the_message,
    what_was_said_before_is_not_heard,
    a_wait_is_over_after_one_message,
    chat_alone_is_the_room_lobby,
];
// How long a wait lasts is no matter of the store.
on_every_engine![a_wait_without_a_message_ends_in_404_after_ten_seconds];

fn a_wait_is_answered_with_exactly_the_text(chat: Chat) {
    for text in ["hi", " two  spaces ", "a\r\nb\n", "größe 部屋 🦀", "<b>&amp;</b>", "+%20="] {
        let mut listener = chat.waits("");
        chat.says_to(1, text);
        let reply = listener.reply().is(200);
        assert_eq!(reply.text(), text);
        let media_type = reply.expect_header("Content-Type");
        assert_eq!(media_type.to_lowercase(), "text/plain; charset=utf-8");
    }
}

fn a_message_is_answered_ok_without_anybody_there(chat: Chat) {
    let request = chat.post().body("application/x-www-form-urlencoded", "message=hi");
    let reply = chat.ask(&request).is(200);
    assert_eq!(reply.text(), "ok");
    assert!(reply.expect_header("Content-Type").starts_with("text/plain"));
}

fn a_wait_without_a_message_ends_in_404_after_ten_seconds(chat: Chat) {
    let start = Instant::now();
    let reply = chat.ask(&chat.get("")).is(404);
    let took = start.elapsed();
    assert!((10.0..PATIENCE.as_secs_f64()).contains(&took.as_secs_f64()), "{took:?}");
    assert!(reply.expect_header("Content-Type").starts_with("text/plain"));
}

fn a_shorter_wait_ends_in_404_sooner(chat: Chat) {
    let start = Instant::now();
    chat.ask(&chat.get("?wait=1")).is(404);
    let took = start.elapsed();
    // Without `wait` it would have taken ten.
    assert!((1.0..9.0).contains(&took.as_secs_f64()), "{took:?}");
}

fn everybody_who_waits_hears_the_message(chat: Chat) {
    let listeners: Vec<_> = (0..7).map(|_| chat.waits("")).collect();
    chat.says_to(7, "all of you");
    for mut listener in listeners {
        assert_eq!(listener.reply().is(200).text(), "all of you");
    }
}

fn what_was_said_before_is_not_heard(chat: Chat) {
    chat.says("too early");
    let mut listener = chat.waits("");
    chat.says_to(1, "just right");
    assert_eq!(listener.reply().is(200).text(), "just right");
}

fn a_wait_is_over_after_one_message(chat: Chat) {
    let mut listener = chat.waits("");
    chat.says_to(1, "one");
    assert_eq!(listener.reply().is(200).text(), "one");
    chat.says("two");
    listener.set_patience(Duration::from_millis(300));
    assert!(listener.try_reply().is_err(), "there was a reply without a request");

    let mut listener = chat.waits("");
    chat.says_to(1, "three");
    assert_eq!(listener.reply().is(200).text(), "three");
}

fn chat_alone_is_the_room_lobby(chat: Chat) {
    let post = Request::post("/chat").form(&[("message", "in the lobby")]);
    let start = chat.ask(&Request::get("/chat?after=latest&wait=0")).is(204);
    assert_eq!(start.next(), format!("/chat/lobby?after={}&wait=0", start.cursor()));
    chat.ask(&post).is(200);
    for path in ["/chat", "/chat/lobby"] {
        let reply = chat.ask(&Request::get(&format!("{path}?after={}", start.cursor())));
        assert_eq!(reply.is(200).text(), "in the lobby");
    }
}
