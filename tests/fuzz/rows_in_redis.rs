//! Keys in Redis that no server wrote: they are read, or refused in words, and other rooms go on.

use std::thread;
use std::time::{Duration, Instant};

use comet_chat::message::RoomName;
use comet_chat::store::{Error, Keep, RedisSpec, Store};

use crate::chance::Chance;
use crate::redis::{self, RedisServer, a_prefix};
use crate::rows::{append, said, use_it, with_file};

const ALL: Keep = Keep { messages: usize::MAX, files: u64::MAX, age: None };

/// Far more than anything needs, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_secs(60);

const VALUES: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "x",
    "1 2",
    "1 2 3 4",
    "9007199254740993",
    "18446744073709551616",
    "1e400",
    "nan",
    "\u{1f980} x",
];

/// What others may do to the keys of a room, by redis-cli. `KEY` is what they begin with, `ROOM` those of the room,
/// and `VALUE` is one of those above.
const DEEDS: &[&str] = &[
    "XADD ROOM:log * k m n VALUE t VALUE a VALUE c VALUE m VALUE p VALUE s VALUE j VALUE",
    "XADD ROOM:log 99-0 k VALUE n ann t hi a 1 c 1 m 1 p 1 s 1 j 1",
    "XADD ROOM:log 99-0 VALUE VALUE",
    "XADD ROOM:log 4503599627370496-0 k m n ann t hi a 1 c 1 m 1 p 1 s 1 j 1",
    "XDEL ROOM:log 3-0",
    "XTRIM ROOM:log MAXLEN 2",
    "DEL ROOM:log",
    "DEL ROOM:meta",
    "SET ROOM:log VALUE",
    "SET ROOM:meta VALUE",
    "HSET ROOM:meta mark VALUE",
    "HSET ROOM:meta at VALUE said VALUE joined VALUE",
    "HSET ROOM:people VALUE VALUE",
    "HSET ROOM:people ann VALUE",
    "SET ROOM:people VALUE",
    "SET ROOM:sent:1 VALUE",
    "LPUSH ROOM:sent:1 VALUE",
    "HSET ROOM:files 1 VALUE",
    "SET ROOM:files VALUE",
    "ZADD ROOM:kept 1 VALUE",
    "SET ROOM:kept VALUE",
    "LPUSH ROOM:file:1 VALUE",
    "DEL ROOM:file:1",
    "HSET ROOM:meta files VALUE",
    "SET KEY:epoch VALUE",
    "ZADD KEY:rooms 0 VALUE",
    "SET KEY:recent VALUE",
    "PUBLISH KEY:notices VALUE",
    "SADD KEY:dead VALUE",
];

#[test]
fn keys_of_garbage_harm_no_more_than_their_room() {
    let mut chance = Chance::new();
    let server = RedisServer::shared();
    for _ in 0..chance.times(30) {
        let mut spec = RedisSpec::parse(&server.url()).unwrap();
        spec.prefix = a_prefix();
        let lobby = RoomName::lobby();
        let store = redis::open(&spec, ALL);
        append(&store, &lobby, (0..6).map(|n| with_file(n, said("hi", Some(&n.to_string())))).collect())
            .unwrap();
        let mut done = Vec::new();
        for _ in 0..=chance.below(2) {
            let deed = DEEDS[chance.below(DEEDS.len())];
            let words: Vec<String> = deed
                .split(' ')
                .map(|word| match word {
                    "VALUE" => VALUES[chance.below(VALUES.len())].to_owned(),
                    word => word
                        .replace("ROOM", &format!("{}:{{lobby}}", spec.prefix))
                        .replace("KEY", &spec.prefix),
                })
                .collect();
            server.ask(&words.iter().map(String::as_str).collect::<Vec<_>>());
            done.push(words.join(" "));
        }
        println!("{done:?}");
        use_it(&store, &lobby);
        // No thread has ended by it. A busy machine may need a second try.
        until(|| match store.newest(&lobby, 9) {
            Err(Error(why)) => !why.contains("did not answer") && !why.contains("is closed"),
            Ok(_) => true,
        });
        let anew = "anew".parse().unwrap();
        // The epoch and the list by time are of all rooms.
        if !done.iter().any(|deed| deed.contains(":epoch") || deed.contains(":recent")) {
            until(|| append(&store, &anew, vec![said("hi", None)]).is_ok());
        }
    }
}

fn until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it does not come to that");
        thread::sleep(Duration::from_millis(5));
    }
}
