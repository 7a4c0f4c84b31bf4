//! Where a request comes from and which name it asks for: another site's page can do nothing, and the server
//! answers only to its own names.

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::Launch;

on_every_engine![
    a_page_of_another_site_changes_nothing,
    a_page_of_this_site_and_a_script_change_what_they_like,
    a_link_from_another_site_opens_the_page,
    a_stranger_s_name_does_not_lead_here,
    a_name_that_was_allowed_leads_here,
    a_request_says_once_whom_it_is_for,
    a_header_that_is_not_ascii_does_no_harm,
];

/// The headers that a browser adds to a request of another site's page.
const FROM_ELSEWHERE: [(&str, &str); 4] = [
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "same-site"),
    ("Origin", "http://evil.example"),
    ("Origin", "null"),
];

/// A form, an image and a beacon on another site spoke, came and went in the room, under any name.
fn a_page_of_another_site_changes_nothing(chat: Chat) {
    let start = chat.cursor();
    for (header, value) in FROM_ELSEWHERE {
        for request in [
            chat.post().form(&[("message", "buy"), ("name", "eve")]),
            chat.post().text("buy"),
            chat.leave("eve"),
            chat.get("?name=eve&wait=0"),
            chat.get("?%6eame=eve&wait=0").accept("application/json"),
            chat.get("?name=eve").accept("text/event-stream"),
        ] {
            let reply = chat.ask(&request.header(header, value)).is(403);
            assert!(reply.text().contains("site"), "{}", reply.text());
        }
    }
    assert_eq!(chat.cursor(), start, "somebody spoke, came or went");
    let problem = chat.ask(&chat.post().text("hi").accept("application/json").header("Origin", "null"));
    assert_eq!(problem.is(403).json()["type"], "urn:comet-chat:other-site");
}

fn a_page_of_this_site_and_a_script_change_what_they_like(chat: Chat) {
    let mut follower = chat.follower();
    let post = || chat.post().text("hi");
    for request in [
        post(),
        post().header("Sec-Fetch-Site", "same-origin"),
        post().header("Sec-Fetch-Site", "none"),
        // A browser sends a form like this from the page itself over plain HTTP.
        post().header("Origin", "http://localhost"),
        post().header("Origin", "https://localhost"),
    ] {
        chat.ask(&request).is(200);
    }
    assert_eq!(follower.hears(5).len(), 5);
}

fn a_link_from_another_site_opens_the_page(chat: Chat) {
    let request = chat.get("?name=eve").accept("text/html").header("Sec-Fetch-Site", "cross-site");
    chat.ask(&request).is(200);
    assert!(chat.people().is_empty(), "the link made somebody join");
    chat.ask(&chat.get("?wait=0").header("Sec-Fetch-Site", "cross-site")).is(404);
}

/// A page whose name had been pointed at this machine read the history and spoke.
fn a_stranger_s_name_does_not_lead_here(chat: Chat) {
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"] {
        for request in [
            chat.get("?after=oldest&wait=0"),
            chat.get("/history"),
            Request::get("/rooms"),
            chat.post().text("hi"),
            Request::get("/nowhere"),
        ] {
            let reply = chat.ask(&request.header("Host", host)).is(421);
            assert!(reply.text().contains("--allow-host"), "{}", reply.text());
        }
    }
    for host in ["127.0.0.1", "192.0.2.1:80", "[::1]:8080", "LOCALHOST:1", "chat.localhost"] {
        chat.ask(&Request::get("/health/live").header("Host", host)).is(200);
    }
}

fn a_name_that_was_allowed_leads_here(launch: Launch) {
    let server = launch
        .with_flag("--allow-host", "chat.example")
        .with_flag("--allow-host", "Talk.example:8443")
        .start();
    let ask = |host| server.connect().ask(&Request::get("/help").header("Host", host)).status;
    assert_eq!(ask("chat.example"), 200);
    assert_eq!(ask("Chat.Example:8080"), 200);
    assert_eq!(ask("talk.example"), 200);
    assert_eq!(ask("other.example"), 421);
}

/// A request with no `Host` or with two was answered. A proxy may read the other one of the two.
fn a_request_says_once_whom_it_is_for(chat: Chat) {
    let status = |line: &str, headers: &str| {
        let mut connection = chat.connect();
        connection.send_bytes(format!("{line}\r\n{headers}\r\n").as_bytes());
        connection.reply().status
    };
    assert_eq!(status("GET /help HTTP/1.1", ""), 400);
    assert_eq!(status("GET /help HTTP/1.1", "Host:\r\n"), 400);
    assert_eq!(status("GET /help HTTP/1.1", "Host: localhost\r\nHost: localhost\r\n"), 400);
    assert_eq!(status("GET /help HTTP/1.0", "Host: localhost\r\nHost: localhost\r\n"), 400);
    assert_eq!(status("GET /help HTTP/1.0", "Host: evil.example\r\n"), 421);
    assert_eq!(status("GET /help HTTP/1.0", ""), 200);
}

/// One engine dropped such a request without an answer.
fn a_header_that_is_not_ascii_does_no_harm(chat: Chat) {
    let start = chat.cursor();
    let mut connection = chat.connect();
    let bytes = chat.post().header("X-Name", "zo\u{eb}").text("hi").bytes();
    connection.send_bytes(&bytes);
    // Where the library ends the connection before our code has seen the request, there is no answer.
    if let Ok(reply) = connection.try_reply() {
        reply.is(400);
    }
    assert_eq!(chat.cursor(), start, "it was published");
}
