//! More connections than the process may have files: `ulimit -n 256`.

use crate::chat::Chat;
use crate::client::Connection;
use crate::harness::{Launch, make_room_for, wait_until};
use crate::server::{Footprint, Server};

on_every_engine_with_a_file![
    after_a_flood_of_waiters_the_server_serves_as_before,
    after_a_flood_of_silence_the_server_serves_as_before,
    the_server_serves_again_soon_after_its_files_ran_out,
];

/// How many connect. The server can hold less than half of them.
const FLOOD: usize = 400;

fn flood(server: &Server, first_words: &[u8]) -> Vec<Connection> {
    make_room_for(FLOOD as u64);
    (0..FLOOD)
        // A connection that is refused at once is part of the flood as well.
        .filter_map(|_| Connection::try_open(server.address()).ok())
        .map(|mut connection| {
            let _ = connection.try_send_bytes(first_words);
            connection
        })
        .collect()
}

fn after_a_flood_of_waiters_the_server_serves_as_before(launch: Launch) {
    let server = launch.with_open_files(256).start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    for _ in 0..2 {
        let waiters = flood(&server, &chat.get("?wait=1").bytes());
        wait_until("the flood fills the server", || server.footprint().open_files > 100);
        drop(waiters);
        closes_all(&server, &chat, before);
        serves(&chat);
    }
}

fn after_a_flood_of_silence_the_server_serves_as_before(launch: Launch) {
    let server = launch.with_open_files(256).start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    for _ in 0..2 {
        let silent = flood(&server, b"");
        wait_until("the flood fills the server", || server.footprint().open_files > 100);
        drop(silent);
        closes_all(&server, &chat, before);
        serves(&chat);
    }
}

/// With the table of files full, the server's accepting thread panicked silently, in a file of the standard
/// library. No log line said so, no other thread was started, and the server was deaf for 56 minutes.
fn the_server_serves_again_soon_after_its_files_ran_out(launch: Launch) {
    make_room_for(1_000);
    let server = launch.with_open_files(128).start();
    let chat = server.chat();
    for _ in 0..2 {
        let crowd = chat.crowd(300);
        // Long enough for the server to have run out of files in one way or another.
        wait_until("somebody is refused, or nobody is let in", || {
            crowd.iter().any(Connection::has_something) || server.footprint().open_files > 120
        });
        drop(crowd);
        chat.serves_again();
    }
}

/// Waits until the files of the flood are closed. Threads that were started to recover may stay a while, but
/// far fewer than one for each client.
#[track_caller]
fn closes_all(server: &Server, chat: &Chat, before: Footprint) {
    // Connections are accepted in the order in which they come, so after an answer nothing of the flood is
    // left.
    chat.serves_again();
    wait_until("the flood is gone", || {
        let now = server.footprint();
        now.open_files < before.open_files + FLOOD / 10 && now.threads < FLOOD / 2
    });
}

/// Expects everything to work, for more than one client.
#[track_caller]
fn serves(chat: &Chat) {
    let mut listeners: Vec<_> = (0..20).map(|_| chat.waits("?wait=60")).collect();
    chat.says_to(20, "as before");
    for listener in &mut listeners {
        assert_eq!(listener.reply().is(200).text(), "as before");
    }
}
