//! What every store promises, one promise a test.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use comet_chat::config::{REPLY_BYTES, SEND_ID_MEMORY_MS, TEXT_LIMIT};
use comet_chat::message::{Claim, Cursor, Draft, Holder, Kind, Message, RoomName, Timestamp};
use comet_chat::store::{Appended, Done, Keep, MemoryStore, Stats, Store, Tail};

use crate::place::{
    ALL, AppendAndWait, Place, comings_and_goings, fill, keep, kept, listed, on_every_store, room, said,
    said_as, sequence,
};

on_every_store![
    a_room_in_which_nothing_was_said_is_not_made_by_looking,
    appending_nothing_leaves_nothing_behind,
    sequences_follow_on_in_each_room_from_1,
    an_id_is_published_once_within_ten_minutes,
    an_id_is_known_in_its_own_room_only,
    an_id_repeated_within_one_batch_is_published_once,
    an_id_of_something_else_is_refused,
    an_id_outlives_its_message,
    whose_a_name_is_stays_until_the_person_leaves,
    what_falls_out_makes_a_gap_and_is_never_numbered_again,
    who_comes_and_goes_pushes_nothing_out,
    a_room_where_nothing_is_said_is_bounded,
    a_page_of_the_past_counts_only_messages,
    a_quiet_room_is_forgotten_at_its_age,
    an_id_is_remembered_by_elapsed_time,
    a_room_s_times_never_go_back,
    one_time_in_the_future_holds_nothing_up,
    publishers_at_once_get_one_order_without_holes,
    commits_and_their_messages_are_counted,
    a_panic_in_a_thread_of_the_store_ends_nothing,
    a_check_leaves_nothing,
    the_longest_text_comes_back_whole,
    heavy_messages_are_read_in_portions,
    reading_needs_no_more_stack_than_a_small_thread_has,
];

fn a_room_in_which_nothing_was_said_is_not_made_by_looking(place: &Place) {
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    assert_eq!(store.newest(&lobby, 10).unwrap().latest.sequence, 0);
    assert!(store.after(&lobby, 0, 10).unwrap().is_empty());
    assert!(store.before(&lobby, 9, 10).unwrap().is_empty());
    assert!(listed(&*store).is_empty());
}

fn appending_nothing_leaves_nothing_behind(place: &Place) {
    let store = place.open(ALL);
    assert!(store.append_and_wait(&RoomName::lobby(), &[]).unwrap().is_empty());
    assert!(listed(&*store).is_empty());
}

fn sequences_follow_on_in_each_room_from_1(place: &Place) {
    let mut store = place.open(ALL);
    let (a, b) = (room("a"), room("b"));
    assert_eq!(sequence(&store.append_and_wait(&a, &[said("x", 1)]).unwrap()), 1);
    assert_eq!(sequence(&store.append_and_wait(&b, &[said("x", 1)]).unwrap()), 1);
    store = place.reopen(store, ALL);
    assert_eq!(sequence(&store.append_and_wait(&a, &[said("y", 2)]).unwrap()), 2);
    assert_eq!(kept(&*store, &a), [1, 2]);
    assert_eq!(kept(&*store, &b), [1]);
}

fn an_id_is_published_once_within_ten_minutes(place: &Place) {
    let mut store = place.open(ALL);
    let lobby = RoomName::lobby();
    let first = store.append_and_wait(&lobby, &[said_as("7", "hi", 5)]).unwrap();
    let Appended::Stored(message) = &first[0] else {
        panic!("the first of its id was not stored");
    };
    store = place.reopen(store, ALL);
    let last_moment = 5 + SEND_ID_MEMORY_MS - 1;
    assert_eq!(
        store.append_and_wait(&lobby, &[said_as("7", "hi", last_moment)]),
        Ok(vec![Appended::Repeated(message.id)])
    );
    let later = [said_as("7", "anew", last_moment + 1)];
    assert_eq!(sequence(&store.append_and_wait(&lobby, &later).unwrap()), 2);
    assert_eq!(sequence(&store.append_and_wait(&lobby, &later).unwrap()), 2);
    assert_eq!(kept(&*store, &lobby), [1, 2]);
}

fn an_id_is_known_in_its_own_room_only(place: &Place) {
    let mut store = place.open(ALL);
    for (name, text) in [("a", "hi"), ("b", "hi"), ("c", "another")] {
        store.append_and_wait(&room(name), &[said_as("7", text, 1)]).unwrap();
        store = place.reopen(store, ALL);
        assert_eq!(kept(&*store, &room(name)), [1]);
    }
    let again = store.append_and_wait(&room("a"), &[said_as("7", "hi", 2)]).unwrap();
    assert!(matches!(again[0], Appended::Repeated(_)));
    assert_eq!(
        store.append_and_wait(&room("b"), &[said_as("7", "another", 2)]),
        Ok(vec![Appended::Conflict])
    );
}

fn an_id_repeated_within_one_batch_is_published_once(place: &Place) {
    let store = place.open(ALL);
    let batch = [said_as("7", "hi", 1), said("other", 1), said_as("7", "hi", 1)];
    let appended = store.append_and_wait(&RoomName::lobby(), &batch).unwrap();
    let Appended::Stored(first) = &appended[0] else {
        panic!("the first of its id was not stored");
    };
    assert_eq!(appended[2], Appended::Repeated(first.id));
    assert_eq!(kept(&*store, &RoomName::lobby()), [1, 2]);
}

/// Another text or name under an id that had been used was answered `ok`, and dropped; within one batch too.
fn an_id_of_something_else_is_refused(place: &Place) {
    let mut store = place.open(ALL);
    let lobby = RoomName::lobby();
    let batch = [said_as("7", "hi", 1), said_as("7", "ho", 1), said("other", 1)];
    let appended = store.append_and_wait(&lobby, &batch).unwrap();
    assert_eq!(appended[1], Appended::Conflict);
    store = place.reopen(store, ALL);
    let named = Draft { name: Some("ann".parse().unwrap()), ..said_as("7", "hi", 2) };
    for other in [said_as("7", "ho", 2), named] {
        assert_eq!(store.append_and_wait(&lobby, &[other]), Ok(vec![Appended::Conflict]));
    }
    let again = store.append_and_wait(&lobby, &[said_as("7", "hi", 2)]).unwrap();
    assert!(matches!(again[0], Appended::Repeated(cursor) if cursor.sequence == 1));
    assert_eq!(kept(&*store, &lobby), [1, 2]);
}

fn an_id_outlives_its_message(place: &Place) {
    let only_one = keep(1, Duration::from_secs(1));
    let mut store = place.open(only_one);
    let lobby = RoomName::lobby();
    store.append_and_wait(&lobby, &[said_as("7", "hi", 1)]).unwrap();
    store.append_and_wait(&lobby, &[said("next", 1)]).unwrap();
    store = place.reopen(store, only_one);
    let again = store.append_and_wait(&lobby, &[said_as("7", "hi", 5_000)]).unwrap();
    assert!(matches!(again[0], Appended::Repeated(cursor) if cursor.sequence == 1));
}

fn whose_a_name_is_stays_until_the_person_leaves(place: &Place) {
    let mut store = place.open(ALL);
    let lobby = RoomName::lobby();
    let key = |number| Claim::Key(Holder::from_bytes([number; 16]));
    let ann = |kind, claim| Draft { kind, name: Some("ann".parse().unwrap()), claim, ..said("", 1) };
    let holders = |store: &dyn Store| -> Vec<Option<Holder>> {
        store.newest(&lobby, 0).unwrap().present.iter().map(|person| person.holder).collect()
    };
    let joins = |claim| vec![ann(Kind::Joined, claim)];
    let first = store.append_and_wait(&lobby, &joins(Claim::Nothing)).unwrap();
    assert_eq!((first[0].stored().unwrap().holder, holders(&*store)), (None, vec![None]));
    // Whoever comes with a key holds the name from then on. Nobody joins by that.
    assert_eq!(store.append_and_wait(&lobby, &joins(key(1))), Ok(vec![Appended::Needless]));
    assert_eq!(holders(&*store), [key(1).holder()]);
    let secret = store.seal().secret();
    store = place.reopen(store, ALL);
    assert_eq!((holders(&*store), store.seal().secret()), (vec![key(1).holder()], secret));
    store.append_and_wait(&lobby, &[ann(Kind::Message, key(1))]).unwrap();
    assert_eq!(store.newest(&lobby, 1).unwrap().messages[0].holder, key(1).holder());
    if !place.is_shared() {
        store.append_and_wait(&lobby, &[ann(Kind::Left, key(1))]).unwrap();
        let again = store.append_and_wait(&lobby, &joins(Claim::Nothing)).unwrap();
        assert!(again[0].stored().is_some() && holders(&*store) == [None]);
    }
}

fn what_falls_out_makes_a_gap_and_is_never_numbered_again(place: &Place) {
    let few = keep(3, Duration::from_secs(60));
    let mut store = place.open(few);
    let lobby = RoomName::lobby();
    fill(&*store, &lobby, 5);
    assert_eq!(kept(&*store, &lobby), [3, 4, 5]);
    assert_eq!(store.after(&lobby, 1, 1).unwrap()[0].id.sequence, 3);
    assert!(store.before(&lobby, 3, 10).unwrap().is_empty());

    store.expire(Timestamp(60_001), Timestamp(60_001)).unwrap();
    assert_eq!(kept(&*store, &lobby), [3, 4, 5], "they are as old as may be");
    store.expire(Timestamp(60_002), Timestamp(60_002)).unwrap();
    store = place.reopen(store, few);
    assert_eq!(store.newest(&lobby, 10).unwrap().latest.sequence, 5);
    assert!(kept(&*store, &lobby).is_empty());
    assert!(listed(&*store).is_empty());
    assert_eq!(sequence(&store.append_and_wait(&lobby, &[said("x", 60_003)]).unwrap()), 6);
    assert_eq!(kept(&*store, &lobby), [6]);
}

/// 12,000 names that came by GET pushed all messages out of a room.
fn who_comes_and_goes_pushes_nothing_out(place: &Place) {
    let two = Keep { messages: 2, files: u64::MAX, age: None };
    let mut store = place.open(two);
    let lobby = RoomName::lobby();
    store.append_and_wait(&lobby, &[said("a", 1), said("b", 1)]).unwrap();
    for _ in 0..12 {
        store.append_and_wait(&lobby, &comings_and_goings(500)).unwrap();
    }
    store = place.reopen(store, two);
    assert_eq!(kept(&*store, &lobby), Vec::from_iter(1..=6_002));
    // These entries go with the messages before them.
    store.append_and_wait(&lobby, &[said("c", 1)]).unwrap();
    assert_eq!(kept(&*store, &lobby), Vec::from_iter(2..=6_003));
    store.append_and_wait(&lobby, &[said("d", 1)]).unwrap();
    // The newest entries between messages fill the room's share for them.
    assert_eq!(kept(&*store, &lobby), Vec::from_iter(6_004 + 1 - two.entries() as u64..=6_004));
    let said: Vec<_> = store.before(&lobby, 6_005, 2).unwrap().into_iter().map(|m| m.text.clone()).collect();
    assert_eq!(said.iter().filter(|text| !text.is_empty()).count(), 2);
}

/// People who only come and go must not fill the store.
fn a_room_where_nothing_is_said_is_bounded(place: &Place) {
    let one = Keep { messages: 1, files: u64::MAX, age: None };
    let mut store = place.open(one);
    let lobby = RoomName::lobby();
    for _ in 0..5 {
        store.append_and_wait(&lobby, &comings_and_goings(500)).unwrap();
    }
    store = place.reopen(store, one);
    assert_eq!(kept(&*store, &lobby), Vec::from_iter(2_501 - one.entries() as u64..=2_500));
    store.append_and_wait(&lobby, &[said("a", 1)]).unwrap();
    assert_eq!(kept(&*store, &lobby).len(), one.entries());
}

/// After five messages thirty people came and went. Then pages of fifty and of twenty-five entries held no
/// message.
fn a_page_of_the_past_counts_only_messages(place: &Place) {
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    fill(&*store, &lobby, 5);
    store.append_and_wait(&lobby, &comings_and_goings(30)).unwrap();
    let page = |limit| -> Vec<u64> {
        let tail = store.backlog(&lobby, limit).unwrap();
        tail.messages.iter().map(|message| message.id.sequence).collect()
    };
    assert_eq!(page(5), Vec::from_iter(1..=35));
    assert_eq!(page(2), Vec::from_iter(4..=35));
    // However many come and go, the messages are there.
    for _ in 0..10 {
        store.append_and_wait(&lobby, &comings_and_goings(500)).unwrap();
    }
    assert_eq!(page(2), Vec::from_iter([4, 5].into_iter().chain(4_936..=5_035)));
    let before = store.before(&lobby, 4, 1).unwrap();
    assert_eq!(before.iter().map(|message| message.id.sequence).collect::<Vec<_>>(), [3]);
}

fn a_quiet_room_is_forgotten_at_its_age(place: &Place) {
    let store = place.open(keep(usize::MAX, Duration::from_secs(60)));
    let quiet = room("quiet");
    store.append_and_wait(&quiet, &[said("x", 1)]).unwrap();
    store.append_and_wait(&room("busy"), &[said("x", 90_000)]).unwrap();
    assert_eq!(kept(&*store, &quiet), [1]);
    store.expire(Timestamp(90_000), Timestamp(90_000)).unwrap();
    assert!(kept(&*store, &quiet).is_empty());
    assert_eq!(kept(&*store, &room("busy")), [1]);
}

/// A clock that was set on by an hour made the store forget every id, and repeated messages were published
/// twice.
fn an_id_is_remembered_by_elapsed_time(place: &Place) {
    const HOUR: u64 = 3_600_000;
    let mut store = place.open(ALL);
    let lobby = RoomName::lobby();
    store.append_and_wait(&lobby, &[said_as("7", "hi", HOUR)]).unwrap();
    for wall in [2 * HOUR, 0] {
        let again = Draft { at: Timestamp(wall), ..said_as("7", "hi", HOUR + 1_000) };
        assert_eq!(sequence(&store.append_and_wait(&lobby, &[again]).unwrap()), 1);
        store.expire(Timestamp(wall), Timestamp(HOUR + 1_000)).unwrap();
        store = place.reopen(store, ALL);
    }
    // If it was set back by an hour, an id was known for an hour more.
    let later = HOUR + SEND_ID_MEMORY_MS;
    let anew = Draft { at: Timestamp(0), ..said_as("7", "hi", later) };
    assert_eq!(sequence(&store.append_and_wait(&lobby, &[anew]).unwrap()), 2);
}

/// After the clock was set back a message was older than the one before it.
fn a_room_s_times_never_go_back(place: &Place) {
    let mut store = place.open(ALL);
    let lobby = RoomName::lobby();
    store.append_and_wait(&lobby, &[said("a", 9_000)]).unwrap();
    store = place.reopen(store, ALL);
    let appended =
        store.append_and_wait(&lobby, &[said("b", 5_000), said("c", 9_500), said("d", 9_400)]).unwrap();
    store.append_and_wait(&room("other"), &[said("x", 5_000)]).unwrap();
    let times: Vec<u64> = appended.iter().filter_map(Appended::stored).map(|message| message.at.0).collect();
    assert_eq!(times, [9_000, 9_500, 9_500]);
    store = place.reopen(store, ALL);
    let read: Vec<u64> = store.after(&lobby, 1, 9).unwrap().iter().map(|message| message.at.0).collect();
    assert_eq!(read, times);
    assert_eq!(store.newest(&room("other"), 1).unwrap().messages[0].at, Timestamp(5_000));
}

/// One message from a time when the clock was wrong kept a room from forgetting, for as long as the clock had
/// been wrong.
fn one_time_in_the_future_holds_nothing_up(place: &Place) {
    const YEAR: u64 = 31_536_000_000;
    let minute = keep(usize::MAX, Duration::from_secs(60));
    let mut store = place.open(minute);
    let lobby = RoomName::lobby();
    store.append_and_wait(&lobby, &[said("wrong", YEAR)]).unwrap();
    for at in [1_000, 2_000, 3_000] {
        store.append_and_wait(&lobby, &[said("right", at)]).unwrap();
    }
    store = place.reopen(store, minute);
    store.expire(Timestamp(62_500), Timestamp(62_500)).unwrap();
    assert_eq!(kept(&*store, &lobby), [4], "a message that is young enough stays");
    store.append_and_wait(&lobby, &[said("wrong again", YEAR), said("right", 62_600)]).unwrap();
    assert_eq!(kept(&*store, &lobby), [4, 5, 6]);
    store.expire(Timestamp(63_500), Timestamp(63_500)).unwrap();
    assert_eq!(kept(&*store, &lobby), [5, 6], "its age is not known yet");
    // A clock that is wrong the other way for a moment removes nothing.
    store.append_and_wait(&lobby, &[said("early", 0), said("right", 63_600)]).unwrap();
    assert_eq!(kept(&*store, &lobby), [5, 6, 7, 8]);
    store.expire(Timestamp(200_000), Timestamp(200_000)).unwrap();
    assert!(kept(&*store, &lobby).is_empty());
}

fn publishers_at_once_get_one_order_without_holes(place: &Place) {
    const EACH: usize = 50;
    let store = place.open(ALL);
    let rooms = ["a", "b", "c"];
    let start = Barrier::new(12);
    let said_by = |publisher: usize| {
        let name = room(rooms[publisher % rooms.len()]);
        start.wait();
        let say = |n| format!("{publisher}/{n}");
        for n in 0..EACH {
            let appended = store.append_and_wait(&name, &[said(&say(n), 1)]).unwrap();
            let at = sequence(&appended);
            let seen = store.after(&name, at - 1, 1).unwrap();
            assert_eq!(*seen[0].text, say(n), "an answered message is there to read");
        }
    };
    thread::scope(|scope| {
        for publisher in 0..12 {
            let said_by = &said_by;
            scope.spawn(move || said_by(publisher));
        }
    });
    for (index, name) in rooms.iter().enumerate() {
        let messages = store.after(&room(name), 0, usize::MAX).unwrap();
        let sequences: Vec<u64> = messages.iter().map(|m| m.id.sequence).collect();
        let expected: Vec<u64> = (1..=4 * EACH as u64).collect();
        assert_eq!(sequences, expected);
        for publisher in (index..12).step_by(rooms.len()) {
            let own = messages
                .iter()
                .filter_map(|m| m.text.strip_prefix(&format!("{publisher}/")))
                .map(|n| n.parse::<usize>().unwrap());
            assert!(own.eq(0..EACH), "publisher {publisher} was reordered");
        }
    }
}

fn commits_and_their_messages_are_counted(place: &Place) {
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    assert_eq!(store.stats(), Stats::default());
    let batch = [said_as("7", "hi", 1), said("x", 1), said_as("7", "hi", 1)];
    store.append_and_wait(&lobby, &batch).unwrap();
    store.append_and_wait(&lobby, &[said("x", 1)]).unwrap();
    let stats = store.stats();
    assert_eq!((stats.commits, stats.messages, stats.failures), (2, 3, 0));
}

/// Ten thousand health checks left 63 MiB, a row for each.
fn a_panic_in_a_thread_of_the_store_ends_nothing(place: &Place) {
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    store.append_and_wait(&lobby, &[said("before", 1)]).unwrap();
    for round in 0..3 {
        // It is called in the store's thread, where there is one.
        let panics = Done::new(|_| resume_unwind(Box::new("planted")));
        let draft = said("planted", 2);
        let append = || store.append(&lobby, Cursor::start(store.epoch()), vec![draft], panics);
        let _ = catch_unwind(AssertUnwindSafe(append));
        let after = store.append_and_wait(&lobby, &[said("after", 3)]).unwrap();
        assert_eq!(sequence(&after), 3 + 2 * round);
    }
    assert_eq!(kept(&*store, &lobby), (1..=7).collect::<Vec<_>>());
}

fn a_check_leaves_nothing(place: &Place) {
    let mut store = place.open(ALL);
    let own = RoomName::health();
    store.append_and_wait(&RoomName::lobby(), &[said("x", 1)]).unwrap();
    store = place.reopen(store, ALL);
    let size = |place: &Place| match place {
        Place::Memory => 0,
        Place::File(_) => std::fs::metadata(place.path()).unwrap().len(),
        #[cfg(feature = "redis")]
        Place::Redis(prefix, _) => crate::shared::lasting_keys(prefix),
    };
    let before = size(place);
    for n in 0..2_000 {
        let appended =
            store.append_and_wait(&own, &[said_as("7", "healthy", n), said("healthy", n)]).unwrap();
        assert_eq!(appended.iter().filter_map(Appended::stored).count(), 2);
    }
    assert!(kept(&*store, &own).is_empty());
    assert_eq!(store.newest(&own, 10).unwrap(), Tail::empty(store.epoch()));
    let stats = store.stats();
    assert_eq!((stats.commits, stats.messages), (2_000 + u64::from(before == 0), u64::from(before == 0)));
    drop(place.reopen(store, ALL));
    assert_eq!(size(place), before);
}

fn the_longest_text_comes_back_whole(place: &Place) {
    let mut store = place.open(ALL);
    let text = "ä\n".repeat(TEXT_LIMIT / 3);
    let mut draft = said(&text, 1);
    draft.name = Some("אנה".parse().unwrap());
    let appended = store.append_and_wait(&RoomName::lobby(), &[draft]).unwrap();
    store = place.reopen(store, ALL);
    let read = store.newest(&RoomName::lobby(), 1).unwrap().messages;
    assert_eq!(appended, [Appended::Stored(read[0].clone())]);
    assert_eq!(*read[0].text, text);
}

fn heavy_messages_are_read_in_portions(place: &Place) {
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    let drafts = vec![said(&"x".repeat(TEXT_LIMIT), 1); 40];
    store.append_and_wait(&lobby, &drafts).unwrap();
    let portion = (REPLY_BYTES / TEXT_LIMIT) as u64;
    let sequences =
        |messages: Vec<Arc<Message>>| messages.iter().map(|m| m.id.sequence).collect::<Vec<u64>>();
    let first = sequences(store.after(&lobby, 0, 500).unwrap());
    assert_eq!(first, (1..=portion).collect::<Vec<_>>());
    let rest = sequences(store.after(&lobby, 32, 500).unwrap());
    assert_eq!(rest, (33..=40).collect::<Vec<_>>());
    let before = sequences(store.before(&lobby, 31, 500).unwrap());
    assert_eq!(before, (31 - portion..31).collect::<Vec<_>>());
    let newest = store.newest(&lobby, 500).unwrap();
    assert_eq!(newest.latest.sequence, 40);
    assert_eq!(sequences(newest.messages), (41 - portion..=40).collect::<Vec<_>>());
}

fn reading_needs_no_more_stack_than_a_small_thread_has(place: &Place) {
    let store = place.open(ALL);
    let lobby = RoomName::lobby();
    fill(&*store, &lobby, 100);
    let read = move || {
        store.append_and_wait(&lobby, &[said("x", 1)]).unwrap();
        let seen = [
            store.newest(&lobby, 50).unwrap().messages.len(),
            store.after(&lobby, 0, 50).unwrap().len(),
            store.before(&lobby, 60, 50).unwrap().len(),
            listed(&*store).len(),
        ];
        assert_eq!(seen, [50, 50, 50, 1]);
    };
    // The stack of a handler thread of the blocking engine.
    let small = thread::Builder::new().stack_size(64 * 1024);
    small.spawn(read).unwrap().join().unwrap();
}

#[test]
fn a_full_memory_store_lets_the_largest_room_give_up_its_oldest() {
    let store = MemoryStore::with_limit(ALL, 100_000);
    let (flood, quiet) = (room("flood"), room("quiet"));
    store.append_and_wait(&quiet, &[said("keep me", 1)]).unwrap();
    for n in 0..1_000 {
        store.append_and_wait(&flood, &[said(&"x".repeat(1_000), n)]).unwrap();
    }
    let left = kept(&store, &flood);
    assert!((50..100).contains(&left.len()), "{} are left", left.len());
    assert_eq!(left.last(), Some(&1_000));
    assert_eq!(kept(&store, &quiet), [1]);
}

#[test]
fn a_memory_store_full_of_rooms_refuses_and_stores_nothing() {
    let store = MemoryStore::with_limit(ALL, 10_000);
    let names: Vec<RoomName> = (0..100).map(|n| room(&n.to_string())).collect();
    let refused: Vec<&RoomName> =
        names.iter().filter(|name| store.append_and_wait(name, &[said("x", 1)]).is_err()).collect();
    assert!(!refused.is_empty() && refused.len() < 90);
    for name in &refused {
        assert_eq!(store.newest(name, 1).unwrap().latest.sequence, 0);
    }
    assert_eq!(store.stats().failures, refused.len() as u64);
}

/// 900,000 ids in one room filled the store: for ten minutes every other room was refused, and after that
/// until somebody wrote into that room.
#[test]
fn many_ids_in_one_room_harm_only_that_room() {
    let store = MemoryStore::with_limit(ALL, 100_000);
    let (flood, quiet) = (room("flood"), room("quiet"));
    store.append_and_wait(&quiet, &[said_as("7", "keep me", 1)]).unwrap();
    for n in 0..1_000 {
        store.append_and_wait(&flood, &[said_as(&n.to_string(), "x", 1)]).unwrap();
        store.append_and_wait(&quiet, &[said_as("7", "keep me", 1)]).unwrap();
    }
    let known = |name, id: &str, text| {
        let again = store.append_and_wait(name, &[said_as(id, text, 1)]).unwrap();
        matches!(again[0], Appended::Repeated(_))
    };
    assert!(known(&quiet, "7", "keep me"));
    assert!(known(&flood, "999", "x") && !known(&flood, "0", "x"));
    assert_eq!(kept(&store, &quiet), [1]);
    store.append_and_wait(&room("new"), &[said("x", 1)]).unwrap();
    assert_eq!(store.stats().failures, 0);
}

/// The ids of a room were dropped only when somebody wrote there again.
#[test]
fn ids_lapse_in_every_room_whether_or_not_somebody_writes_there() {
    let store = MemoryStore::with_limit(ALL, 100_000);
    let (flood, busy) = (room("flood"), room("busy"));
    for n in 0..1_000 {
        store.append_and_wait(&flood, &[said_as(&n.to_string(), "x", 1)]).unwrap();
    }
    store.expire(Timestamp(1 + SEND_ID_MEMORY_MS), Timestamp(1 + SEND_ID_MEMORY_MS)).unwrap();
    // Everything is free again but what the rooms themselves take.
    let text = "x".repeat(1_000);
    for n in 0..80 {
        store.append_and_wait(&busy, &[said(&text, 2 + SEND_ID_MEMORY_MS + n)]).unwrap();
    }
    assert_eq!(kept(&store, &busy).len(), 80);
}

/// Rooms filled the store, and nobody could write into the existing ones.
#[test]
fn a_room_that_is_there_can_be_written_to_however_many_there_are() {
    let store = MemoryStore::with_limit(ALL, 10_000);
    let names = || (0..).map(|n| room(&n.to_string()));
    let made: Vec<RoomName> =
        names().take_while(|name| store.append_and_wait(name, &[said("x", 1)]).is_ok()).collect();
    assert!(made.len() > 10);
    for name in &made {
        let appended = store.append_and_wait(name, &[said_as("7", &"x".repeat(1_000), 1)]).unwrap();
        assert_eq!(sequence(&appended), 2);
        assert_eq!(store.newest(name, 1).unwrap().latest.sequence, 2);
    }
}

/// A hundred thousand rooms were swept in one transaction, and every message waited 1.5 s for it.
#[test]
fn what_is_old_is_forgotten_in_small_steps() {
    let place = Place::in_a_file();
    let store = place.open(keep(usize::MAX, Duration::from_secs(60)));
    let (rooms, step) = (2_000, 64);
    // Messages share commits here, as they do in use. Otherwise this would take a minute.
    thread::scope(|scope| {
        for share in 0..16 {
            let store = &store;
            scope.spawn(move || {
                for n in (share..rooms).step_by(16) {
                    store.append_and_wait(&room(&n.to_string()), &[said_as("7", "x", 1)]).unwrap();
                }
            });
        }
    });
    let large = room("large");
    for _ in 0..10 {
        store.append_and_wait(&large, &vec![said("x", 1); 500]).unwrap();
    }
    let before = store.stats().commits;
    store.expire(Timestamp(3_600_000), Timestamp(3_600_000)).unwrap();
    assert!(listed(&*store).is_empty(), "all of it is forgotten");
    let steps = store.stats().commits - before;
    // Its ids, its rooms, and the many messages of one of them.
    assert!(steps >= (rooms + rooms + 5_000) as u64 / step, "{steps} steps");
    drop(store);
    let file = rusqlite::Connection::open(place.path()).unwrap();
    let rows = "SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM sent)";
    assert_eq!(file.query_row(rows, (), |row| row.get::<_, i64>(0)).unwrap(), 0);
}
