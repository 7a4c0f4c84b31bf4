//! The public address: behind a proxy the server stands under another name and a prefix, which its addresses have.

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::harness::Launch;
use crate::server::Server;

on_every_engine![
    every_address_that_it_gives_has_the_prefix,
    it_answers_with_the_prefix_and_without,
    its_host_and_its_origin_are_the_server_s_own,
    the_log_and_the_figures_count_routes_without_the_prefix,
    without_a_public_address_there_is_no_prefix,
    what_is_no_public_address_is_refused_at_the_start,
];

const PUBLIC: &str = "https://chat.example:8443/talk";

fn server(launch: Launch) -> Server {
    launch.with_flag("--public-url", PUBLIC).start()
}

/// Asks for an address as a proxy passes it on. The description of the wire knows no prefix.
fn ask(server: &Server, request: Request) -> Reply {
    server.connect().ask(&request.breaking_the_rules())
}

fn every_address_that_it_gives_has_the_prefix(launch: Launch) {
    let server = server(launch);
    let chat = server.chat();
    let path = format!("/talk/chat/{}", chat.name());
    let start = ask(&server, Request::get(&format!("{path}?after=latest&wait=0"))).is(204).next();
    assert!(start.starts_with(&format!("{path}?after=")), "{start}");
    ask(&server, Request::post(&path).text("one")).is(200);
    let next = ask(&server, Request::get(&start)).is(200).next();
    ask(&server, Request::post(&path).text("two")).is(200);
    assert_eq!(ask(&server, Request::get(&next)).is(200).text(), "two");
    // The last part of a history leads to the part before it.
    let older = ask(&server, Request::get(&format!("{path}/history?limit=1"))).is(200);
    assert!(older.expect_header("Link").starts_with(&format!("<{path}/history?before=")), "{older:?}");
    server.chat().says("in another room");
    let rooms = ask(&server, Request::get("/talk/rooms?limit=1")).is(200);
    assert!(rooms.expect_header("Link").starts_with("</talk/rooms?after="), "{rooms:?}");
    assert!(rooms.text().starts_with("/talk/chat/"), "{}", rooms.text());

    let lobby = ask(&server, Request::get("/talk")).is(303);
    assert_eq!((lobby.expect_header("Location"), lobby.text()), ("/talk/chat/lobby", "/talk/chat/lobby\n"));
    let form = Request::post(&path).form(&[("message", "hi"), ("name", "anna")]).accept("text/html");
    assert_eq!(ask(&server, form).is(303).expect_header("Location"), format!("{path}?name=anna"));

    let lost = ask(&server, Request::get("/talk/nowhere").accept("text/html")).is(404);
    assert!(lost.text().contains("href=\"/talk/chat/lobby\""), "{}", lost.text());

    let page = ask(&server, Request::get(&path).accept("text/html")).is(200);
    let public = format!("{PUBLIC}/chat/{}", chat.name());
    assert!(page.text().contains(&format!("data-address=\"{public}\" data-public")), "{}", page.text());
    for address in page.text().split('"').filter(|part| part.starts_with("/talk/page/")) {
        ask(&server, Request::get(address)).is(200);
    }
    let help = ask(&server, Request::get("/talk/help")).is(200);
    assert!(help.text().contains(&format!("curl -d message=hi {PUBLIC}/chat")), "{}", help.text());
    let description = ask(&server, Request::get("/talk/openapi.json")).is(200).json();
    assert_eq!(description["servers"][0]["url"], PUBLIC);
}

fn it_answers_with_the_prefix_and_without(launch: Launch) {
    let server = server(launch);
    let chat = server.chat();
    // A proxy that takes the prefix off, and a script on this machine.
    let mut follower = chat.follower();
    chat.says("without");
    ask(&server, Request::post(&format!("/talk{}", chat.path(""))).text("with")).is(200);
    assert_eq!(follower.hears(2), ["without", "with"]);
    ask(&server, Request::get(&format!("http://chat.example/talk{}", chat.path("/history")))).is(200);
    for elsewhere in ["/talkative/chat", "/talk/talk/chat", "/Talk/chat"] {
        ask(&server, Request::get(elsewhere)).is(404);
    }
}

fn its_host_and_its_origin_are_the_server_s_own(launch: Launch) {
    let server = server(launch);
    let chat = server.chat();
    let post = |host: &str, origin: &str| {
        let request = chat.post().text("hi").header("Host", host).header("Origin", origin);
        chat.ask(&request).status
    };
    for host in ["chat.example:8443", "chat.example", "127.0.0.1:8080"] {
        assert_eq!(post(host, "https://chat.example:8443"), 200, "{host}");
    }
    assert_eq!(post("chat.example:8443", "https://evil.example"), 403);
    assert_eq!(post("127.0.0.1:8080", "https://chat.example"), 403);
    assert_eq!(post("other.example", "https://chat.example:8443"), 421);
}

fn the_log_and_the_figures_count_routes_without_the_prefix(launch: Launch) {
    let server = launch.with_flag("--log", "debug").with_flag("--public-url", PUBLIC).start();
    ask(&server, Request::get("/talk/health/live")).is(200);
    let figure = r#"comet_chat_requests_total{method="GET",route="/health/live",status="200"}"#;
    let figures = ask(&server, Request::get("/talk/metrics")).is(200);
    assert!(figures.text().contains(figure), "{}", figures.text());
}

fn without_a_public_address_there_is_no_prefix(chat: Chat) {
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    assert!(page.text().contains("data-prefix=\"\"") && !page.text().contains("data-public"));
    chat.ask(&Request::get(&format!("/talk{}", chat.path("")))).is(404);
}

fn what_is_no_public_address_is_refused_at_the_start(launch: Launch) {
    for wrong in ["chat.example", "https://chat.example/chat"] {
        let said = launch.again().with_flag("--public-url", wrong).misused();
        assert!(said.contains("--public-url"), "{said}");
    }
}
