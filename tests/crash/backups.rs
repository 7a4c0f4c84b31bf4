//! A backup that is put back, and grows past what clients have seen: a loss that every one of them is told of.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::server::Server;

on_every_engine![a_backup_that_grows_past_a_cursor_is_announced];

const PATIENCE: Duration = Duration::from_secs(60);

/// A client was told of its loss only as long as the backup was behind it. Later it went on without a word,
/// in the middle of messages of which it had never seen the beginning.
fn a_backup_that_grows_past_a_cursor_is_announced(engine: &'static str) {
    let mut server = Server::start(engine);
    let client = Client::new(&server.url(), "lobby", Instant::now() + PATIENCE);
    let say =
        |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| client.publish(text).cursor).collect() };
    let common = say(&["a", "b", "c"]);
    let mut backup = Vec::new();
    server.rests(|database| backup = fs::read(database).unwrap());
    let lost = say(&["lost-1", "lost-2", "lost-3", "lost-4"]);
    server.rests(|database| fs::write(database, &backup).unwrap());

    // First the order ends in the midst of the places that are lost, then behind them.
    for new in [&["new-1", "new-2"][..], &["new-3", "new-4", "new-5"]] {
        say(new);
        // The room sleeps now, and to look does not wake it. To wait does.
        server.crash();
        for wait in ["0", "1"] {
            let kept = texts(&in_json(&client, &[("after", "oldest"), ("wait", wait)]));
            for cursor in &lost {
                is_told(&client, &[("after", cursor), ("wait", wait)], &kept);
                is_told_of_the_past(&client, cursor, &kept);
            }
            let heard = in_json(&client, &[("after", &common[2]), ("wait", wait)]);
            assert_eq!((&heard["gap"], texts(&heard)), (&Value::Bool(false), kept[3..].to_vec()));
        }
    }
    // It is told once.
    let heard = in_json(&client, &[("after", &lost[3])]);
    let next = heard["next"].as_str().unwrap();
    say(&["new-6"]);
    let heard = in_json(&client, &[("after", next)]);
    assert_eq!((&heard["gap"], texts(&heard)), (&Value::Bool(false), vec!["new-6".to_owned()]));
}

/// A wait is answered at once from the oldest message on, with the gap, in each format.
fn is_told(client: &Client, query: &[(&str, &str)], kept: &[String]) {
    let plain = client.get("", "text/plain", query);
    assert_eq!((plain.status().as_u16(), plain.body()), (200, &kept[0]), "{query:?}");
    assert_eq!(plain.headers()["Chat-Gap"], "true");

    let json = in_json(client, query);
    assert_eq!((&json["gap"], &texts(&json)[..]), (&Value::Bool(true), kept), "{query:?}");

    let events = client.first_lines("text/event-stream", query, 6);
    assert!(events[0].starts_with("retry: "), "{events:?}");
    assert_eq!(events[1], "event: gap", "{query:?}");
    assert!(events[2].starts_with("data: {\"gap\":true"), "{events:?}");
    assert!(events.iter().any(|line| line.starts_with("id: ")), "{events:?}");
}

/// A page of history from there is the newest one, with the gap.
fn is_told_of_the_past(client: &Client, before: &str, kept: &[String]) {
    let query = [("before", before)];
    let json = client.get("/history", "application/json", &query);
    let page: Value = serde_json::from_str(json.body()).unwrap();
    assert_eq!((&page["gap"], &texts(&page)[..]), (&Value::Bool(true), kept), "{before}");
    let plain = client.get("/history", "text/plain", &query);
    assert_eq!(plain.headers()["Chat-Gap"], "true");
}

fn in_json(client: &Client, query: &[(&str, &str)]) -> Value {
    let reply = client.get("", "application/json", query);
    assert_eq!(reply.status().as_u16(), 200, "{query:?}");
    serde_json::from_str(reply.body()).unwrap()
}

fn texts(reply: &Value) -> Vec<String> {
    let messages = reply["messages"].as_array().unwrap();
    messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}
