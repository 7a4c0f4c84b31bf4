//! Names that a trusted proxy tells: nobody chooses another, and nobody gets past the proxy.

use serde_json::json;

use crate::client::Request;
use crate::harness::Launch;
use crate::server::Server;

on_every_engine![
    everybody_has_the_name_that_the_proxy_tells,
    the_page_has_that_name_and_offers_no_other,
    who_is_not_signed_in_or_goes_past_the_proxy_is_refused,
    a_name_that_is_not_ascii_is_percent_encoded,
    a_header_that_everybody_could_send_is_refused_at_the_start,
];

fn behind(launch: Launch, proxy: &str) -> Server {
    launch.with_flag("--trust-header", "Remote-User").with_flag("--trusted-proxy", proxy).start()
}

fn by(name: &str, request: Request) -> Request {
    request.header("Remote-User", name)
}

fn everybody_has_the_name_that_the_proxy_tells(launch: Launch) {
    let server = behind(launch, "127.0.0.1");
    let chat = server.chat();
    for request in [
        chat.post().form(&[("message", "form"), ("name", "eve")]),
        chat.post().json(json!({"message": "json", "name": "eve"})),
        chat.post_to("?name=eve").text("text"),
        chat.post().text("no name"),
    ] {
        chat.ask(&by("anna", request)).is(200);
    }
    chat.ask(&by("ben", chat.get("?after=latest&wait=0&name=eve"))).is(204);
    // Who names nobody only reads.
    let read = by("cleo", chat.get("?after=oldest&wait=0").accept("application/json"));
    let messages = chat.ask(&read).is(200).json()["messages"].as_array().expect("messages").clone();
    assert!(
        messages.iter().all(|message| message["name"] == "anna" || message["name"] == "ben"),
        "{messages:?}"
    );
    assert_eq!(messages.iter().filter(|message| message["kind"] == "message").count(), 4);
    let people = || {
        let reply = chat.ask(&by("cleo", chat.get("/people").accept("application/json"))).is(200).json();
        let names = reply["people"].as_array().expect("people").iter().map(|one| one["name"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(people(), ["anna", "ben"]);
    // On another device, whose browser has another key, anna is anna.
    for key in ["the-key-of-her-phone", "the-key-of-her-desk"] {
        chat.ask(&by("anna", chat.post().text("hi").header("Chat-Key", key))).is(200);
    }
    // Nobody sends somebody else away.
    chat.ask(&by("ben", chat.leave("anna"))).is(200);
    assert_eq!(people(), ["anna"]);
}

fn the_page_has_that_name_and_offers_no_other(launch: Launch) {
    let server = behind(launch, "127.0.0.1");
    let chat = server.chat();
    let page = chat.ask(&by("anna", chat.get("?name=zaphod").accept("text/html"))).is(200);
    assert!(page.text().contains("data-told=\"anna\"") && page.text().contains("value=\"anna\" readonly"));
    assert!(!page.text().contains("zaphod"));
}

fn who_is_not_signed_in_or_goes_past_the_proxy_is_refused(launch: Launch) {
    let server = behind(launch.again(), "127.0.0.1");
    let chat = server.chat();
    for request in [chat.get("?wait=0"), chat.get("/history"), Request::get("/rooms"), chat.post().text("hi")]
    {
        let words = chat.ask(&request.clone()).is(401);
        assert!(words.text().contains("sign in"), "{}", words.text());
        chat.ask(&by(" ", request)).is(401);
    }
    // A proxy that adds to the header what the client has sent would let the client choose.
    let twice = by("anna", by("eve", chat.post().text("hi"))).accept("application/json");
    assert_eq!(chat.ask(&twice).is(400).json()["type"], "urn:comet-chat:bad-name");
    for open in ["/health/live", "/help", "/openapi.json", "/metrics"] {
        chat.ask(&Request::get(open)).is(200);
    }
    chat.is_well();
    let elsewhere = behind(launch, "10.0.0.0/8");
    let chat = elsewhere.chat();
    for request in [chat.get("?wait=0"), chat.post().text("hi"), chat.get("").accept("text/html")] {
        let words = chat.ask(&by("anna", request)).is(403);
        assert!(words.text().contains("--trusted-proxy"), "{}", words.text());
    }
    chat.is_well();
}

fn a_name_that_is_not_ascii_is_percent_encoded(launch: Launch) {
    let server = behind(launch, "127.0.0.1");
    let chat = server.chat();
    for (header, name) in
        [("J%C3%BCrgen", "J\u{fc}rgen"), ("anna@example.org", "anna@example.org"), ("100%", "100%")]
    {
        chat.ask(&by(header, chat.post().text("hi"))).is(200);
        let newest = by("anna", chat.get("?last=1&kinds=message").accept("application/json"));
        assert_eq!(chat.ask(&newest).is(200).json()["messages"][0]["name"], name);
    }
    chat.ask(&by("%FF", chat.post().text("hi"))).is(400);
    chat.ask(&by("a%0Ab", chat.post().text("hi"))).is(400);
    chat.ask(&by(&"x".repeat(65), chat.post().text("hi"))).is(400);
}

fn a_header_that_everybody_could_send_is_refused_at_the_start(launch: Launch) {
    let reason = launch.again().with_flag("--trust-header", "Remote-User").refuses();
    assert!(reason.contains("--trusted-proxy"), "{reason}");
    let reason =
        launch.with_flag("--trusted-proxy", "127.0.0.1").with_flag("--trust-header", "Remote User").refuses();
    assert!(reason.contains("--trust-header Remote User"), "{reason}");
}
