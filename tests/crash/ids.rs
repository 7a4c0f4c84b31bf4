//! Senders' ids: each is its room's, and is known there after `kill -9` as before.

use std::slice;
use std::time::{Duration, Instant};

use crate::checker::Seen;
use crate::client::{Client, cursor};
use crate::server::Server;

on_every_engine![an_id_is_known_in_its_own_room_only_over_a_crash_too];

const PATIENCE: Duration = Duration::from_secs(180);

fn an_id_is_known_in_its_own_room_only_over_a_crash_too(engine: &'static str) {
    let mut server = Server::start(engine);
    let deadline = Instant::now() + PATIENCE;
    let texts = [("lobby", "hi"), ("kitchen", "hi"), ("garden", "another")];
    let rooms = texts.map(|(room, text)| (Client::new(&server.url(), room, deadline), text));
    let stored = rooms.each_ref().map(|(client, text)| {
        let reply = client.publish_as("7", text);
        assert_eq!(reply.status().as_u16(), 200);
        Seen { cursor: cursor(&reply), text: (*text).to_owned() }
    });
    for _ in 0..2 {
        for ((client, text), stored) in rooms.iter().zip(&stored) {
            let again = client.publish_as("7", text);
            assert_eq!((again.status().as_u16(), cursor(&again)), (200, stored.cursor.clone()));
            assert_eq!(client.publish_as("7", "something else").status().as_u16(), 422);
            assert_eq!(client.read(), slice::from_ref(stored));
        }
        server.crash();
    }
}
