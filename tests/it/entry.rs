//! Who may enter: a passphrase for all, sessions and invites that follow from it, and tokens for scripts.

use std::io::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::client::{Reply, Request};
use crate::contract::DESCRIPTION;
use crate::harness::{Launch, wait_until};
use crate::server::Server;

on_every_engine![
    a_stranger_is_asked_for_the_passphrase_everywhere,
    a_script_gives_the_passphrase_by_basic,
    a_browser_logs_in_and_goes_on_to_what_it_asked_for,
    nobody_is_sent_to_another_site,
    an_invite_lets_a_browser_in_without_the_passphrase,
    behind_a_prefix_all_this_stays_behind_it,
    secrets_are_in_no_log,
    wrong_tries_are_slowed_and_who_is_in_is_not,
    another_passphrase_ends_every_session,
    a_file_with_a_fault_changes_nothing,
    a_token_gives_its_rights_and_no_others,
    who_may_read_some_rooms_sees_no_others_in_the_list,
    tokens_alone_close_the_chat,
    without_a_passphrase_everybody_is_in,
    a_bad_file_is_refused_at_the_start,
    an_operator_changes_every_message_of_their_rooms,
    an_operator_is_in_by_the_token,
];

const PASSPHRASE: &str = "open sesame, pl\u{e9}ase";

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// A file of the test's own.
pub fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    write!(file, "{text}").expect("a disk with room");
    file
}

pub fn with_file(launch: Launch, flag: &str, file: &NamedTempFile) -> Launch {
    launch.with_flag(flag, file.path().to_str().expect("a path in UTF-8"))
}

fn with_passphrase(launch: Launch) -> Server {
    let file = file(&format!("{PASSPHRASE}\nnot this line\n"));
    with_file(launch, "--passphrase-file", &file).start()
}

fn ask(server: &Server, request: Request) -> Reply {
    server.connect().ask(&request)
}

/// As `curl -u NAME:PASSPHRASE` sends it.
fn basic(request: Request, name: &str, passphrase: &str) -> Request {
    request.header("Authorization", &format!("Basic {}", base64(&format!("{name}:{passphrase}"))))
}

pub fn bearer(request: Request, token: &str) -> Request {
    request.header("Authorization", &format!("Bearer {token}"))
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// As a browser asks for a page.
fn browser(request: Request) -> Request {
    request.accept(HTML).header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")
}

fn login(passphrase: &str, to: &str) -> Request {
    browser(Request::post("/login")).form(&[("passphrase", passphrase), ("to", to)])
}

/// The cookie that a reply sets, as a browser sends it back.
#[track_caller]
fn session(reply: &Reply) -> String {
    let (cookie, rest) = reply.expect_header("Set-Cookie").split_once(';').expect("attributes");
    for attribute in ["Path=/", "Max-Age=", "HttpOnly", "SameSite=Lax"] {
        assert!(rest.contains(attribute), "{rest}");
    }
    assert!(!rest.contains("Secure"), "over plain HTTP a browser would not send it");
    cookie.to_owned()
}

fn log_in(server: &Server) -> String {
    session(&ask(server, login(PASSPHRASE, "/")).is(303))
}

fn a_stranger_is_asked_for_the_passphrase_everywhere(launch: Launch) {
    let server = with_passphrase(launch);
    for (template, operations) in DESCRIPTION["paths"].as_object().expect("paths") {
        let path = template.replace("{room}", "lobby").replace("{file}", "none.css");
        let path = path.replace("{of}", "0123abcd-1-89abcdef").replace("{filename}", "x.png");
        let open = ["/health", "/health/live", "/page/{file}"].contains(&template.as_str());
        for (operation, method) in [("get", "GET"), ("get", "HEAD"), ("post", "POST")] {
            if operations.get(operation).is_none() || (method == "POST" && template == "/login") {
                continue;
            }
            let reply = ask(&server, Request::new(method, &path).accept("application/json"));
            if open {
                assert_ne!(reply.status, 401, "{method} {path}");
                continue;
            }
            let reply = reply.is(401);
            assert_eq!(
                reply.expect_header("WWW-Authenticate"),
                r#"Basic realm="comet-chat", charset="UTF-8""#
            );
            if method != "HEAD" {
                assert_eq!(reply.json()["type"], "urn:comet-chat:not-in", "{method} {path}");
            }
        }
        ask(&server, Request::new("OPTIONS", &path)).is(204);
    }
    // What is malformed, or nowhere, tells a stranger nothing.
    ask(&server, Request::get("/chat/lobby?wait=soon")).is(401);
    ask(&server, Request::get("/nowhere")).is(401);
    // A browser would open a dialog of its own.
    let fetch = browser(Request::get("/rooms")).header("Sec-Fetch-Mode", "cors");
    assert!(ask(&server, fetch).is(401).expect_header("WWW-Authenticate").starts_with("Cookie "));
}

fn a_script_gives_the_passphrase_by_basic(launch: Launch) {
    let server = with_passphrase(launch);
    wait_until("the greeting says how", || server.lines_with("  curl -u NAME:PASSPHRASE http") == 2);
    let say = |fields: &[(&str, &str)]| Request::post("/chat/talk").form(fields);
    ask(&server, basic(say(&[("message", "one")]), "anna", PASSPHRASE)).is(200);
    ask(&server, basic(say(&[("message", "two"), ("name", "ben")]), "anna", PASSPHRASE)).is(200);
    ask(&server, basic(say(&[("message", "three")]), "", PASSPHRASE)).is(200);
    for (name, passphrase) in [("anna", "open sesame"), ("anna", ""), ("", "")] {
        let reply = ask(&server, basic(say(&[("message", "no")]), name, passphrase)).is(401);
        assert!(reply.text().contains("not the passphrase"), "{}", reply.text());
    }
    ask(&server, basic(say(&[("message", "no")]), "a\u{7}nna", PASSPHRASE)).is(400);
    let look = Request::get("/chat/talk?after=oldest&wait=0&kinds=message").accept("application/json");
    let told = ask(&server, basic(look, "cleo", PASSPHRASE)).is(200).json();
    let said = told["messages"].as_array().expect("messages").iter();
    let said: Vec<_> = said.map(|message| (message["name"].clone(), message["text"].clone())).collect();
    assert_eq!(
        said,
        [(json!("anna"), json!("one")), (json!("ben"), json!("two")), (json!(null), json!("three"))]
    );
    // Who waits is present, under that name; who only looked is not.
    let mut waiting = server.connect();
    waiting.send(&basic(Request::get("/chat/talk?after=latest&wait=60"), "dora", PASSPHRASE));
    let people = || ask(&server, basic(Request::get("/chat/talk/people"), "", PASSPHRASE)).text().to_owned();
    wait_until("dora is there", || people().contains("dora"));
    assert!(!people().contains("cleo"));
}

fn a_browser_logs_in_and_goes_on_to_what_it_asked_for(launch: Launch) {
    let server = with_passphrase(launch);
    let page = browser(Request::get("/chat/talk?name=anna"));
    let asked = ask(&server, page.clone()).is(401);
    assert!(asked.expect_header("Content-Type").starts_with("text/html"));
    assert!(asked.expect_header("WWW-Authenticate").starts_with("Cookie "));
    assert!(asked.text().contains(r#"<form method="post" action="/login""#), "{}", asked.text());
    assert!(asked.text().contains(r#"name="to" value="/chat/talk?name=anna""#), "{}", asked.text());
    assert!(!asked.text().contains("role=\"alert\""), "a first visit is no mistake");

    let wrong = ask(&server, login("open sesame", "/chat/talk?name=anna")).is(401);
    assert!(wrong.text().contains("This is not the passphrase"), "{}", wrong.text());
    assert!(wrong.text().contains(r#"name="to" value="/chat/talk?name=anna""#), "{}", wrong.text());
    assert_eq!(wrong.header("Set-Cookie"), None);
    // Whoever's session ended while they wrote does not lose it.
    let form = Request::post("/chat/talk").form(&[("message", "what <I> wrote"), ("name", "anna")]);
    let late = ask(&server, browser(form)).is(401);
    assert!(late.text().contains("what &#60;I&#62; wrote</textarea>"), "{}", late.text());

    // A phone adds a blank, and a keyboard writes the letter with its accent beside it.
    let right = ask(&server, login(" open sesame, ple\u{301}ase ", "/chat/talk?name=anna")).is(303);
    assert_eq!(right.expect_header("Location"), "/chat/talk?name=anna");
    let cookie = session(&right);
    let with = |cookie: &str| ask(&server, page.clone().header("Cookie", cookie));
    assert!(with(&cookie).is(200).text().contains("data-invites"));
    with(&format!("theme=dark; {cookie}; a=b")).is(200);
    with(&format!("chat-session=12.ab; {cookie}")).is(200);
    with(&cookie.replace("session=1", "session=2")).is(401);
    with(&cookie[..cookie.len() - 1]).is(401);
    with(&cookie.to_uppercase()).is(401);
    // Who is in is not asked again.
    let again = Request::get("/login?to=%2Fchat%2Fwork").header("Cookie", &cookie);
    assert_eq!(ask(&server, again).is(303).expect_header("Location"), "/chat/work");
    let asked = ask(&server, browser(Request::get("/login?to=%2Fchat%2Fwork"))).is(401);
    assert!(asked.text().contains(r#"name="to" value="/chat/work""#), "{}", asked.text());
    // A form that was sent too late leads back to the room.
    let late = browser(Request::post("/chat/talk")).form(&[("message", "hi")]);
    assert!(ask(&server, late).is(401).text().contains(r#"name="to" value="/chat/talk""#));
}

fn nobody_is_sent_to_another_site(launch: Launch) {
    let server = with_passphrase(launch);
    for to in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "",
        "/a b",
        "/\r\nX: y",
        "/\u{e9}",
    ] {
        let reply = ask(&server, login(PASSPHRASE, to)).is(303);
        assert_eq!(reply.expect_header("Location"), "/", "{to:?}");
    }
    let asked = ask(&server, browser(Request::get("/chat/x?a=\"><script>")).breaking_the_rules());
    assert!(!asked.text().contains("<script>"));
    let from_elsewhere = login(PASSPHRASE, "/").header("Origin", "http://evil.example");
    ask(&server, from_elsewhere).is(403);
    ask(&server, Request::post("/login").json(json!({"passphrase": PASSPHRASE}))).is(415);
    ask(&server, Request::post("/login").form(&[("to", "/")])).is(400);
}

fn an_invite_lets_a_browser_in_without_the_passphrase(launch: Launch) {
    let server = with_passphrase(launch);
    let cookie = log_in(&server);
    let invite = |cookie: &str| {
        let request = Request::post("/chat/talk/invite").header("Cookie", cookie);
        ask(&server, request.accept("application/json")).is(200).json()
    };
    let url = invite(&cookie)["url"].as_str().expect("an address").to_owned();
    let (_, path) = url.split_once("://localhost").unwrap_or_else(|| panic!("{url}"));
    let plain = ask(&server, Request::post("/chat/talk/invite").header("Cookie", &cookie)).is(200);
    assert!(plain.text().starts_with("http://localhost/chat/talk?invite="), "{}", plain.text());

    let seen = "/chat/talk/invite?origin=https%3A%2F%2Flocalhost";
    let seen = ask(&server, Request::post(seen).header("Cookie", &cookie)).is(200);
    assert!(seen.text().starts_with("https://localhost/chat/talk?invite="), "{}", seen.text());

    // A phone opens it; before that, the app that was sent the link looks what is there.
    ask(&server, Request::new("HEAD", path)).is(303);
    let opened = ask(&server, browser(Request::get(&format!("{path}&name=eve")))).is(303);
    assert_eq!(opened.expect_header("Location"), "/chat/talk?name=eve");
    let guest = session(&opened);
    let page = browser(Request::get("/chat/talk"));
    ask(&server, page.clone().header("Cookie", &guest)).is(200);
    // It lets into every room.
    let lobby = browser(Request::get(&path.replace("/talk", "")));
    assert_eq!(ask(&server, lobby).is(303).expect_header("Location"), "/chat");
    // Who is in for longer stays so, and the address is tidied up.
    let tidied = ask(&server, browser(Request::get(path)).header("Cookie", &cookie)).is(303);
    assert_eq!(tidied.header("Set-Cookie"), None);

    // A guest may invite, but not beyond the guest's own time.
    let (first, second) = (invite(&cookie), invite(&guest));
    assert!(second["expires"].as_str() <= first["expires"].as_str());
    let ends = |token: &str| {
        token.split_once("invite=").map(|(_, token)| token.split('.').next().unwrap().to_owned())
    };
    let of_guest = second["url"].as_str().expect("an address");
    assert_eq!(
        ends(of_guest).as_deref(),
        guest.strip_prefix("chat-session=").and_then(|rest| rest.split('.').next())
    );

    // An invite is no session, and a session is no invite.
    let token = path.split_once("invite=").expect("an invite").1;
    ask(&server, page.clone().header("Cookie", &format!("chat-session={token}"))).is(401);
    let session = cookie.strip_prefix("chat-session=").expect("a session");
    let forged = ask(&server, browser(Request::get(&format!("/chat/talk?invite={session}")))).is(401);
    assert!(forged.text().contains("This invite has ended"), "{}", forged.text());
    assert!(forged.text().contains(r#"name="to" value="/chat/talk""#), "{}", forged.text());
    // The code for phones holds one too.
    let code = |cookie: &str| ask(&server, Request::get("/chat/talk/qr").header("Cookie", cookie)).is(200);
    assert!(code(&cookie).body.len() > 2 * 1_000);
    ask(&server, Request::get("/chat/talk/qr")).is(401);
}

fn behind_a_prefix_all_this_stays_behind_it(launch: Launch) {
    let server = with_passphrase(launch.with_flag("--public-url", "https://chat.example/talk"));
    let ask = |request: Request| ask(&server, request.header("Host", "chat.example").breaking_the_rules());
    for path in ["/talk/chat/work", "/chat/work"] {
        let page = ask(browser(Request::get(path))).is(401);
        assert!(page.text().contains(r#"action="/talk/login""#), "{}", page.text());
        assert!(page.text().contains(r#"name="to" value="/chat/work""#), "{}", page.text());
        assert!(!page.text().contains("\"/page/"), "{}", page.text());
    }
    let reply =
        ask(browser(Request::post("/talk/login")).form(&[("passphrase", PASSPHRASE), ("to", "/chat/work")]));
    assert_eq!(reply.expect_header("Location"), "/talk/chat/work");
    let cookie = reply.expect_header("Set-Cookie");
    assert!(cookie.contains("; Path=/talk; ") && cookie.ends_with("; Secure"), "{cookie}");
    let invite =
        Request::post("/talk/chat/work/invite").header("Cookie", cookie.split(';').next().expect("a cookie"));
    let invite = ask(invite).is(200);
    let (address, token) = invite.text().trim().split_once('?').expect("an invite");
    assert_eq!(address, "https://chat.example/talk/chat/work");
    let opened = ask(browser(Request::get(&format!("/talk/chat/work?{token}"))));
    assert_eq!(opened.is(303).expect_header("Location"), "/talk/chat/work");
}

fn secrets_are_in_no_log(launch: Launch) {
    let tokens = file("xyzzy-0123456789abcdef read * the dashboard\n");
    let launch = with_file(launch.with_flag("--log", "debug"), "--tokens-file", &tokens);
    let server = with_passphrase(launch);
    let cookie = log_in(&server);
    let invite = Request::post("/chat/talk/invite").header("Cookie", &cookie);
    let url = ask(&server, invite).is(200).text().trim().to_owned();
    let path = url.split_once("localhost").expect("an address").1;
    let token = path.split_once("invite=").expect("an invite").1;
    ask(&server, Request::get(path)).is(303);
    ask(&server, bearer(Request::get("/rooms"), "xyzzy-0123456789abcdef")).is(200);
    ask(&server, bearer(Request::get("/rooms"), "xyzzy-wrong-wrong-wrong")).is(401);
    wait_until("the last line is written", || server.lines_with("status=401") == 1);
    assert_eq!(server.lines_with("the dashboard"), 1);
    let tag = |signed: &str| signed.split_once('.').expect("a tag").1.to_owned();
    for secret in ["xyzzy", "sesame", &tag(token), &tag(&cookie), &base64("anna:open")] {
        assert_eq!(server.lines_with(secret), 0, "{secret:?} is in the log");
    }
}

fn wrong_tries_are_slowed_and_who_is_in_is_not(launch: Launch) {
    let server = with_passphrase(launch);
    let cookie = log_in(&server);
    let slowed = || {
        let reply = ask(&server, login("guess", "/chat/talk"));
        assert!([401, 429].contains(&reply.status), "{reply:?}");
        reply.status == 429
    };
    wait_until("a wrong try is slowed", slowed);
    let slowed = ask(&server, basic(Request::get("/rooms"), "anna", PASSPHRASE));
    // A slow test may have waited long enough.
    if slowed.status != 200 {
        let wait: u64 = slowed.is(429).expect_header("Retry-After").parse().expect("seconds");
        assert!((1..=5).contains(&wait), "{wait} s");
    }
    for _ in 0..20 {
        ask(&server, Request::get("/rooms").header("Cookie", &cookie)).is(200);
    }
    wait_until("the operator is told", || server.lines_with("too many wrong tries") >= 1);
}

fn another_passphrase_ends_every_session(launch: Launch) {
    let passphrase = file(PASSPHRASE);
    let again = with_file(launch.again(), "--passphrase-file", &passphrase);
    let server = with_file(launch, "--passphrase-file", &passphrase).start();
    let cookie = log_in(&server);
    let rooms = || Request::get("/rooms").header("Cookie", &cookie);
    // Another instance with the same passphrase, and the next start of this one, know the session.
    ask(&again.start(), rooms()).is(200);
    let mut stream = server.chat().room("talk").events("?after=latest", &[("Cookie", &cookie)]);

    std::fs::write(passphrase.path(), "another one\n").expect("a disk with room");
    server.signal("HUP");
    wait_until("the session has ended", || ask(&server, rooms()).status == 401);
    ask(&server, basic(Request::get("/rooms"), "", PASSPHRASE)).is(401);
    ask(&server, basic(Request::get("/rooms"), "", "another one")).is(200);
    let say = Request::post("/chat/talk").form(&[("message", "not for strangers")]);
    ask(&server, basic(say, "", "another one")).is(200);
    while let Some(event) = stream.try_next().expect("the stream ends properly") {
        assert!(!event.data.is_some_and(|data| data.contains("not for strangers")), "it was told");
    }
}

fn a_file_with_a_fault_changes_nothing(launch: Launch) {
    let (passphrase, tokens) = (file(PASSPHRASE), file("0123456789abcdef read *\n"));
    let launch = with_file(launch, "--passphrase-file", &passphrase);
    let server = with_file(launch, "--tokens-file", &tokens).start();
    let asks = |token: &str| ask(&server, bearer(Request::get("/rooms"), token)).status;
    assert_eq!(asks("0123456789abcdef"), 200);
    std::fs::write(tokens.path(), "fedcba9876543210 read *\n\nfedcba9876543211 reed *\n").expect("room");
    server.signal("HUP");
    wait_until("the fault is told", || server.lines_with("line 3: \"reed\" is not read") == 1);
    assert_eq!((asks("0123456789abcdef"), asks("fedcba9876543210")), (200, 401));
    std::fs::write(tokens.path(), "fedcba9876543210 read *\n").expect("room");
    std::fs::write(passphrase.path(), "").expect("room");
    server.signal("HUP");
    wait_until("the other fault is told", || server.lines_with("has no passphrase") == 1);
    assert_eq!((asks("0123456789abcdef"), asks("fedcba9876543210")), (200, 401));
    std::fs::write(passphrase.path(), PASSPHRASE).expect("room");
    server.signal("HUP");
    wait_until("both are read", || server.lines_with("was read again") == 1);
    assert_eq!((asks("fedcba9876543210"), asks("0123456789abcdef")), (200, 401));
}

const TOKENS: &str = "
reader-0123456789 read   *              a dashboard
writer-0123456789 write  build-*
worker-0123456789 read,write build-*,lobby
";

fn a_token_gives_its_rights_and_no_others(launch: Launch) {
    let tokens = file(TOKENS);
    let server = with_file(launch, "--tokens-file", &tokens).start();
    let get = |target: &str| Request::get(target);
    let say = |room: &str| Request::post(&format!("/chat/{room}")).form(&[("message", "hi")]);
    let leave = |room: &str| Request::post(&format!("/chat/{room}/leave")).form(&[("name", "bot")]);
    for (request, reader, writer, worker) in [
        (say("build-1"), 403, 200, 200),
        (say("work"), 403, 403, 403),
        (say("lobby"), 403, 403, 200),
        (leave("build-1"), 403, 200, 200),
        (get("/chat/build-1?after=oldest&wait=0"), 200, 403, 200),
        (get("/chat?after=oldest&wait=0"), 200, 403, 200),
        (get("/chat/work?after=latest&wait=0"), 204, 403, 403),
        (get("/chat/build-1,build-2?last=1&wait=0"), 200, 403, 200),
        (get("/chat/build-1,work?last=1&wait=0"), 200, 403, 403),
        // Who is present has spoken: all see it.
        (get("/chat/build-1?after=oldest&wait=0&name=bot"), 403, 403, 200),
        (get("/chat/build-1/history"), 200, 403, 200),
        (get("/chat/build-1,build-2/history?q=hi"), 200, 403, 200),
        (get("/chat/build-1,work/history?q=hi"), 200, 403, 403),
        (get("/chat/work/people"), 200, 403, 403),
        (get("/chat/build-1").accept("text/html"), 200, 403, 200),
        (get("/rooms"), 200, 403, 200),
        (get("/metrics"), 200, 403, 403),
        (get("/help"), 200, 200, 200),
        (Request::post("/chat/build-1/invite"), 403, 403, 403),
    ] {
        for (token, status) in [("reader", reader), ("writer", writer), ("worker", worker)] {
            let reply = ask(&server, bearer(request.clone(), &format!("{token}-0123456789")));
            assert_eq!(reply.status, status, "{token}: {request:?} {}", reply.text());
        }
    }
    let reply =
        ask(&server, bearer(say("work"), "worker-0123456789").accept("application/json")).is(403).json();
    assert_eq!(reply["type"], "urn:comet-chat:no-right");
    assert!(
        reply["detail"].as_str().expect("a sentence").contains("read and write in build-*, lobby"),
        "{reply}"
    );
}

fn who_may_read_some_rooms_sees_no_others_in_the_list(launch: Launch) {
    let (tokens, passphrase) = (file(TOKENS), file(PASSPHRASE));
    let launch = with_file(launch, "--passphrase-file", &passphrase);
    let server = with_file(launch, "--tokens-file", &tokens).start();
    let mut rooms: Vec<String> = (0..12).map(|n| format!("build-{n:02}")).collect();
    for room in rooms.iter().flat_map(|room| [room.clone(), format!("{room}-"), format!("a{room}")]) {
        let say = Request::post(&format!("/chat/{room}")).form(&[("message", "hi")]);
        ask(&server, basic(say, "", PASSPHRASE)).is(200);
    }
    rooms.extend((0..12).map(|n| format!("build-{n:02}-")));
    rooms.sort();
    for order in ["name", "recent"] {
        let mut seen = Vec::new();
        let mut next = Some(format!("/rooms?order={order}&limit=5"));
        while let Some(target) = next.take() {
            let reply =
                ask(&server, bearer(Request::get(&target), "worker-0123456789").accept("application/json"));
            for room in reply.json()["rooms"].as_array().expect("rooms") {
                seen.push(room["room"].as_str().expect("a name").to_owned());
            }
            next = reply.header("Link").map(|_| reply.next());
        }
        seen.sort();
        assert_eq!(seen, rooms, "by {order}");
    }
}

fn tokens_alone_close_the_chat(launch: Launch) {
    let tokens = file(TOKENS);
    let server = with_file(launch, "--tokens-file", &tokens).start();
    let reply = ask(&server, Request::get("/rooms")).is(401);
    assert!(reply.expect_header("WWW-Authenticate").starts_with("Bearer "));
    assert!(reply.text().contains("token"), "{}", reply.text());
    let page = ask(&server, browser(Request::get("/chat"))).is(401);
    assert!(page.text().contains("for programs") && !page.text().contains("<form"), "{}", page.text());
    ask(&server, basic(Request::get("/rooms"), "", PASSPHRASE)).is(401);
    ask(&server, login(PASSPHRASE, "/")).is(401);
}

fn without_a_passphrase_everybody_is_in(launch: Launch) {
    let server = launch.start();
    assert_eq!(ask(&server, login("anything", "/chat/talk")).is(303).expect_header("Location"), "/chat/talk");
    let reply = ask(&server, Request::post("/chat/talk/invite")).is(404);
    assert!(reply.text().contains("open to all"), "{}", reply.text());
    ask(&server, browser(Request::get("/chat/talk?invite=12.ab"))).is(200);
    ask(&server, basic(Request::get("/rooms"), "anna", "anything")).is(200);
}

const OPERATORS: &str = "operator-0123456789 lobby,build-* the boss\n";

/// The id of something that somebody says in a room.
fn says(server: &Server, room: &str, lets_in: impl Fn(Request) -> Request) -> String {
    let said = Request::post(&format!("/chat/{room}")).form(&[("message", "spam"), ("name", "mallory")]);
    ask(server, lets_in(said)).is(200).cursor()
}

fn delete(room: &str, of: &str) -> Request {
    Request::post(&format!("/chat/{room}/delete")).form(&[("of", of)]).accept("application/json")
}

fn an_operator_changes_every_message_of_their_rooms(launch: Launch) {
    let operators = file(OPERATORS);
    let server = with_file(launch, "--operators-file", &operators).start();
    let open = |request: Request| request;
    let (here, there) = (says(&server, "lobby", open), says(&server, "work", open));
    ask(&server, delete("lobby", &here)).is(403);
    let wrong = ask(&server, bearer(delete("lobby", &here), "operator-9876543210")).is(401).json();
    assert_eq!(wrong["type"], "urn:comet-chat:not-in");
    assert_eq!(
        ask(&server, bearer(delete("work", &there), "operator-0123456789")).is(403).json()["type"],
        "urn:comet-chat:not-yours"
    );
    let edit = Request::post("/chat/lobby/edit").form(&[("of", &here), ("message", "no advertisements")]);
    ask(&server, bearer(edit, "operator-0123456789")).is(200);
    ask(&server, bearer(delete("lobby", &here), "operator-0123456789")).is(200);
    let all = ask(&server, Request::get("/chat?after=oldest&wait=0").accept("application/json")).json();
    let told: Vec<_> =
        all["messages"].as_array().unwrap().iter().filter(|told| told["kind"] != "joined").collect();
    assert!(told.iter().all(|told| told["operator"] == true && told["name"] == "mallory"), "{told:?}");
    assert!(!told[0]["deleted"].is_null(), "{told:?}");
    // A token of any kind is nothing to whoever only speaks here.
    ask(&server, bearer(Request::post("/chat").form(&[("message", "hi")]), "not-one-of-ours-1234")).is(200);
}

fn an_operator_is_in_by_the_token(launch: Launch) {
    let (operators, tokens) = (file(OPERATORS), file(TOKENS));
    let launch = with_file(launch, "--operators-file", &operators);
    let server = with_file(launch, "--tokens-file", &tokens).start();
    let spam = says(&server, "build-1", |request| bearer(request, "worker-0123456789"));
    ask(&server, bearer(delete("build-1", &spam), "worker-0123456789")).is(403);
    ask(&server, bearer(Request::get("/chat/build-1/history"), "operator-0123456789")).is(200);
    ask(&server, bearer(Request::get("/chat/work/history"), "operator-0123456789")).is(403);
    ask(&server, bearer(delete("build-1", &spam), "operator-0123456789")).is(200);
    ask(&server, delete("build-1", &spam)).is(401);
}

fn a_bad_file_is_refused_at_the_start(launch: Launch) {
    let refuses = |flag: &str, file: &NamedTempFile| with_file(launch.again(), flag, file).refuses();
    for (flag, text, says) in [
        ("--passphrase-file", "", "has no passphrase in its first line"),
        ("--passphrase-file", " \nsecret", "has no passphrase in its first line"),
        ("--tokens-file", "# none\nshort read *", "line 2: a token has 16 characters"),
        ("--operators-file", "operator-0123456789", "line 1: a line is TOKEN ROOMS"),
    ] {
        let reason = refuses(flag, &file(text));
        assert!(reason.contains(says), "{reason}");
    }
    let reason = launch.again().with_flag("--passphrase-file", "/nowhere/secret").refuses();
    assert!(reason.contains("can't read /nowhere/secret"), "{reason}");
}
