//! Guarantee 4: a store that loses what it had acknowledged. Each client that saw what was lost is told of a gap,
//! and no other, on every instance, in every format, before and after the new past has outgrown the old one.

use std::fs;
use std::thread;
use std::time::Instant;

use crate::client::Client;
use crate::followers::{EVERY_FORMAT, Format};
use crate::instances::{Instances, deadline, wait_until};
use crate::redis::RedisServer;
use crate::told::{Told, told};

/// Messages that the store still has after the loss.
const KEPT: usize = 6;
/// Messages that it has lost.
const LOST: usize = 4;
/// Messages that come after the loss.
const NEW: usize = 9;

/// How a store loses messages: what is done when it has those that it will keep, and what when it has all.
struct Loss<T> {
    keep: fn(&mut Instances) -> T,
    lose: fn(&mut Instances, T),
}

#[test]
fn a_replica_that_is_promoted_without_the_last_messages() {
    let loss = Loss { keep: cut_a_replica_off, lose: fail_over };
    of_a_loss(&["--appendonly", "yes"], loss, KEPT);
}

#[test]
fn a_dump_that_is_put_back() {
    let keep = |instances: &mut Instances| {
        assert_eq!(instances.redis.ask(&["SAVE"]), "OK");
        fs::read(instances.redis.directory().join("dump.rdb")).unwrap()
    };
    let lose = |instances: &mut Instances, dump| {
        instances.redis.crash();
        fs::write(instances.redis.directory().join("dump.rdb"), dump).unwrap();
        instances.redis.starts_again();
    };
    of_a_loss(&[], Loss { keep, lose }, KEPT);
}

#[test]
fn a_database_that_is_flushed() {
    let lose = |instances: &mut Instances, ()| assert_eq!(instances.redis.ask(&["FLUSHALL"]), "OK");
    of_a_loss(&[], Loss { keep: |_| (), lose }, 0);
}

#[test]
fn a_server_without_a_disk_that_starts_again() {
    let lose = |instances: &mut Instances, ()| {
        instances.redis.crash();
        instances.redis.starts_again();
    };
    of_a_loss(&[], Loss { keep: |_| (), lose }, 0);
}

/// A replica that has everything up to now, and gets nothing any more.
fn cut_a_replica_off(instances: &mut Instances) -> RedisServer {
    let master = &instances.redis;
    let port = master.address().port().to_string();
    let replica = RedisServer::start(&["--appendonly", "yes", "--replicaof", "127.0.0.1", &port]);
    let offset = |server: &RedisServer, name: &str| -> i64 {
        let info = server.ask(&["INFO", "replication"]);
        let line = info.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map_or(-1, |offset| offset.parse().expect("an offset"))
    };
    let is_linked = || replica.ask(&["INFO", "replication"]).contains("master_link_status:up");
    let all = offset(master, "master_repl_offset:");
    wait_until("the replica has all", || is_linked() && offset(&replica, "slave_repl_offset:") >= all);
    assert_eq!(replica.ask(&["REPLICAOF", "NO", "ONE"]), "OK");
    replica
}

/// The master ends, and the replica takes its address.
fn fail_over(instances: &mut Instances, replica: RedisServer) {
    instances.redis.crash();
    for link in &instances.links {
        link.lead_to(replica.address());
        link.reset();
    }
    instances.redis = replica;
}

fn of_a_loss<T>(redis: &[&str], loss: Loss<T>, kept: usize) {
    let mut instances = Instances::start(redis);
    let (urls, deadline) = (instances.urls(), deadline());
    let client = |url: &String| Client::new(url, "lobby", deadline);
    let everywhere = Client::of(&urls, "lobby", deadline);
    let say = |what: &str, count: usize| -> Vec<_> {
        (0..count).map(|number| everywhere.publish(&format!("{what} {number}"))).collect()
    };
    let old = say("old", KEPT);
    let snapshot = (loss.keep)(&mut instances);
    let lost = say("lost", LOST);
    // Each instance has them in memory, as soon as it has heard of them.
    for url in &urls {
        wait_until("an instance has all", || client(url).read().len() == KEPT + LOST);
    }
    let (kept, lost) = (&old[..kept], [&old[kept..], &lost].concat());
    let last = &lost.last().unwrap().cursor;

    thread::scope(|scope| {
        let waits_for_any = urls.iter().map(|url| {
            let client = client(url);
            scope.spawn(move || told_something(&client, Format::Json, last))
        });
        let waits_for_any: Vec<_> = waits_for_any.collect();
        let waits = urls.iter().flat_map(|url| EVERY_FORMAT.map(|format| (client(url), format)));
        let waits = waits.map(|(client, format)| scope.spawn(move || told_something(&client, format, last)));
        let waits: Vec<_> = waits.collect();

        (loss.lose)(&mut instances, snapshot);
        // Those who wait learn it although nothing new is said.
        for wait in waits_for_any {
            assert!(wait.join().unwrap().gap);
        }
        for url in &urls {
            for (place, seen) in kept.iter().enumerate() {
                let next = kept.get(place + 1).map(|next| next.text.clone());
                let heard = told(&client(url), Format::Json, &seen.cursor, "0");
                assert_eq!(heard, Told { gap: false, first: next }, "after {}", seen.text);
            }
            for seen in &lost {
                assert!(told(&client(url), Format::Json, &seen.cursor, "0").gap, "after {}", seen.text);
            }
        }

        let new = say("new", NEW);
        for wait in waits {
            assert!(wait.join().unwrap().gap);
        }
        let now: Vec<_> = kept.iter().chain(&new).collect();
        for url in &urls {
            let client = client(url);
            for format in EVERY_FORMAT {
                for (place, seen) in now[..now.len() - 1].iter().enumerate() {
                    let right = Told { gap: false, first: Some(now[place + 1].text.clone()) };
                    assert_eq!(told(&client, format, &seen.cursor, "5"), right, "after {}", seen.text);
                }
                for seen in &lost {
                    let right = Told { gap: true, first: Some(now[0].text.clone()) };
                    assert_eq!(told(&client, format, &seen.cursor, "5"), right, "after {}", seen.text);
                }
            }
            let all: Vec<_> = now.iter().map(|&seen| seen.clone()).collect();
            assert_eq!(client.read(), all);
        }
    });
}

/// Waits until there is a message or a gap.
fn told_something(client: &Client, format: Format, after: &str) -> Told {
    let deadline = deadline();
    loop {
        let heard = told(client, format, after, "5");
        if heard.gap || heard.first.is_some() {
            return heard;
        }
        assert!(Instant::now() < deadline, "nobody tells anything after {after}");
    }
}
