//! Whole requests: what is accepted is sound, and what is refused is told.

use comet_chat::access::{Access, AccessSpec};
use comet_chat::config::HOLD;
use comet_chat::message::{RoomName, has_something_visible};
use comet_chat::wire::refusal::Refusal;
use comet_chat::wire::reply::refused;
use comet_chat::wire::request::{BodyLength, Format, Head, Intent, Past, Poll, parse};

use super::{Target, assert_is_a_sentence, seal, text};

pub const TARGET: Target = Target {
    name: "requests",
    seeds: &[
        "GET /chat HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /chat/lobby?after=oldest&wait=5&name=anna&limit=9&kinds=message,left HTTP/1.1\r\nHost: localhost:8080\r\nAccept: application/json\r\n\r\n",
        "GET /chat/lunch,workshop,gr%C3%B6%C3%9Fe?after=0123abcd~cf1ef61f-42-89abcdef~d568180c-0&present=lunch&name=Zo%C3%AB HTTP/1.1\r\nHost: [::1]\r\nPrefer: wait=7\r\n\r\n",
        "GET /chat/lobby?last=5 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nLast-Event-ID: 0123abcd-42-89abcdef\r\n\r\n",
        "GET http://localhost/chat/lobby/history?before=0123abcd-42&limit=5 HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n",
        "POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 29\r\nOrigin: http://localhost\r\n\r\nmessage=hi&name=anna&id=anna-1",
        "POST /chat/lobby HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\nIdempotency-Key: a\r\n\r\n{\"message\":\"hi\",\"name\":\"anna\",\"id\":null}",
        "POST /chat/lobby HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=\"x y\"\r\n\r\n--x y\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nhi\r\n--x y\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--x y--",
        "GET /chat/lobby/file/0123abcd-42-89abcdef/a.txt HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"x\"\r\nRange: bytes=5-99\r\nIf-Range: \"0123abcd-42-89abcdef\"\r\n\r\n",
        "POST /chat?name=anna HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\n\r\nhi",
        "POST /chat/lobby/leave?wait=1 HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n\r\nname=anna",
        "GET /rooms?order=recent&limit=5&after=lobby HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "HEAD /chat/lobby HTTP/1.0\r\nAccept: text/html\r\nCookie: a=b; c=d\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\n\r\n",
        "GET /chat/lobby/code?origin=http://localhost HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n",
        "GET /page/page.js HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: W/\"abc\", *\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    check,
};

/// How large a file may be.
const FILE: usize = 1_000;

fn check(bytes: &[u8]) {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = end.map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + 4..]));
    let head = text(head);
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let version = match words.next() {
        Some("HTTP/1.0") => (1, 0),
        Some("HTTP/2.0") => (2, 0),
        _ => (1, 1),
    };
    let lines = lines.filter_map(|line| line.split_once(": ")).collect();
    let head = Head::new(method, target, version, &lines);
    match head.body_length(FILE) {
        Ok(BodyLength::Exact(length)) => assert!(length <= head.body_limit(FILE)),
        Ok(BodyLength::Chunked) => {}
        Err(refusal) => return assert_is_told(&refusal),
    }
    let access = Access::new(&AccessSpec::default()).expect("no flags");
    access.use_seal(seal());
    let caller = access.caller(&head, None);
    let admitted = access.admit(&head, body, &caller, |_| true);
    let parsed = parse(&head, body, &seal()).map(without_chance);
    assert_eq!(parsed, parse(&head, body, &seal()).map(without_chance), "one request has two meanings");
    match admitted {
        Ok(intent) => assert_eq!(Ok(without_chance(intent)), parsed),
        Err(refusal) => assert_is_told(&refusal),
    }
    match parsed {
        Ok(intent) => assert_is_sound(&head, intent),
        Err(refusal) => assert_is_told(&refusal),
    }
}

/// How long a wait with a cursor lasts is drawn by chance.
fn without_chance(intent: Intent) -> Intent {
    match intent {
        Intent::Poll(poll) => Intent::Poll(Poll { hold: HOLD, ..poll }),
        Intent::Stream(poll) => Intent::Stream(Poll { hold: HOLD, ..poll }),
        other => other,
    }
}

/// A refusal has a status, a sentence and a head of lines that a client can't add to.
fn assert_is_told(refusal: &Refusal) {
    assert!((400..=599).contains(&refusal.status()));
    assert_is_a_sentence(&refusal.to_string());
    for format in [Format::Plain, Format::Json] {
        let reply = refused(format, refusal);
        assert!(reply.headers.iter().all(|(_, value)| value.bytes().all(|b| matches!(b, b' '..=b'~'))));
    }
}

fn assert_is_sound(head: &Head<'_>, intent: Intent) {
    match intent {
        Intent::Poll(poll) | Intent::Stream(poll) => assert_goes_on(head, &poll),
        Intent::Publish(publish) => {
            let says = has_something_visible(&publish.text) || publish.file.is_some();
            assert!(says && !publish.room.is_internal());
        }
        Intent::Leave(leave) => assert!(!leave.room.is_internal()),
        Intent::Past(past) => {
            let limit = match &past {
                Past::Part(history) => history.limit,
                Past::Search(search) => search.limit,
                Past::About(_) => 1,
                Past::File(asked) => {
                    let part = asked.part.as_ref().map_or(Ok(None), |part| part.within("", 9));
                    usize::from(!matches!(part, Ok(Some(part)) if part.is_empty() || part.end > 9))
                }
            };
            assert!(limit > 0 && past.rooms().iter().all(|room| !room.is_internal()));
        }
        Intent::Rooms(rooms) => assert!(rooms.limit > 0),
        _ => {}
    }
}

/// A client that follows `next` asks for the same again.
fn assert_goes_on(head: &Head<'_>, poll: &Poll) {
    assert!(!poll.rooms.is_empty() && poll.rooms.len() == poll.after.len());
    assert!(poll.rooms.iter().all(|room| !room.is_internal()));
    assert!(poll.present_in().iter().all(|room| poll.rooms.contains(room)));
    assert!(poll.kept.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b)), "{:?}", poll.kept);
    let rooms: Vec<String> = poll.rooms.iter().map(segment).collect();
    let target = format!("/chat/{}?after=oldest{}", rooms.join(","), poll.kept);
    let lines = head.lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Accept")).collect();
    let next = Head::new("GET", &target, (1, 1), &lines);
    let again = match parse(&next, b"", &seal()) {
        Ok(Intent::Poll(again) | Intent::Stream(again)) => again,
        other => panic!("{target} is {other:?}"),
    };
    assert_eq!((&again.rooms, &again.kept), (&poll.rooms, &poll.kept), "{target}");
    // Who only looks by HEAD is not present.
    assert!(again.name == poll.name || head.is_head(), "{target}");
    assert_eq!((again.wants, &again.present), (poll.wants, &poll.present), "{target}");
}

fn segment(room: &RoomName) -> String {
    room.as_str().bytes().map(|byte| format!("%{byte:02X}")).collect()
}
