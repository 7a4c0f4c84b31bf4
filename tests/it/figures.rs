//! `/metrics`: what a monitor reads.

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::{Launch, wait_until};

on_every_setup![
    who_waits_is_counted_while_it_waits,
    what_is_said_and_refused_is_counted,
    checks_of_health_are_not_counted,
    the_figures_are_in_the_format_of_openmetrics,
];

fn who_waits_is_counted_while_it_waits(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let mut waiting: Vec<_> = (0..7).map(|_| chat.waits("?after=latest")).collect();
    wait_until("seven wait", || chat.figure("comet_chat_waiters") == 7.0);
    chat.says("now");
    for connection in &mut waiting {
        connection.reply().is(200);
    }
    wait_until("nobody waits", || chat.figure("comet_chat_waiters") == 0.0);
    assert_eq!(chat.figure("comet_chat_deliveries_total"), 7.0);
    assert!(chat.figure("comet_chat_rooms") >= 1.0);
}

fn what_is_said_and_refused_is_counted(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    for text in ["one", "two", "three"] {
        chat.says(text);
    }
    chat.ask(&chat.post().form(&[("message", "")])).is(400);
    assert_eq!(chat.figure("comet_chat_messages_total"), 3.0);
    assert!(chat.figure("comet_chat_store_commits_total") >= 1.0);
    assert_eq!(chat.figure("comet_chat_refusals_total{reason=\"empty-message\"}"), 1.0);
}

/// Each check was a message that was kept and counted, and so did the figures tell of a busy server.
fn checks_of_health_are_not_counted(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    chat.says("one");
    for _ in 0..20 {
        chat.ask(&Request::get("/health")).is(200);
        chat.ask(&Request::get("/health/live")).is(200);
    }
    assert_eq!(chat.figure("comet_chat_messages_total"), 1.0);
    assert_eq!(chat.figure("comet_chat_deliveries_total"), 0.0);
    // Each waited for the store, as a message does.
    assert_eq!(chat.figure("comet_chat_store_commits_total"), 21.0);
}

fn the_figures_are_in_the_format_of_openmetrics(chat: Chat) {
    let reply = chat.ask(&Request::get("/metrics")).is(200);
    let content_type = reply.expect_header("Content-Type");
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(reply.text().ends_with("# EOF\n"));
    for line in reply.text().lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(name.starts_with("comet_chat_"), "{name}");
        value.parse::<f64>().unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}
