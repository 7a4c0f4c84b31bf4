//! What a client is told first, in every format.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::client::Client;
use crate::followers::{Format, event, line};

/// The first that a client hears after a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether it has lost something.
    pub gap: bool,
    /// The first message.
    pub first: Option<String>,
}

/// Asks what came after a cursor, and waits for it.
pub fn told(client: &Client, format: Format, after: &str, wait: &str) -> Told {
    let query = [("after", after), ("wait", wait)];
    match format {
        Format::Json => {
            let reply = client.get("", "application/json", &query);
            let body: Value = serde_json::from_str(reply.body()).unwrap_or_default();
            let first = body["messages"][0]["text"].as_str().map(str::to_owned);
            Told { gap: body["gap"] == true, first }
        }
        Format::Text => {
            let reply = client.get("", "text/plain", &query);
            let gap = reply.headers().contains_key("Chat-Gap");
            Told { gap, first: (reply.status() == 200).then(|| reply.body().clone()) }
        }
        Format::Events => of_a_stream(client, "text/event-stream", after, "\n\n", |text| event(text).0),
        Format::Lines => of_a_stream(client, "application/x-ndjson", after, "\n", |text| line(text).0),
    }
}

/// Reads a stream up to its first message, or until it breaks off.
fn of_a_stream(
    client: &Client,
    accept: &str,
    after: &str,
    separator: &str,
    parse: impl Fn(&str) -> Value,
) -> Told {
    let mut stream = BufReader::new(client.opens(accept, &[("after", after)]));
    let mut piece = String::new();
    let mut gap = false;
    loop {
        if !stream.read_line(&mut piece).is_ok_and(|length| length > 0) {
            return Told { gap, first: None };
        }
        if !piece.ends_with(separator) {
            continue;
        }
        let told = parse(&piece);
        piece.clear();
        gap |= told["gap"] == true || told["kind"] == "gap";
        if let Some(text) = told["text"].as_str() {
            return Told { gap, first: Some(text.to_owned()) };
        }
    }
}
