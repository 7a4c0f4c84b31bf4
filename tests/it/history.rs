//! The past: pages of history, and the list of rooms.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::wait_until;

on_every_setup![
    history_is_paged_back_to_the_beginning,
    history_counts_what_was_said,
    the_newest_page_says_where_to_follow_from,
    a_page_of_another_life_is_a_gap,
    history_in_plain_text_is_for_people,
    history_in_plain_text_leaves_the_terminal_alone,
    a_page_has_a_limit,
    a_message_is_looked_at_among_those_around_it,
    the_past_is_opened_at_a_time,
    a_room_that_never_was_has_an_empty_past,
    the_rooms_in_which_something_was_said_are_listed,
];

fn page(chat: &Chat, query: &str) -> Value {
    chat.ask(&chat.get(&format!("/history{query}")).accept("application/json")).is(200).json()
}

fn texts(page: &Value) -> Vec<String> {
    let messages = page["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["text"].as_str().expect("a text").to_owned()).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn history_is_paged_back_to_the_beginning(chat: Chat) {
    for text in numbers(0..120) {
        chat.says(&text);
    }
    let newest = page(&chat, "");
    assert_eq!(texts(&newest), numbers(70..120), "fifty, unless asked for otherwise");
    let before = newest["previous"].as_str().expect("there is more");
    let middle = page(&chat, &format!("?before={before}&limit=60"));
    assert_eq!(texts(&middle), numbers(10..70));
    let before = middle["previous"].as_str().expect("there is more");
    let oldest = page(&chat, &format!("?before={before}&limit=10"));
    assert_eq!(texts(&oldest), numbers(0..10));
    assert_eq!(oldest["previous"], Value::Null, "and this is the beginning");

    let reply = chat.ask(&chat.get("/history?limit=2")).is(200);
    let link = reply.expect_header("Link");
    let target =
        link.strip_prefix('<').and_then(|l| l.strip_suffix(r#">; rel="prev""#)).expect("a link back");
    let previous = chat.ask(&Request::get(target).accept("application/json")).is(200).json();
    assert_eq!(texts(&previous), ["116", "117"]);
}

/// After five messages thirty people came and went. Then a page of history held no message, and the page for
/// browsers said that nothing had been said.
fn history_counts_what_was_said(chat: Chat) {
    for text in numbers(0..5) {
        chat.says(&text);
    }
    for n in 0..30 {
        chat.ask(&chat.get(&format!("?after=latest&wait=0&name=guest{n}"))).is(204);
    }
    // `joined` may be stored after the answer.
    wait_until("all have joined", || texts(&page(&chat, "?limit=3")).len() == 33);
    let newest = page(&chat, "?limit=3");
    assert_eq!(texts(&newest)[..3], numbers(2..5));
    let before = newest["previous"].as_str().expect("there is more");
    let oldest = page(&chat, &format!("?before={before}&limit=3"));
    assert_eq!(texts(&oldest), numbers(0..2));
    assert_eq!(oldest["previous"], Value::Null);
    let html = chat.ask(&chat.get("?view=backlog").accept("text/html")).is(200);
    assert_eq!(html.text().matches("data-kind=\"message\"").count(), 5);
}

fn the_newest_page_says_where_to_follow_from(chat: Chat) {
    chat.says("one");
    let next = page(&chat, "")["next"].as_str().expect("a cursor").to_owned();
    assert_eq!(next, chat.cursor());
    let mut follower = chat.follower_from(&next);
    chat.says("two");
    assert_eq!(follower.hears(1), ["two"]);
}

fn a_page_of_another_life_is_a_gap(chat: Chat) {
    chat.says("here");
    let page = page(&chat, "?before=00000000-9");
    assert_eq!(page["gap"], true);
    assert_eq!(texts(&page), ["here"]);
}

fn history_in_plain_text_is_for_people(chat: Chat) {
    chat.join("ann").says("first line\nsecond line");
    let reply = chat.ask(&chat.get("/history")).is(200);
    let lines: Vec<&str> = reply.text().lines().collect();
    assert!(lines[0].ends_with("Z ann joined"), "{lines:?}");
    assert!(lines[1].ends_with("Z ann: first line"), "{lines:?}");
    assert_eq!(lines[2], "    second line");
}

/// A message with ESC and CR in it cleared the screen of a reader of the history with `curl`, or wrote over
/// the name before it.
fn history_in_plain_text_leaves_the_terminal_alone(chat: Chat) {
    let text = "a\r\nb\x1b[2J\rann: c\u{202e}d\u{9b}1m\te\x07\u{2028}f\x7f";
    chat.says(text);
    let plain = chat.ask(&chat.get("/history")).is(200);
    let lines: Vec<&str> = plain.text().split('\n').collect();
    assert!(lines[0].ends_with(" somebody: a"), "{lines:?}");
    assert_eq!(lines[1], "    b\\u{1b}[2J\\u{d}ann: c\\u{202e}d\\u{9b}1m\te\\u{7}\\u{2028}f\\u{7f}");
    assert_eq!(lines[2..], [""]);
    // A client that waits gets exactly the text.
    assert_eq!(chat.ask(&chat.get("?after=oldest")).is(200).text(), text);
}

fn a_page_has_a_limit(chat: Chat) {
    for (query, code) in [
        ("limit=0", "bad-limit"),
        ("limit=501", "bad-limit"),
        ("limit=-1", "bad-limit"),
        ("limit=many", "bad-limit"),
        ("before=yesterday", "bad-cursor"),
        ("around=yesterday", "bad-cursor"),
        ("around=", "bad-cursor"),
        ("at=yesterday", "bad-time"),
        ("at=2026-11-26", "bad-time"),
        ("at=2026-13-26T00:00:00Z", "bad-time"),
        ("at=2026-11-26T00:00:00%2B01:00", "bad-time"),
        ("at=2026-11-26T00:00:00Z&before=00000001-1", "bad-part"),
    ] {
        let problem =
            chat.ask(&chat.get(&format!("/history?{query}")).accept("application/json")).is(400).json();
        assert_eq!(problem["type"], format!("urn:comet-chat:{code}"), "{query}");
    }
}

fn a_message_is_looked_at_among_those_around_it(chat: Chat) {
    let ids: Vec<String> = numbers(0..40).iter().map(|text| chat.says(text)).collect();
    let around = page(&chat, &format!("?around={}&limit=10", ids[20]));
    assert_eq!(texts(&around), numbers(16..26));
    assert_eq!((&around["previous"], &around["next"]), (&json!(ids[16]), &json!(ids[25])));
    // It goes on in both directions, and nothing is lost or comes twice.
    let older = page(&chat, &format!("?before={}&limit=10", ids[16]));
    assert_eq!(texts(&older), numbers(6..16));
    let query = format!("?after={}&wait=0&limit=5", ids[25]);
    let newer = chat.ask(&chat.get(&query).accept("application/json")).is(200).json();
    assert_eq!(texts(&newer), numbers(26..31));
    for (at, limit, expected) in [(0, 4, 0..4), (39, 4, 38..40), (20, 1, 20..21), (20, 2, 20..22)] {
        let around = page(&chat, &format!("?around={}&limit={limit}", ids[at]));
        assert_eq!(texts(&around), numbers(expected), "{at} among {limit}");
        assert_eq!(around["gap"], false);
    }
    assert_eq!(page(&chat, &format!("?around={}&limit=2", ids[0]))["previous"], Value::Null);
    let elsewhere = chat.room(&format!("{}-2", chat.name())).says("elsewhere");
    for cursor in ["00000000-9", elsewhere.as_str()] {
        let newest = page(&chat, &format!("?around={cursor}&limit=2"));
        assert_eq!((texts(&newest), &newest["gap"]), (numbers(38..40), &json!(true)));
    }
}

fn the_past_is_opened_at_a_time(chat: Chat) {
    let ids: Vec<String> = numbers(0..30).iter().map(|text| chat.says(text)).collect();
    let all = page(&chat, "");
    for at in [0, 1, 17, 29] {
        let time = all["messages"][at]["at"].as_str().expect("a time");
        let from = page(&chat, &format!("?at={time}&limit=3"));
        // Several may have been said within one millisecond.
        let first = all["messages"].as_array().unwrap().iter().position(|message| message["at"] == time);
        let first = first.unwrap();
        assert_eq!(texts(&from), numbers(first as u32..30.min(first as u32 + 3)));
        assert_eq!(from["next"], json!(ids[29.min(first + 2)]));
    }
    assert_eq!(texts(&page(&chat, "?at=1970-01-01T00:00:00Z&limit=2")), numbers(0..2));
    let later = page(&chat, "?at=2970-01-01T00:00:00Z");
    assert_eq!((texts(&later), &later["next"]), (Vec::new(), &json!(ids[29])));
    assert_eq!((&later["gap"], &later["previous"]), (&json!(false), &Value::Null));
}

fn a_room_that_never_was_has_an_empty_past(chat: Chat) {
    assert!(texts(&page(&chat, "?at=1970-01-01T00:00:00Z")).is_empty());
    let page = page(&chat, "");
    assert!(texts(&page).is_empty());
    assert_eq!((&page["previous"], &page["gap"]), (&Value::Null, &Value::Bool(false)));
}

fn the_rooms_in_which_something_was_said_are_listed(chat: Chat) {
    let other = chat.room("größe");
    let cursor = other.says("hello");
    chat.is_well();
    let list = chat.ask(&Request::get("/rooms?after=gr&limit=500").accept("application/json")).is(200).json();
    let rooms = list["rooms"].as_array().expect("rooms");
    let found = rooms.iter().find(|room| room["room"] == "größe").expect("the room is listed");
    assert_eq!(found["latest"], cursor);
    assert!(!rooms.iter().any(|room| room["room"] == chat.name()), "nobody was there");
    assert!(!rooms.iter().any(|room| room["room"].as_str().expect("a name").starts_with('~')));
    let plain = chat.ask(&Request::get("/rooms?after=gr&limit=500")).is(200);
    assert!(plain.text().contains("/chat/gr%C3%B6%C3%9Fe "), "{}", plain.text());
}
