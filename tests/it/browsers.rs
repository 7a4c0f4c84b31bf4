//! What replies tell browsers: what other sites' pages may do with them, and which of these may use the server.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::chat::Chat;
use crate::client::Request;
use crate::harness::Launch;

on_every_engine![
    every_reply_protects_its_reader,
    the_style_comes_with_the_page_to_a_browser_that_has_no_file_of_it,
    a_browser_that_is_refused_gets_a_page_with_the_way_back,
    what_was_written_in_a_form_that_is_refused_is_not_lost,
    a_named_site_s_page_does_all_and_another_s_nothing,
    a_page_asks_first_and_is_told_what_it_may_send,
    every_page_may_read_if_the_operator_says_so,
    an_origin_that_can_t_be_meant_is_refused_at_the_start,
];

fn a_browser_that_is_refused_gets_a_page_with_the_way_back(chat: Chat) {
    let room = format!("/chat/{}", chat.name());
    for (request, status, title, way_back) in [
        (Request::get("/nowhere"), 404, "There is nothing here", "/chat/lobby"),
        (Request::get("/chat/a%20b"), 400, "There is no such room", "/chat/lobby"),
        (Request::get("/chat/%3Cb%3E"), 400, "There is no such room", "/chat/lobby"),
        (chat.get("/history?limit=0"), 400, "This did not work", &room),
        (chat.post_to("/leave").form(&[]), 400, "This did not work", &room),
    ] {
        let request = request.breaking_the_rules();
        let page = chat.ask(&request.clone().accept("text/html")).is(status);
        assert_eq!(page.expect_header("Content-Type"), "text/html; charset=utf-8");
        let policy = page.expect_header("Content-Security-Policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        for part in [format!("<h1>{title}</h1>"), format!("<a href=\"{way_back}\">")] {
            assert!(page.text().contains(&part), "{part}: {}", page.text());
        }
        // Whoever is no browser gets a sentence, or a problem.
        let sentence = chat.ask(&request).is(status);
        assert_eq!(sentence.expect_header("Content-Type"), "text/plain; charset=utf-8");
        let problem = chat.ask(&request.accept("application/json")).is(status);
        assert_eq!(problem.expect_header("Content-Type"), "application/problem+json");
    }
}

fn what_was_written_in_a_form_that_is_refused_is_not_lost(chat: Chat) {
    let text = "one\n<b>two</b> & \"three\"";
    let form = |name: &str| {
        let form = chat.post().form(&[("message", text), ("name", name), ("id", "the-form-s-own-id")]);
        form.accept("text/html")
    };
    chat.ask(&form("anna").header("Chat-Key", "the-secret-key-of-anna")).is(303);
    for (name, status) in [("anna", 409), ("x".repeat(65).as_str(), 400)] {
        let page = chat.ask(&form(name).breaking_the_rules()).is(status);
        for part in [
            "<h1>This was not sent</h1>",
            "\none\n&#60;b&#62;two&#60;/b&#62; &#38; &#34;three&#34;</textarea>",
            &format!("action=\"/chat/{}\"", chat.name()),
            &format!("value=\"{name}\""),
        ] {
            assert!(page.text().contains(part), "{part}: {}", page.text());
        }
        // What is sent again is another message than the one of the first form.
        assert!(!page.text().contains("the-form-s-own-id"), "{}", page.text());
    }
}

fn the_style_comes_with_the_page_to_a_browser_that_has_no_file_of_it(chat: Chat) {
    chat.says("hi");
    let page = |headers: &[(&str, &str)]| {
        let page = chat.get("").accept("text/html");
        let page = headers.iter().fold(page, |page, (name, value)| page.header(name, value));
        chat.ask(&page).is(200)
    };
    let first = page(&[("Sec-Fetch-Mode", "navigate")]);
    let (_, style) = first.text().split_once("<style>").expect("a style");
    let (style, _) = style.split_once("</style>").expect("its end");
    let hash = BASE64_STANDARD.encode(hmac_sha256::Hash::hash(style.as_bytes()));
    let policy = first.expect_header("Content-Security-Policy");
    assert!(policy.contains(&format!("'sha256-{hash}'")) && !policy.contains("unsafe"), "{policy}");
    let linked = |text: &str| {
        text.split('"')
            .find(|part| part.starts_with("/page/page-") && part.ends_with(".css"))
            .map(str::to_owned)
    };
    assert_eq!(linked(first.text()), None);

    for headers in [
        // The worker has the files.
        &[("Sec-Fetch-Mode", "navigate"), ("Service-Worker-Navigation-Preload", "true")][..],
        // So it does not need the style when it looks after a page.
        &[("Sec-Fetch-Mode", "cors")],
        // On plain http a browser does not say whether it was here before.
        &[],
    ] {
        let page = page(headers);
        assert!(!page.text().contains("<style"), "{headers:?}");
        let sheet = linked(page.text()).expect("a sheet");
        assert_eq!(chat.ask(&Request::get(&sheet)).is(200).text(), style);
    }
}

const APP: &str = "https://app.example";

fn every_reply_protects_its_reader(launch: Launch) {
    let server = launch.start();
    let chat = server.chat();
    chat.says("hi");
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    let file = page.text().split('"').find(|part| part.starts_with("/page/")).expect("a file").to_owned();
    let tag = chat.ask(&Request::get(&file)).is(200).expect_header("ETag").to_owned();
    let mut seen = Vec::new();
    for request in [
        Request::get("/"),
        Request::get("/help"),
        Request::get("/metrics"),
        Request::get("/openapi.json"),
        Request::get("/nowhere"),
        Request::get("/rooms").header("Host", "elsewhere.example"),
        Request::get(&file),
        Request::get(&file).header("If-None-Match", &tag),
        Request::new("DELETE", "/help"),
        Request::new("OPTIONS", "/chat"),
        Request::new("HEAD", "/chat?wait=0"),
        chat.get("").accept("text/html"),
        chat.get("?view=backlog").accept("text/html"),
        chat.get("/qr"),
        chat.get("?after=oldest").accept("application/json"),
        chat.get("?after=latest&wait=0"),
        chat.get("?wait=0"),
        chat.get("?wait=x"),
        chat.post().text("hi"),
        chat.post().text("hi").header("Origin", "http://evil.example"),
        chat.post().text(&"x".repeat(70_000)),
    ] {
        let reply = chat.ask(&request);
        for (name, value) in [
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Referrer-Policy", "same-origin"),
        ] {
            let values = reply.headers.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
            assert_eq!(values.map(|(_, value)| &**value).collect::<Vec<_>>(), [value], "{request:?}");
        }
        let policy = reply.expect_header("Content-Security-Policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors"), "{policy}");
        assert_eq!(reply.header("Access-Control-Allow-Origin"), None);
        seen.push(reply.status);
    }
    for status in [200, 204, 303, 304, 400, 403, 404, 405, 413, 421] {
        assert!(seen.contains(&status), "{status} was not tried: {seen:?}");
    }
    // A stream's head, and what no engine can read.
    let mut connection = server.connect();
    connection.send(&chat.get("?after=oldest&limit=1").accept("text/event-stream"));
    assert_eq!(connection.reply().is(200).expect_header("Referrer-Policy"), "same-origin");
    let mut rude = server.connect();
    let framing = "Content-Length: 1\r\nContent-Length: 2";
    rude.send_bytes(format!("POST /chat HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\nhi").as_bytes());
    assert_eq!(rude.reply().is(400).expect_header("Referrer-Policy"), "same-origin");
}

fn a_named_site_s_page_does_all_and_another_s_nothing(launch: Launch) {
    let server =
        launch.with_flag("--allow-origin", APP).with_flag("--allow-origin", "http://localhost:3000").start();
    let chat = server.chat();
    let sent = |request: Request, origin: &str| {
        chat.ask(&request.header("Origin", origin).header("Sec-Fetch-Site", "cross-site"))
    };
    for origin in [APP, "http://localhost:3000"] {
        for reply in [
            sent(chat.post().text("hi"), origin).is(200),
            sent(chat.get("?after=oldest&name=ann"), origin).is(200),
            sent(chat.get("?after=oldest&limit=1").accept("text/event-stream"), origin).is(200),
            sent(chat.leave("ann"), origin).is(200),
            // It must be able to read why it was refused.
            sent(chat.get("?wait=x"), origin).is(400),
        ] {
            assert_eq!(reply.expect_header("Access-Control-Allow-Origin"), origin);
            assert_eq!(reply.expect_header("Access-Control-Allow-Credentials"), "true");
            assert!(reply.expect_header("Vary").contains("Origin"));
            let exposed = reply.expect_header("Access-Control-Expose-Headers");
            assert!(exposed.contains("Chat-Cursor") && exposed.contains("Retry-After"), "{exposed}");
        }
    }
    let start = chat.cursor();
    for origin in ["https://app.example.evil", "http://app.example", "https://app.example:444", "null", "*"] {
        let refused = sent(chat.post().text("buy"), origin).is(403);
        let read = sent(chat.get("?after=oldest"), origin).is(200);
        for reply in [refused, read] {
            assert_eq!(reply.header("Access-Control-Allow-Origin"), None, "{origin}");
            // A cache must not give it to a page of the site that may.
            assert!(reply.expect_header("Vary").contains("Origin"));
        }
    }
    assert_eq!(chat.cursor(), start);
    let twice = chat.post().text("buy").header("Origin", APP).header("Origin", "http://evil.example");
    chat.ask(&twice).is(403);
}

fn a_page_asks_first_and_is_told_what_it_may_send(launch: Launch) {
    let server = launch.with_flag("--allow-origin", APP).start();
    let chat = server.chat();
    let asks = |origin: &str| {
        Request::new("OPTIONS", &chat.path(""))
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "content-type,idempotency-key")
    };
    let told = chat.ask(&asks(APP)).is(204);
    assert_eq!(told.expect_header("Access-Control-Allow-Origin"), APP);
    assert_eq!(told.expect_header("Access-Control-Allow-Methods"), "GET, HEAD, POST");
    let headers = told.expect_header("Access-Control-Allow-Headers");
    for header in ["Authorization", "Chat-Key", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Prefer"]
    {
        assert!(headers.contains(header), "{headers}");
    }
    assert_eq!(told.expect_header("Access-Control-Max-Age"), "3600");
    assert!(told.expect_header("Allow").contains("POST"));
    let other = chat.ask(&asks("http://evil.example")).is(204);
    assert!(other.headers.iter().all(|(name, _)| !name.starts_with("Access-Control")), "{other:?}");
}

fn every_page_may_read_if_the_operator_says_so(launch: Launch) {
    let server = launch.with_flag("--allow-origin", "*").start();
    let chat = server.chat();
    chat.says("hi");
    let from = |request: Request| request.header("Origin", "http://any.example");
    let read = chat.ask(&from(chat.get("?after=oldest"))).is(200);
    assert_eq!(read.expect_header("Access-Control-Allow-Origin"), "*");
    assert_eq!(read.header("Access-Control-Allow-Credentials"), None);
    for changes in [chat.post().text("buy"), chat.leave("ann"), chat.get("?wait=0&name=eve")] {
        chat.ask(&from(changes)).is(403);
    }
    let asks = Request::new("OPTIONS", &chat.path("")).header("Access-Control-Request-Method", "POST");
    let told = chat.ask(&from(asks)).is(204);
    assert_eq!(told.expect_header("Access-Control-Allow-Methods"), "GET, HEAD");
}

fn an_origin_that_can_t_be_meant_is_refused_at_the_start(launch: Launch) {
    let reason = launch.with_flag("--allow-origin", "app.example").refuses();
    assert!(
        reason.contains("--allow-origin app.example") && reason.contains("https://app.example"),
        "{reason}"
    );
}
