//! Several rooms in one request: how it waits.

use std::time::Instant;

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::{Launch, PATIENCE, wait_until};
use crate::several::rooms;

on_every_setup![
    a_wait_is_answered_by_whichever_room_speaks_first,
    a_wait_with_a_cursor_ends_in_204,
    who_waits_under_a_name_is_in_every_room,
    a_person_is_present_only_in_the_rooms_that_are_named,
    a_second_wait_ends_the_first_in_every_room,
    a_client_that_hangs_up_leaves_every_room,
    a_wait_takes_one_seat,
    a_look_wakes_no_room,
    a_stopping_server_answers_who_waits,
    a_stream_waits_in_every_room,
];
// How long a wait lasts is no matter of the store.
on_every_engine![a_wait_without_a_message_ends_in_404_after_ten_seconds];

fn a_wait_is_answered_by_whichever_room_speaks_first(chat: Chat) {
    let (rooms, all) = rooms(&chat, 3);
    for (n, room) in rooms.iter().enumerate().rev() {
        let mut wait = all.waits("?wait=60");
        rooms.iter().for_each(|room| room.wait_until_waiting(1));
        room.says_to(1, &n.to_string());
        let reply = wait.reply().is(200);
        assert_eq!((reply.text(), reply.expect_header("Chat-Room")), (&*n.to_string(), room.name()));
        // Nobody waits in the other rooms any more, and nothing after that is missed.
        rooms.iter().for_each(|room| room.wait_until_waiting(0));
        rooms[0].says_to(0, "meanwhile");
        assert_eq!(chat.ask(&Request::get(&reply.next())).is(200).text(), "meanwhile");
    }
}

fn a_wait_without_a_message_ends_in_404_after_ten_seconds(chat: Chat) {
    let (_, both) = rooms(&chat, 2);
    let mut json = both.connect();
    json.send(&both.get("?wait=1").accept("application/json"));
    let start = Instant::now();
    let reply = chat.ask(&both.get("")).is(404);
    let took = start.elapsed();
    assert!((10.0..PATIENCE.as_secs_f64()).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!(reply.text(), "");
    let body = json.reply().is(404).json();
    assert_eq!((&body["messages"], &body["next"]), (&serde_json::json!([]), &reply.cursor().into()));
}

fn a_wait_with_a_cursor_ends_in_204(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    rooms[0].says("before");
    let start = Instant::now();
    let reply = chat.ask(&both.get("?after=latest&wait=1&name=ann").header("Prefer", "wait=9")).is(204);
    let took = start.elapsed();
    assert!((7.0 / 8.0..PATIENCE.as_secs_f64()).contains(&took.as_secs_f64()), "{took:?}");
    assert!(reply.next().ends_with("&wait=1&name=ann"), "{}", reply.next());
}

fn who_waits_under_a_name_is_in_every_room(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let mut wait = both.waits("?after=latest&name=ann&wait=60");
    wait_until("ann is in both", || rooms.iter().all(|room| room.people() == ["ann"]));
    rooms[0].says("hi");
    wait.reply().is(200);
    assert!(rooms.iter().all(|room| room.people() == ["ann"]), "between two polls she is there");
    // A look under a name makes the person present in both rooms too.
    chat.ask(&both.get("?after=latest&wait=0&name=ben")).is(204);
    wait_until("ben is in both", || rooms.iter().all(|room| room.people() == ["ann", "ben"]));
    for room in &rooms {
        room.ask(&room.leave("ann")).is(200);
        assert_eq!(room.people(), ["ben"]);
    }
}

fn a_person_is_present_only_in_the_rooms_that_are_named(chat: Chat) {
    let (rooms, all) = rooms(&chat, 3);
    let query = format!("?after=latest&name=ann&wait=60&present={}%2C{}", rooms[2].name(), rooms[0].name());
    let mut wait = all.waits(&query);
    rooms.iter().for_each(|room| room.wait_until_waiting(1));
    wait_until("ann is in two", || [0, 2].iter().all(|n| rooms[*n].people() == ["ann"]));
    assert!(rooms[1].people().is_empty());
    // Her wait gets the messages of all rooms, and `next` repeats where she is present.
    rooms[1].says_to(1, "hi");
    let reply = wait.reply().is(200);
    assert_eq!(reply.expect_header("Chat-Room"), rooms[1].name());
    let present = format!("&present={}%2C{}", rooms[2].name(), rooms[0].name());
    assert!(reply.next().ends_with(&present), "{}", reply.next());
    all.ask(&Request::get(&reply.next().replace("wait=60", "wait=0"))).is(204);
    assert!(rooms[1].people().is_empty());
    // A request for one room can name only that one.
    let query = format!("?after=latest&wait=0&name=ben&present={}", rooms[1].name());
    rooms[1].ask(&rooms[1].get(&query)).is(204);
    wait_until("ben is there", || rooms[1].people() == ["ben"]);
}

fn a_second_wait_ends_the_first_in_every_room(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let mut connection = both.waits("?wait=60&after=latest");
    rooms.iter().for_each(|room| room.wait_until_waiting(1));
    connection.send(&both.get("?wait=60&after=latest"));
    let first = connection.reply().is(204);
    rooms[1].says_to(1, "for the second");
    assert_eq!(connection.reply().is(200).text(), "for the second");
    assert_eq!(chat.ask(&Request::get(&first.next())).is(200).text(), "for the second");
}

fn a_client_that_hangs_up_leaves_every_room(chat: Chat) {
    let (rooms, both) = rooms(&chat, 3);
    let wait = both.waits("?wait=60&name=ann");
    rooms.iter().for_each(|room| room.wait_until_waiting(1));
    drop(wait);
    // Its time is not over before this test loses its patience.
    rooms.iter().for_each(|room| room.wait_until_waiting(0));
}

fn a_wait_takes_one_seat(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let (rooms, all) = rooms(&chat, 32);
    let _wait = all.waits("?wait=60");
    rooms.iter().for_each(|room| room.wait_until_waiting(1));
    assert_eq!(chat.figure("comet_chat_waiters"), 1.0);
}

fn a_look_wakes_no_room(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let (all, together) = rooms(&chat, 32);
    chat.ask(&together.get("?wait=0")).is(404);
    chat.ask(&together.get("?wait=0&after=oldest").accept("application/json")).is(204);
    assert_eq!(chat.figure("comet_chat_rooms"), 0.0);
    // Some rooms are awake, and some sleep and hold messages.
    all[0].says("hi");
    let body = chat.ask(&together.get("?wait=0&after=oldest").accept("application/json")).is(200).json();
    assert_eq!(body["messages"][0]["text"], "hi");
    assert_eq!(chat.figure("comet_chat_rooms"), 1.0);
}

fn a_stopping_server_answers_who_waits(launch: Launch) {
    launch.ends_in_time(|server| {
        let chat = server.chat();
        let (rooms, both) = rooms(&chat, 2);
        let (mut with, mut without) = (both.waits("?wait=60&after=latest"), both.waits("?wait=60"));
        let mut events = both.events("?after=latest", &[]);
        events.next();
        rooms.iter().for_each(|room| room.wait_until_waiting(3));
        server.signal("TERM");
        with.try_reply()?.is(204);
        without.try_reply()?.is(503);
        assert_eq!(events.try_next()?, None);
        assert!(server.exits().success());
        Ok(())
    });
}

fn a_stream_waits_in_every_room(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    let mut events = both.events("?after=latest&name=ann", &[]);
    wait_until("ann is in both", || rooms.iter().all(|room| room.people() == ["ann"]));
    for n in 0..10 {
        let cursor = rooms[n % 2].says(&n.to_string());
        let event = std::iter::repeat_with(|| events.next()).find(|e| e.event.as_deref() == Some("message"));
        let event = event.expect("it goes on");
        let message = event.message();
        assert_eq!((&message["room"], &message["id"]), (&rooms[n % 2].name().into(), &cursor.into()));
        assert_eq!(event.id, Some(both.cursor()));
    }
}
