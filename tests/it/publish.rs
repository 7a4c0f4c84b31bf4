//! Publish: three forms of a body, two forms of an answer.

use serde_json::json;

use crate::chat::Chat;

on_every_setup![
    a_form_a_json_object_and_plain_text_say_the_same,
    a_form_is_decoded,
    a_name_comes_with_the_message,
    the_answer_gives_the_cursor_of_the_message,
    the_answer_counts_to_whom_the_message_was_handed,
    a_message_may_be_as_long_as_the_limit,
    a_message_is_kept_as_it_was_said,
    the_same_id_is_published_once,
    an_id_that_was_used_for_something_else_is_refused,
    the_same_id_in_another_room_is_another_message,
    a_client_that_asks_first_is_told_to_continue,
    publishing_goes_on_over_one_connection,
];

fn a_form_a_json_object_and_plain_text_say_the_same(chat: Chat) {
    let text = "größe & 100% + 部屋 🦀\nnext line";
    let mut follower = chat.follower();
    let with_name = chat.post_to("?name=z%C3%B6e");
    for request in [
        chat.post().form(&[("message", text), ("name", "zöe")]),
        chat.post().json(json!({"message": text, "name": "zöe"})),
        with_name.clone().text(text),
        with_name.body("text/plain", text),
    ] {
        assert_eq!(chat.ask(&request).is(200).text(), "ok");
        let said = follower.follow();
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].text, text);
        assert_eq!(said[0].name.as_deref(), Some("zöe"));
    }
}

fn a_form_is_decoded(chat: Chat) {
    let mut follower = chat.follower();
    let form = |body: &str| {
        let media_type = "application/x-www-form-urlencoded; charset=UTF-8";
        chat.ask(&chat.post().body(media_type, body)).is(200);
    };
    form("message=a+b%20c%2Bd%26e%3df");
    form("other=1&message=caf%C3%A9&empty=&flag");
    form("message=1=2");
    assert_eq!(follower.hears(3), ["a b c+d&e=f", "café", "1=2"]);
}

fn a_name_comes_with_the_message(chat: Chat) {
    let mut follower = chat.follower();
    chat.join("ann").says("hi");
    chat.says("who am I?");
    let said = follower.follow_until(2);
    assert_eq!(said[0].name.as_deref(), Some("ann"));
    assert_eq!(said[1].name, None);
}

fn the_answer_gives_the_cursor_of_the_message(chat: Chat) {
    let mut follower = chat.follower();
    let text = chat.post().text("one");
    let text_cursor = chat.ask(&text).is(200).cursor();
    let json = chat.post().text("two").accept("application/json");
    let reply = chat.ask(&json).is(200);
    assert_eq!(reply.expect_header("Content-Type"), "application/json");
    assert_eq!(reply.json()["id"], reply.cursor());
    let said = follower.follow_until(2);
    assert_eq!(said[0].id, text_cursor);
    assert_eq!(said[1].id, reply.cursor());
}

fn the_answer_counts_to_whom_the_message_was_handed(chat: Chat) {
    let post = chat.post().text("hi").accept("application/json");
    assert_eq!(chat.ask(&post).is(200).json()["delivered"], 0);
    let mut listeners = [chat.waits("?wait=60"), chat.waits("?wait=60")];
    chat.wait_until_waiting(2);
    assert_eq!(chat.ask(&post).is(200).json()["delivered"], 2);
    for listener in &mut listeners {
        listener.reply().is(200);
    }
    assert_eq!(chat.ask(&post).is(200).json()["delivered"], 0);
}

fn a_message_may_be_as_long_as_the_limit(chat: Chat) {
    let mut listener = chat.waits("?after=latest&wait=60");
    chat.wait_until_waiting(1);
    let longest = "x".repeat(64 * 1024);
    let cursor = chat.cursor();
    chat.ask(&chat.post().text(&longest)).is(200);
    let reply = chat.ask(&chat.get(&format!("?after={cursor}"))).is(200);
    assert!(reply.text() == longest);
    assert!(listener.reply().is(200).text() == longest);
}

fn a_message_is_kept_as_it_was_said(chat: Chat) {
    let mut follower = chat.follower();
    let texts = ["a\0b", "\u{202e}abc", " a ", "\r\na", "\"\\/\u{8}", "e\u{301}"];
    for text in texts {
        chat.ask(&chat.post().text(text)).is(200);
    }
    assert_eq!(follower.hears(texts.len()), texts);
}

fn the_same_id_is_published_once(chat: Chat) {
    let mut follower = chat.follower();
    let form = chat.post().form(&[("message", "once"), ("id", "7f-a")]);
    let json = chat.post().json(json!({"message": "once", "id": "7f-a"}));
    let header = chat.post().text("once").header("Idempotency-Key", "7f-a");
    let first = chat.ask(&form).is(200).cursor();
    for again in [form, json, header] {
        let reply = chat.ask(&again).is(200);
        assert_eq!((reply.text(), reply.cursor()), ("ok", first.clone()));
    }
    chat.says("and on");
    assert_eq!(follower.hears(2), ["once", "and on"]);
}

/// Another text under an id that had been used was answered `ok`, and dropped.
fn an_id_that_was_used_for_something_else_is_refused(chat: Chat) {
    let mut follower = chat.follower();
    let says = |text, name| json!({"message": text, "name": name, "id": "1"});
    chat.ask(&chat.post().json(says("one", "ann"))).is(200);
    for other in [says("two", "ann"), says("one", "ben")] {
        let problem = chat.ask(&chat.post().json(other).accept("application/json")).is(422).json();
        assert_eq!(problem["type"], "urn:comet-chat:id-reused");
    }
    chat.ask(&chat.post().json(says("one", "ann"))).is(200);
    chat.says("and on");
    assert_eq!(follower.hears(2), ["one", "and on"]);
}

fn the_same_id_in_another_room_is_another_message(chat: Chat) {
    let elsewhere = chat.room(&format!("{}-b", chat.name()));
    for room in [&chat, &elsewhere] {
        let mut follower = room.follower();
        room.ask(&room.post().form(&[("message", "hi"), ("id", "1")])).is(200);
        assert_eq!(follower.hears(1), ["hi"]);
    }
}

fn a_client_that_asks_first_is_told_to_continue(chat: Chat) {
    let mut follower = chat.follower();
    let request = chat.post().header("Expect", "100-continue").text("may I?");
    let bytes = request.bytes();
    let (head, body) = bytes.split_at(bytes.len() - "may I?".len());
    let mut speaker = chat.connect();
    speaker.send_bytes(head);
    speaker.is_told_to_continue();
    speaker.send_bytes(body);
    speaker.reply().is(200);
    assert_eq!(follower.hears(1), ["may I?"]);
}

fn publishing_goes_on_over_one_connection(chat: Chat) {
    let start = chat.cursor();
    let mut ann = chat.join("ann");
    let texts: Vec<String> = (0..100).map(|n| format!("message {n}")).collect();
    for text in &texts {
        ann.says(text);
    }
    // A connection that asked for nothing meanwhile would be closed on a very slow machine.
    assert_eq!(chat.follower_from(&start).hears(texts.len()), texts);
}
