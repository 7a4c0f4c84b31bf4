//! Guarantees 1 to 3 over three instances: two hundred followers go to another instance with every poll.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use crate::checker::{Record, check};
use crate::client::Client;
use crate::followers::{Format, follow};
use crate::instances::{Instances, PATIENCE};

const ROOMS: [&str; 4] = ["lobby", "kitchen", "garden", "attic"];
const FOLLOWERS: usize = 200;
const PUBLISHERS: usize = 6;
const MESSAGES: usize = 2_000;
const END: &str = "end";

/// How long a follower takes for a reply at most. So the followers leave the machine some time for the publishers.
const LEISURE: Duration = Duration::from_millis(2_000);

#[test]
fn followers_that_hop_at_every_poll_see_every_message_once_and_in_one_order() {
    let messages =
        env::var("MESSAGES").map_or(MESSAGES, |count| count.parse().expect("MESSAGES is a number"));
    let instances = Instances::start(&[]);
    let (urls, deadline) = (instances.urls(), Instant::now() + PATIENCE * (1 + messages / MESSAGES) as u32);
    let client = |rooms: &[&str]| Client::of(&urls, &rooms.join(","), deadline);

    let records: Vec<Record> = thread::scope(|scope| {
        let following: Vec<_> = (0..FOLLOWERS)
            .map(|number| {
                let (rooms, format, leisure) = following(number);
                let client = client(rooms).at_leisure(leisure);
                (rooms, scope.spawn(move || follow(&client, rooms, format, END)))
            })
            .collect();
        let publishing: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                let rooms = ROOMS.map(|room| client(&[room]));
                scope.spawn(move || {
                    let mut answered = ROOMS.map(|_| Vec::new());
                    for number in 0..messages / PUBLISHERS {
                        let room = (publisher + number) % ROOMS.len();
                        answered[room].push(rooms[room].publish(&format!("{publisher}/{number}")));
                    }
                    answered
                })
            })
            .collect();
        let mut records = ROOMS.map(|_| Record::default());
        for publisher in publishing {
            for (record, answered) in records.iter_mut().zip(publisher.join().unwrap()) {
                record.answered.push(answered);
            }
        }
        for (record, room) in records.iter_mut().zip(ROOMS) {
            record.answered.push(vec![client(&[room]).publish(END)]);
            record.kept = client(&[room]).read();
        }
        for (rooms, follower) in following {
            for (room, seen) in rooms.iter().zip(follower.join().unwrap()) {
                let room = ROOMS.iter().position(|name| name == room).unwrap();
                records[room].followers.push(seen);
            }
        }
        records.into()
    });
    for (room, record) in ROOMS.iter().zip(&records) {
        if let Err(fault) = check(record) {
            panic!("in {room}: {fault}");
        }
    }
    let seen: usize = records.iter().flat_map(|record| &record.followers).map(Vec::len).sum();
    println!("{seen} deliveries");
}

/// What a follower follows, how, and how long it takes for a reply. Most have one room in JSON and take their time.
/// Four of each room do not, and four have all rooms.
fn following(number: usize) -> (&'static [&'static str], Format, Duration) {
    let (turn, room) = (number / ROOMS.len(), number % ROOMS.len());
    let rooms = &ROOMS[room..=room];
    match (turn, room) {
        // Text is one message a poll: in two rooms only, or they would take longest.
        (0, 0..2) => (rooms, Format::Text, Duration::ZERO),
        (0 | 1, _) => (rooms, Format::Json, Duration::ZERO),
        (2, _) => (rooms, Format::Events, Duration::ZERO),
        (3, _) => (rooms, Format::Lines, Duration::ZERO),
        (4, 0) => (&ROOMS, Format::Events, Duration::ZERO),
        (4, 1) => (&ROOMS, Format::Lines, Duration::ZERO),
        (4, _) => (&ROOMS, Format::Json, LEISURE),
        _ => (rooms, Format::Json, LEISURE),
    }
}
