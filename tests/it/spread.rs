//! Waits that do not end in step.

use std::thread;
use std::time::{Duration, Instant};

use crate::chat::Chat;

on_every_engine![waits_that_one_message_began_do_not_end_in_one_instant, a_wait_without_a_cursor_is_exact];

/// One message woke all who waited. All of them waited again at once, so all these waits ended at once too:
/// in a silent room they came back in one instant, for ever.
fn waits_that_one_message_began_do_not_end_in_one_instant(chat: Chat) {
    const WAIT: Duration = Duration::from_secs(8);
    // A busy machine may be late with all of them, so the test tries again.
    let they_end_apart = || {
        let waits: Vec<_> = (0..8).map(|_| chat.waits("?after=latest&wait=60")).collect();
        chat.says_to(8, "all of you");
        let again = waits.into_iter().map(|mut connection| {
            let cursor = connection.reply().is(200).cursor();
            let again = chat.get(&format!("?after={cursor}&wait={}", WAIT.as_secs()));
            thread::spawn(move || {
                let start = Instant::now();
                connection.ask(&again).is(204);
                start.elapsed()
            })
        });
        let again: Vec<_> = again.collect();
        let mut took: Vec<Duration> = again.into_iter().map(|wait| wait.join().expect("a wait")).collect();
        took.sort();
        assert!(took[0] >= WAIT * 7 / 8, "one wait ended after {:?}", took[0]);
        took[0] < WAIT && took[7] - took[0] > WAIT / 64
    };
    assert!((0..20).any(|_| they_end_apart()), "they end in step");
}

fn a_wait_without_a_cursor_is_exact(chat: Chat) {
    let waits: Vec<_> = (0..8).map(|_| (Instant::now(), chat.waits("?wait=2"))).collect();
    for (start, mut connection) in waits {
        connection.reply().is(404);
        assert!(start.elapsed() >= Duration::from_secs(2), "a wait ended after {:?}", start.elapsed());
    }
}
