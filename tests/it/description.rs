//! `/openapi.json`: that it is served, and that it holds for what the other tests do not ask.

use std::fs;

use serde_json::json;

use crate::chat::Chat;
use crate::client::Request;
use crate::contract::{DESCRIPTION, TEXT, parts};
use crate::harness::{left_out, wait_until};

on_every_setup![
    the_description_is_served_as_it_is,
    every_address_answers_head_and_options,
    the_lobby_is_a_room_like_any_other,
    bodies_of_every_type_have_the_same_fields,
    answers_come_in_every_form,
    refusals_come_in_both_forms,
];

fn the_description_is_served_as_it_is(chat: Chat) {
    let reply = chat.ask(&Request::get("/openapi.json")).is(200);
    assert_eq!(reply.expect_header("Content-Type"), "application/json");
    assert!(reply.text() == TEXT, "it is another than in the code");
}

fn every_address_answers_head_and_options(chat: Chat) {
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    let file =
        page.text().split('"').find_map(|part| part.strip_prefix("/page/")).expect("a file").to_owned();
    for (template, operations) in DESCRIPTION["paths"].as_object().expect("paths") {
        let path = template.replace("{room}", chat.name()).replace("{file}", &file);
        let path = path.replace("{of}", "0123abcd-1-89abcdef").replace("{filename}", "x.png");
        let allow = chat.ask(&Request::new("OPTIONS", &path)).is(204).expect_header("Allow").to_owned();
        for (method, name) in [("get", "GET"), ("post", "POST")] {
            assert_eq!(allow.contains(name), operations.get(method).is_some(), "{template} allows {allow}");
        }
        if operations.get("get").is_some() {
            // With `wait=0` no room lets us wait.
            let waits = operations.get("post").is_some() && path.starts_with("/chat");
            let query = if waits { "?wait=0" } else { "" };
            let target = format!("{path}{query}");
            let ask = |method: &str| chat.ask(&Request::new(method, &target));
            let mut replies = None;
            // On a busy machine one check of health may be given up, and not the other.
            wait_until(&format!("{template} answers both alike"), || {
                let (full, head) = replies.insert((ask("GET"), ask("HEAD")));
                full.status == head.status
            });
            let (full, head) = replies.expect("both");
            assert_eq!(head.header("Content-Type"), full.header("Content-Type"), "{template}");
            assert_eq!(head.body, b"", "{template}");
        }
    }
}

/// `/chat` is the room `lobby`.
fn the_lobby_is_a_room_like_any_other(chat: Chat) {
    let lobby = |query: &str| Request::get(&format!("/chat?wait=0{query}"));
    let post = |query: &str| Request::post(&format!("/chat{query}"));
    chat.ask(&post("").json(json!({"message": "hi", "name": "ann"}))).is(200);
    chat.ask(&post("?name=ann&id=1-a").text("hi")).is(200);
    let cursor = chat.ask(&post("").text("hi").header("Idempotency-Key", "1-b")).is(200).cursor();
    for query in ["&last=1", "&after=oldest&limit=1&kinds=message", "&last=1&name=ann"] {
        chat.ask(&lobby(query)).is(200);
    }
    chat.ask(&lobby("&last=1").header("Last-Event-ID", "oldest")).is(200);
    let reply = chat.ask(&lobby(&format!("&lastEventId={cursor}&kinds=left")));
    assert!([200, 204].contains(&reply.status), "{reply:?}");
    chat.ask(&Request::get("/chat?last=1").header("Prefer", "wait=0")).is(200);
    let page = "/chat?view=backlog&origin=http%3A%2F%2Fchat.example&name=ann";
    chat.ask(&Request::get(page).accept("text/html").header("Accept-Language", "en")).is(200);
}

fn bodies_of_every_type_have_the_same_fields(chat: Chat) {
    let cursor =
        chat.ask(&chat.post().json(json!({"message": "hi", "name": "ann", "id": "1"}))).is(200).cursor();
    let again = chat.post_to("?name=ann&id=1").text("hi");
    assert_eq!(chat.ask(&again).is(200).cursor(), cursor);
    let leave = |query: &str| chat.post_to(&format!("/leave{query}"));
    for leave in [leave("").json(json!({"name": "ann"})), leave("?name=ann").text("")] {
        chat.join("ann").says("hi");
        assert_eq!(chat.people(), ["ann"]);
        chat.ask(&leave).is(200);
        assert!(chat.people().is_empty());
    }
}

fn answers_come_in_every_form(chat: Chat) {
    let asks = |request: Request| chat.ask(&request.accept("application/json"));
    wait_until("all is well", || asks(Request::get("/health")).status == 200);
    assert_eq!(asks(chat.get("?wait=0")).is(404).json()["messages"], json!([]));
    for query in ["", "?after=latest"] {
        let reply = chat.ask(&chat.get(query).header("Prefer", "wait=0"));
        assert_eq!(reply.expect_header("Preference-Applied"), "wait=0");
    }
    // If nothing is kept, a loss is announced at once too.
    let lost = chat.ask(&chat.get("?after=00000000-7")).is(204);
    assert_eq!(lost.expect_header("Chat-Gap"), "true");
    let origin = "origin=https%3A%2F%2Fchat.example";
    let page = chat.ask(&chat.get(&format!("?{origin}")).accept("text/html")).is(200);
    assert!(page.text().contains(chat.name()));
    chat.ask(&chat.get(&format!("/qr?{origin}"))).is(200);
}

fn refusals_come_in_both_forms(chat: Chat) {
    chat.ask(&chat.post().form(&[("message", "one"), ("id", "1")])).is(200);
    for (request, status) in [
        (Request::get("/page/nothing.js"), 404),
        (Request::get("/help").header("Host", "elsewhere.example"), 421),
        (chat.post().form(&[("message", "two"), ("id", "1")]), 422),
    ] {
        let sentence = chat.ask(&request).is(status);
        let problem = chat.ask(&request.accept("application/json")).is(status).json();
        assert_eq!(problem["detail"], sentence.text().trim_end());
    }
}

/// A part of the description that no test meets may be wrong, or gone. `COMET_CHAT_MET_IN=DIR` says where the
/// suites have written what they met.
#[test]
fn all_that_is_described_was_met() {
    let Some(directory) = std::env::var_os("COMET_CHAT_MET_IN") else {
        return left_out("no suite has written what it met");
    };
    let mut unmet = parts();
    for file in fs::read_dir(directory).expect("what was met") {
        let lines = fs::read_to_string(file.expect("a file").path()).expect("what was met");
        for line in lines.lines() {
            unmet.remove(line);
        }
    }
    assert!(unmet.is_empty(), "no test has met:\n{}", unmet.into_iter().collect::<Vec<_>>().join("\n"));
}
