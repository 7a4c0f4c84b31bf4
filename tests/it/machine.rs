//! What the machine gives: the server plans within it, or says what is missing.

use std::thread;

use crate::chat::Chat;
use crate::client::{Connection, Request};
use crate::harness::{Launch, make_room_for, wait_until};

on_every_setup![
    with_too_few_files_the_server_says_how_many_it_needs_and_works_with_these,
    without_more_threads_the_server_lives_on_and_serves_again,
];

on_every_engine![a_crowd_in_little_address_space_ends_nothing];

/// With 16 or 24 files the server printed its address and then served nobody, without a word in the log.
fn with_too_few_files_the_server_says_how_many_it_needs_and_works_with_these(launch: Launch) {
    let with = |files| launch.again().with_open_files(files);
    let needed = |sentence: &str| -> Option<u32> {
        sentence.split("`ulimit -n ").nth(1)?.split('`').next()?.parse().ok()
    };
    let sentence = with(24).refuses();
    assert!(sentence.starts_with("comet-chat: the limit of open files is 24, and "), "{sentence}");
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    let files = needed(&sentence).unwrap_or_else(|| panic!("no number in {sentence:?}"));
    assert_eq!(needed(&with(16).refuses()), Some(files));
    assert_eq!(needed(&with(files - 1).refuses()), Some(files));

    let server = with(files).start();
    all_hear(&server.chat(), 12);
}

/// With `ulimit -v` the server planned as many threads as without, and the process was aborted as soon as a
/// thread or an allocation had no place.
fn a_crowd_in_little_address_space_ends_nothing(launch: Launch) {
    const CROWD: usize = 3_000;
    make_room_for(CROWD as u64);
    // A gigabyte, and 64 MiB for each of the allocator's arenas.
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    let space = 1024 * 1024 + 8 * cores * 64 * 1024;
    let server = launch.with_address_space(space).start();
    let chat = server.chat();
    let most = chat.figure("comet_chat_waiters_max") as usize;
    assert!(most >= 100, "{most} may wait in {space} KiB");
    all_hear(&chat, CROWD.min(most));
    chat.says("still here");
}

/// While clients came, the machine gave no more threads. The accepting thread panicked in a file of the
/// standard library, where no code looked for it, and the server was deaf for ever.
fn without_more_threads_the_server_lives_on_and_serves_again(launch: Launch) {
    make_room_for(500);
    let Some(launch) = launch.with_threads(200) else { return };
    let server = launch.start();
    let chat = server.chat();
    let most = chat.figure("comet_chat_waiters_max") as usize;
    assert!(most >= 20, "{most} may wait with 200 threads");
    all_hear(&chat, most.min(40));

    let mut inside = chat.connect();
    inside.ask(&chat.post().text("with threads")).is(200);
    for _ in 0..3 {
        server.limit_threads(1);
        let crowd = chat.crowd(150);
        inside.ask(&chat.post().text("without")).is(200);
        server.comes_to_rest();
        drop(crowd);
        server.limit_threads(200);
        // Some threads of the crowd may still be there.
        chat.serves_again();
    }
}

/// Expects that so many clients can wait at once and are handed what is said, all within one life of the
/// server.
///
/// Near a limit of files the server may have to start accepting again. Clients that it lost then come again,
/// as any client does.
#[track_caller]
fn all_hear(chat: &Chat, count: usize) {
    // With a cursor nobody misses what is said between the count and the wait.
    let query = format!("?after={}&wait=60", chat.cursor());
    let wait = || chat.waits(&query);
    let waiting = || {
        let reply = chat.connect().try_ask(&Request::get("/metrics")).ok()?.is(200);
        let figure = reply.text().lines().find_map(|line| line.strip_prefix("comet_chat_waiters "));
        Some(figure.expect("the figure").to_owned())
    };
    let mut crowd: Vec<Connection> = Vec::new();
    while crowd.len() < count {
        // Not all at once: a burst costs files for a moment, and this test is about the connections that
        // stay.
        crowd.extend((crowd.len()..count).take(50).map(|_| wait()));
        wait_until(&format!("{} wait", crowd.len()), || {
            crowd.iter_mut().filter(|lost| lost.has_something()).for_each(|lost| *lost = wait());
            waiting() == Some(crowd.len().to_string())
        });
    }
    wait_until("it is said", || {
        chat.connect().try_ask(&chat.post().text("to all")).is_ok_and(|reply| reply.status == 200)
    });
    for connection in &mut crowd {
        assert_eq!(connection.reply().is(200).text(), "to all");
    }
}
