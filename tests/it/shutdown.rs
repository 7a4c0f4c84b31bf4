//! SIGTERM: every waiter is answered, requests in flight are finished, and the server ends soon.

use std::io;
use std::time::{Duration, Instant};

use comet_chat::config::STOP_TIME;

use crate::chat::Chat;
use crate::client::Connection;
use crate::harness::{Launch, wait_until};

on_every_setup![
    waiters_are_answered_and_the_server_ends,
    on_one_core_it_is_the_same,
    a_message_on_its_way_is_still_published,
    an_idle_server_ends_at_once,
    an_interrupt_from_the_keyboard_does_the_same,
    silent_connections_do_not_delay_the_end,
    a_hangup_does_not_end_the_server,
    a_second_signal_ends_the_server_at_once,
];

/// How long it may take from the signal to the end. Two seconds are promised, and the rest is for a busy
/// machine. It is less than any time after which the server would end without the signal's care.
const LIMIT: Duration = Duration::from_secs(8);

fn waiters_are_answered_and_the_server_ends(launch: Launch) {
    launch.ends_in_time(|server| {
        let chat = server.chat();
        chat.says("the last word");
        let cursor = chat.cursor();
        let mut followers = wait(&chat, &format!("?wait=60&after={cursor}"));
        let mut listeners = wait(&chat, "?wait=60");
        let mut script = chat.connect();
        script.send(&chat.get("?wait=60").accept("application/json"));
        chat.wait_until_waiting(201);
        let start = Instant::now();
        server.signal("TERM");
        for follower in &mut followers {
            let reply = follower.try_reply()?.is(204);
            assert_eq!(reply.cursor(), cursor);
            reply.expect_header("Retry-After");
        }
        for listener in &mut listeners {
            let reply = listener.try_reply()?.is(503);
            reply.expect_header("Retry-After");
        }
        assert_eq!(script.try_reply()?.is(503).json()["type"], "urn:comet-chat:closing");
        assert_eq!(server.exits().code(), Some(0));
        let took = start.elapsed();
        assert!(took < LIMIT, "{took:?}");
        // A thread that still held the store left its log unfinished, and the next start then had to read it.
        // On a busy machine there may have been no time for that.
        let left: Vec<_> = server.files().into_iter().filter(|name| name.ends_with("-wal")).collect();
        assert!(left.is_empty() || took > STOP_TIME, "{left:?}");
        Ok(())
    });
}

/// There the async engine runs all tasks in one thread, which is not the one that ends it.
fn on_one_core_it_is_the_same(launch: Launch) {
    waiters_are_answered_and_the_server_ends(launch.on_one_core());
}

fn wait(chat: &Chat, query: &str) -> Vec<Connection> {
    (0..100).map(|_| chat.waits(query)).collect()
}

/// Sends a long message but its last bytes, which it gives. The server has read the head, and waits for the rest.
fn speaks_all_but_the_end(chat: &Chat, word: &str) -> (Connection, Vec<u8>) {
    let text = word.repeat(500);
    let bytes = chat.post().header("Expect", "100-continue").text(&text).bytes();
    let (head, body) = bytes.split_at(bytes.len() - text.len());
    let (body, rest) = body.split_at(text.len() - 3);
    let mut speaker = chat.connect();
    speaker.send_bytes(head);
    speaker.is_told_to_continue();
    speaker.send_bytes(body);
    (speaker, rest.to_vec())
}

fn a_message_on_its_way_is_still_published(launch: Launch) {
    launch.ends_in_time(|server| {
        let chat = server.chat();
        let mut listener = chat.waits("?wait=60");
        chat.wait_until_waiting(1);
        let (mut speaker, rest) = speaks_all_but_the_end(&chat, "before the end ");
        server.signal("TERM");
        // When the waiters have their answers, the server is ending.
        listener.try_reply()?.is(503);
        speaker.try_send_bytes(&rest)?;
        assert_eq!(speaker.try_reply()?.is(200).text(), "ok");
        assert_eq!(server.exits().code(), Some(0));
        Ok(())
    });
}

fn an_idle_server_ends_at_once(launch: Launch) {
    let mut server = launch.start();
    let start = Instant::now();
    server.signal("TERM");
    assert_eq!(server.exits().code(), Some(0));
    let took = start.elapsed();
    assert!(took < LIMIT, "{took:?}");
    assert!(Connection::try_open(server.address()).is_err());
}

fn an_interrupt_from_the_keyboard_does_the_same(launch: Launch) {
    launch.ends_in_time(|server| {
        let chat = server.chat();
        let mut follower = chat.waits("?wait=60&after=latest");
        chat.wait_until_waiting(1);
        server.signal("INT");
        follower.try_reply()?.is(204);
        assert_eq!(server.exits().code(), Some(0));
        Ok(())
    });
}

/// A closed terminal ended the server, also one that was started with `nohup`.
fn a_hangup_does_not_end_the_server(launch: Launch) {
    let mut server = launch.start();
    let chat = server.chat();
    let mut listener = chat.waits("?wait=60");
    chat.wait_until_waiting(1);
    server.signal("HUP");
    wait_until("it has seen the signal", || server.lines_with("hangup") == 1);
    chat.says_to(1, "still here");
    assert_eq!(listener.reply().is(200).text(), "still here");
    server.signal("TERM");
    assert_eq!(server.exits().code(), Some(0));
}

fn silent_connections_do_not_delay_the_end(launch: Launch) {
    let mut server = launch.start();
    let mut silent: Vec<Connection> = (0..20).map(|_| server.connect()).collect();
    for connection in silent.iter_mut().take(10) {
        connection.send_bytes(b"GET /chat HTTP/1.1\r\nHos");
    }
    server.comes_to_rest();
    let start = Instant::now();
    server.signal("TERM");
    assert_eq!(server.exits().code(), Some(0));
    let took = start.elapsed();
    assert!(took < LIMIT, "{took:?}");
}

fn a_second_signal_ends_the_server_at_once(launch: Launch) {
    launch.ends_in_time(|server| {
        let chat = server.chat();
        let mut listener = chat.waits("?wait=60");
        chat.wait_until_waiting(1);
        // A body that never comes delays the end.
        let _speaker = speaks_all_but_the_end(&chat, "never ");
        server.signal("TERM");
        listener.try_reply()?.is(503);
        server.signal("TERM");
        // Otherwise it would be 0.
        match server.exits().code() {
            Some(130) => Ok(()),
            other => Err(io::Error::other(format!("it ended with {other:?}"))),
        }
    });
}
