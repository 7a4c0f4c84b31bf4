//! An upgrade: a new server goes on with the file, and the clients, of the version before.

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::client::{Client, cursor};
use crate::server::Server;

on_every_engine![a_client_loses_nothing_by_an_upgrade];

const PATIENCE: Duration = Duration::from_secs(180);

/// The file of a server of that version. Its lobby has the messages 5 to 12.
const FILE: &[u8] = include_bytes!("../store/version-2.db.gz");

/// A place in that file's lobby, as the server said it.
fn old(sequence: u64) -> String {
    format!("43d25194-{sequence}")
}

fn a_client_loses_nothing_by_an_upgrade(engine: &'static str) {
    let mut server = Server::start(engine);
    server.rests(|database| {
        let mut file = Vec::new();
        GzDecoder::new(FILE).read_to_end(&mut file).unwrap();
        fs::write(database, file).unwrap();
        // Otherwise `anna left` would come at some time during the test.
        Connection::open(database).unwrap().execute("DELETE FROM present", ()).unwrap();
    });
    let client = Client::new(&server.url(), "lobby", Instant::now() + PATIENCE);
    let asks = |below: &str, query: &[(&str, &str)]| -> Value {
        serde_json::from_str(client.get(below, "application/json", query).body()).unwrap()
    };
    for wait in ["0", "5"] {
        let heard = asks("", &[("after", &old(4)), ("wait", wait)]);
        assert_eq!((&heard["gap"], &heard["messages"].as_array().unwrap().len()), (&json!(false), &8));
        let heard = asks("", &[("after", &old(9)), ("wait", wait)]);
        assert_eq!((&heard["gap"], told(&heard)), (&json!(false), "ben joined, ben: last, ben left".into()));
        // A gap of the time before is still announced.
        assert_eq!(asks("", &[("after", &old(3)), ("wait", wait)])["gap"], true);
        assert_eq!(asks("", &[("after", &old(13)), ("wait", wait)])["gap"], true);
    }
    let page = asks("/history", &[("before", &old(7))]);
    assert_eq!((&page["gap"], told(&page)), (&json!(false), "anna: number 4, anna: number 5".into()));

    // This client is up to date, and goes on with cursors that have a mark.
    let nothing = client.get("", "text/plain", &[("after", &old(12)), ("wait", "0")]);
    assert_eq!(nothing.status().as_u16(), 204);
    let next = cursor(&nothing);
    assert!(next.starts_with(&format!("{}-", old(12))), "{next} has no mark");
    client.publish("new");
    for after in [&old(12), &next] {
        let heard = asks("", &[("after", after)]);
        assert_eq!((&heard["gap"], told(&heard)), (&json!(false), "somebody: new".into()));
    }
}

/// The kind, the name and the text.
fn told(reply: &Value) -> String {
    let line = |message: &Value| {
        let name = message["name"].as_str().unwrap_or("somebody");
        match message["kind"].as_str().unwrap() {
            "message" => format!("{name}: {}", message["text"].as_str().unwrap()),
            kind => format!("{name} {kind}"),
        }
    };
    reply["messages"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(", ")
}
