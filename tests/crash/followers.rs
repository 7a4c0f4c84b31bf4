//! Followers of one room or of several, in every format, from the first message on.

use std::io::{BufRead, BufReader};
use std::sync::atomic::Ordering::Relaxed;

use serde_json::Value;
use ureq::http::Response;

use crate::checker::Seen;
use crate::client::{Client, cursor};

/// What a follower asks for.
#[derive(Clone, Copy)]
pub enum Format {
    Json,
    Text,
    /// Server-sent events.
    Events,
    /// JSON objects, one a line.
    Lines,
}

pub const EVERY_FORMAT: [Format; 4] = [Format::Json, Format::Text, Format::Events, Format::Lines];

/// After how many events of a stream a client of several servers goes to the next one.
const HOP: usize = 50;

/// How long a poll waits.
const WAIT: &str = "5";

/// Follows the rooms that the client asks for, until each has had a message with the text `end`. Returns what it
/// saw of each of them.
pub fn follow(client: &Client, rooms: &[&str], format: Format, end: &str) -> Vec<Vec<Seen>> {
    let mut follower =
        Follower { client, rooms, end, seen: vec![Vec::new(); rooms.len()], after: "oldest".into() };
    while !follower.is_over() {
        match format {
            Format::Json => follower.polls_for_json(),
            Format::Text => follower.polls_for_text(),
            Format::Events => follower.reads("text/event-stream", "\n\n", event),
            Format::Lines => follower.reads("application/x-ndjson", "\n", line),
        }
    }
    follower.seen
}

struct Follower<'a> {
    client: &'a Client,
    rooms: &'a [&'a str],
    end: &'a str,
    seen: Vec<Vec<Seen>>,
    after: String,
}

impl Follower<'_> {
    fn is_over(&self) -> bool {
        self.seen.iter().all(|seen| seen.last().is_some_and(|last| last.text == self.end))
    }

    fn sees(&mut self, room: &str, seen: Seen) {
        let index = self.rooms.iter().position(|name| *name == room).expect("a room that it follows");
        self.seen[index].push(seen);
    }

    fn sees_message(&mut self, message: &Value) {
        let field = |name: &str| message[name].as_str().unwrap().to_owned();
        self.sees(&field("room"), Seen { cursor: field("id"), text: field("text") });
    }

    fn polls_for_json(&mut self) {
        if let Some(reply) = self.polls("application/json") {
            let body: Value = serde_json::from_str(reply.body()).unwrap();
            assert_eq!((&body["gap"], &body["next"]), (&false.into(), &self.after.as_str().into()));
            body["messages"].as_array().unwrap().iter().for_each(|message| self.sees_message(message));
            self.client.reads_on();
        }
    }

    fn polls_for_text(&mut self) {
        let before = self.after.clone();
        if let Some(reply) = self.polls("text/plain") {
            let room = reply.headers().get("Chat-Room").map_or(self.rooms[0], |room| room.to_str().unwrap());
            let seen = Seen { cursor: moved(&before, &self.after), text: reply.body().clone() };
            self.sees(room, seen);
        }
    }

    /// Polls once. Returns the reply if it has messages.
    fn polls(&mut self, accept: &str) -> Option<Response<String>> {
        let reply = self.client.get("", accept, &[("after", &self.after), ("wait", WAIT)]);
        assert!(reply.headers().get("Chat-Gap").is_none(), "a gap after {}", self.after);
        self.after = cursor(&reply);
        match reply.status().as_u16() {
            200 => Some(reply),
            204 => None,
            status => panic!("{status} {}", reply.body()),
        }
    }

    /// Reads a stream until everything has come, until it goes to another server, or until the stream breaks off.
    fn reads(&mut self, accept: &str, separator: &str, parse: fn(&str) -> (Value, String)) {
        let mut stream = BufReader::new(self.client.opens(accept, &[("after", &self.after)]));
        let mut piece = String::new();
        let mut events = 0;
        while stream.read_line(&mut piece).is_ok_and(|length| length > 0) {
            if !piece.ends_with(separator) {
                continue;
            }
            let (told, next) = parse(&piece);
            piece.clear();
            assert!(told["gap"].is_null() && told["kind"] != "gap", "a gap after {}: {told}", self.after);
            if told["kind"] == "message" {
                self.sees_message(&told);
            }
            self.after = next;
            events += 1;
            if self.is_over() || (self.client.hops() && events >= HOP) {
                return;
            }
        }
        self.client.traffic.retries.fetch_add(1, Relaxed);
    }
}

/// The message of an event, and its cursor.
pub fn event(text: &str) -> (Value, String) {
    let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    (serde_json::from_str(field("data: ")).unwrap(), field("id: ").to_owned())
}

/// The message of a line, and its cursor.
pub fn line(text: &str) -> (Value, String) {
    let told: Value = serde_json::from_str(text).unwrap();
    let next = told["next"].as_str().unwrap().to_owned();
    (told, next)
}

/// The cursor of the one room that went on between two cursors. A cursor of several rooms holds a place for
/// each, and each message moves one of them.
fn moved(before: &str, after: &str) -> String {
    let Some((epoch, places)) = after.split_once('~') else { return after.to_owned() };
    let stood = |place: &str| before.split('~').any(|other| other == place) || place.ends_with("-0");
    let moved: Vec<&str> = places.split('~').filter(|place| !stood(place)).collect();
    let [place] = moved[..] else { panic!("from {before} to {after} went on: {moved:?}") };
    let (_room, place) = place.split_once('-').expect("a room and its place");
    format!("{epoch}-{place}")
}
