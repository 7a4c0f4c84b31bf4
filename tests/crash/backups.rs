//! A backup that is put back, and grows past what clients have seen: a loss that every one of them is told of.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, cursor};
use crate::server::Server;

on_every_engine![a_backup_that_grows_past_a_cursor_is_announced];

const PATIENCE: Duration = Duration::from_secs(180);
const JSON: &str = "application/json";
const PLAIN: &str = "text/plain";

/// Asks where rooms end.
const NOW: [(&str, &str); 2] = [("after", "latest"), ("wait", "0")];

/// A client was told of its loss only as long as the backup was behind it. Later it went on without a word,
/// in the middle of messages that it had never seen from their beginning.
fn a_backup_that_grows_past_a_cursor_is_announced(engine: &'static str) {
    let mut server = Server::start(engine);
    let client = |rooms| Client::new(&server.url(), rooms, Instant::now() + PATIENCE);
    let (lobby, kitchen, both) = (client("lobby"), client("kitchen"), client("lobby,kitchen"));
    let say = |texts: &[&str]| -> Vec<(String, String)> {
        let says = |text: &&str| (lobby.publish(text).cursor, cursor(&both.get("", PLAIN, &NOW)));
        texts.iter().map(says).collect()
    };
    kitchen.publish("kept");
    let common = say(&["a", "b", "c"]);
    let mut backup = Vec::new();
    server.rests(|database| backup = fs::read(database).unwrap());
    let lost = say(&["lost-1", "lost-2", "lost-3", "lost-4"]);
    server.rests(|database| fs::write(database, &backup).unwrap());

    // First the order ends among the lost places, then behind them.
    for new in [&["new-1", "new-2"][..], &["new-3", "new-4", "new-5"]] {
        say(new);
        // The rooms sleep now. A look does not wake them, a wait does.
        server.crash();
        for wait in ["0", "1"] {
            let kept = texts(&in_json(&lobby, &[("after", "oldest"), ("wait", wait)]));
            for (of_one, of_both) in &lost {
                is_told(&lobby, &[("after", of_one), ("wait", wait)], "true", &kept);
                is_told(&both, &[("after", of_both), ("wait", wait)], "lobby", &kept);
                is_told_of_the_past(&lobby, of_one, &kept);
            }
            // Messages that both pasts have are no loss.
            let (of_one, of_both) = &common[2];
            for (client, after) in [(&lobby, of_one), (&both, of_both)] {
                let heard = in_json(client, &[("after", after), ("wait", wait)]);
                assert_eq!((&heard["gap"], &texts(&heard)[..]), (&json!(false), &kept[3..]));
            }
        }
    }
    // The gap is announced once.
    let next: Vec<String> = [(&lobby, &lost[3].0), (&both, &lost[3].1)]
        .map(|(client, after)| cursor(&client.get("", JSON, &[("after", after)])))
        .into();
    say(&["new-6"]);
    for (client, next) in [&lobby, &both].into_iter().zip(&next) {
        let heard = in_json(client, &[("after", next)]);
        assert_eq!((&heard["gap"], &texts(&heard)[..]), (&json!(false), &["new-6".to_owned()][..]));
    }
}

/// A wait is answered at once, in each format: from the lobby's oldest message on, with the gap.
fn is_told(client: &Client, query: &[(&str, &str)], header: &str, kept: &[String]) {
    let plain = client.get("", PLAIN, query);
    assert_eq!((plain.status().as_u16(), plain.body()), (200, &kept[0]), "{query:?}");
    assert_eq!(plain.headers()["Chat-Gap"], header);

    let reply = in_json(client, query);
    assert_eq!((&reply["gap"], &reply["gaps"]), (&json!(true), &json!(["lobby"])), "{query:?}");
    assert_eq!(texts(&reply), kept);

    let events = client.first_lines("text/event-stream", query, 4);
    assert!(events[0].starts_with("retry: "), "{events:?}");
    assert_eq!(events[1..3], ["event: gap", "data: {\"gap\":true,\"gaps\":[\"lobby\"]}"], "{query:?}");
    assert!(events[3].starts_with("id: "), "{events:?}");

    let lines = client.first_lines("application/x-ndjson", query, 2);
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["kind"], &lines[0]["gaps"]), (&json!("gap"), &json!(["lobby"])), "{query:?}");
    assert_eq!(lines[1]["text"], kept[0]);
}

/// A page of history from there is the newest one, with the gap.
fn is_told_of_the_past(client: &Client, before: &str, kept: &[String]) {
    let query = [("before", before)];
    let json = client.get("/history", JSON, &query);
    let page: Value = serde_json::from_str(json.body()).unwrap();
    assert_eq!((&page["gap"], &texts(&page)[..]), (&json!(true), kept), "{before}");
    let plain = client.get("/history", PLAIN, &query);
    assert_eq!(plain.headers()["Chat-Gap"], "true");
}

fn in_json(client: &Client, query: &[(&str, &str)]) -> Value {
    let reply = client.get("", JSON, query);
    assert_eq!(reply.status().as_u16(), 200, "{query:?}");
    serde_json::from_str(reply.body()).unwrap()
}

fn texts(reply: &Value) -> Vec<String> {
    let messages = reply["messages"].as_array().unwrap();
    messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}
