//! `/metrics`: what a monitor reads.

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::{Launch, wait_until};

on_every_setup![
    who_waits_is_counted_while_it_waits,
    what_is_said_and_refused_is_counted,
    checks_of_health_are_not_counted,
    the_figures_are_in_the_format_that_is_asked_for,
    what_is_answered_is_counted_by_route_and_status,
];

fn who_waits_is_counted_while_it_waits(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let mut waiting: Vec<_> = (0..7).map(|_| chat.waits("?after=latest&wait=60")).collect();
    wait_until("seven wait", || chat.figure("comet_chat_waiters") == 7.0);
    // A seat is taken a moment before the room knows of it.
    chat.says_to(7, "now");
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

/// Each check was a message that was kept and counted, so the figures showed a busy server.
fn checks_of_health_are_not_counted(launch: Launch) {
    // On a busy machine a check may be given up, and then they are made again of another server.
    wait_until("each check goes well", || {
        let server = launch.again().start();
        let chat = server.chat();
        chat.says("one");
        for _ in 0..20 {
            if chat.ask(&Request::get("/health")).status != 200 {
                return false;
            }
            chat.ask(&Request::get("/health/live")).is(200);
        }
        assert_eq!(chat.figure("comet_chat_messages_total"), 1.0);
        assert_eq!(chat.figure("comet_chat_deliveries_total"), 0.0);
        // Each check waited for the store, as a message does.
        assert_eq!(chat.figure("comet_chat_store_commits_total"), 21.0);
        true
    });
}

/// The figures always came in the format of OpenMetrics, whatever was asked for. Nine counters had no help
/// for `promtool check metrics`, and the standard figures of a process had other names than Prometheus's own.
fn the_figures_are_in_the_format_that_is_asked_for(chat: Chat) {
    let old = "text/plain; version=0.0.4; charset=utf-8";
    let new = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let prometheus =
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    for (accept, expected) in [
        ("*/*", old),
        ("text/html,*/*;q=0.8", old),
        ("text/plain;version=0.0.4", old),
        ("application/openmetrics-text;q=0, */*", old),
        ("text/plain, application/openmetrics-text;q=0.1", old),
        ("application/openmetrics-text", new),
        (prometheus, new),
    ] {
        let reply = chat.ask(&Request::get("/metrics").accept(accept)).is(200);
        assert_eq!(reply.expect_header("Content-Type"), expected, "{accept}");
        assert_eq!(reply.text().ends_with("# EOF\n"), expected == new);
    }

    let reply = chat.ask(&Request::get("/metrics")).is(200);
    let mut families = Vec::new();
    let mut help = "";
    for line in reply.text().lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, words) = rest.split_once(' ').expect("a name and words");
            assert!(!words.is_empty(), "{line}");
            help = name;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert_eq!(name, help, "no help");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            families.push(name);
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            assert!(families.last().is_some_and(|family| name.starts_with(family)), "{line}");
            value.parse::<f64>().unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
    for name in ["cpu_seconds_total", "start_time_seconds", "open_fds", "max_fds", "resident_memory_bytes"] {
        assert!(chat.figure(&format!("process_{name}")) > 0.0 || name == "cpu_seconds_total", "{name}");
        assert!(families.contains(&&*format!("process_{name}")), "{name}");
    }
    assert!(reply.text().contains("comet_chat_build_info{version=\""));
}

fn what_is_answered_is_counted_by_route_and_status(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    chat.says("hi");
    chat.ask(&chat.post().text("")).is(400);
    chat.ask(&chat.get("?wait=0")).is(404);
    chat.ask(&chat.get("?wait=0&after=latest")).is(204);
    chat.ask(&Request::get("/chat?wait=0")).is(404);
    for number in 0..3 {
        chat.ask(&Request::new("BREW", &format!("/coffee/{number}"))).is(404);
    }
    chat.ask(&chat.get("/history?limit=1")).is(200);
    let count = |method: &str, route: &str, status: u16| {
        let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        chat.figure(&format!("comet_chat_requests_total{{{labels}}}"))
    };
    assert_eq!(count("POST", "/chat/ROOM", 200), 1.0);
    assert_eq!(count("POST", "/chat/ROOM", 400), 1.0);
    assert_eq!(count("GET", "/chat/ROOM", 404), 2.0);
    assert_eq!(count("GET", "/chat/ROOM", 204), 1.0);
    assert_eq!(count("GET", "/chat/ROOM/history", 200), 1.0);
    assert_eq!(count("other", "other", 404), 3.0);
}
