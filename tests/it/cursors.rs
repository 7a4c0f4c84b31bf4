//! Follow a room by cursor: nothing is missed, nothing comes twice, a loss is announced.

use std::time::Instant;

use serde_json::json;

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::harness::Launch;

on_every_setup![
    what_came_after_a_cursor_is_given_at_once,
    a_wait_after_a_cursor_is_answered_by_the_next_message,
    a_wait_after_a_cursor_ends_in_204,
    a_wait_of_zero_seconds_is_answered_at_once,
    every_end_of_a_wait_says_where_to_go_on,
    a_follower_goes_on_from_the_end_of_a_wait_without_a_cursor,
    a_client_that_follows_next_sees_every_message_once_and_in_order,
    plain_text_gives_one_message_a_reply,
    json_gives_all_that_there_are,
    a_long_backlog_comes_in_parts,
    oldest_means_all_that_is_kept,
    latest_means_from_now_on,
    last_event_id_is_a_cursor_too,
    the_next_link_repeats_the_parameters_of_the_wait,
    a_wait_that_is_too_long_is_shortened_to_the_limit,
    a_preference_is_read_whatever_its_case,
    a_cursor_of_another_epoch_announces_a_gap,
    a_cursor_of_another_past_announces_a_gap,
    a_cursor_without_a_mark_goes_on_as_before,
    a_cursor_older_than_what_is_kept_announces_a_gap,
];

fn what_came_after_a_cursor_is_given_at_once(chat: Chat) {
    let first = chat.says("first");
    let second = chat.says("second");
    let reply = chat.ask(&chat.get(&format!("?after={first}"))).is(200);
    assert_eq!((reply.text(), reply.cursor()), ("second", second));
}

fn a_wait_after_a_cursor_is_answered_by_the_next_message(chat: Chat) {
    let start = chat.says("first");
    for text in ["second", "third"] {
        let mut follower = chat.waits(&format!("?after={}&wait=60", chat.cursor()));
        let said = chat.says(text);
        let reply = follower.reply().is(200);
        assert_eq!((reply.text(), reply.cursor()), (text, said));
    }
    assert_eq!(chat.follower_from(&start).hears(2), ["second", "third"]);
}

fn a_wait_after_a_cursor_ends_in_204(chat: Chat) {
    let cursor = chat.says("the last word");
    let start = Instant::now();
    let reply = chat.ask(&chat.get(&format!("?after={cursor}&wait=1"))).is(204);
    let took = start.elapsed();
    // Without `wait` it would have taken at least seven eighths of ten.
    assert!((0.875..8.5).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!(reply.cursor(), cursor);
}

fn a_wait_of_zero_seconds_is_answered_at_once(chat: Chat) {
    let start = Instant::now();
    chat.ask(&chat.get("?wait=0")).is(404);
    chat.ask(&chat.get("?wait=0&after=latest")).is(204);
    chat.ask(&chat.get("?wait=0&after=oldest")).is(204);
    let took = start.elapsed();
    // Three waits of ten seconds, two of which may end an eighth earlier, take longer.
    assert!(took.as_secs_f64() < 27.0, "{took:?}");
}

fn every_end_of_a_wait_says_where_to_go_on(chat: Chat) {
    // The name of this room must be encoded in a header.
    let chat = chat.room(&format!("größe-{}", chat.name()));
    let says_where = |reply: Reply, status: u16| {
        let reply = reply.is(status);
        let path = format!("/chat/gr%C3%B6%C3%9Fe-{}?after=", &chat.name()["größe-".len()..]);
        let next = reply.next();
        let (next, _kept) = next.split_once('&').unwrap_or((&next, ""));
        assert_eq!(next, format!("{path}{}", reply.cursor()));
    };
    says_where(chat.ask(&chat.get("?wait=0")), 404);
    says_where(chat.ask(&chat.get("?wait=0&after=latest")), 204);
    chat.says("hi");
    says_where(chat.ask(&chat.get("?after=oldest")), 200);
    let as_json = chat.get("?after=oldest").accept("application/json");
    says_where(chat.ask(&as_json), 200);
    let mut listener = chat.waits("?wait=60");
    chat.says_to(1, "hi again");
    says_where(listener.reply(), 200);
}

fn a_follower_goes_on_from_the_end_of_a_wait_without_a_cursor(chat: Chat) {
    chat.says("before");
    let ended = chat.ask(&chat.get("?wait=0")).is(404);
    let said = chat.says("after");
    let reply = chat.ask(&Request::get(&ended.next())).is(200);
    assert_eq!((reply.text(), reply.cursor()), ("after", said));
}

fn a_client_that_follows_next_sees_every_message_once_and_in_order(chat: Chat) {
    let (mut ann, mut bob) = (chat.join("ann"), chat.join("bob"));
    let mut follower = chat.follower();
    let mut seen = Vec::new();
    let mut said = Vec::new();
    for round in 0..20 {
        // Each time, more happens between two polls.
        for turn in 0..=round {
            let text = format!("{round}.{turn}");
            let id = if turn % 2 == 0 { ann.says(&text) } else { bob.says(&text) };
            said.push((id, text));
        }
        seen.extend(follower.follow());
    }
    seen.extend(follower.follow_until(said.len() - seen.len()));
    let seen: Vec<_> = seen.into_iter().map(|m| (m.id, m.text)).collect();
    assert_eq!(seen, said);
}

fn plain_text_gives_one_message_a_reply(chat: Chat) {
    let mut next = chat.path("?after=oldest");
    for text in ["a", "b", "c"] {
        chat.says(text);
    }
    for text in ["a", "b", "c"] {
        let reply = chat.ask(&Request::get(&next)).is(200);
        assert_eq!(reply.text(), text);
        next = reply.next();
    }
}

fn json_gives_all_that_there_are(chat: Chat) {
    for text in ["a", "b", "c"] {
        chat.says(text);
    }
    let reply = chat.ask(&chat.get("?after=oldest").accept("application/json"));
    let reply = reply.is(200);
    let body = reply.json();
    assert_eq!(body["room"], chat.name());
    assert_eq!(body["next"], reply.cursor());
    assert_eq!(body["gap"], false);
    let messages = body["messages"].as_array().expect("a list");
    let texts: Vec<_> = messages.iter().map(|m| &m["text"]).collect();
    assert_eq!(texts, ["a", "b", "c"]);
    let last = &messages[2];
    assert_eq!(last["id"], body["next"]);
    assert_eq!(last["kind"], "message");
    assert_eq!(last["name"], json!(null));
    let at = last["at"].as_str().expect("a time");
    let pattern = "0000-00-00T00:00:00.000Z";
    let digits_as_0 = |c: char| if c.is_ascii_digit() { '0' } else { c };
    assert_eq!(at.chars().map(digits_as_0).collect::<String>(), pattern);
}

fn a_long_backlog_comes_in_parts(chat: Chat) {
    let mut ann = chat.join("ann");
    let texts: Vec<String> = (0..1_200).map(|n| n.to_string()).collect();
    for text in &texts {
        ann.says(text);
    }
    let mut follower = chat.follower_from("oldest");
    let first = follower.follow();
    assert!(first.len() < texts.len(), "a reply without a limit");
    let mut seen: Vec<String> = first.into_iter().map(|said| said.text).collect();
    seen.extend(follower.hears(texts.len() - seen.len()));
    assert!(seen == texts, "not the same in the same order");
}

fn oldest_means_all_that_is_kept(chat: Chat) {
    chat.says("one");
    chat.says("two");
    assert_eq!(chat.follower_from("oldest").hears(2), ["one", "two"]);
    assert_eq!(chat.ask(&chat.get("?after=oldest")).is(200).text(), "one");
}

fn latest_means_from_now_on(chat: Chat) {
    let last = chat.says("before");
    let reply = chat.ask(&chat.get("?after=latest&wait=0")).is(204);
    assert_eq!(reply.cursor(), last);
    let mut listener = chat.waits("?after=latest&wait=60");
    chat.says_to(1, "after");
    assert_eq!(listener.reply().is(200).text(), "after");
}

fn last_event_id_is_a_cursor_too(chat: Chat) {
    let first = chat.says("first");
    chat.says("second");
    let reply = chat.ask(&chat.get("").header("Last-Event-ID", &first));
    assert_eq!(reply.is(200).text(), "second");
    // Clients that can't send the header put it into the query, beside the cursor with which they began.
    let reply = chat.ask(&chat.get(&format!("?after=oldest&lastEventId={first}")));
    assert_eq!(reply.is(200).text(), "second");
    chat.ask(&chat.get("?after=latest&wait=0&lastEventId=")).is(204);
}

/// `next` dropped `wait` and `name`: a client that followed it waited for ten seconds, and its person left
/// after a while.
fn the_next_link_repeats_the_parameters_of_the_wait(chat: Chat) {
    // An unknown parameter is not repeated.
    let kept = |query: &str| {
        let reply = chat.ask(&chat.get(query).breaking_the_rules());
        let next = reply.next();
        let (_, kept) = next.split_once(&reply.cursor()).expect("the cursor");
        kept.to_owned()
    };
    assert_eq!(kept("?wait=0"), "&wait=0");
    assert_eq!(
        kept("?name=Zo%C3%AB+%26+co&wait=0.25&after=latest&x=y"),
        "&wait=0.25&name=Zo%C3%AB%20%26%20co"
    );
    assert_eq!(kept("?wait=0&name=&after=latest"), "&wait=0");
    assert_eq!(kept("?limit=7&wait=0&kinds=left,message"), "&wait=0&kinds=message%2Cleft&limit=7");
    chat.says("hi");
    assert_eq!(kept("?after=oldest"), "");
    let reply = chat.ask(&Request::new("HEAD", &chat.path("?wait=30&name=bob"))).is(404);
    assert!(reply.next().ends_with("&wait=30&name=bob"), "{}", reply.next());
}

/// `wait=61` was refused, although `Prefer: wait=61` was shortened to the limit.
fn a_wait_that_is_too_long_is_shortened_to_the_limit(chat: Chat) {
    chat.says("hi");
    for wait in ["61", "1000000", "99999999999999999999999999999999", "60.5"] {
        let reply = chat.ask(&chat.get(&format!("?wait={wait}&after=oldest"))).is(200);
        assert!(reply.next().ends_with("&wait=60"), "{}", reply.next());
    }
    let reply = chat.ask(&chat.get("?after=oldest").header("Prefer", "wait=61")).is(200);
    assert_eq!(reply.expect_header("Preference-Applied"), "wait=60");
}

fn a_preference_is_read_whatever_its_case(chat: Chat) {
    chat.says("hi");
    for preference in ["WAIT=1", "respond-async, Wait = 1", "wait=\"1\""] {
        let reply = chat.ask(&chat.get("?after=oldest").header("Prefer", preference)).is(200);
        assert_eq!(reply.header("Preference-Applied"), Some("wait=1"), "{preference}");
    }
}

fn a_cursor_of_another_epoch_announces_a_gap(chat: Chat) {
    chat.says("one");
    let real = chat.says("two");
    let (epoch, _) = real.split_once('-').expect("epoch-sequence");
    let other = if epoch == "0badcafe" { "0badcaff" } else { "0badcafe" };
    for sequence in [0, 1, 2, 1_000] {
        let query = format!("?after={other}-{sequence}");
        let reply = chat.ask(&chat.get(&query).accept("application/json"));
        let reply = reply.is(200);
        assert_eq!(reply.header("Chat-Gap"), Some("true"));
        let body = reply.json();
        assert_eq!((&body["gap"], &body["gaps"]), (&json!(true), &json!([chat.name()])));
        assert_eq!(body["messages"][0]["text"], "one");
        assert_eq!(reply.cursor(), real);

        let reply = chat.ask(&chat.get(&query)).is(200);
        assert_eq!(reply.header("Chat-Gap"), Some("true"));
        assert_eq!(reply.text(), "one");
        let reply = chat.ask(&Request::get(&reply.next())).is(200);
        assert_eq!(reply.header("Chat-Gap"), None, "announced twice");
        assert_eq!(reply.text(), "two");
    }
}

/// A client that had seen messages which a restored backup lost read on without a gap.
fn a_cursor_of_another_past_announces_a_gap(chat: Chat) {
    let cursors = [chat.says("one"), chat.says("two")];
    for cursor in &cursors {
        let (place, mark) = cursor.rsplit_once('-').expect("epoch-sequence-mark");
        let other = if mark == "00000001" { "00000002" } else { "00000001" };
        // A look at a room that is awake, and a wait in it.
        for wait in [0, 10] {
            let query = format!("?after={place}-{other}&wait={wait}");
            let reply = chat.ask(&chat.get(&query).accept("application/json")).is(200);
            let body = reply.json();
            assert_eq!((&body["gap"], &body["messages"][0]["text"]), (&json!(true), &json!("one")));
            assert_eq!(reply.cursor(), cursors[1]);
            let reply = chat.ask(&chat.get(&query)).is(200);
            assert_eq!((reply.header("Chat-Gap"), reply.text()), (Some("true"), "one"));
            let mut events = chat.events(&query, &[]);
            assert_eq!(events.next().event.as_deref(), Some("gap"));
            assert_eq!(events.next().message()["text"], "one");
        }
        let past = chat.ask(&chat.get(&format!("/history?before={place}-{other}"))).is(200);
        assert_eq!(past.header("Chat-Gap"), Some("true"));
        assert!(past.text().contains("two"), "the newest page");
    }
}

/// The version before this one gave out such cursors.
fn a_cursor_without_a_mark_goes_on_as_before(chat: Chat) {
    let cursors = [chat.says("one"), chat.says("two")];
    let [old, latest] = cursors.each_ref().map(|cursor| {
        let (place, _mark) = cursor.rsplit_once('-').expect("epoch-sequence-mark");
        place
    });
    let reply = chat.ask(&chat.get(&format!("?after={old}"))).is(200);
    assert_eq!((reply.header("Chat-Gap"), reply.text()), (None, "two"));
    let reply = chat.ask(&chat.get(&format!("?after={latest}&wait=0"))).is(204);
    assert_eq!(reply.cursor(), cursors[1]);
    let past = chat.ask(&chat.get(&format!("/history?before={latest}"))).is(200);
    assert_eq!(past.header("Chat-Gap"), None);
    assert!(past.text().contains("one") && !past.text().contains("two"));
}

fn a_cursor_older_than_what_is_kept_announces_a_gap(launch: Launch) {
    let server = launch.with_flag("--keep", "10").start();
    let chat = server.chat();
    let cursors: Vec<String> = (0..25).map(|n| chat.says(&n.to_string())).collect();

    // The messages 15 to 24 are kept, so a client that has seen 14 has lost nothing.
    let mut lucky = chat.follower_from(&cursors[14]);
    assert_eq!(lucky.follow_until(10)[0].text, "15");
    assert!(!lucky.gap);

    let mut unlucky = chat.follower_from(&cursors[13]);
    let kept = unlucky.follow();
    assert!(unlucky.gap);
    assert_eq!((kept.len(), kept[0].text.as_str()), (10, "15"));

    chat.says("25");
    assert_eq!(unlucky.hears(1), ["25"]);
    assert!(!unlucky.gap, "announced twice");

    let mut newcomer = chat.follower_from("oldest");
    assert_eq!(newcomer.follow_until(10)[0].text, "16");
    assert!(!newcomer.gap, "a newcomer has lost nothing");
}
