//! Rooms: their names, and that a message stays in its room.

use serde_json::Value;

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::{Launch, wait_until};

on_every_setup![
    a_room_may_be_named_in_any_script,
    a_name_is_one_room_however_it_is_written,
    the_longest_name_is_a_room,
    what_is_said_in_one_room_is_not_heard_in_another,
    every_room_has_its_own_order,
    many_rooms_live_at_once,
    the_list_of_rooms_comes_in_pages,
    the_newest_rooms_are_listed_first_if_asked,
    a_page_of_rooms_that_is_not_there_is_refused,
    who_only_looks_wakes_no_room,
    the_least_recently_used_room_sleeps_if_there_are_too_many,
];

on_every_engine_with_a_file![all_rooms_together_hold_a_bounded_part_of_their_past];

/// More than may be awake at once.
pub const TOO_MANY: usize = 1_050;

fn a_room_may_be_named_in_any_script(chat: Chat) {
    for name in ["größe", "комната", "部屋", "हिन्दी", "غرفة", "a.b-c_d", "0", "..."]
    {
        let room = chat.room(&format!("{name}{}", chat.name()));
        let mut follower = room.follower();
        room.says(name);
        assert_eq!(follower.hears(1), [name]);
        let reply = room.ask(&room.get("?after=oldest").accept("application/json"));
        assert_eq!(reply.is(200).json()["room"], room.name());
    }
}

fn a_name_is_one_room_however_it_is_written(chat: Chat) {
    let room = chat.room(&format!("caf\u{e9}.{}", chat.name()));
    room.says("hi");
    let name = chat.name();
    for path in [
        format!("/chat/caf%C3%A9.{name}"),
        format!("/chat/caf%c3%a9.{name}"),
        format!("/chat/%63af%C3%A9%2E{name}"),
        // Composed of a letter and an accent.
        format!("/chat/cafe%CC%81.{name}"),
    ] {
        let reply = chat.ask(&Request::get(&format!("{path}?after=oldest&wait=0")));
        assert_eq!(reply.is(200).text(), "hi", "{path}");
    }
    // Upper and lower case are two rooms.
    let path = format!("/chat/CAF%C3%89.{name}?after=oldest&wait=0");
    chat.ask(&Request::get(&path)).is(204);
}

fn the_longest_name_is_a_room(chat: Chat) {
    let random: String = (0..20).map(|_| fastrand::lowercase()).collect();
    let longest = chat.room(&format!("{}{random}", "部".repeat(44)));
    longest.says("hi");
    assert_eq!(longest.follower_from("oldest").hears(1), ["hi"]);
}

fn what_is_said_in_one_room_is_not_heard_in_another(chat: Chat) {
    let elsewhere = chat.room(&format!("{}-b", chat.name()));
    let mut listener = chat.waits("?after=latest&wait=60");
    let mut follower = elsewhere.follower();
    elsewhere.says("over there");
    chat.says_to(1, "over here");
    assert_eq!(listener.reply().is(200).text(), "over here");
    elsewhere.says("and there");
    assert_eq!(follower.hears(2), ["over there", "and there"]);
}

fn every_room_has_its_own_order(chat: Chat) {
    let rooms: Vec<Chat> =
        ["a", "b", "c"].iter().map(|suffix| chat.room(&format!("{}-{suffix}", chat.name()))).collect();
    for text in ["1", "2", "3"] {
        for room in &rooms {
            room.says(text);
        }
    }
    for room in &rooms {
        assert_eq!(room.follower_from("oldest").hears(3), ["1", "2", "3"]);
    }
}

fn many_rooms_live_at_once(chat: Chat) {
    let mut rooms: Vec<_> = (0..100)
        .map(|n| {
            let room = chat.room(&format!("{}-{n}", chat.name()));
            let follower = room.follower();
            (room, follower)
        })
        .collect();
    for (room, _) in &rooms {
        room.says(room.name());
    }
    for (room, follower) in &mut rooms {
        assert_eq!(follower.hears(1), [room.name()]);
    }
}

/// Every page of a list of rooms, from a first one on.
fn pages(chat: &Chat, first: &str) -> Vec<Vec<String>> {
    let (mut pages, mut target) = (Vec::new(), first.to_owned());
    loop {
        let reply = chat.ask(&Request::get(&target).accept("application/json")).is(200);
        let list = reply.json();
        let name = |room: &Value| room["room"].as_str().expect("a name").to_owned();
        let page: Vec<String> = list["rooms"].as_array().expect("rooms").iter().map(name).collect();
        let last = page.last().cloned();
        pages.push(page);
        let Some(link) = reply.header("Link") else {
            assert_eq!(list["next"], Value::Null);
            return pages;
        };
        assert_eq!(list["next"].as_str(), last.as_deref());
        let link = link.strip_prefix('<').and_then(|link| link.strip_suffix(r#">; rel="next""#));
        target = link.expect("a link to the next page").to_owned();
    }
}

/// A list of a hundred thousand rooms came in one reply, and every page asked for it every twenty seconds.
fn the_list_of_rooms_comes_in_pages(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let names: Vec<String> = (10..33).map(|n| format!("rö{n}")).collect();
    let mut waits = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let room = chat.room(name);
        if n % 2 == 0 {
            room.says("hi");
        } else {
            // A room where somebody only waits is listed too.
            waits.push(room.waits("?after=latest&wait=60"));
            room.wait_until_waiting(1);
        }
    }
    let found = pages(&chat, "/rooms?limit=5");
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 5, 5, 3]);
    assert_eq!(found.concat(), names);
    assert_eq!(pages(&chat, "/rooms").concat(), names);
    let mut recent = pages(&chat, "/rooms?order=recent&limit=5").concat();
    recent.sort();
    assert_eq!(recent, names);
}

fn the_newest_rooms_are_listed_first_if_asked(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let list = |limit| pages(&chat, &format!("/rooms?order=recent&limit={limit}"));
    for name in ["a", "c", "b", "d"] {
        let room = chat.room(name);
        // Messages of the same millisecond are equally new.
        wait_until("it is the newest", || {
            room.says("hi");
            list(1)[0] == [name]
        });
    }
    assert_eq!(list(3).concat(), ["d", "b", "c", "a"]);
}

fn a_page_of_rooms_that_is_not_there_is_refused(chat: Chat) {
    for (query, code) in [
        ("limit=0", "bad-limit"),
        ("limit=501", "bad-limit"),
        ("order=size", "bad-order"),
        ("after=~", "bad-room"),
    ] {
        let request = Request::get(&format!("/rooms?{query}")).accept("application/json");
        assert_eq!(chat.ask(&request).is(400).json()["type"], format!("urn:comet-chat:{code}"), "{query}");
    }
}

/// Whether the clients are served that would be refused first: one in the lobby, a monitor, one in a new
/// room.
#[track_caller]
pub fn all_are_served(chat: &Chat) {
    chat.room("lobby").says("hi");
    chat.is_well();
    chat.room("one-more").says("hi");
}

/// A thousand looks at empty rooms on one connection had the lobby refused.
fn who_only_looks_wakes_no_room(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let mut connection = chat.connect();
    for n in 0..TOO_MANY + 50 {
        let room = chat.room(&format!("look-{n}"));
        connection.ask(&room.get("?wait=0")).is(404);
        if n % 20 == 0 {
            connection.ask(&room.get("?wait=0&after=oldest")).is(204);
            connection.ask(&Request::new("HEAD", &room.path(""))).is(404);
            connection.ask(&Request::get(&room.path("/people"))).is(200);
            connection.ask(&Request::get(&room.path("/history"))).is(200);
            connection.ask(&room.get("").accept("text/html")).is(200);
        }
    }
    assert_eq!(chat.figure("comet_chat_rooms"), 0.0);
    all_are_served(&chat);
}

/// A client that spoke once in a thousand rooms kept all others out for half a minute.
fn the_least_recently_used_room_sleeps_if_there_are_too_many(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let mut connection = chat.connect();
    for n in 0..TOO_MANY {
        let room = chat.room(&format!("said-{n}"));
        connection.ask(&room.post().form(&[("message", "hi")])).is(200);
    }
    all_are_served(&chat);
    wait_until("as many are awake as may be", || chat.figure("comet_chat_rooms") <= 1_002.0);
    // A room that sleeps shows its messages, wakes when somebody speaks, and has lost nothing.
    let first = chat.room("said-0");
    let reply = first.ask(&first.get("?wait=0&after=oldest")).is(200);
    assert_eq!(reply.text(), "hi");
    let cursor = first.cursor();
    assert_eq!(cursor, reply.cursor());
    first.says("again");
    assert_eq!(first.follower_from(&cursor).hears(1), ["again"]);
    assert_eq!(first.follower_from("oldest").hears(2), ["hi", "again"]);
}

/// A page of text in each of a thousand rooms took four gigabytes of the server's memory, whatever its store
/// could hold.
fn all_rooms_together_hold_a_bounded_part_of_their_past(launch: Launch) {
    const MAX: f64 = 64.0 * 1024.0 * 1024.0;
    let server = launch.start();
    let chat = server.chat();
    let mut connection = chat.connect();
    let text = |n: usize| format!("{n:060000}");
    let rooms: Vec<Chat> = (0..20).map(|n| chat.room(&format!("flood-{n}"))).collect();
    for n in 0..60 {
        for room in &rooms {
            connection.ask(&room.post().text(&text(n))).is(200);
        }
    }
    let held = chat.figure("comet_chat_tail_bytes");
    assert!((1.0..=MAX).contains(&held), "{held} bytes are held");
    // Messages that the room no longer holds are in the store.
    assert_eq!(rooms[0].follower_from("oldest").hears(60), (0..60).map(text).collect::<Vec<_>>());
}
