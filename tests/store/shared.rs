//! Several instances on one Redis: one order, one presence, and what is told of it.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use comet_chat::message::{Claim, Cursor, Draft, Holder, Kind, Message, Person, RoomName};
use comet_chat::store::{Appended, Arrived, Done, Error, Following, Heard, RedisSpec, RedisStore, Store};

use crate::place::{ALL, kept, room, said, said_as};
use crate::redis::{RedisServer, a_prefix};

/// Far more than anything needs, so that a busy machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A place in the shared server, for instances that nobody takes for dead.
pub fn a_place() -> RedisSpec {
    let mut spec = RedisSpec::parse(&RedisServer::shared().url()).unwrap();
    (spec.prefix, spec.lease) = (a_prefix(), Duration::from_secs(3_600));
    spec
}

pub fn instance(spec: &RedisSpec) -> RedisStore {
    crate::redis::open(spec, ALL)
}

/// An append of a room that has seen so much.
pub fn append(store: &RedisStore, room: &RoomName, seen: Cursor, drafts: &[Draft]) -> Result<Arrived, Error> {
    begin(store, room, seen, drafts).recv_timeout(PATIENCE).expect("an outcome")
}

/// The same, whose outcome comes later.
pub fn begin(
    store: &RedisStore,
    room: &RoomName,
    seen: Cursor,
    drafts: &[Draft],
) -> Receiver<Result<Arrived, Error>> {
    let (done, outcome) = channel();
    // The test may be over.
    store.append(room, seen, drafts.to_vec(), Done::new(move |outcome| drop(done.send(outcome))));
    outcome
}

/// What messages say.
pub fn texts(messages: &[Arc<Message>]) -> Vec<String> {
    messages.iter().map(|message| message.text.to_string()).collect()
}

/// Puts copies of all keys with one prefix in the place of those with another, and gives that.
pub fn copy_keys(from: &str, to: &str) -> String {
    let copy = "for _, key in ipairs(redis.call('KEYS', ARGV[2] .. ':*')) do redis.call('DEL', key) end \
                for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':*')) do \
                redis.call('COPY', key, ARGV[2] .. string.sub(key, #ARGV[1] + 1)) end return 'done'";
    assert_eq!(RedisServer::shared().ask(&["EVAL", copy, "0", from, to]), "done");
    to.to_owned()
}

/// How many keys with this prefix do not lapse by themselves.
pub fn lasting_keys(prefix: &str) -> u64 {
    let server = RedisServer::shared();
    let count = "local n = 0; for _, key in ipairs(redis.call('KEYS', ARGV[1])) do \
                 if redis.call('TTL', key) == -1 then n = n + 1 end end return n";
    server.ask(&["EVAL", count, "0", &format!("{prefix}:*")]).parse().unwrap()
}

fn start(store: &RedisStore) -> Cursor {
    Cursor::start(store.epoch())
}

fn comes(name: &str) -> Draft {
    Draft { kind: Kind::Joined, name: Some(name.parse().unwrap()), ..said("", 1) }
}

/// What shows one key or another.
fn key(number: u8) -> Claim {
    Claim::Key(Holder::from_bytes([number; 16]))
}

fn goes(name: &str) -> Draft {
    Draft { kind: Kind::Left, ..comes(name) }
}

#[test]
fn what_others_stored_is_handed_over_before_the_own_messages() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let (one, other) = (instance(&spec), instance(&spec));
    assert_eq!(one.epoch(), other.epoch());
    let first = append(&one, &lobby, start(&one), &[said("a", 1), said("b", 2)]).unwrap();
    assert!(first.before.is_empty() && first.present.is_none());
    let arrived = append(&other, &lobby, start(&other), &[said("c", 3)]).unwrap();
    assert_eq!(texts(&arrived.before), ["a", "b"]);
    assert_eq!(arrived.latest.sequence, 3);
    assert!(matches!(&arrived.outcomes[..], [Appended::Stored(message)] if message.id == arrived.latest));
    // Without a draft a room only catches up.
    let caught_up = append(&one, &lobby, first.latest, &[]).unwrap();
    assert_eq!((texts(&caught_up.before), caught_up.latest), (vec!["c".to_owned()], arrived.latest));
    assert!(append(&one, &lobby, arrived.latest, &[]).unwrap().before.is_empty());
}

#[test]
fn a_room_that_is_far_behind_or_in_another_past_is_told_who_is_present() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let (one, other) = (instance(&spec), instance(&spec));
    append(&one, &lobby, start(&one), &[comes("ann")]).unwrap();
    for _ in 0..2 {
        append(&one, &lobby, start(&one), &vec![said("x", 1); 400]).unwrap();
    }
    let far = append(&other, &lobby, start(&other), &[]).unwrap();
    let elsewhere = Cursor { sequence: 801, mark: comet_chat::message::Mark::from_number(1), ..start(&one) };
    let strange = append(&other, &lobby, elsewhere, &[comes("bob")]).unwrap();
    let ahead = append(&one, &lobby, Cursor { sequence: 9_000, ..start(&one) }, &[]).unwrap();
    for (arrived, held) in [(far, vec![false]), (strange, vec![false, true]), (ahead, vec![true, false])] {
        assert!(arrived.before.is_empty());
        let present = arrived.present.unwrap();
        assert_eq!(present.iter().map(|person| person.is_held).collect::<Vec<_>>(), held);
    }
}

#[test]
fn a_person_comes_and_goes_once_for_all_instances() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let (one, other) = (instance(&spec), instance(&spec));
    let outcome = |store, draft| append(store, &lobby, start(store), &[draft]).unwrap().outcomes.remove(0);
    let is_said = |outcome: Appended| matches!(outcome, Appended::Stored(_));
    assert!(is_said(outcome(&one, comes("ann"))));
    assert_eq!(outcome(&other, comes("ann")), Appended::Needless);
    assert_eq!(outcome(&one, goes("ann")), Appended::Needless);
    assert_eq!(one.newest(&lobby, 0).unwrap().present.len(), 1);
    assert!(is_said(outcome(&other, goes("ann"))));
    assert_eq!(outcome(&one, goes("ann")), Appended::Needless);
    assert!(is_said(outcome(&one, comes("ann"))));
    let kinds: Vec<Kind> = other.after(&lobby, 0, 9).unwrap().iter().map(|message| message.kind).collect();
    assert_eq!(kinds, [Kind::Joined, Kind::Left, Kind::Joined]);
}

/// Two instances are asked for one name in the same moment: the store decides.
#[test]
fn a_name_that_is_held_is_taken_on_all_instances_until_nobody_holds_it() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let (one, other) = (instance(&spec), instance(&spec));
    assert_eq!(one.seal().secret(), other.seal().secret());
    let outcome = |store, draft| append(store, &lobby, start(store), &[draft]).unwrap().outcomes.remove(0);
    let by = |claim, draft: Draft| Draft { claim, ..draft };
    let says = |name: &str| Draft { name: Some(name.parse().unwrap()), ..said("hi", 1) };
    let is_taken = |outcome: Appended| matches!(outcome, Appended::NameTaken(_));
    assert!(matches!(outcome(&one, by(key(1), comes("Anna"))), Appended::Stored(_)));
    for stranger in ["Anna", "\u{410}nna", "ANNA", "\u{c4}nna"] {
        for claim in [Claim::Nothing, key(2)] {
            assert!(is_taken(outcome(&other, by(claim, comes(stranger)))), "{stranger} {claim:?}");
            assert!(is_taken(outcome(&other, by(claim, says(stranger)))), "{stranger} {claim:?}");
        }
    }
    assert_eq!(outcome(&other, by(key(1), comes("Anna"))), Appended::Needless);
    assert!(matches!(outcome(&other, by(key(1), says("Anna"))), Appended::Stored(_)));
    // It has the same key, and may have both names.
    assert!(matches!(outcome(&other, by(key(1), comes("anna"))), Appended::Stored(_)));
    let holders = |store: &RedisStore| -> Vec<_> {
        let present = store.newest(&lobby, 0).unwrap().present;
        present.into_iter().map(|person| (person.name.to_string(), person.holder)).collect()
    };
    let both = [("Anna".to_owned(), key(1).holder()), ("anna".to_owned(), key(1).holder())];
    assert_eq!(holders(&one), both);
    for (store, name) in [(&one, "Anna"), (&other, "Anna")] {
        outcome(store, by(key(1), goes(name)));
    }
    assert!(is_taken(outcome(&one, by(key(2), comes("Anna")))), "the other name is held");
    outcome(&other, by(key(1), goes("anna")));
    assert!(matches!(outcome(&one, by(key(2), comes("Anna"))), Appended::Stored(_)));
    assert_eq!(holders(&other), [("Anna".to_owned(), key(2).holder())]);
    let authors: Vec<_> = one.after(&lobby, 0, 9).unwrap().iter().map(|message| message.holder).collect();
    assert_eq!(authors[..2], [key(1).holder(); 2]);
}

/// Nobody joins by that, so no message tells it.
#[test]
fn that_a_free_name_is_held_now_is_told_to_the_others() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let (one, other) = (instance(&spec), instance(&spec));
    let (_following, heard) = follow(&other, &lobby);
    let first = append(&other, &lobby, start(&other), &[comes("ann")]).unwrap();
    // What is told before the other listens is told by what it asks for when it does.
    append(&other, &lobby, first.latest, &[]).unwrap();
    let draft = Draft { claim: key(1), ..comes("ann") };
    assert_eq!(append(&one, &lobby, first.latest, &[draft]).unwrap().outcomes, [Appended::Needless]);
    // The first that is heard may be of when the other began to listen.
    let present = loop {
        hears(&heard, &Heard::Lapsed);
        if let Some(present) = append(&other, &lobby, first.latest, &[]).unwrap().present {
            break present;
        }
    };
    assert_eq!((present[0].is_held, present[0].holder), (true, key(1).holder()));
}

#[test]
fn an_id_is_known_to_all_instances() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let (one, other) = (instance(&spec), instance(&spec));
    let first = append(&one, &lobby, start(&one), &[said_as("7", "hi", 1)]).unwrap();
    let again =
        append(&other, &lobby, first.latest, &[said_as("7", "hi", 2), said_as("7", "ho", 2)]).unwrap();
    assert_eq!(again.outcomes, [Appended::Repeated(first.latest), Appended::Conflict]);
}

/// Follows a room, and gives what is heard.
fn follow(store: &RedisStore, room: &RoomName) -> (Following, Receiver<Heard>) {
    let (hear, heard) = channel();
    (store.follow(room, Box::new(move |what| drop(hear.send(what)))), heard)
}

/// Waits until this is heard.
fn hears(heard: &Receiver<Heard>, what: &Heard) {
    while heard.recv_timeout(PATIENCE).expect("it is heard") != *what {}
}

#[test]
fn a_room_hears_where_its_order_ends_and_who_leaves_elsewhere() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let (one, other) = (instance(&spec), instance(&spec));
    let (following, heard) = follow(&one, &lobby);
    let arrived = append(&other, &lobby, start(&other), &[said("hi", 1)]).unwrap();
    // By a notice; or, if that came before this instance listened, by what each room is told now and then.
    let end = arrived.latest;
    while !matches!(heard.recv_timeout(PATIENCE).expect("it is heard"),
        Heard::Latest(place) | Heard::Ends(place) if place == end)
    {}
    let wait = Duration::from_millis(1_500);
    // One that comes before the other listens is lost, and nobody tells it again.
    let ann = Person { name: "ann of  three words".parse().unwrap(), claim: key(1) };
    until(|| {
        other.tell_leaves(&lobby, &ann, wait);
        heard.try_iter().any(|what| what == Heard::Leaves(ann.clone(), wait))
    });
    drop(following);
    // Whatever was under way when it ended.
    while heard.recv_timeout(PATIENCE).is_ok() {}
}

#[test]
fn a_panic_in_the_thread_that_listens_ends_nothing() {
    let spec = a_place();
    let (one, other) = (instance(&spec), instance(&spec));
    let lobby = RoomName::lobby();
    let (hear, heard) = channel();
    let has_panicked = AtomicBool::new(false);
    let _following = one.follow(
        &lobby,
        Box::new(move |what| {
            if !has_panicked.swap(true, SeqCst) {
                resume_unwind(Box::new("planted"));
            }
            drop(hear.send(what));
        }),
    );
    let stored = append(&other, &lobby, start(&other), &[said("hi", 1)]).unwrap();
    // Whether that was heard when it panicked or not: it listens again, and tells where the order ends.
    loop {
        match heard.recv_timeout(PATIENCE).expect("somebody tells it") {
            Heard::Latest(latest) | Heard::Ends(latest) if latest == stored.latest => break,
            _ => continue,
        }
    }
    // It is counted when all of it is unwound.
    until(|| one.stats().restarts == 1);
}

#[test]
fn many_at_once_on_three_instances_get_one_order_without_holes() {
    const EACH: usize = 40;
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let instances: Vec<RedisStore> = (0..3).map(|_| instance(&spec)).collect();
    let begin = Barrier::new(3);
    let follow_and_say = |(index, store): (usize, &RedisStore)| {
        begin.wait();
        let mut seen = start(store);
        let mut read = Vec::new();
        for n in 0..EACH {
            let arrived = append(store, &lobby, seen, &[said(&format!("{index}/{n}"), 1)]).unwrap();
            read.extend(arrived.before);
            read.extend(arrived.outcomes.iter().filter_map(Appended::stored).cloned());
            seen = arrived.latest;
        }
        read
    };
    let reads: Vec<Vec<_>> = thread::scope(|scope| {
        let threads: Vec<_> =
            instances.iter().enumerate().map(|each| scope.spawn(move || follow_and_say(each))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let all = instances[0].after(&lobby, 0, usize::MAX).unwrap();
    assert_eq!(all.len(), 3 * EACH);
    assert!(all.iter().zip(1..).all(|(message, sequence)| message.id.sequence == sequence));
    for read in reads {
        assert_eq!(read[..], all[..read.len()], "an instance saw another order");
    }
}

#[test]
fn whoever_only_a_dead_instance_held_has_left_and_others_stay() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let (server, instances) = (RedisServer::shared(), format!("{}:instances", spec.prefix));
    let dead = instance(&spec);
    let name = server.ask(&["ZRANGE", &instances, "0", "0"]);
    let living = instance(&spec);
    let people: Vec<Draft> = (0..150).map(|n| comes(&format!("guest {n}"))).collect();
    let arrived = append(&dead, &lobby, start(&dead), &people).unwrap();
    assert_eq!(arrived.outcomes.iter().filter_map(Appended::stored).count(), 150);
    append(&living, &lobby, arrived.latest, &[comes("guest 7")]).unwrap();
    let elsewhere = room("elsewhere");
    append(&dead, &elsewhere, start(&dead), &[comes("ann")]).unwrap();
    drop(dead);
    // As if its last sign of life were long ago.
    server.ask(&["ZADD", &instances, "1", &name]);
    let present = |room: &RoomName| -> Vec<String> {
        let people = living.newest(room, 0).unwrap().present;
        people.into_iter().map(|person| person.name.to_string()).collect()
    };
    until(|| present(&lobby) == ["guest 7"] && present(&elsewhere).is_empty());
    let left = living.after(&lobby, 150, 1_000).unwrap();
    assert!(left.len() == 149 && left.iter().all(|message| message.kind == Kind::Left));
}

/// An instance that was stopped for a while is taken for dead. It goes on under another name, and its rooms are told
/// whom they hold.
#[test]
fn an_instance_that_was_taken_for_dead_goes_on() {
    let (spec, lobby) = (a_place(), RoomName::lobby());
    let store = instance(&spec);
    let (_following, heard) = follow(&store, &lobby);
    let first = append(&store, &lobby, start(&store), &[comes("ann")]).unwrap();
    let server = RedisServer::shared();
    let instances = format!("{}:instances", spec.prefix);
    let name = server.ask(&["ZRANGE", &instances, "0", "0"]);
    server.ask(&["ZREM", &instances, &name]);
    server.ask(&["SADD", &format!("{}:dead", spec.prefix), &name]);
    hears(&heard, &Heard::Lapsed);
    let arrived = append(&store, &lobby, first.latest, &[said("still here", 1)]).unwrap();
    assert!(matches!(arrived.outcomes[0], Appended::Stored(_)));
    assert!(!arrived.present.expect("who is present").iter().any(|person| person.is_held));
    until(|| store.newest(&lobby, 0).unwrap().present.is_empty());
    let again = append(&store, &lobby, arrived.latest, &[comes("ann")]).unwrap();
    assert!(matches!(again.outcomes[0], Appended::Stored(_)));
    let kinds: Vec<Kind> = store.after(&lobby, 0, 9).unwrap().iter().map(|message| message.kind).collect();
    let comings = kinds.into_iter().filter(|kind| *kind != Kind::Message);
    assert_eq!(comings.collect::<Vec<_>>(), [Kind::Joined, Kind::Left, Kind::Joined]);
}

#[test]
fn chats_with_other_prefixes_do_not_see_each_other() {
    let (one, other) = (instance(&a_place()), instance(&a_place()));
    append(&one, &RoomName::lobby(), start(&one), &[said("mine", 1)]).unwrap();
    assert!(kept(&other, &RoomName::lobby()).is_empty());
    assert_ne!(one.epoch(), other.epoch());
}

/// Waits until something holds.
pub fn until(holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "it does not come to that");
        thread::sleep(Duration::from_millis(5));
    }
}
