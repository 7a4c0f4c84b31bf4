//! A store on Redis when Redis is away, frozen, emptied, set back, or not what it should be.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use comet_chat::message::{Cursor, RoomName};
use comet_chat::store::{self, Appended, Durability, Read, RedisSpec, RedisStore, Secret, Store};

use crate::place::{ALL, kept, said};
use crate::redis::proxy::Proxy;
use crate::redis::{RedisServer, a_prefix};
use crate::shared::{PATIENCE, a_place, append, begin, instance, texts, until};

/// What a server is started with that keeps all that it has confirmed.
const SAFE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

fn spec_of(server: &RedisServer) -> RedisSpec {
    RedisSpec::parse(&server.url()).unwrap()
}

pub fn refusal(spec: &RedisSpec) -> String {
    match RedisStore::open(spec, ALL) {
        Ok(_) => panic!("{spec:?} was opened"),
        Err(error) => error.to_string(),
    }
}

fn start(store: &RedisStore) -> Cursor {
    Cursor::start(store.epoch())
}

/// The answer to an append was lost, with its connection. It is asked for, and nothing is stored twice.
#[test]
fn a_batch_whose_answer_was_lost_is_looked_up_and_not_repeated() {
    let proxy = Proxy::before(RedisServer::shared().address());
    let spec = RedisSpec { prefix: a_prefix(), ..RedisSpec::parse(&proxy.url()).unwrap() };
    let (store, lobby) = (instance(&spec), RoomName::lobby());
    let mut seen = start(&store);
    for n in 1..=20 {
        let text = format!("number {n} of many");
        proxy.lose_answer_to(&text);
        let arrived = append(&store, &lobby, seen, &[said(&text, 1), said("and more", 1)]).unwrap();
        assert_eq!((arrived.before.len(), arrived.outcomes.len()), (0, 2));
        assert_eq!(arrived.latest.sequence, 2 * n);
        seen = arrived.latest;
    }
    assert_eq!(proxy.lost(), 20);
    // Each writes when it is looked up, so that what waits for the replicas waits for what was written before. No other
    // script has this command.
    let calls = RedisServer::shared().ask(&["INFO", "commandstats"]);
    let calls = calls.split("cmdstat_pexpire:calls=").nth(1).and_then(|rest| rest.split(',').next());
    assert!(calls.is_some_and(|calls| calls.parse::<u64>().unwrap() >= 20), "{calls:?}");
    assert_eq!(kept(&store, &lobby), Vec::from_iter(1..=40));
    assert_eq!(store.newest(&lobby, 1).unwrap().messages[0].id, seen);
}

#[test]
fn what_was_stored_outlives_a_killed_redis_and_senders_wait_for_its_return() {
    let mut server = RedisServer::start(&SAFE);
    let (store, lobby) = (instance(&spec_of(&server)), RoomName::lobby());
    let mut seen = start(&store);
    for round in 0..3 {
        seen = append(&store, &lobby, seen, &[said(&format!("before {round}"), 1)]).unwrap().latest;
        server.crash();
        let waiting = begin(&store, &lobby, seen, &[said(&format!("meanwhile {round}"), 1)]);
        server.starts_again();
        // It came back in time, or the machine was slow: then nothing was stored.
        seen = match waiting.recv_timeout(PATIENCE).unwrap() {
            Ok(arrived) => arrived.latest,
            Err(_) => seen,
        };
        // A reader's connection may be back before the writer's.
        until(|| append(&store, &lobby, seen, &[]).is_ok());
    }
    let latest = store.newest(&lobby, 0).unwrap().latest;
    assert_eq!((latest, kept(&store, &lobby).len() as u64), (seen, seen.sequence));
    let said: Vec<String> = texts(&store.after(&lobby, 0, 99).unwrap());
    assert!((0..3).all(|round| said.contains(&format!("before {round}"))));
}

/// Redis came back without its last write, by which an instance held somebody whom another held already. No message
/// tells of that.
#[test]
fn after_redis_was_away_a_room_is_told_whom_its_instance_holds() {
    let mut server = RedisServer::start(&SAFE);
    let (store, lobby) = (instance(&spec_of(&server)), RoomName::lobby());
    let _following = store.follow(&lobby, Box::new(|_| ()));
    let seen = append(&store, &lobby, start(&store), &[said("a", 1)]).unwrap().latest;
    // It is told once more when the instance has begun to hear the others.
    until(|| append(&store, &lobby, seen, &[]).unwrap().present.is_none());
    server.crash();
    server.starts_again();
    until(|| append(&store, &lobby, seen, &[]).is_ok_and(|arrived| arrived.present.is_some()));
}

#[test]
fn while_redis_is_away_nothing_is_stored_and_nobody_waits_for_long() {
    let mut server = RedisServer::start(&SAFE);
    let (store, lobby) = (instance(&spec_of(&server)), RoomName::lobby());
    let seen = append(&store, &lobby, start(&store), &[said("a", 1)]).unwrap().latest;
    server.crash();
    assert!(append(&store, &lobby, seen, &[said("b", 1)]).is_err());
    assert!(store.after(&lobby, 0, 9).is_err() && store.newest(&lobby, 9).is_err());
    // By now it is known to be away, and further ones are not kept waiting.
    let begun = Instant::now();
    for _ in 0..50 {
        assert!(append(&store, &lobby, seen, &[said("c", 1)]).is_err());
    }
    assert!(begun.elapsed() < PATIENCE, "each waited for itself");
    assert!(store.stats().failures >= 51);
    server.starts_again();
    until(|| append(&store, &lobby, seen, &[]).is_ok());
    let arrived = append(&store, &lobby, seen, &[said("d", 1)]).unwrap();
    assert_eq!((arrived.before.len(), arrived.latest.sequence), (0, 2));
}

#[test]
fn a_frozen_redis_holds_nobody_up_for_ever() {
    let server = RedisServer::start(&[]);
    let (store, lobby) = (instance(&spec_of(&server)), RoomName::lobby());
    let seen = append(&store, &lobby, start(&store), &[said("a", 1)]).unwrap().latest;
    server.freeze();
    let waiting = begin(&store, &lobby, seen, &[said("b", 1)]);
    assert!(store.newest(&lobby, 9).is_err());
    let error = waiting.recv_timeout(PATIENCE).expect("an outcome").unwrap_err();
    assert!(error.to_string().starts_with(&spec_of(&server).to_string()), "{error}");
    server.thaw();
    until(|| store.newest(&lobby, 9).is_ok());
    // It may have been stored after all. Then the room reads it, once.
    let said_by_now = texts(&store.newest(&lobby, 9).unwrap().messages);
    assert!(said_by_now == ["a"] || said_by_now == ["a", "b"], "{said_by_now:?}");
    // A store that is closed while Redis is frozen ends too.
    server.freeze();
    drop(store);
}

/// Redis was emptied: a client that has seen what is lost is told of it.
#[test]
fn a_cursor_of_a_lost_past_is_a_gap_however_far_the_new_past_has_grown() {
    let server = RedisServer::start(&[]);
    let (store, lobby) = (instance(&spec_of(&server)), RoomName::lobby());
    let early = append(&store, &lobby, start(&store), &[said("a", 1), said("b", 1)]).unwrap().latest;
    let lost = append(&store, &lobby, early, &[said("lost", 1)]).unwrap().latest;
    server.ask(&["FLUSHALL"]);
    until(|| store.newest(&lobby, 0).is_ok_and(|tail| tail.latest.sequence == 0));
    let arrived = append(&store, &lobby, lost, &[said("new", 1), said("new", 1), said("new", 1)]).unwrap();
    assert!(arrived.before.is_empty() && arrived.present.is_some());
    let grown = append(&store, &lobby, arrived.latest, &vec![said("more", 1); 9]).unwrap().latest;
    for cursor in [early, lost] {
        assert!(store::since(&store, &lobby, Some(cursor), 99).unwrap().gap, "{cursor}");
    }
    let Read { gap, messages, .. } = store::since(&store, &lobby, Some(arrived.latest), 99).unwrap();
    assert!(!gap && messages.len() == 9 && messages[8].id == grown);
}

/// An older dump was put back. Who had seen no more than it holds misses nothing.
#[test]
fn after_a_dump_was_put_back_only_those_who_saw_what_is_lost_are_told() {
    let mut server = RedisServer::start(&["--dbfilename", "dump.rdb"]);
    let (store, lobby) = (instance(&spec_of(&server)), RoomName::lobby());
    let early = append(&store, &lobby, start(&store), &[said("a", 1), said("b", 1)]).unwrap().latest;
    assert_eq!(server.ask(&["SAVE"]), "OK");
    let lost = append(&store, &lobby, early, &[said("lost", 1)]).unwrap().latest;
    server.crash();
    server.starts_again();
    until(|| store.newest(&lobby, 0).is_ok());
    let arrived = append(&store, &lobby, lost, &[said("c", 1), said("d", 1)]).unwrap();
    assert!(arrived.before.is_empty() && arrived.present.is_some());
    assert_eq!(arrived.latest.sequence, 4);
    assert!(store::since(&store, &lobby, Some(lost), 99).unwrap().gap);
    let rest = store::since(&store, &lobby, Some(early), 99).unwrap();
    assert_eq!((rest.gap, texts(&rest.messages)), (false, vec!["c".to_owned(), "d".to_owned()]));
}

#[test]
fn a_replica_has_what_was_confirmed_by_it_and_without_it_nothing_is() {
    let master = RedisServer::start(&[]);
    let port = master.address().port().to_string();
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {port}")]);
    until(|| master.ask(&["INFO", "replication"]).contains("state=online"));
    let spec = RedisSpec { durability: Durability::Wait(1), ..spec_of(&master) };
    let (store, lobby) = (instance(&spec), RoomName::lobby());
    // A replica has 2 s to confirm it, and on a busy machine may need longer.
    until(|| append(&store, &lobby, start(&store), &[said("safe", 1)]).is_ok());
    let seen = store.newest(&lobby, 0).unwrap().latest;
    assert!(replica.ask(&["HVALS", "comet-chat:{lobby}:texts"]).contains("safe"));
    assert!(refusal(&spec_of(&replica)).contains(&format!("127.0.0.1:{port}")));
    replica.freeze();
    let error = append(&store, &lobby, seen, &[said("unsafe", 1)]).unwrap_err();
    assert!(error.to_string().contains("0 of 1 replicas"), "{error}");
    replica.thaw();
    until(|| {
        matches!(append(&store, &lobby, seen, &[said("safe", 1)]), Ok(arrived)
        if matches!(arrived.outcomes[0], Appended::Stored(_)))
    });
}

#[test]
fn a_redis_that_wants_a_password_gets_it_and_a_wrong_one_is_told_in_words() {
    let server = RedisServer::start(&["--requirepass", "open sesame"]);
    let with = |password: &str| RedisSpec { password: Some(Secret::new(password)), ..spec_of(&server) };
    let sentence = refusal(&spec_of(&server));
    assert!(sentence.contains("--redis-password-file"), "{sentence}");
    let sentence = refusal(&with("close sesame"));
    assert!(sentence.contains("does not know this user and password") && !sentence.contains("sesame"));
    let store = instance(&with("open sesame\n"));
    assert!(store.newest(&RoomName::lobby(), 0).is_ok());
}

#[test]
fn a_redis_that_would_throw_messages_away_is_refused() {
    let server = RedisServer::start(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    assert!(refusal(&spec_of(&server)).contains("noeviction"));
    let cluster = RedisServer::start(&["--cluster-enabled", "yes"]);
    assert!(refusal(&spec_of(&cluster)).contains("Cluster"));
    let waitaof = RedisSpec { durability: Durability::WaitAof(0), ..a_place() };
    let version = RedisServer::shared().ask(&["INFO", "server"]);
    assert!(version.contains("redis_version:7.0") == refusal(&waitaof).contains("7.2"));
    let nobody = RedisSpec::parse("redis://127.0.0.1:1").unwrap();
    assert!(refusal(&nobody).starts_with("cannot use redis://127.0.0.1:1/0: it could not be reached"));
}

/// The rights that README.md names are all that is needed.
#[test]
fn a_user_with_the_rights_that_the_readme_names_can_do_all() {
    let server = RedisServer::start(&[]);
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rule = readme.lines().find(|line| line.starts_with("ACL SETUSER ")).expect("the rule in the README");
    let words: Vec<&str> = rule.split_whitespace().map(|word| word.trim_matches('\'')).collect();
    assert_eq!(server.ask(&words), "OK", "{rule}");
    let password = words.iter().find_map(|word| word.strip_prefix('>')).expect("a password");
    let spec = RedisSpec {
        user: Some(words[2].to_owned()),
        password: Some(Secret::new(password)),
        ..spec_of(&server)
    };
    let (one, other) = (instance(&spec), instance(&spec));
    let lobby = RoomName::lobby();
    let arrived = append(&one, &lobby, start(&one), &[crate::place::said_as("7", "hi", 1)]).unwrap();
    let (hear, heard) = std::sync::mpsc::channel();
    let _following = other.follow(&lobby, Box::new(move |what| drop(hear.send(what))));
    heard.recv_timeout(PATIENCE).expect("a notice");
    assert_eq!(other.newest(&lobby, 9).unwrap().latest, arrived.latest);
    other.rooms(store::Order::Recent, None, 9).unwrap();
    other.expire(comet_chat::message::Timestamp(1), comet_chat::message::Timestamp(1)).unwrap();
    append(&one, &RoomName::health(), start(&one), &[said("healthy", 1)]).unwrap();
    // Not one refusal stands in Redis's own log of them.
    assert_eq!(server.ask(&["ACL", "LOG"]), "");
}

/// A password in the address was printed by the command line's own words about a wrong value.
#[test]
fn no_output_of_the_program_holds_the_password() {
    for (url, extra) in [
        ("redis://:hunter2@127.0.0.1:1", None),
        ("redis://:hunter2@host:port", None),
        ("rediss://:hunter2@127.0.0.1:1", None),
        ("redis://127.0.0.1:1", Some("hunter2")),
    ] {
        let output = give_up(url, extra);
        assert!(!output.contains("hunter2"), "{url}: {output}");
    }
}

/// Starts the program, which can't have this store. Gives what it prints until it ends or begins to look for Redis
/// again.
fn give_up(url: &str, password: Option<&str>) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comet-chat"));
    command.args(["--listen", "127.0.0.1:0", "--log", "debug", "--store", url]);
    command.envs(password.map(|password| ("COMET_CHAT_REDIS_PASSWORD", password)));
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = String::new();
    for line in BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok) {
        output += &line;
        if line.contains("it is looked for again") {
            break;
        }
    }
    // It may have ended by itself.
    let _ = process.kill();
    output + &String::from_utf8_lossy(&process.wait_with_output().unwrap().stdout)
}

/// As when a machine starts Redis and the server at once.
#[test]
fn a_redis_that_starts_later_is_waited_for() {
    let mut server = RedisServer::start(&[]);
    server.crash();
    let spec = RedisSpec { patience: PATIENCE, ..spec_of(&server) };
    let opening = std::thread::spawn(move || RedisStore::open(&spec, ALL).map(drop));
    server.starts_again();
    opening.join().unwrap().unwrap();
}
