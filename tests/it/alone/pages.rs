//! Large pages that nobody reads.

use crate::client::Connection;
use crate::harness::{Alone, make_room_for, wait_until};
use crate::pages::{HELD_MAX, MESSAGES, connect_from, page, say_much};

on_every_engine![pages_that_nobody_reads_fill_no_memory];

/// 300 connections asked for a page of control characters and never read it. They held 3.7 GiB for minutes:
/// the size of the characters in JSON was not counted, and each page was in memory twice.
fn pages_that_nobody_reads_fill_no_memory(Alone(launch): Alone) {
    make_room_for(400);
    let server = launch.start();
    let chat = server.chat();
    say_much(&chat);
    let page = page(&chat, MESSAGES);
    let mut inside = server.connect();
    let deaf: Vec<Connection> = (0..50)
        .map(|_| {
            let mut connection = Connection::over(connect_from(server.address(), 2));
            connection.send(&page);
            connection
        })
        .collect();
    for _ in 0..20 {
        inside.ask(&chat.post().text("meanwhile")).is(200);
    }
    server.comes_to_rest();
    let held = chat.figure("comet_chat_held_bytes");
    assert!(held <= HELD_MAX, "{held} are held");
    drop(deaf);
    wait_until("nothing is held for clients that have gone", || chat.figure("comet_chat_held_bytes") == 0.0);
    let peak = server.peak_kib() / 1_024;
    assert!(peak < 400, "{peak} MiB");
}
