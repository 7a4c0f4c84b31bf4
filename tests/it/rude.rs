//! What strangers did to the door. Each test opens with what once happened.

use std::time::{Duration, Instant};

use crate::chat::Chat;
use crate::client::{Connection, is_silence};
use crate::harness::{Launch, wait_until};
use crate::raw::post;

on_every_engine![
    an_absurd_body_behind_many_waits_does_not_end_the_process,
    a_body_that_was_cut_off_is_not_published,
    a_bad_chunk_is_refused_once_and_the_connection_ends,
    an_announced_trailer_is_read_past,
    a_refused_connection_is_closed_at_once,
    a_request_behind_a_refused_body_is_never_carried_out,
    many_requests_in_one_packet_are_answered_in_their_order,
    a_client_that_leaves_during_a_long_wait_frees_its_place,
    a_client_that_never_sends_a_request_is_cut_off,
    harmless_differences_are_accepted,
    invisible_messages_and_names_are_refused,
    a_joiner_is_part_of_a_name_where_a_script_needs_it,
    requests_are_answered_at_once_after_many_waits_have_ended,
];

/// Eight pipelined waits and then a POST of two hundred terabytes ended the process. The ninth request was
/// answered on a path of its own, which did not look at the announced length.
fn an_absurd_body_behind_many_waits_does_not_end_the_process(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    for waits in [0, 1, 8, 70] {
        let mut connection = server.connect();
        let mut bytes = chat.get("?wait=60").bytes().repeat(waits);
        bytes.extend(post(&chat, "Content-Length: 200000000000000", "hi"));
        connection.send_bytes(&bytes);
        connection.stop_sending();
        while connection.try_reply().is_ok() {}
    }
    chat.says("still here");
}

/// A chunked body whose connection ended within a chunk was published as if it were whole: `pay 1000` of
/// `pay 1000000`.
fn a_body_that_was_cut_off_is_not_published(chat: Chat) {
    let start = chat.cursor();
    for rest in ["64\r\nmessage=pay 1000", "10\r\nmessage=pay 1000", "10\r\nmessage=pay 1000\r", "1"] {
        let mut connection = chat.connect();
        connection.send_bytes(&post(&chat, "Transfer-Encoding: chunked", rest));
        connection.stop_sending();
        while let Ok(reply) = connection.try_reply() {
            assert_eq!(reply.status, 400, "{rest:?}");
        }
    }
    assert_eq!(chat.cursor(), start, "something was published");
}

/// A chunk without a size was answered twice: once by us, and once more by the library, which took the rest
/// of the body for a request.
fn a_bad_chunk_is_refused_once_and_the_connection_ends(chat: Chat) {
    let start = chat.cursor();
    let mut connection = chat.connect();
    let rest = "5\r\nhello\r\nzz\r\nGET / HTTP/1.1\r\n\r\nrest\r\n\r\n";
    connection.send_bytes(&post(&chat, "Transfer-Encoding: chunked", rest));
    connection.reply().is(400);
    assert!(connection.try_reply().is_err(), "a second reply to one request");
    assert_eq!(chat.cursor(), start, "something was published");
}

/// A body in chunks with a trailer was refused, twice.
fn an_announced_trailer_is_read_past(chat: Chat) {
    let mut follower = chat.follower();
    let mut connection = chat.connect();
    let headers = "Content-Type: text/plain\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked";
    connection.send_bytes(&post(&chat, headers, "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"));
    connection.reply().is(200);
    assert_eq!(follower.hears(1), ["hello"]);
}

/// A reply announced the end of its connection, and the connection was still open 77 to 100 s later.
fn a_refused_connection_is_closed_at_once(chat: Chat) {
    for headers in ["Content-Length: 70000", "Content-Length: x", "Transfer-Encoding: nonsense"] {
        let mut connection = chat.connect();
        connection.send_bytes(&post(&chat, headers, "some of it"));
        assert!(connection.reply().status >= 400);
        let end = connection.try_reply().expect_err("the end of the connection");
        assert!(!is_silence(&end), "{headers}: {end}");
    }
}

/// A request in the body of a refused one was carried out in one of five tries: two threads took the two
/// requests, and the second thread was quicker.
fn a_request_behind_a_refused_body_is_never_carried_out(chat: Chat) {
    let start = chat.cursor();
    let smuggled = String::from_utf8(chat.post().text("smuggled").bytes()).expect("text");
    for round in 0..60 {
        let headers = ["Content-Length: 0\r\nContent-Length: 100", "Content-Length: ", "Content-Length: +9"];
        let mut connection = chat.connect();
        connection.send_bytes(&post(&chat, headers[round % 3], &smuggled));
        connection.reply().is(400);
    }
    assert_eq!(chat.cursor(), start, "something was published");
}

/// `h2load -m 8` and `autocannon -p 10` got a 429 and then nothing more.
fn many_requests_in_one_packet_are_answered_in_their_order(chat: Chat) {
    let mut connection = chat.connect();
    for _ in 0..5 {
        let bytes: Vec<u8> = (0..20)
            .flat_map(|n| {
                if n % 2 == 0 {
                    chat.get("?wait=0&after=latest").bytes()
                } else {
                    chat.post().text("hi").bytes()
                }
            })
            .collect();
        connection.send_bytes(&bytes);
        for n in 0..20 {
            connection.reply().is(if n % 2 == 0 { 204 } else { 200 });
        }
    }
}

/// Two hundred clients gave up their long waits, and their threads stayed for the rest of the time.
fn a_client_that_leaves_during_a_long_wait_frees_its_place(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    let before = server.footprint_at_rest(&chat);
    let crowd: Vec<Connection> = (0..50).map(|_| chat.waits("?wait=60&after=latest")).collect();
    chat.wait_until_waiting(50);
    drop(crowd);
    // Their time is not over before this test loses its patience.
    chat.wait_until_waiting(0);
    server.shrinks_to(before);
}

/// A TLS greeting on the plain port held its thread for 76 s. Twenty of them held seventeen threads for ever,
/// and no log line said so.
fn a_client_that_never_sends_a_request_is_cut_off(launch: Launch) {
    let server = launch.start();
    let before = server.footprint_at_rest(&server.chat());
    let mut greeters: Vec<Connection> = (0..20).map(|_| server.connect()).collect();
    for connection in &mut greeters {
        connection.send_bytes(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    }
    let ends: Vec<_> = greeters.iter_mut().filter_map(|connection| connection.try_reply().err()).collect();
    assert!(!ends.iter().any(is_silence), "not cut off: {ends:?}");
    // The engine that cuts off a client without a reply logs it once for all of them.
    let lines = usize::from(!ends.is_empty());
    wait_until("it is told", || server.lines_with("is it TLS or HTTP/2?") == lines);
    server.shrinks_to(before);
}

/// When a thousand polls had expired, three POSTs stood for 4.9 s on an idle server: a thread whose time was
/// up had taken the notice of them and ended.
fn requests_are_answered_at_once_after_many_waits_have_ended(chat: Chat) {
    let mut crowd: Vec<Connection> = (0..200).map(|_| chat.waits("?wait=0.5&after=latest")).collect();
    for connection in &mut crowd {
        connection.reply().is(204);
    }
    for pause in [4_980, 5_000, 5_020] {
        let until = Instant::now() + Duration::from_millis(pause);
        // The handlers stop waiting at about this time. Nothing outside shows when.
        wait_until("their patience ends", || Instant::now() >= until);
        let start = Instant::now();
        let mut posts: Vec<Connection> = (0..3).map(|_| chat.connect()).collect();
        posts.iter_mut().for_each(|post| post.send(&chat.post().text("hi")));
        for post in &mut posts {
            post.reply().is(200);
        }
        assert!(start.elapsed() < Duration::from_millis(4_500), "they stood {:?}", start.elapsed());
    }
}

/// `charset=utf8` was refused, a byte order mark became part of the message or made JSON invalid, and an
/// empty `Last-Event-ID` was refused as a cursor.
fn harmless_differences_are_accepted(chat: Chat) {
    let start = chat.cursor();
    let mark = "\u{feff}";
    for (content_type, body) in [
        ("text/plain; charset=utf8", format!("{mark}hi")),
        ("application/json", format!("{mark}{{\"message\":\"hi\"}}")),
        ("application/x-www-form-urlencoded", format!("{mark}message=hi")),
    ] {
        chat.ask(&chat.post().body(content_type, body)).is(200);
    }
    assert_eq!(chat.follower_from(&start).hears(3), ["hi", "hi", "hi"]);
    chat.ask(&chat.get("?wait=0&after=latest").header("Last-Event-ID", "")).is(204);
    for coding in ["", "identity", " Identity ,"] {
        chat.ask(&chat.post().text("hi").header("Content-Encoding", coding)).is(200);
    }
}

/// A compressed body was published as it came. Messages and names that nobody could see were accepted.
fn invisible_messages_and_names_are_refused(chat: Chat) {
    let start = chat.cursor();
    let reply = chat.ask(&chat.post().text("hi").header("Content-Encoding", "gzip")).is(415);
    assert!(reply.text().contains("Content-Encoding"), "{}", reply.text());
    // If a header has several lines, only the first was read.
    let two =
        chat.post().text("hi").header("Content-Encoding", "identity").header("Content-Encoding", "gzip");
    chat.ask(&two).is(415);
    chat.ask(&chat.post().text("\u{feff}\u{feff}")).is(400);
    for name in ["\u{200b}", "\u{3164}", "an\u{202e}na", "an\u{200d}na"] {
        chat.ask(&chat.post().form(&[("message", "hi"), ("name", name)])).is(400);
    }
    assert_eq!(chat.cursor(), start, "something was published");
}

/// Rooms in Persian and Sinhala were refused for the joiners in their words. Later a joiner passed between
/// any letters, where nobody sees it: `anna` with one in it was another room and another person.
fn a_joiner_is_part_of_a_name_where_a_script_needs_it(chat: Chat) {
    for name in ["نرم\u{200c}افزار", "ශ්\u{200d}රී"] {
        let room = chat.room(&format!("{}-{name}", chat.name()));
        room.says("hi");
        assert_eq!(room.ask(&room.get("?after=oldest")).is(200).text(), "hi");
        chat.ask(&chat.post().form(&[("message", "hi"), ("name", name)])).is(200);
    }
    for name in ["a\u{200c}b", "\u{200d}", "نرم\u{200c}"] {
        let room = chat.room(name);
        room.ask(&room.post().text("hi")).is(400);
        chat.ask(&chat.post().form(&[("message", "hi"), ("name", name)])).is(400);
    }
    chat.ask(&chat.post().form(&[("message", "hi"), ("name", "👩\u{200d}👧")])).is(200);
}
