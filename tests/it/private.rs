//! Private rooms: they are for those who were given the name, and nobody else learns it.

#[cfg(feature = "lesson")]
use std::io::{BufRead, BufReader, Write};

use serde_json::Value;

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::{Launch, wait_until};

on_every_setup![a_private_room_is_in_no_list];

on_every_engine_with_a_file![a_private_room_s_name_is_in_no_log_figure_or_refusal];

/// A private room that the server gives.
fn given(chat: &Chat) -> Chat {
    let reply = chat.ask(&Request::post("/rooms")).is(201);
    let path = reply.expect_header("Location").to_owned();
    assert!(reply.text().starts_with("http://") && reply.text().ends_with(&format!("{path}\n")), "{reply:?}");
    let name = path.strip_prefix("/chat/").expect("a room's address");
    let letters = name.strip_prefix("private-").expect("a private room");
    assert!(letters.len() == 26 && letters.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')), "{name}");
    chat.room(name)
}

fn listed(chat: &Chat, query: &str) -> Vec<String> {
    let reply = chat.ask(&Request::get(&format!("/rooms?{query}")).accept("application/json")).is(200).json();
    let name = |entry: &Value| entry["room"].as_str().unwrap().to_owned();
    reply["rooms"].as_array().unwrap().iter().map(name).collect()
}

fn a_private_room_is_in_no_list(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let open: Vec<String> = (0..3).map(|n| format!("{}{n}", ["m", "q", "z"][n])).collect();
    let mut all = Vec::new();
    for name in &open {
        chat.room(name).says("hi");
        let private = given(&chat);
        private.says("hi");
        private.ask(&private.get("?last=1&name=anna")).is(200);
        all.push(private);
    }
    let waiting = given(&chat);
    let _nothing_said = waiting.waits("?wait=60&name=bob");
    for order in
        ["order=recent", "order=name", "order=name&limit=3", "order=recent&limit=3", "order=name&after=a"]
    {
        let mut names = listed(&chat, order);
        names.sort();
        assert_eq!(names, open, "{order}");
    }
    assert_eq!(listed(&chat, "limit=1"), open[..1]);
    assert_eq!(listed(&chat, "limit=1&after=m0"), open[1..2]);
    // Who knows the name has it like any other room.
    for room in &all {
        wait_until("anna is there", || room.people() == ["anna"]);
        let about = room.ask(&room.get("/about").accept("application/json")).is(200).json();
        assert_eq!((&about["private"], about["room"].as_str()), (&Value::Bool(true), Some(room.name())));
        let said = room.ask(&room.get("?after=oldest&wait=0").accept("application/json")).is(200).json();
        assert_eq!(said["messages"][0]["room"].as_str(), Some(room.name()));
    }
    let two = format!("/chat/{},{}?after=oldest&wait=0", all[0].name(), all[1].name());
    let reply = chat.ask(&Request::get(&two)).is(200);
    assert!(all.iter().any(|room| reply.expect_header("Chat-Room") == room.name()));
}

/// Every use of a room, and then a look at all that is told of it to others.
fn a_private_room_s_name_is_in_no_log_figure_or_refusal(launch: Launch) {
    let launch = launch.with_a_home();
    let home = launch.home.clone().expect("a folder");
    let broken = home.path().join("chat.db");
    let launch = launch.with_flag("--log", "debug");
    #[cfg(feature = "lesson")]
    let launch = launch.with_variable("COMET_CHAT_LESSON", "true");
    let server = launch.start();
    let chat = server.chat();
    let json = |request: Request| request.accept("application/json");
    let made = chat.ask(&json(Request::post("/rooms?origin=https%3A%2F%2Flocalhost"))).is(201).json();
    let secret = made["room"].as_str().unwrap().to_owned();
    assert_eq!(made["url"], format!("https://localhost/chat/{secret}"));
    let back = chat.ask(&Request::post("/rooms").accept("text/html")).is(303);
    assert!(back.expect_header("Location").starts_with("/chat/private-"));
    let room = chat.room(&secret);

    let hello = room.ask(&room.post().form(&[("message", "hi"), ("name", "anna")])).is(200).cursor();
    room.ask(&room.post_to("/topic").form(&[("topic", "the party")])).is(200);
    let waiting = room.waits("?after=latest&wait=60&name=bob");
    for what in ["", "/people", "/about", "/history", "/history?q=hi", "/qr", "/nothing", "/edit"] {
        room.ask(&room.get(what).accept("text/html").breaking_the_rules());
    }
    room.ask(&json(room.post_to("/delete").form(&[("of", hello.as_str())]))).is(403);
    room.ask(&json(room.post().form(&[("message", "")]))).is(400);
    for written in [secret.replace('p', "%70"), format!("lobby,{secret}"), secret.replace('-', "%2D")] {
        chat.ask(&Request::get(&format!("/chat/{written}?last=1&wait=0")).breaking_the_rules());
        chat.ask(&Request::post(&format!("/chat/{written}/mute")).breaking_the_rules());
    }
    // The store fails in the midst of it.
    std::fs::rename(&broken, home.path().join("away.db")).expect("a file");
    room.ask(&room.post().form(&[("message", "lost")])).is(503);
    wait_until("the failure is logged", || server.lines_with("nothing was published") > 0);

    let names = |text: &str| text.matches(&secret[8..]).count();
    for place in ["/rooms?order=recent", "/rooms", "/metrics", "/help", "/openapi.json", "/health"] {
        assert_eq!(names(chat.ask(&Request::get(place)).text()), 0, "{place}");
    }
    #[cfg(feature = "lesson")]
    {
        let mut stage = server.connect().into_stream();
        stage.write_all(&Request::get("/backstage/events").bytes()).expect("the request is sent");
        let mut lines = BufReader::new(stage).lines().map(|line| line.expect("a frame"));
        let frame = lines.find(|line| line.starts_with("data:")).expect("a frame");
        assert_eq!((names(&frame), frame.contains("\"rooms\"")), (0, true), "{frame}");
        // A thread's name is cut after 15 letters.
        assert_eq!(server.threads_named(&format!("room private-{}", &secret[8..10])), 0);
    }
    let page = room.ask(&room.get("").accept("text/html"));
    if page.status == 200 {
        let (head, _) = page.text().split_once("</title>").expect("a title");
        assert_eq!(names(head), 0, "{head}");
        assert_eq!(page.expect_header("Referrer-Policy"), "same-origin");
    }
    assert_eq!(server.lines_with(&secret[8..]), 0, "it is in the log");
    assert!(server.lines_with("/chat/private-...") > 5, "the log has the requests nevertheless");
    drop(waiting);
}
