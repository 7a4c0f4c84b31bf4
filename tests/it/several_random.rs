//! Several rooms in one request: nothing is lost or doubled, whatever comes between.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::Value;

use crate::chat::Chat;
use crate::client::{Connection, Reply};
use crate::harness::{PATIENCE, repeatable};
use crate::several::{rooms, together};

on_every_setup![all_is_heard_once_in_each_room_s_order];

/// Publishers speak in all rooms while followers hop between the formats, and between orders of the rooms in the
/// address.
fn all_is_heard_once_in_each_room_s_order(chat: Chat) {
    const EACH: usize = 40;
    let mut rng = repeatable();
    let (rooms, all) = rooms(&chat, 4);
    let start = all.cursor();
    let heard: Vec<Heard> = std::thread::scope(|scope| {
        let followers: Vec<_> = (0..4)
            .map(|_| {
                let mut follower = Hopper::new(&rooms, &start, fastrand::Rng::with_seed(rng.u64(..)));
                scope.spawn(move || follower.follow_to_the_end())
            })
            .collect();
        let publishers: Vec<_> = (0..3)
            .map(|number| {
                let (rooms, mut rng) = (&rooms, fastrand::Rng::with_seed(rng.u64(..)));
                scope.spawn(move || {
                    for n in 0..EACH {
                        rooms[rng.usize(..rooms.len())].says(&format!("{number}-{n}"));
                    }
                })
            })
            .collect();
        publishers.into_iter().for_each(|publisher| publisher.join().expect("a publisher"));
        rooms.iter().for_each(|room| drop(room.says("end")));
        followers.into_iter().map(|follower| follower.join().expect("a follower")).collect()
    });
    for room in &rooms {
        let mut reader = room.follower_from("oldest");
        let mut order = Vec::new();
        while order.last().is_none_or(|text| text != "end") {
            order.extend(reader.follow().into_iter().map(|said| said.text));
        }
        for heard in &heard {
            assert_eq!(heard[room.name()], order);
        }
    }
}

/// The texts from each room, in order.
type Heard = HashMap<String, Vec<String>>;

/// A follower of several rooms who asks in another way each time.
struct Hopper {
    rooms: Vec<Chat>,
    connection: Connection,
    next: String,
    rng: fastrand::Rng,
    heard: Heard,
}

impl Hopper {
    fn new(rooms: &[Chat], start: &str, rng: fastrand::Rng) -> Hopper {
        let heard = rooms.iter().map(|room| (room.name().to_owned(), Vec::new())).collect();
        Hopper { rooms: rooms.to_vec(), connection: rooms[0].connect(), next: start.to_owned(), rng, heard }
    }

    fn follow_to_the_end(&mut self) -> Heard {
        let start = Instant::now();
        while !self.has_heard_all() {
            assert!(start.elapsed() < 2 * PATIENCE, "after {} it heard no more: {:?}", self.next, self.heard);
            self.rng.shuffle(&mut self.rooms);
            match self.rng.u8(..4) {
                0 => self.polls_in_plain_text(),
                1 => self.polls_in_json(),
                2 => self.reads_events(),
                _ => self.reads_lines(),
            }
        }
        std::mem::take(&mut self.heard)
    }

    fn ask(&mut self, media_type: &str) -> Reply {
        let wait = ["0", "0.05", "1"][self.rng.usize(..3)];
        let request =
            together(&self.rooms).get(&format!("?after={}&wait={wait}", self.next)).accept(media_type);
        let reply = self.connection.ask(&request);
        assert_eq!(reply.header("Chat-Gap"), None);
        self.next = reply.cursor();
        reply
    }

    fn polls_in_plain_text(&mut self) {
        let reply = self.ask("text/plain");
        if reply.status != 204 {
            let reply = reply.is(200);
            self.hears(reply.expect_header("Chat-Room"), reply.text());
        }
    }

    fn polls_in_json(&mut self) {
        let reply = self.ask("application/json");
        if reply.status != 204 {
            for message in reply.is(200).json()["messages"].as_array().expect("a list") {
                self.hears_message(message);
            }
        }
    }

    /// Leaves the stream in the middle, as a connection that breaks.
    fn reads_events(&mut self) {
        let mut events = together(&self.rooms).events("", &[("Last-Event-ID", &self.next)]);
        for _ in 0..self.rng.usize(1..8) {
            let event = events.next();
            if event.event.as_deref() != Some("message") {
                break;
            }
            self.hears_message(&event.message());
            self.next = event.id.expect("a place to resume from");
            if self.has_heard_all() {
                break;
            }
        }
    }

    /// The same, with a limit or without.
    fn reads_lines(&mut self) {
        let limit = ["", "&limit=3"][self.rng.usize(..2)];
        let mut lines = together(&self.rooms).lines(&format!("?after={}{limit}", self.next));
        for _ in 0..self.rng.usize(1..8) {
            let Some(line) = lines.try_next().expect("it does not break off") else { break };
            self.next = line["next"].as_str().expect("a cursor").to_owned();
            if line["kind"] == "beat" {
                break;
            }
            self.hears_message(&line);
            if self.has_heard_all() {
                break;
            }
        }
    }

    fn has_heard_all(&self) -> bool {
        self.heard.values().all(|texts| texts.last().is_some_and(|text| text == "end"))
    }

    fn hears_message(&mut self, message: &Value) {
        self.hears(message["room"].as_str().expect("a room"), message["text"].as_str().expect("a text"));
    }

    fn hears(&mut self, room: &str, text: &str) {
        self.heard.get_mut(room).expect("a room that was asked for").push(text.to_owned());
    }
}
