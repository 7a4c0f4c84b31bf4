//! Many publishers and many followers at once.

use std::collections::HashSet;
use std::thread;

use serde_json::Value;

use crate::chat::{Chat, Said};
use crate::client::Request;
use crate::harness::{Launch, make_room_for};

on_every_setup![
    fifty_followers_of_four_publishers_read_the_same,
    followers_of_plain_text_read_the_same,
    followers_of_many_rooms_read_the_order_of_each,
];

fn fifty_followers_of_four_publishers_read_the_same(launch: Launch) {
    const FOLLOWERS: usize = 50;
    const PUBLISHERS: usize = 4;
    const MESSAGES: usize = 25;
    make_room_for(FOLLOWERS as u64);
    let server = launch.start();
    let chat = server.chat();
    let mut followers: Vec<_> = (0..FOLLOWERS).map(|_| chat.follower()).collect();

    let read: Vec<Vec<Said>> = thread::scope(|scope| {
        let reading: Vec<_> = followers
            .iter_mut()
            .map(|follower| scope.spawn(|| follower.follow_until(PUBLISHERS * MESSAGES)))
            .collect();
        for publisher in 0..PUBLISHERS {
            let chat = &chat;
            scope.spawn(move || speak(chat, publisher, MESSAGES));
        }
        reading.into_iter().map(|follower| follower.join().expect("a follower")).collect()
    });

    let first = &read[0];
    let ids: HashSet<&str> = first.iter().map(|said| said.id.as_str()).collect();
    assert_eq!(ids.len(), PUBLISHERS * MESSAGES, "something was read twice");
    for publisher in 0..PUBLISHERS {
        let name = name(publisher);
        let own = first.iter().filter(|said| said.name.as_ref() == Some(&name));
        let texts: Vec<&str> = own.map(|said| said.text.as_str()).collect();
        let said: Vec<String> = (0..MESSAGES).map(|n| n.to_string()).collect();
        assert!(texts == said, "not the messages of {name} in their order");
    }
    for other in &read {
        assert!(other == first, "two followers read differently");
    }
}

fn followers_of_plain_text_read_the_same(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let start = chat.path(&format!("?after={}", chat.cursor()));
    let read: Vec<Vec<String>> = thread::scope(|scope| {
        let reading: Vec<_> =
            (0..10).map(|_| scope.spawn(|| read_plain_text(&chat, start.clone(), 120))).collect();
        for publisher in 0..4 {
            let chat = &chat;
            scope.spawn(move || speak(chat, publisher, 30));
        }
        reading.into_iter().map(|follower| follower.join().expect("a follower")).collect()
    });
    for other in &read {
        assert!(*other == read[0], "two followers read differently");
    }
    for n in 0..30 {
        let times = read[0].iter().filter(|text| **text == n.to_string());
        assert_eq!(times.count(), 4, "each of the four says each number once");
    }
}

/// Each follows all rooms by one wait, in every format.
fn followers_of_many_rooms_read_the_order_of_each(launch: Launch) {
    const ROOMS: usize = 8;
    const MESSAGES: usize = 15;
    const ALL: usize = ROOMS * MESSAGES;
    let server = launch.start();
    let chat = server.chat();
    let rooms: Vec<Chat> = (0..ROOMS).map(|n| chat.room(&format!("{}-{n}", chat.name()))).collect();
    let together = rooms.iter().map(Chat::name).collect::<Vec<_>>().join(",");
    let together = &chat.room(&together);
    let query = &format!("?after={}", together.cursor());

    let read: Vec<Vec<String>> = thread::scope(|scope| {
        let mut reading = Vec::new();
        for _ in 0..5 {
            let mut follower = together.follower();
            reading.push(scope.spawn(move || follower.hears(ALL)));
            reading.push(scope.spawn(|| read_plain_text(together, together.path(query), ALL)));
            reading.push(scope.spawn(|| {
                let mut events = together.events(query, &[]);
                texts(std::iter::from_fn(|| Some(events.next().message())), ALL)
            }));
            reading.push(scope.spawn(|| {
                let mut lines = together.lines(query);
                texts(std::iter::from_fn(|| Some(lines.next())), ALL)
            }));
        }
        for (n, room) in rooms.iter().enumerate() {
            let says = move |message| drop(room.says(&format!("{n}/{message}")));
            scope.spawn(move || (0..MESSAGES).for_each(says));
        }
        reading.into_iter().map(|follower| follower.join().expect("a follower")).collect()
    });

    for texts in &read {
        for n in 0..ROOMS {
            let of_room = texts.iter().filter_map(|text| text.strip_prefix(&format!("{n}/")));
            let said: Vec<String> = (0..MESSAGES).map(|message| message.to_string()).collect();
            assert!(of_room.eq(&said), "not what was said in room {n}, in its order");
        }
    }
}

/// The texts of so many messages.
fn texts(told: impl Iterator<Item = Value>, count: usize) -> Vec<String> {
    let messages = told.filter(|told| told["kind"] == "message");
    messages.take(count).map(|message| message["text"].as_str().expect("a text").to_owned()).collect()
}

fn name(publisher: usize) -> String {
    format!("publisher {publisher}")
}

fn speak(chat: &Chat, publisher: usize, messages: usize) {
    let mut person = chat.join(&name(publisher));
    for n in 0..messages {
        person.says(&n.to_string());
    }
}

fn read_plain_text(chat: &Chat, mut next: String, count: usize) -> Vec<String> {
    let mut connection = chat.connect();
    let mut texts = Vec::new();
    while texts.len() < count {
        let reply = connection.ask(&Request::get(&next));
        next = reply.next();
        if reply.status == 200 {
            texts.push(reply.text().to_owned());
        }
    }
    texts
}
