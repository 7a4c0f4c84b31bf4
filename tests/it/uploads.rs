//! Pictures and files.

use std::thread;
use std::time::{Duration, Instant};

use comet_chat::config::BODY_TIMEOUT;
use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::harness::{Launch, PATIENCE};

on_every_setup![
    a_file_comes_with_a_message_and_goes_with_it,
    a_room_keeps_so_much_of_its_files_and_all_after_a_restart,
];

on_every_engine![
    each_file_is_served_as_what_it_is_and_nothing_as_a_page,
    what_is_too_large_or_malformed_leaves_nothing,
    a_server_that_takes_no_files_says_so,
    a_file_is_for_those_who_may_read,
    a_file_that_comes_too_slowly_is_refused,
];

const KEY: &str = "the-secret-key-of-anna";

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0";

/// A body in parts: fields, and a file with its name.
fn with_file(request: Request, fields: &[(&str, &str)], name: &str, content: &[u8]) -> Request {
    let mut body = Vec::new();
    for (field, value) in fields {
        body.extend(
            format!("--bound\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    body.extend(
        format!("--bound\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n")
            .bytes(),
    );
    body.extend(content);
    body.extend(b"\r\n--bound--\r\n");
    request.body("multipart/form-data; boundary=bound", body)
}

/// Sends a file, and gives the message's id.
#[track_caller]
fn sends(chat: &Chat, fields: &[(&str, &str)], name: &str, content: &[u8]) -> String {
    chat.ask(&with_file(chat.post(), fields, name, content)).is(200).cursor()
}

#[track_caller]
fn history(chat: &Chat) -> Vec<Value> {
    let reply = chat.ask(&chat.get("/history").accept("application/json")).is(200).json();
    reply["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["kind"] == "message")
        .cloned()
        .collect()
}

/// Asks for the file of a message.
#[track_caller]
fn file_of(chat: &Chat, message: &Value) -> Reply {
    chat.ask(&Request::get(message["file"]["path"].as_str().expect("a file")))
}

#[track_caller]
fn is_refused(reply: Reply, status: u16, kind: &str) {
    assert_eq!(reply.is(status).json()["type"], format!("urn:comet-chat:{kind}"));
}

fn a_file_comes_with_a_message_and_goes_with_it(chat: Chat) {
    let start = chat.cursor();
    let mut waiting = chat.waits("?wait=60&after=latest");
    chat.wait_until_waiting(1);
    let fields = [("message", "look"), ("name", "anna"), ("key", KEY), ("id", "1")];
    let first = sends(&chat, &fields, "größe 1.png", PNG);
    let path = format!("/chat/{}/file/{first}/gr%C3%B6%C3%9Fe%201.png", chat.name());
    assert_eq!(waiting.reply().is(200).text(), format!("look\n{path}"));
    let told = json!({"name": "größe 1.png", "type": "image/png", "bytes": PNG.len(), "width": 640, "height": 480, "path": path});
    let all = chat.ask(&chat.get(&format!("?after={start}&wait=0&kinds=message")).accept("application/json"));
    let all = all.is(200).json()["messages"].clone();
    assert_eq!((&all[0]["text"], &all[0]["file"]), (&json!("look"), &told));
    assert_eq!(history(&chat), *all.as_array().unwrap(), "the store tells the same");
    let found = chat.ask(&chat.get("/history?q=gr%C3%B6sse").accept("application/json")).is(200).json();
    assert_eq!(found["messages"][0]["id"], first, "its name is found");

    let reply = file_of(&chat, &all[0]).is(200);
    assert_eq!(reply.body, PNG);
    for (name, value) in [
        ("Content-Type", "image/png"),
        ("Content-Disposition", "inline; filename=\"gr__e 1.png\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.png"),
        ("Content-Security-Policy", "sandbox; default-src 'none'"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "private, no-cache"),
    ] {
        assert_eq!(reply.expect_header(name), value);
    }
    assert_eq!(
        chat.ask(&Request::new("HEAD", &path)).is(200).expect_header("ETag"),
        reply.expect_header("ETag")
    );
    let known = Request::get(&path).header("If-None-Match", reply.expect_header("ETag"));
    chat.ask(&known).is(304);
    parts_of_it_are_served(&chat, &path, reply.expect_header("ETag"));
    // The name at the end of the address is for whoever saves it.
    chat.ask(&Request::get(&path.replace("gr%C3%B6%C3%9Fe%201.png", "other"))).is(200);

    // The same again is the same message, and another file under its id is refused.
    assert_eq!(sends(&chat, &fields, "größe 1.png", PNG), first);
    let other = with_file(chat.post(), &fields, "größe 1.png", b"another").accept("application/json");
    is_refused(chat.ask(&other), 422, "id-reused");
    assert_eq!(history(&chat).len(), 1);

    // A message of nothing but a file, in a browser's form that nobody wrote into.
    let form = with_file(chat.post(), &[("message", " "), ("name", ""), ("id", "2")], "a.txt", b"hello");
    let alone = chat.ask(&form.accept("text/html")).is(303).cursor();
    let text = chat.ask(&chat.get("/history")).is(200);
    assert!(
        text.text().ends_with(&format!("somebody: /chat/{}/file/{alone}/a.txt\n", chat.name())),
        "{}",
        text.text()
    );
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    assert!(page.text().contains("a.txt"), "the page shows it without scripts");

    // An edit changes the text only.
    let edit = [("of", first.as_str()), ("message", "look here"), ("key", KEY)];
    chat.ask(&chat.post_to("/edit").form(&edit)).is(200);
    assert_eq!((&history(&chat)[0]["text"], &history(&chat)[0]["file"]), (&json!("look here"), &told));
    let refused = with_file(chat.post_to("/edit"), &edit, "x", b"x").accept("application/json");
    is_refused(chat.ask(&refused.breaking_the_rules()), 400, "bad-form");

    // Deleted, it is gone at once, also for those who have it.
    chat.ask(&chat.post_to("/delete").form(&[("of", &first), ("key", KEY)])).is(200);
    is_refused(chat.ask(&known.accept("application/json")), 404, "no-file");
    assert_eq!(history(&chat)[0]["file"], Value::Null);
    let again =
        chat.ask(&chat.get(&format!("?after={start}&wait=0&kinds=message")).accept("application/json"));
    assert!(!again.text().contains("größe"), "{}", again.text());
    for path in [
        format!("/chat/{}/file/{first}/x", chat.name()),
        format!("/chat/{}-2/file/{alone}/a.txt", chat.name()),
        format!("/chat/{}/file/0123abcd-2-89abcdef/a.txt", chat.name()),
    ] {
        is_refused(chat.ask(&Request::get(&path).accept("application/json")), 404, "no-file");
    }
    let malformed = Request::get(&format!("/chat/{}/file/x/a.txt", chat.name())).accept("application/json");
    is_refused(chat.ask(&malformed), 400, "bad-cursor");
}

/// As a player and a download ask for them.
fn parts_of_it_are_served(chat: &Chat, path: &str, tag: &str) {
    let length = PNG.len();
    let part = |range: &str| Request::get(path).header("Range", range);
    for (range, first, last) in [
        ("bytes=0-1", 0, 1),
        ("bytes=1-", 1, length - 1),
        ("bytes=-9", length - 9, length - 1),
        ("bytes=0-999", 0, length - 1),
    ] {
        for request in [part(range), part(range).header("If-Range", tag)] {
            let reply = chat.ask(&request).is(206);
            assert_eq!(reply.body, PNG[first..=last], "{range}");
            assert_eq!(reply.expect_header("Content-Range"), format!("bytes {first}-{last}/{length}"));
            assert_eq!((reply.expect_header("ETag"), reply.expect_header("Accept-Ranges")), (tag, "bytes"));
        }
    }
    let head = Request::new("HEAD", path).header("Range", "bytes=0-1");
    for request in [
        part("bytes=0-1,3-4"),
        part("bytes=4-1"),
        part("lines=0-1"),
        part("bytes=0-1").header("If-Range", "\"another\""),
        part("bytes=99-").header("If-Range", "Thu, 26 Nov 2026 00:00:00 GMT"),
        head,
    ] {
        let reply = chat.ask(&request).is(200);
        assert!(reply.body == PNG || request.method == "HEAD");
        assert_eq!((reply.header("Content-Range"), reply.expect_header("Accept-Ranges")), (None, "bytes"));
        assert_eq!(reply.expect_header("Content-Length"), length.to_string());
    }
    chat.ask(&part("bytes=0-1").header("If-None-Match", tag)).is(304);
    for range in [format!("bytes={length}-"), "bytes=-0".to_owned()] {
        let refused = chat.ask(&part(&range)).is(416);
        assert_eq!(refused.expect_header("Content-Range"), format!("bytes */{length}"));
        is_refused(chat.ask(&part(&range).accept("application/json")), 416, "no-such-part");
    }
}

fn a_room_keeps_so_much_of_its_files_and_all_after_a_restart(launch: Launch) {
    let is_kept = !launch.setup.store.starts_with("memory");
    let launch = launch.with_a_home().with_flag("--upload-limit", "2KiB").with_flag("--upload-keep", "5000");
    let launch = launch.with_flag("--keep", "4");
    let again = launch.again();
    let server = launch.start();
    let mut chat = Chat::at(server.address());
    let content = |n: usize| vec![b'0' + n as u8; 2_000];
    for n in 0..3 {
        sends(&chat, &[("message", &n.to_string())], "x.txt", &content(n));
    }
    let kept = |chat: &Chat| -> Vec<String> {
        let what = |message: &Value| match &message["file"]["gone"] {
            Value::Null => String::from_utf8(file_of(chat, message).is(200).body).unwrap()[..1].to_owned(),
            _ => format!("{} is gone", message["text"].as_str().unwrap()),
        };
        history(chat).iter().map(what).collect()
    };
    assert_eq!(kept(&chat), ["0 is gone", "1", "2"]);
    let text = chat.ask(&chat.get("/history")).is(200);
    assert!(text.text().contains("somebody: 0\n    (x.txt is no longer kept)\n"), "{}", text.text());
    if is_kept {
        drop(server);
        let server = again.start();
        chat = Chat::at(server.address()).room(chat.name());
        assert_eq!(kept(&chat), ["0 is gone", "1", "2"]);
        goes_on(&chat, &content(3));
    } else {
        goes_on(&chat, &content(3));
    }
}

/// What falls out of the room takes its file along.
#[track_caller]
fn goes_on(chat: &Chat, content: &[u8]) {
    let second = history(chat)[1].clone();
    chat.says("text");
    chat.says("more");
    file_of(chat, &second).is(200);
    chat.says("and more");
    file_of(chat, &second).is(404);
    sends(chat, &[], "y.txt", content);
    let names: Vec<Value> = history(chat).iter().map(|message| message["file"]["name"].clone()).collect();
    assert_eq!(names, [Value::Null, Value::Null, Value::Null, json!("y.txt")]);
}

fn each_file_is_served_as_what_it_is_and_nothing_as_a_page(chat: Chat) {
    let attached = [
        ("x.html", &b"<!doctype html><script>alert(1)</script>"[..], "text/plain"),
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "text/plain"),
        ("x.xml", b"<?xml version='1.0'?><x/>", "text/plain"),
        ("x.js", b"alert(1)", "text/plain"),
        ("x.pdf", b"%PDF-1.7\n\xff", "application/octet-stream"),
        ("x.png", b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "application/octet-stream"),
        ("x.bin", b"\0", "application/octet-stream"),
    ];
    let shown = [
        ("x.html", PNG, "image/png"),
        ("x.gif", &b"GIF89a\x01\0\x01\0\0\0\0<script>alert(1)</script>"[..], "image/gif"),
        ("x", b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0", "image/webp"),
        (
            "x",
            b"\0\0\0\x1cftypavif\0\0\0\0avifmif1\0\0\0\x14ispe\0\0\0\0\0\0\x02\x80\0\0\x01\xe0",
            "image/avif",
        ),
        ("x.jpg", b"\xff\xd8\xff\xc0\0\x0b\x08\x01\xe0\x02\x80\x01\0\0\0", "image/jpeg"),
    ];
    for (all, kind) in [(&attached[..], "attachment"), (&shown[..], "inline")] {
        for (name, content, media_type) in all {
            let id = sends(&chat, &[], name, content);
            let message = history(&chat).pop().unwrap();
            assert_eq!((&message["id"], &message["file"]["type"]), (&json!(id), &json!(media_type)));
            let reply = file_of(&chat, &message).is(200);
            assert_eq!(reply.body, *content);
            assert_eq!(reply.expect_header("Content-Type").split(';').next(), Some(*media_type));
            assert_eq!(reply.expect_header("Content-Disposition"), format!("{kind}; filename=\"{name}\""));
            assert_eq!(reply.expect_header("Content-Security-Policy"), "sandbox; default-src 'none'");
            if content.len() > 1 {
                let part =
                    Request::get(message["file"]["path"].as_str().unwrap()).header("Range", "bytes=1-");
                assert_eq!(chat.ask(&part).is(206).body, content[1..]);
            }
        }
    }
    let lobby = chat.room("lobby");
    lobby.ask(&with_file(Request::post("/chat"), &[], "x", b"x")).is(200);
}

fn what_is_too_large_or_malformed_leaves_nothing(launch: Launch) {
    let server = launch.with_flag("--upload-limit", "100KiB").start();
    let chat = Chat::at(server.address());
    let refused = |request: Request, status: u16, kind: &str| {
        is_refused(chat.ask(&request.accept("application/json")), status, kind);
    };
    let large = vec![0; 100 * 1024 + 1];
    refused(with_file(chat.post(), &[], "x", &large), 413, "file-too-large");
    refused(with_file(chat.post(), &[], "x", &vec![0; 300 * 1024]), 413, "file-too-large");
    refused(with_file(chat.post(), &[("message", &"x".repeat(65_537))], "x", b"x"), 413, "message-too-large");
    refused(with_file(chat.post(), &[("reply_to", "x")], "x", b"x"), 400, "bad-cursor");
    refused(with_file(chat.post(), &[], "x", b""), 400, "bad-form");
    let form = |body: &str| chat.post().body("multipart/form-data; boundary=x", body);
    let part = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nb\r\n";
    refused(form(""), 400, "bad-form");
    refused(form(part), 400, "bad-form");
    refused(form(&format!("{part}{part}--x--")), 400, "bad-form");
    refused(form(&format!("{}--x--", part.replace("; filename=\"a\"", ""))), 400, "bad-form");
    refused(form("--x\r\n\r\n\r\n--x--"), 400, "bad-form");
    refused(form("--x--"), 400, "empty-message");
    refused(chat.post().body("multipart/form-data", part), 400, "bad-form");
    // In chunks nobody knows how much will come.
    let mut connection = chat.connect();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n",
        chat.path("")
    );
    connection.send_bytes(head.as_bytes());
    let chunk = [b"19000\r\n", &vec![b'x'; 0x19000][..], b"\r\n"].concat();
    let _ = connection.try_send_bytes(&[&chunk[..], &chunk].concat());
    connection.will_answer(true);
    is_refused(connection.reply(), 413, "file-too-large");
    assert_eq!(chat.ask(&chat.get("/history")).is(200).text(), "", "what is refused leaves nothing");

    // As large as it may be, at once and in chunks.
    sends(&chat, &[("message", &"x".repeat(65_536))], "x", &large[1..]);
    let body = format!("{}--x--", part.replace('b', &"b".repeat(90_000)));
    let mut connection = chat.connect();
    connection.send_bytes(head.as_bytes());
    for piece in body.as_bytes().chunks(7_000) {
        connection.send_bytes(format!("{:x}\r\n", piece.len()).as_bytes());
        connection.send_bytes(piece);
        connection.send_bytes(b"\r\n");
    }
    connection.send_bytes(b"0\r\n\r\n");
    connection.will_answer(true);
    connection.reply().is(200);
    let sizes: Vec<Value> = history(&chat).iter().map(|message| message["file"]["bytes"].clone()).collect();
    assert_eq!(sizes, [102_400, 90_000]);
    // A client that ends amid its file has sent nothing.
    let mut connection = chat.connect();
    let whole = with_file(chat.post(), &[], "x", &large[1..]).bytes();
    connection.send_bytes(&whole[..whole.len() / 2]);
    drop(connection);
    chat.says("after it");
    assert_eq!(history(&chat).len(), 3);
}

fn a_server_that_takes_no_files_says_so(launch: Launch) {
    let server = launch.with_variable("COMET_CHAT_UPLOAD_LIMIT", "0").start();
    let chat = Chat::at(server.address());
    for content in [&b"x"[..], &vec![0; 100_000]] {
        let refused = with_file(chat.post(), &[("message", "hi")], "x", content).accept("application/json");
        is_refused(chat.ask(&refused), 403, "no-files");
    }
    // The same form without a file is a message.
    let form = "--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nhi\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--x--";
    chat.ask(&chat.post().body("multipart/form-data; boundary=x", form)).is(200);
    assert_eq!(history(&chat).len(), 1);
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    assert!(!page.text().contains("type=\"file\""), "the page offers none");
}

fn a_file_is_for_those_who_may_read(launch: Launch) {
    let tokens = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&tokens, "0123456789abcdef-write write *\n0123456789abcdef-read read *\n")
        .expect("a file");
    let server = launch.with_flag("--tokens-file", &tokens.path().display().to_string()).start();
    let chat = Chat::at(server.address());
    let with = |request: Request, token: &str| {
        request
            .header("Authorization", &format!("Bearer 0123456789abcdef-{token}"))
            .accept("application/json")
    };
    let post = || with_file(chat.post(), &[], "x", b"x");
    is_refused(chat.ask(&post().accept("application/json")), 401, "not-in");
    is_refused(chat.ask(&with(post(), "read")), 403, "no-right");
    let id = chat.ask(&with(post(), "write")).is(200).cursor();
    let get = || chat.get(&format!("/file/{id}/x"));
    is_refused(chat.ask(&get().accept("application/json")), 401, "not-in");
    is_refused(chat.ask(&with(get(), "write")), 403, "no-right");
    chat.ask(&with(get(), "read")).is(200);
    // Nobody waits for a file that may not come.
    let large = |path: &str, more: &str| {
        let mut connection = chat.connect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: multipart/form-data; boundary=x\r\n{more}Content-Length: 900000\r\n\r\n"
        );
        connection.send_bytes(head.as_bytes());
        connection.will_answer(true);
        connection.reply()
    };
    let room = chat.path("");
    is_refused(large(&room, ""), 401, "not-in");
    is_refused(large(&room, "Authorization: Bearer 0123456789abcdef-read\r\n"), 403, "no-right");
    is_refused(large(&room, "Origin: http://elsewhere.example\r\n"), 403, "other-site");
    let writes = "Authorization: Bearer 0123456789abcdef-write\r\n";
    is_refused(large("/nowhere", writes), 404, "not-found");
    is_refused(large(&chat.path("/history"), writes), 405, "method-not-allowed");
}

/// So slowly that a text of 64 KiB could not have come either.
fn a_file_that_comes_too_slowly_is_refused(chat: Chat) {
    let mut connection = chat.connect();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 500000\r\n\r\n",
        chat.path("")
    );
    let begun = Instant::now();
    connection.send_bytes(head.as_bytes());
    connection.send_bytes(&vec![b'x'; 70_000]);
    connection.will_answer(true);
    while !connection.has_something() {
        assert!(begun.elapsed() < PATIENCE, "no answer came");
        thread::sleep(Duration::from_millis(200));
        // The server may just have ended the connection.
        let _ = connection.try_send_bytes(b"x");
    }
    assert!(begun.elapsed() > BODY_TIMEOUT, "a text may take so long");
    is_refused(connection.reply(), 408, "too-slow");
    assert!(history(&chat).is_empty());
}
