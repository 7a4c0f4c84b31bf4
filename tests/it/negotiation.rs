//! One address for browsers and scripts: `Accept` chooses the format of the answer.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::chat::Chat;
use crate::client::Request;

on_every_engine![
    without_a_preference_it_is_plain_text,
    where_json_is_accepted_it_is_json,
    a_browser_is_given_the_page,
    the_better_of_two_is_chosen,
    a_page_speaks_its_reader_s_language,
    no_reply_is_to_be_stored,
    every_reply_says_that_accept_chose_its_form,
    a_file_that_the_browser_has_is_not_sent_again,
    long_replies_are_compressed_if_the_client_accepts_that,
    the_files_of_the_page_are_kept_for_good,
    the_app_has_a_manifest_icons_and_a_worker,
];

/// The answer to each `Accept` in a room in which "hi" was said.
#[track_caller]
fn media_type(chat: &Chat, accept: Option<&str>) -> String {
    let mut request = chat.get("?after=oldest");
    if let Some(accept) = accept {
        request = request.accept(accept);
    }
    let reply = chat.ask(&request).is(200);
    let media_type = reply.expect_header("Content-Type");
    media_type.split(';').next().unwrap_or_default().to_owned()
}

fn without_a_preference_it_is_plain_text(chat: Chat) {
    chat.says("hi");
    for accept in [None, Some("*/*"), Some("text/plain"), Some("text/*"), Some("image/png")] {
        assert_eq!(media_type(&chat, accept), "text/plain", "{accept:?}");
    }
}

fn where_json_is_accepted_it_is_json(chat: Chat) {
    chat.says("hi");
    for accept in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json, text/plain, */*",
    ] {
        assert_eq!(media_type(&chat, Some(accept)), "application/json", "{accept}");
    }
}

fn a_browser_is_given_the_page(chat: Chat) {
    for accept in
        ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"]
    {
        assert_eq!(media_type(&chat, Some(accept)), "text/html", "{accept}");
    }
}

fn the_better_of_two_is_chosen(chat: Chat) {
    chat.says("hi");
    for (accept, expected) in [
        ("text/plain;q=0.5, application/json", "application/json"),
        ("application/json;q=0.5, text/plain", "text/plain"),
        ("text/html;q=0.1, application/json;q=0.9", "application/json"),
        ("application/json;q=0", "text/plain"),
    ] {
        assert_eq!(media_type(&chat, Some(accept)), expected, "{accept}");
    }
}

fn a_page_speaks_its_reader_s_language(chat: Chat) {
    let room = chat.path("");
    let (page, login) = (chat.get(""), Request::get("/nowhere"));
    for (asked, tag) in [
        ("", "en"),
        ("tlh", "en"),
        ("*", "en"),
        ("de", "de"),
        ("DE-at", "de"),
        ("de-Latn-CH-1996", "de"),
        ("tlh, de;q=0.8, en;q=0.7", "de"),
        ("en;q=0.2,de;q=0.3", "de"),
        ("de;q=0, en-GB", "en"),
        ("de;q=x", "en"),
        (";,;q=1,-", "en"),
    ] {
        for (request, words) in
            [(&page, ["Messages", "Nachrichten"]), (&login, ["nothing here", "Hier ist nichts"])]
        {
            let reply = chat.ask(&request.clone().accept("text/html").header("Accept-Language", asked));
            assert_eq!(reply.expect_header("Content-Language"), tag, "{asked}");
            let text = reply.text();
            assert!(text.contains(&format!("<html lang=\"{tag}\" dir=\"ltr\">")), "{asked}");
            assert!(text.contains(words[usize::from(tag == "de")]), "{asked}: {text}");
        }
    }
    // The script has its phrases from a file of its own, which is kept for good; and programs are told in English.
    let german = chat.ask(&page.accept("text/html").header("Accept-Language", "de")).is(200);
    let file =
        german.text().split('"').find(|part| part.contains("/phrases-de-")).expect("a file").to_owned();
    let phrases = chat.ask(&Request::get(&file)).is(200);
    assert!(phrases.text().starts_with("globalThis.phrases={") && phrases.text().contains("Nicht gesendet"));
    assert!(phrases.expect_header("Cache-Control").contains("immutable"));
    let refused = chat.ask(&Request::get(&format!("{room}?wait=x")).header("Accept-Language", "de")).is(400);
    assert!(refused.text().starts_with("wait is "), "{}", refused.text());
}

fn no_reply_is_to_be_stored(chat: Chat) {
    chat.says("hi");
    for request in [
        chat.get("?after=oldest"),
        chat.get("?after=oldest").accept("application/json"),
        chat.get("?after=latest&wait=0"),
        chat.get("?wait=0"),
        chat.get("?wait=never"),
        chat.post().text("hi"),
        chat.post().text(""),
    ] {
        let reply = chat.ask(&request);
        assert_eq!(reply.header("Cache-Control"), Some("no-store"), "{request:?}");
    }
}

/// A cache between two clients could give one of them the other's format.
fn every_reply_says_that_accept_chose_its_form(chat: Chat) {
    chat.says("hi");
    let room = chat.path("");
    for request in [
        chat.get("?after=oldest"),
        chat.get("?after=oldest").accept("application/json"),
        chat.get("").accept("text/html"),
        chat.get("?after=latest&wait=0"),
        chat.get("?wait=0"),
        chat.get("?wait=never"),
        chat.post().text("hi"),
        chat.post().text(""),
        Request::get("/rooms"),
        Request::get(&format!("{room}/people")),
        Request::get(&format!("{room}/history")),
        Request::get("/health"),
        Request::get("/health/live"),
        Request::get("/"),
        Request::get("/nowhere"),
        Request::get("/help").header("Host", "elsewhere.example"),
        Request::get("/page/nothing.js"),
        Request::get(&format!("{room}/qr")),
        Request::new("HEAD", &room),
        Request::new("OPTIONS", &room),
        Request::new("DELETE", &room),
        Request::new("HEAD", &room).accept("text/event-stream"),
        Request::new("HEAD", &room).accept("application/x-ndjson"),
        chat.post().text(&"x".repeat(70_000)),
        chat.post().form(&[("message", "hi")]).accept("text/html"),
    ] {
        let reply = chat.ask(&request);
        let vary = reply.expect_header("Vary");
        let chosen: Vec<&str> = vary.split(", ").collect();
        assert_eq!(chosen[0], "Accept", "{request:?}");
        // Only pages have words in a language.
        let is_page = reply.header("Content-Type") == Some("text/html; charset=utf-8");
        assert_eq!(chosen.contains(&"Accept-Language"), is_page, "{vary}: {request:?}");
        assert_eq!(reply.header("Content-Language").is_some(), is_page, "{request:?}");
    }
    assert_eq!(chat.ask(&Request::get(&script(&chat))).header("Vary"), Some("Accept-Encoding"));
}

/// A tag that a proxy had weakened when it compressed the file matched nothing, and neither did `*`.
fn a_file_that_the_browser_has_is_not_sent_again(chat: Chat) {
    let script = script(&chat);
    let file = || Request::get(&script);
    let tag = chat.ask(&file()).is(200).expect_header("ETag").to_owned();
    for known in [&tag, &format!("W/{tag}"), &format!("\"x\", W/{tag}"), "*"] {
        chat.ask(&file().header("If-None-Match", known)).is(304);
    }
    chat.ask(&file().header("If-None-Match", "W/\"x\"")).is(200);
}

/// A room's page with 50 messages was 40 KiB on the wire, on a phone's slow line.
fn long_replies_are_compressed_if_the_client_accepts_that(chat: Chat) {
    let text = "so it goes ".repeat(300);
    chat.says(&text);
    for (query, accept) in
        [("", "text/html"), ("/history", "application/json"), ("?after=oldest&wait=0", "application/json")]
    {
        let request = || chat.get(query).accept(accept);
        let reply = chat.ask(&request().header("Accept-Encoding", "br, gzip;q=0.8")).is(200);
        assert_eq!(reply.expect_header("Content-Encoding"), "gzip", "{query}");
        let mut plain = String::new();
        GzDecoder::new(&*reply.body).read_to_string(&mut plain).expect("a gzip stream of UTF-8");
        assert!(plain.contains(text.trim_end()), "{query}");
        assert!(reply.body.len() < plain.len() / 2, "{query}");
        for coding in ["", "br", "gzip;q=0", "gzip; q=0.0"] {
            let reply = chat.ask(&request().header("Accept-Encoding", coding)).is(200);
            assert_eq!(reply.header("Content-Encoding"), None, "{coding}");
            let vary = reply.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Vary"));
            let vary: Vec<&str> = vary.map(|(_, value)| value.as_str()).collect();
            let is_page = accept == "text/html";
            let by =
                if is_page { "Accept, Accept-Language, Accept-Encoding" } else { "Accept, Accept-Encoding" };
            assert_eq!(vary, [by], "{coding}: a cache tells them apart");
        }
    }
    // The answer to a wait goes to all waiters at once. It is not compressed for each of them.
    let wait = chat.get("?after=oldest").accept("application/json").header("Accept-Encoding", "gzip");
    assert_eq!(chat.ask(&wait).is(200).header("Content-Encoding"), None);
}

/// Each load of the page asked for 30 files again and got 304 for each. With a round trip of 150 ms the
/// script was ready after 1.1 s.
fn the_files_of_the_page_are_kept_for_good(chat: Chat) {
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    let files: Vec<&str> = page.text().split('"').filter(|part| part.starts_with("/page/")).collect();
    assert!((3..9).contains(&files.len()), "{files:?}");
    for file in files {
        let reply = chat.ask(&Request::get(file)).is(200);
        assert_eq!(reply.expect_header("Cache-Control"), "public, max-age=31536000, immutable", "{file}");
        let (stem, extension) = file.rsplit_once('.').expect("a file has an extension");
        chat.ask(&Request::get(&format!("{}x.{extension}", &stem[..stem.len() - 1]))).is(404);
    }
}

fn the_app_has_a_manifest_icons_and_a_worker(chat: Chat) {
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    let (_, link) = page.text().split_once("<link rel=\"manifest\" href=\"").expect("a manifest");
    let manifest = chat.ask(&Request::get(link.split('"').next().expect("its address"))).is(200);
    assert_eq!(manifest.expect_header("Content-Type"), "application/manifest+json");
    let manifest = manifest.json();
    assert_eq!(manifest["start_url"], "../chat/lobby?start");
    for icon in manifest["icons"].as_array().expect("icons") {
        let file = format!("/page/{}", icon["src"].as_str().expect("a name"));
        let reply = chat.ask(&Request::get(&file)).is(200);
        assert_eq!(reply.expect_header("Content-Type"), icon["type"], "{file}");
        assert!(reply.expect_header("Cache-Control").contains("immutable"), "{file}");
    }
    // It is asked for by the same name in every version, and serves all rooms.
    let worker = Request::get("/page/worker.js");
    let reply = chat.ask(&worker).is(200);
    assert_eq!(reply.expect_header("Content-Type"), "text/javascript; charset=utf-8");
    let tag = reply.expect_header("ETag").to_owned();
    for reply in [reply, chat.ask(&worker.header("If-None-Match", &tag)).is(304)] {
        assert_eq!(reply.expect_header("Cache-Control"), "no-cache");
        assert_eq!(reply.expect_header("Service-Worker-Allowed"), "../");
    }
}

/// The address of the page's script.
fn script(chat: &Chat) -> String {
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    let script = page.text().split('"').find(|part| part.starts_with("/page/") && part.ends_with(".js"));
    script.expect("the page has a script").to_owned()
}
