//! Guarantees 1 to 3 of the design across `kill -9`: clients publish and follow over HTTP while the
//! server is killed at random times and started again, and then the records are compared.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::checker::{Record, check};
use crate::client::{Client, Format};
use crate::server::Server;

const KILLS: usize = 30;
const ROOMS: [&str; 2] = ["lobby", "kitchen"];
const PUBLISHERS_A_ROOM: usize = 3;
const FOLLOWERS: [Format; 3] = [Format::Json, Format::Json, Format::Text];
const END: &str = "end";
const PATIENCE: Duration = Duration::from_secs(180);

on_every_engine![nothing_is_lost_doubled_or_reordered_by_kill_9];

fn nothing_is_lost_doubled_or_reordered_by_kill_9(engine: &'static str) {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    println!("the times of the kills repeat with SEED={seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut server = Server::start(engine);
    let deadline = Instant::now() + PATIENCE;
    let url = server.url();
    let crashes_are_over = AtomicBool::new(false);

    let records: Vec<(Record, u64)> = thread::scope(|scope| {
        let rooms: Vec<_> = ROOMS
            .iter()
            .map(|room| {
                let talk = || talk(&url, room, deadline, &crashes_are_over);
                scope.spawn(talk)
            })
            .collect();
        for _ in 0..KILLS {
            // This is not a wait for a state: the moment of the kill is random.
            thread::sleep(Duration::from_millis(rng.u64(20..400)));
            server.crash();
        }
        crashes_are_over.store(true, Relaxed);
        rooms.into_iter().map(|room| room.join().unwrap()).collect()
    });

    for (room, (record, retries)) in ROOMS.iter().zip(&records) {
        println!("{room}: {} messages, {retries} requests sent again", record.kept.len());
        if let Err(fault) = check(record) {
            panic!("in {room} with SEED={seed}: {fault}");
        }
        assert!(record.kept.len() > KILLS && *retries > KILLS as u64, "the kills met no traffic");
    }
}

/// All that goes on in one room. Returns its record, and the number of requests that were sent again.
fn talk(url: &str, room: &str, deadline: Instant, is_over: &AtomicBool) -> (Record, u64) {
    let clients: Vec<Client> =
        (0..PUBLISHERS_A_ROOM + FOLLOWERS.len()).map(|_| Client::new(url, room, deadline)).collect();
    let (publishers, followers) = clients.split_at(PUBLISHERS_A_ROOM);
    let mut record = thread::scope(|scope| {
        let following: Vec<_> = followers
            .iter()
            .zip(FOLLOWERS)
            .map(|(client, format)| scope.spawn(move || client.follow(format, END)))
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
    record.kept = Client::new(url, room, deadline).read();
    let retries = clients.iter().map(|client| client.retries.load(Relaxed)).sum();
    (record, retries)
}
