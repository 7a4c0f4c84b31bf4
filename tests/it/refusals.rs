//! Malformed requests are refused: with a status and a sentence that helps, and nothing is left behind.

use serde_json::json;

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::Launch;

on_every_setup![a_refused_message_is_not_published, refusals_leave_nothing_behind];

on_every_engine![
    a_bad_request_is_refused_with_a_status_and_a_sentence,
    where_json_is_accepted_a_refusal_is_a_problem,
    after_a_refusal_the_connection_goes_on,
];

/// A request, and the refusal that it should get.
struct Bad {
    request: Request,
    status: u16,
    /// The end of the problem's `type`.
    code: &'static str,
    /// What the sentence must name: the limit, or what to do.
    says: &'static str,
}

fn bad_requests(chat: &Chat) -> Vec<Bad> {
    let get = |query: &str| chat.get(query);
    let form = |body: &[u8]| chat.post().body("application/x-www-form-urlencoded", body);
    let fields = |fields: &[(&str, &str)]| chat.post().form(fields);
    let text = |body: &[u8]| chat.post().body("text/plain", body);
    let json = |body: &[u8]| chat.post().body("application/json", body);
    let room = |name: &str| Request::get(&format!("/chat/{name}?wait=0"));
    let too_long = "x".repeat(64 * 1024 + 1);
    let deep = "[".repeat(60_000);
    let key = |key: &str| chat.post().text("hi").header("Idempotency-Key", key);

    let table: Vec<(Request, u16, &'static str, &'static str)> = vec![
        (form(b""), 400, "empty-message", "empty"),
        (form(b"message="), 400, "empty-message", "empty"),
        (form(b"name=ann"), 400, "empty-message", "message="),
        (form(b"message=%20%0A"), 400, "empty-message", "empty"),
        (text(b""), 400, "empty-message", "empty"),
        (json(br#"{"message":""}"#), 400, "empty-message", "empty"),
        (chat.post(), 400, "empty-message", "empty"),
        (text(too_long.as_bytes()), 413, "message-too-large", "65536"),
        (form(format!("message={too_long}").as_bytes()), 413, "message-too-large", "65536"),
        (text(b"caf\xe9"), 400, "bad-utf8", "UTF-8"),
        (form(b"message=caf%E9"), 400, "bad-utf8", "UTF-8"),
        (form(b"message=caf\xe9"), 400, "bad-utf8", "UTF-8"),
        (json(b"{\"message\":\"caf\xe9\"}"), 400, "bad-utf8", "UTF-8"),
        (room("caf%E9"), 400, "bad-utf8", "UTF-8"),
        (get("?name=%ff"), 400, "bad-utf8", "UTF-8"),
        (form(b"message=100%"), 400, "bad-percent-encoding", "%25"),
        (form(b"message=%zz"), 400, "bad-percent-encoding", "%25"),
        (room("a%2"), 400, "bad-percent-encoding", "%25"),
        (get("?after=%g0"), 400, "bad-percent-encoding", "%25"),
        (json(b"{"), 400, "bad-json", "JSON"),
        (json(b""), 400, "bad-json", "JSON"),
        (json(b"[]"), 400, "bad-json", "JSON"),
        (json(b"{}"), 400, "empty-message", "message"),
        (json(br#"{"message":1}"#), 400, "bad-json", "message"),
        (json(br#"{"message":"\ud800"}"#), 400, "bad-json", "JSON"),
        (json(br#"{"message":"a"} and more"#), 400, "bad-json", "JSON"),
        (json(deep.as_bytes()), 400, "bad-json", "JSON"),
        (chat.post().body("image/png", "hi"), 415, "unsupported-media-type", "text/plain"),
        (chat.post().body("text/html", "hi"), 415, "unsupported-media-type", "text/plain"),
        (chat.post().body("text/plain; charset=latin1", "hi"), 415, "unsupported-media-type", "UTF-8"),
        (get("?after=yesterday"), 400, "bad-cursor", "Chat-Cursor"),
        (get("?after="), 400, "bad-cursor", "Chat-Cursor"),
        (get("?after=0badcafe--1"), 400, "bad-cursor", "Chat-Cursor"),
        (get("?after=0badcafe-99999999999999999999"), 400, "bad-cursor", "Chat-Cursor"),
        (get("").header("Last-Event-ID", "yesterday"), 400, "bad-cursor", "Chat-Cursor"),
        (get("?wait=-1"), 400, "bad-wait", "60"),
        (get("?wait="), 400, "bad-wait", "60"),
        (get("?wait=soon"), 400, "bad-wait", "60"),
        (get("?wait=NaN"), 400, "bad-wait", "60"),
        (get("?wait=1.2.3"), 400, "bad-wait", "60"),
        (get("?last=-1"), 400, "bad-last", "500"),
        (get("?last=501"), 400, "bad-last", "500"),
        (get("?last="), 400, "bad-last", "500"),
        (get("?last=5&after=oldest"), 400, "bad-last", "without after"),
        (get("?limit=0"), 400, "bad-limit", "500"),
        (get("?limit=501"), 400, "bad-limit", "500"),
        (get("?limit=%2B5"), 400, "bad-limit", "500"),
        (get("?name=ann&present="), 400, "bad-present", "asked for"),
        (get("?name=ann&present=elsewhere"), 400, "bad-present", "asked for"),
        (get("?name=ann&present=a%20b"), 400, "bad-present", "asked for"),
        (get("?kinds="), 400, "bad-kinds", "joined"),
        (get("?kinds=message,all"), 400, "bad-kinds", "joined"),
        (room(&"x".repeat(65)), 400, "bad-room", "64"),
        (room(&"%C3%A4".repeat(65)), 400, "bad-room", "64"),
        (room("a%20b"), 400, "bad-room", "letters"),
        (room("a%2Fb"), 400, "bad-room", "letters"),
        (room("%00"), 400, "bad-room", "letters"),
        (room("lobby%E3%85%A4"), 400, "bad-room", "invisible"),
        (room("~health"), 400, "bad-room", "letters"),
        (get("?name=a%0Ab"), 400, "bad-name", "control"),
        (fields(&[("message", "hi"), ("name", &"x".repeat(65))]), 400, "bad-name", "64"),
        (fields(&[("message", "hi"), ("id", "a b")]), 400, "bad-id", "128"),
        (fields(&[("message", "hi"), ("id", &"x".repeat(129))]), 400, "bad-id", "128"),
        (key(&"x".repeat(129)), 400, "bad-id", "128"),
        (Request::new("BREW", &chat.path("")), 405, "method-not-allowed", "GET"),
        (Request::new("DELETE", "/help"), 405, "method-not-allowed", "GET"),
        (Request::get("/nowhere"), 404, "not-found", "/help"),
    ];
    table.into_iter().map(|(request, status, code, says)| Bad { request, status, code, says }).collect()
}

fn a_bad_request_is_refused_with_a_status_and_a_sentence(chat: Chat) {
    for bad in bad_requests(&chat) {
        let reply = chat.ask(&bad.request);
        let asked = String::from_utf8_lossy(&bad.request.bytes()).into_owned();
        let asked = asked.chars().take(300).collect::<String>();
        assert_eq!(reply.status, bad.status, "{asked}\n{}", reply.text());
        let line = reply.text().strip_suffix('\n').expect("a line");
        assert!(!line.contains('\n'), "{asked}\n{line}");
        assert!(line.contains(bad.says), "{asked}\n{line}");
        let media_type = reply.expect_header("Content-Type");
        assert!(media_type.starts_with("text/plain"), "{media_type}");
    }
}

fn where_json_is_accepted_a_refusal_is_a_problem(chat: Chat) {
    for bad in bad_requests(&chat) {
        let in_words = chat.ask(&bad.request);
        let reply = chat.ask(&bad.request.accept("application/json")).is(bad.status);
        let media_type = reply.expect_header("Content-Type");
        assert_eq!(media_type, "application/problem+json");
        let problem = reply.json();
        assert_eq!(problem["type"], format!("urn:comet-chat:{}", bad.code));
        assert_eq!(problem["status"], bad.status);
        assert_ne!(problem["title"], json!(null));
        assert_eq!(problem["detail"], in_words.text().trim_end());
    }
}

fn a_refused_message_is_not_published(chat: Chat) {
    let start = chat.cursor();
    for bad in bad_requests(&chat) {
        chat.ask(&bad.request).is(bad.status);
    }
    assert_eq!(chat.cursor(), start);
}

fn after_a_refusal_the_connection_goes_on(chat: Chat) {
    let mut connection = chat.connect();
    // A body over the limit is not read, so the connection ends with it.
    let bad_requests = bad_requests(&chat).into_iter();
    for bad in bad_requests.filter(|bad| bad.status != 413) {
        connection.ask(&bad.request).is(bad.status);
    }
    connection.ask(&chat.post().text("hi")).is(200);
}

fn refusals_leave_nothing_behind(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    for _ in 0..5 {
        for bad in bad_requests(&chat) {
            chat.ask(&bad.request).is(bad.status);
        }
    }
    server.shrinks_to(before);
}
