//! A reader of a stream that falls behind.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Launch, PATIENCE};

// No store has a part in it, and it takes a minute: the runner sorts by name, so it is among the first that begin.
on_every_engine![a_reader_that_does_not_read_slows_nobody_and_comes_back_by_its_cursor];

fn a_reader_that_does_not_read_slows_nobody_and_comes_back_by_its_cursor(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let mut slow = chat.events("?after=latest", &[]);
    slow.next();
    let mut follower = chat.follower();
    let filler = "x".repeat(60_000);
    // More than the buffers of both sockets can hold: the server can't write on.
    let count = 400;
    for number in 0..count {
        chat.says(&format!("{number} {filler}"));
        assert_eq!(follower.follow().len(), 1, "a client that reads has it at once");
    }
    let gives_up = PATIENCE + Duration::from_secs(15);
    let start = Instant::now();
    while chat.figure("comet_chat_waiters") != 0.0 {
        assert!(start.elapsed() < gives_up, "a reader that does not read keeps its place");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut seen = 0;
    while let Ok(Some(event)) = slow.try_next() {
        if event.data.is_some() {
            assert_eq!(number_of(&event.message()), seen);
            seen += 1;
        }
    }
    assert!(seen < count, "the buffers held all {count}: nothing was shown");
    let last = slow.last_id.clone();
    let mut resumed = chat.events("", &[("Last-Event-ID", &last)]);
    for number in seen..count {
        assert_eq!(number_of(&resumed.next_message()), number);
    }
}

fn number_of(message: &Value) -> usize {
    let text = message["text"].as_str().expect("a text");
    text.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}
