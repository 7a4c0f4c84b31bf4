//! Guarantees 1 to 3 of the design across `kill -9`: clients publish and follow over HTTP while the
//! server is killed at random times and started again, and then the records are compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::checker::{Record, check};
use crate::client::{Client, Traffic};
use crate::followers::{EVERY_FORMAT, follow};
use crate::server::Server;

const KILLS: usize = 30;

/// On a machine that is too busy for the clients to send much, kills go on until they have met enough requests,
/// or there are this many.
const KILLS_MAX: usize = 120;
const ROOMS: [&str; 3] = ["lobby", "kitchen", "garden"];
const PUBLISHERS_A_ROOM: usize = 3;
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
    let traffic = ROOMS.map(|_| Arc::new(Traffic::default()));

    let records: Vec<Record> = thread::scope(|scope| {
        // Followers of all rooms at once.
        let several: Vec<_> = EVERY_FORMAT
            .map(|format| {
                let client = Client::new(&url, &ROOMS.join(","), deadline);
                scope.spawn(move || follow(&client, &ROOMS, format, END))
            })
            .into();
        let rooms: Vec<_> = ROOMS
            .iter()
            .zip(&traffic)
            .map(|(room, traffic)| {
                let talk = || talk(&url, room, deadline, traffic, &crashes_are_over);
                scope.spawn(talk)
            })
            .collect();
        for kill in 0..KILLS_MAX {
            if kill >= KILLS && traffic.iter().all(|traffic| is_enough(traffic)) {
                break;
            }
            let before = traffic.each_ref().map(|traffic| traffic.published.load(Relaxed));
            // This is not a wait for a state: the moment of the kill is random.
            thread::sleep(Duration::from_millis(rng.u64(20..400)));
            // On a busy machine the server lives longer, until it has published a message in each room.
            let is_idle = |(traffic, before): (&Arc<Traffic>, _)| traffic.published.load(Relaxed) == before;
            while traffic.iter().zip(before).any(is_idle) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            server.crash();
        }
        crashes_are_over.store(true, Relaxed);
        let mut records: Vec<Record> = rooms.into_iter().map(|room| room.join().unwrap()).collect();
        for follower in several {
            let seen = follower.join().unwrap();
            records.iter_mut().zip(seen).for_each(|(record, seen)| record.followers.push(seen));
        }
        records
    });

    for ((room, record), traffic) in ROOMS.iter().zip(&records).zip(&traffic) {
        let retries = traffic.retries.load(Relaxed);
        println!("{room}: {} messages, {retries} requests sent again", record.kept.len());
        if let Err(fault) = check(record) {
            panic!("in {room} with SEED={seed}: {fault}");
        }
        assert!(is_enough(traffic), "the kills met no traffic");
    }
}

/// Whether the kills met requests: as many messages and as many repeated requests as there are kills.
fn is_enough(traffic: &Traffic) -> bool {
    [&traffic.published, &traffic.retries].iter().all(|count| count.load(Relaxed) > KILLS as u64)
}

/// Publishes and follows in one room. Returns its record.
fn talk(url: &str, room: &str, deadline: Instant, traffic: &Arc<Traffic>, is_over: &AtomicBool) -> Record {
    let client = || Client::new(url, room, deadline).counted_in(traffic);
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
    record.kept = Client::new(url, room, deadline).read();
    record
}
