//! Rooms in which clients publish and follow in every format, while something is done to the servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::checker::{Record, check};
use crate::client::{Client, Traffic};
use crate::followers::{EVERY_FORMAT, follow};

pub const ROOMS: [&str; 3] = ["lobby", "kitchen", "garden"];
const PUBLISHERS_A_ROOM: usize = 3;
const END: &str = "end";

/// What the clients of each room have met so far.
pub struct Talk {
    pub traffic: [Arc<Traffic>; ROOMS.len()],
}

/// Has clients of these servers talk in every room for as long as `meanwhile` takes, and fails if a promise was
/// broken. Each client goes to the next server with each request.
pub fn talk_while(server_urls: &[String], deadline: Instant, meanwhile: impl FnOnce(&Talk)) -> Talk {
    let talk = Talk { traffic: ROOMS.map(|_| Arc::default()) };
    let is_over = AtomicBool::new(false);
    let records: Vec<Record> = thread::scope(|scope| {
        // Followers of all rooms at once.
        let several: Vec<_> = EVERY_FORMAT
            .map(|format| {
                let client = Client::of(server_urls, &ROOMS.join(","), deadline);
                scope.spawn(move || follow(&client, &ROOMS, format, END))
            })
            .into();
        let rooms: Vec<_> = ROOMS
            .iter()
            .zip(&talk.traffic)
            .map(|(room, traffic)| {
                let talk = || talk_in(room, server_urls, deadline, traffic, &is_over);
                scope.spawn(talk)
            })
            .collect();
        meanwhile(&talk);
        is_over.store(true, Relaxed);
        let mut records: Vec<Record> = rooms.into_iter().map(|room| room.join().unwrap()).collect();
        for follower in several {
            let seen = follower.join().unwrap();
            records.iter_mut().zip(seen).for_each(|(record, seen)| record.followers.push(seen));
        }
        records
    });
    for ((room, record), traffic) in ROOMS.iter().zip(&records).zip(&talk.traffic) {
        let retries = traffic.retries.load(Relaxed);
        println!("{room}: {} messages, {retries} requests sent again", record.kept.len());
        if let Err(fault) = check(record) {
            panic!("in {room}: {fault}");
        }
    }
    talk
}

/// Publishes and follows in one room. Returns its record.
fn talk_in(
    room: &str,
    server_urls: &[String],
    deadline: Instant,
    traffic: &Arc<Traffic>,
    is_over: &AtomicBool,
) -> Record {
    let client = || Client::of(server_urls, room, deadline).counted_in(traffic);
    let clients: Vec<Client> = (0..PUBLISHERS_A_ROOM + EVERY_FORMAT.len()).map(|_| client()).collect();
    let (publishers, followers) = clients.split_at(PUBLISHERS_A_ROOM);
    let mut record = thread::scope(|scope| {
        let following: Vec<_> = followers
            .iter()
            .zip(EVERY_FORMAT)
            .map(|(client, format)| scope.spawn(move || follow(client, &[room], format, END).remove(0)))
            .collect();
        let publishing: Vec<_> = publishers
            .iter()
            .enumerate()
            .map(|(number, client)| {
                let say = move |n| client.publish(&format!("{number}/{n}"));
                scope.spawn(move || (0..).take_while(|_| !is_over.load(Relaxed)).map(say).collect())
            })
            .collect();
        let mut answered: Vec<Vec<_>> = publishing.into_iter().map(|p| p.join().unwrap()).collect();
        answered.push(vec![publishers[0].publish(END)]);
        let followers = following.into_iter().map(|f| f.join().unwrap()).collect();
        Record { answered, followers, kept: Vec::new() }
    });
    record.kept = client().read();
    record
}

impl Talk {
    /// How many messages were published in each room.
    pub fn published(&self) -> [u64; ROOMS.len()] {
        self.traffic.each_ref().map(|traffic| traffic.published.load(Relaxed))
    }

    /// Waits until more is published in each room than before.
    pub fn goes_on_from(&self, before: [u64; ROOMS.len()], deadline: Instant) {
        while self.published().iter().zip(&before).any(|(now, before)| now <= before) {
            assert!(Instant::now() < deadline, "the talk does not go on");
            thread::sleep(Duration::from_millis(1));
        }
    }
}
