//! Clients that go away in the middle of something, and slow clients.

use crate::client::Request;
use crate::harness::Launch;

on_every_setup![
    a_client_that_leaves_while_it_waits_leaves_nothing_behind,
    a_client_that_leaves_within_a_head_leaves_nothing_behind,
    a_client_that_leaves_within_a_body_leaves_nothing_behind,
    a_client_that_leaves_before_its_reply_leaves_nothing_behind,
    slow_clients_keep_nobody_else_waiting,
    a_timed_out_wait_leaves_nothing_behind,
];

fn a_client_that_leaves_while_it_waits_leaves_nothing_behind(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let waiters: Vec<_> = (0..50).map(|_| chat.waits("?wait=60")).collect();
    chat.wait_until_waiting(50);
    drop(waiters);
    // No waiter is left to be handed a message.
    chat.says_to(0, "hi");
    server.shrinks_to(before);
}

fn a_client_that_leaves_within_a_head_leaves_nothing_behind(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let request = chat.get("?wait=1").bytes();
    for end in 0..request.len() {
        server.connect().send_bytes(&request[..end]);
    }
    server.shrinks_to(before);
}

fn a_client_that_leaves_within_a_body_leaves_nothing_behind(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let start = chat.cursor();
    let before = server.footprint_at_rest(&chat);
    let request = chat.post().form(&[("message", "half a message")]).bytes();
    for missing in (1..14).cycle().take(60) {
        let sent = &request[..request.len() - missing];
        server.connect().send_bytes(sent);
    }
    server.shrinks_to(before);
    let said = chat.follower_from(&start).follow();
    assert_eq!(said.len(), 1, "half a message was published");
}

fn a_client_that_leaves_before_its_reply_leaves_nothing_behind(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    for _ in 0..50 {
        server.connect().send(&Request::get("/help"));
        server.connect().send(&chat.post().text("hi"));
    }
    server.shrinks_to(before);
}

fn slow_clients_keep_nobody_else_waiting(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let post = chat.post().text("slowly").bytes();
    let (start, rest) = post.split_at(post.len() - 3);
    let mut dawdlers: Vec<_> = (0..60).map(|_| server.connect()).collect();
    for (index, dawdler) in dawdlers.iter_mut().enumerate() {
        // Nothing, half a head, or half a body.
        let sent = [0, start.len() / 2, start.len()][index % 3];
        dawdler.send_bytes(&start[..sent]);
    }
    let mut follower = chat.follower();
    chat.says("quickly");
    assert_eq!(follower.hears(1), ["quickly"]);
    // The slow clients are served when they send the rest. All send it first: a head must come within 10 s.
    for (index, dawdler) in dawdlers.iter_mut().enumerate() {
        let sent = [0, start.len() / 2, start.len()][index % 3];
        dawdler.send_bytes(&start[sent..]);
        dawdler.send_bytes(rest);
    }
    for dawdler in &mut dawdlers {
        dawdler.reply().is(200);
    }
    assert_eq!(follower.hears(60), vec!["slowly"; 60]);
}

fn a_timed_out_wait_leaves_nothing_behind(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let waiters: Vec<_> = (0..50).map(|_| chat.waits("?wait=1")).collect();
    for mut waiter in waiters {
        waiter.reply().is(404);
    }
    chat.says_to(0, "hi");
    server.shrinks_to(before);
}
