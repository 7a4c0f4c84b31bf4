//! Server-sent events on the room's own address.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::{Launch, wait_until};

on_every_setup![
    a_stream_hands_on_what_is_said_in_order,
    a_stream_begins_with_a_place_to_resume_from,
    every_block_of_a_stream_is_an_event_with_data,
    a_head_is_answered_as_the_stream_would_be,
    proxies_are_told_to_pass_on_each_event,
    a_stream_resumes_after_the_last_event_that_was_seen,
    a_stream_says_who_comes_and_goes,
    a_stream_says_that_something_is_lost,
    a_stream_under_a_name_makes_a_person_present,
    a_reader_that_is_gone_is_noticed_by_what_is_said_next,
    a_stopping_server_ends_its_streams,
    lines_of_json_say_what_events_say,
    a_script_goes_on_from_the_last_line_that_it_read,
    a_loss_is_a_line_too,
    a_stream_of_lines_that_is_refused_is_one_line,
];

fn a_stream_hands_on_what_is_said_in_order(chat: Chat) {
    let mut events = chat.events("?after=latest", &[]);
    events.next();
    for number in 0..20 {
        let cursor = chat.says(&format!("{number}\nof many lines"));
        let event = events.next();
        assert_eq!((event.id.as_deref(), event.event.as_deref()), (Some(cursor.as_str()), Some("message")));
        assert_eq!(event.message()["text"], format!("{number}\nof many lines"));
        assert_eq!(event.message()["id"], cursor);
    }
}

fn a_stream_begins_with_a_place_to_resume_from(chat: Chat) {
    chat.says("before");
    let first = chat.events("", &[]).next();
    assert_eq!(
        first.id,
        Some(chat.cursor()),
        "a client that loses the stream before any message goes on from here"
    );
    let retry = first.retry.expect("how long to stay away");
    assert!((1_000..3_000).contains(&retry), "{retry} ms");
    assert_eq!((first.event.as_deref(), first.data.as_deref()), (Some("beat"), Some("{}")));
}

/// `retry:` stood in a block of its own, which httpx-sse, aiosseclient and sseclient take for an event with
/// empty data: their users' JSON parsers failed. The sign of life was a comment, which no script sees.
fn every_block_of_a_stream_is_an_event_with_data(chat: Chat) {
    chat.says("one");
    chat.says("two");
    for query in ["?after=oldest", "?after=latest", "", "?after=00000000-7"] {
        let mut events = chat.events(query, &[]);
        let first = events.try_next().expect("the stream goes on").expect("an event");
        assert!(first.retry.is_some(), "{query}: {first:?}");
        chat.says("three");
        let mut event = first;
        while event.event.as_deref() != Some("message") || event.message()["text"] != "three" {
            assert!(!event.comment && event.event.is_some(), "{query}: {event:?}");
            // The data of every event is JSON.
            event.message();
            event = events.try_next().expect("the stream goes on").expect("an event");
        }
    }
}

/// It was `404`, like a wait of 2008 without a message.
fn a_head_is_answered_as_the_stream_would_be(chat: Chat) {
    let head = |query: &str| Request::new("HEAD", &chat.path(query)).accept("text/event-stream");
    let mut connection = chat.connect();
    let reply = connection.ask(&head("?name=eve")).is(200);
    assert_eq!(reply.header("Content-Type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(reply.header("Content-Length"), None);
    connection.ask(&head("?after=yesterday")).is(400);
    connection.ask(&chat.post().text("the connection goes on")).is(200);
    assert!(chat.people().is_empty());
}

fn proxies_are_told_to_pass_on_each_event(chat: Chat) {
    for accept in ["text/event-stream", "application/x-ndjson"] {
        let head = chat.ask(&Request::new("HEAD", &chat.path("")).accept(accept)).is(200);
        assert_eq!(head.expect_header("X-Accel-Buffering"), "no");
        assert_eq!(head.expect_header("Incremental"), "?1");
    }
}

fn a_stream_resumes_after_the_last_event_that_was_seen(chat: Chat) {
    let first = chat.says("one");
    let second = chat.says("two");
    chat.says("three");
    // An EventSource repeats its address, and adds the last id that it has read.
    let mut events = chat.events(&format!("?after={first}"), &[("Last-Event-ID", &second)]);
    let event = events.next_message();
    assert_eq!(event["text"], "three");
    let mut events = chat.events(&format!("?after={first}"), &[]);
    assert_eq!(events.next_message()["text"], "two");
    assert_eq!(events.next_message()["text"], "three");
}

fn a_stream_says_who_comes_and_goes(chat: Chat) {
    let mut events = chat.events("?after=latest", &[]);
    events.next();
    chat.ask(&chat.get("?name=ann&after=latest&wait=0")).is(204);
    let joined = events.next();
    assert_eq!(joined.event.as_deref(), Some("joined"));
    assert_eq!(joined.message()["name"], "ann");
    chat.ask(&chat.leave("ann")).is(200);
    assert_eq!(events.next().event.as_deref(), Some("left"));
}

fn a_stream_says_that_something_is_lost(chat: Chat) {
    chat.says("kept");
    let mut events = chat.events("?after=00000000-7", &[]);
    let gap = events.next();
    assert_eq!(gap.event.as_deref(), Some("gap"));
    assert_eq!(gap.message(), json!({"gap": true, "gaps": [chat.name()]}));
    assert_eq!(events.next().message()["text"], "kept");
}

fn a_stream_under_a_name_makes_a_person_present(chat: Chat) {
    let mut events = chat.events("?after=latest&name=eve", &[]);
    wait_until("eve is there", || chat.people() == ["eve"]);
    let joined =
        std::iter::from_fn(|| Some(events.next())).find(|event| event.event.as_deref() != Some("beat"));
    assert_eq!(joined.expect("an event").message()["name"], "eve");
}

fn a_reader_that_is_gone_is_noticed_by_what_is_said_next(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let mut events = chat.events("?after=latest", &[]);
    events.next();
    wait_until("the stream counts", || chat.figure("comet_chat_waiters") == 1.0);
    drop(events);
    wait_until("the stream is given up", || {
        chat.says("is anybody there?");
        chat.figure("comet_chat_waiters") == 0.0
    });
}

fn a_stopping_server_ends_its_streams(launch: Launch) {
    launch.ends_in_time(|server| {
        let chat = server.chat();
        let mut events = chat.events("?after=latest", &[]);
        events.next();
        server.signal("TERM");
        assert_eq!(events.try_next()?, None);
        assert!(server.exits().success());
        Ok(())
    });
}

fn lines_of_json_say_what_events_say(chat: Chat) {
    let start = chat.cursor();
    let mut lines = chat.lines("");
    // A script has a cursor at once, even if the room is silent.
    assert_eq!(lines.next(), json!({"kind": "beat", "next": start}));
    for number in 0..20 {
        let cursor = chat.says(&format!("{number}\nof many lines"));
        let mut line = lines.next();
        assert_eq!(line["at"].take().as_str().map(str::len), Some("2026-01-01T00:00:00.000Z".len()));
        let text = format!("{number}\nof many lines");
        let (room, name, at) = (chat.name(), Value::Null, Value::Null);
        assert_eq!(
            line,
            json!({"room": room, "id": cursor, "kind": "message", "name": name, "text": text, "at": at, "next": cursor})
        );
    }
    chat.ask(&chat.get("?name=ann&after=latest&wait=0")).is(204);
    let joined = lines.next();
    assert_eq!((&joined["kind"], &joined["name"]), (&json!("joined"), &json!("ann")));
}

fn a_script_goes_on_from_the_last_line_that_it_read(chat: Chat) {
    let mut next = "oldest".to_owned();
    for round in 0..5 {
        chat.says(&format!("{round}.0"));
        chat.says(&format!("{round}.1"));
        let mut lines = chat.lines(&format!("?after={next}"));
        for number in 0..2 {
            let line = lines.next();
            assert_eq!(line["text"], format!("{round}.{number}"));
            next = line["next"].as_str().expect("a cursor").to_owned();
        }
    }
}

fn a_loss_is_a_line_too(chat: Chat) {
    chat.says("kept");
    let mut lines = chat.lines("?after=00000000-7");
    let gap = lines.next();
    assert_eq!((&gap["kind"], &gap["gaps"]), (&json!("gap"), &json!([chat.name()])));
    assert_eq!(lines.next()["text"], "kept");
    // A client that has read the line of the gap does not get it again, and has missed nothing.
    let mut lines = chat.lines(&format!("?after={}", gap["next"].as_str().expect("a cursor")));
    assert_eq!(lines.next()["text"], "kept");
}

/// A loop that reads lines of JSON must not meet a sentence.
fn a_stream_of_lines_that_is_refused_is_one_line(chat: Chat) {
    let refused = chat.ask(&chat.get("?after=yesterday").accept("application/x-ndjson")).is(400);
    assert_eq!(refused.expect_header("Content-Type"), "application/problem+json");
    assert_eq!(refused.json()["type"], "urn:comet-chat:bad-cursor");
    assert!(!refused.text().contains('\n'));
}
