//! What one address, and one room, may take. A proxy on this machine is trusted, so a test can come from any
//! address.

use std::thread;

use crate::chat::Chat;
use crate::client::{Connection, Reply, Request};
use crate::harness::{Launch, wait_until};

on_every_engine![
    an_address_that_sends_too_much_is_told_which_limit_and_when_to_come_back,
    a_network_of_ipv6_is_one_address,
    a_room_takes_so_many_messages_whoever_sends_them,
    what_is_refused_leaves_nothing_behind,
    an_address_has_so_many_waits_and_each_that_ends_makes_place,
    a_stream_and_a_wait_in_several_rooms_take_one_place_each,
    an_address_wakes_so_many_rooms,
    a_program_on_this_machine_has_no_limit,
    a_limit_of_0_is_none,
    a_class_behind_one_address_hits_no_limit,
    one_address_against_all_limits_harms_nobody_else,
];

const TRUSTING: [(&str, &str); 1] = [("--trusted-proxy", "127.0.0.1")];

fn launched(launch: Launch, flags: &[(&str, &str)]) -> crate::server::Server {
    let flags = TRUSTING.iter().chain(flags);
    flags.fold(launch, |launch, (flag, value)| launch.with_flag(flag, value)).start()
}

fn from(address: &str, request: Request) -> Request {
    request.header("X-Forwarded-For", address)
}

/// Sends this again and again until it is refused. Gives how often it was not, and the refusal.
fn until_refused(connection: &mut Connection, request: &Request) -> (usize, Reply) {
    for n in 0..10_000 {
        let reply = connection.ask(request);
        if reply.status != 200 {
            return (n, reply);
        }
    }
    panic!("it was never refused");
}

fn is_refused(reply: Reply, status: u16, kind: &str, says: &str) {
    let reply = reply.is(status);
    let seconds: u64 = reply.expect_header("Retry-After").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    let problem = reply.json();
    assert_eq!(problem["type"], format!("urn:comet-chat:{kind}"));
    let detail = problem["detail"].as_str().expect("a sentence");
    assert!(detail.contains(says), "{detail}");
}

fn an_address_that_sends_too_much_is_told_which_limit_and_when_to_come_back(launch: Launch) {
    let server = launched(launch, &[("--limit-messages", "1"), ("--limit-bytes", "100")]);
    let (chat, mut proxy) = (server.chat(), server.connect());
    let post = |text: &str| chat.post().text(text).accept("application/json");
    let (sent, refused) = until_refused(&mut proxy, &from("192.0.2.1", post("hi")));
    assert!(sent >= 10, "{sent} at once");
    is_refused(refused, 429, "too-many-messages", "more than 1 messages a second");
    // A second later there is room for one more, so each of these is sent until it is refused.
    let leave = from("192.0.2.1", chat.leave("ann").accept("application/json"));
    is_refused(until_refused(&mut proxy, &leave).1, 429, "too-many-messages", "a second");
    let words = until_refused(&mut proxy, &from("192.0.2.1", chat.post().text("hi"))).1.is(429);
    assert!(words.text().ends_with("send it again in a second\n"), "{}", words.text());
    // Looking is free, and others have their own.
    proxy.ask(&from("192.0.2.1", chat.get("?wait=0"))).is(404);
    proxy.ask(&from("192.0.2.2", post("hi"))).is(200);

    let long = "x".repeat(1_000);
    proxy.ask(&from("192.0.2.3", post(&long))).is(200);
    is_refused(proxy.ask(&from("192.0.2.3", post(&long))), 429, "too-many-bytes", "100 bytes");
    let figures = chat.ask(&Request::get("/metrics")).is(200);
    for kind in ["too-many-messages", "too-many-bytes"] {
        assert!(figures.text().contains(&format!("reason=\"{kind}\"")), "{kind}");
    }
}

fn a_network_of_ipv6_is_one_address(launch: Launch) {
    let server = launched(launch, &[("--limit-messages", "1")]);
    let (chat, mut proxy) = (server.chat(), server.connect());
    let post = |address: &str| from(address, chat.post().text("hi"));
    until_refused(&mut proxy, &post("2001:db8:1:2::1")).1.is(429);
    // One more for each second that has passed, and not ten at once.
    let (sent, refused) = until_refused(&mut proxy, &post("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    refused.is(429);
    assert!(sent < 10, "{sent} at once");
    assert!(until_refused(&mut proxy, &post("2001:db8:1:3::1")).0 >= 10);
}

fn a_room_takes_so_many_messages_whoever_sends_them(launch: Launch) {
    let server = launched(launch, &[("--limit-room-messages", "1")]);
    let (chat, other, mut proxy) = (server.chat(), server.chat(), server.connect());
    let refused = (0..100).find_map(|n| {
        let post = chat.post().text("hi").accept("application/json");
        let reply = proxy.ask(&from(&format!("192.0.2.{n}"), post));
        (reply.status != 200).then_some(reply)
    });
    is_refused(refused.expect("a refusal"), 503, "room-too-busy", "1 messages a second come to this room");
    proxy.ask(&from("192.0.2.200", other.post().text("hi"))).is(200);
}

fn what_is_refused_leaves_nothing_behind(launch: Launch) {
    let server = launched(launch, &[("--limit-messages", "1"), ("--limit-rooms", "1")]);
    let (chat, mut proxy) = (server.chat(), server.connect());
    let (sent, _) = until_refused(
        &mut proxy,
        &from("192.0.2.1", chat.post().form(&[("message", "hi"), ("name", "ann")])),
    );
    let history = chat.ask(&chat.get("/history?limit=500").accept("application/json")).is(200).json();
    let said =
        history["messages"].as_array().expect("messages").iter().filter(|one| one["kind"] == "message");
    assert_eq!(said.count(), sent);
    let elsewhere = server.chat();
    for _ in 0..5 {
        proxy.ask(&from("192.0.2.1", elsewhere.post().text("hi"))).is(429);
    }
    let rooms = chat.ask(&Request::get("/rooms").accept("application/json")).is(200);
    assert!(!rooms.text().contains(elsewhere.name()));
}

fn wait(chat: &Chat, address: &str) -> Request {
    from(address, chat.get("?after=latest&wait=60").accept("application/json"))
}

fn an_address_has_so_many_waits_and_each_that_ends_makes_place(launch: Launch) {
    let server = launched(launch, &[("--limit-waits", "2")]);
    let chat = server.chat();
    let waits = |address: &str| {
        let mut connection = server.connect();
        connection.send(&wait(&chat, address));
        connection
    };
    let mut waiting = [waits("192.0.2.1"), waits("192.0.2.1")];
    wait_until("both wait", || chat.figure("comet_chat_waiters") == 2.0);
    is_refused(server.connect().ask(&wait(&chat, "192.0.2.1")), 429, "too-many-waits", "2 requests");
    // Who does not wait is not counted.
    server.connect().ask(&from("192.0.2.1", chat.get("?after=latest&wait=0"))).is(204);
    let mut other = waits("192.0.2.2");
    chat.says_to(3, "hi");
    for connection in waiting.iter_mut().chain([&mut other]) {
        connection.reply().is(200);
    }
    // A wait ends by an answer, by a request behind it, or since its client is gone.
    let mut followed = waits("192.0.2.1");
    let gone = waits("192.0.2.1");
    wait_until("both wait", || chat.figure("comet_chat_waiters") == 2.0);
    followed.send(&chat.get("?wait=0"));
    followed.reply().is(204);
    followed.reply().is(404);
    drop(gone);
    wait_until("nobody waits", || chat.figure("comet_chat_waiters") == 0.0);
    let _waiting = [waits("192.0.2.1"), waits("192.0.2.1")];
    wait_until("both wait", || chat.figure("comet_chat_waiters") == 2.0);
}

fn a_stream_and_a_wait_in_several_rooms_take_one_place_each(launch: Launch) {
    let server = launched(launch, &[("--limit-waits", "2")]);
    let chat = server.chat();
    let mut stream = server.connect();
    let events = chat.get("?after=latest").header("Accept", "text/event-stream");
    stream.send(&from("192.0.2.1", events));
    let mut several = server.connect();
    let rooms = format!("/chat/{},another?after=latest&wait=60", chat.name());
    several.send(&from("192.0.2.1", Request::get(&rooms)));
    wait_until("both wait", || chat.figure("comet_chat_waiters") == 2.0);
    server.connect().ask(&wait(&chat, "192.0.2.1")).is(429);
    drop((stream, several));
    wait_until("nobody waits", || chat.figure("comet_chat_waiters") == 0.0);
    let mut again = server.connect();
    again.send(&wait(&chat, "192.0.2.1"));
    wait_until("it waits", || chat.figure("comet_chat_waiters") == 1.0);
}

fn an_address_wakes_so_many_rooms(launch: Launch) {
    let server = launched(launch, &[("--limit-rooms", "3")]);
    let (chat, mut proxy) = (server.chat(), server.connect());
    let room = |n: usize| Request::post(&format!("/chat/{}-{n}", chat.name())).text("hi");
    for n in 0..3 {
        proxy.ask(&from("192.0.2.1", room(n))).is(200);
    }
    let refused = proxy.ask(&from("192.0.2.1", room(3).accept("application/json")));
    is_refused(refused, 429, "too-many-woken", "3 rooms a minute");
    // A room that is awake costs nothing, to look costs nothing, and others have their own.
    proxy.ask(&from("192.0.2.1", room(0))).is(200);
    proxy.ask(&from("192.0.2.1", Request::get(&format!("/chat/{}-9?wait=0", chat.name())))).is(404);
    proxy.ask(&from("192.0.2.2", room(3))).is(200);
}

fn one_address_against_all_limits_harms_nobody_else(launch: Launch) {
    const LIMITS: [(&str, &str); 4] = [
        ("--limit-messages", "20"),
        ("--limit-bytes", "20000"),
        ("--limit-waits", "5"),
        ("--limit-rooms", "30"),
    ];
    let server = launched(launch, &LIMITS);
    let (chat, others) = (server.chat(), server.chat());
    let attack = |request: &(dyn Fn(usize) -> Request + Sync), kind: &str| {
        let mut connection = server.connect();
        let mut refusals = 0;
        for n in 0..5_000 {
            let reply = connection.ask(&from("192.0.2.66", request(n).accept("application/json")));
            // One limit may be hit before the other.
            refusals +=
                usize::from(reply.status == 429 && reply.json()["type"] == *format!("urn:comet-chat:{kind}"));
            if refusals >= 50 {
                return;
            }
        }
        panic!("{kind}: refused {refusals} times only");
    };
    let long = "x".repeat(10_000);
    // They wait where nothing is said.
    let silent = server.chat();
    let mut waits: Vec<Connection> = (0..5).map(|_| server.connect()).collect();
    waits.iter_mut().for_each(|one| one.send(&wait(&silent, "192.0.2.66")));
    wait_until("they wait", || chat.figure("comet_chat_waiters") == 5.0);
    thread::scope(|scope| {
        scope.spawn(|| attack(&|_| others.post().text("hi"), "too-many-messages"));
        scope.spawn(|| attack(&|_| others.post().text(&long), "too-many-bytes"));
        scope.spawn(|| attack(&|_| wait_for_nothing(&silent), "too-many-waits"));
        scope.spawn(|| {
            attack(&|n| Request::get(&format!("/chat/{}-{n}?wait=0.1", others.name())), "too-many-woken")
        });
        // Somebody else speaks and listens as if nothing were.
        let (mut speaker, mut listener) = (server.connect(), server.connect());
        let mut after = chat.cursor();
        for n in 0..20 {
            let text = n.to_string();
            listener.send(&from("192.0.2.7", chat.get(&format!("?after={after}&wait=60"))));
            speaker.ask(&from("192.0.2.7", chat.post().text(&text))).is(200);
            let heard = listener.reply().is(200);
            assert_eq!(heard.text(), text);
            after = heard.cursor();
        }
    });
}

fn wait_for_nothing(chat: &Chat) -> Request {
    chat.get("?after=latest&wait=0.1")
}

fn a_program_on_this_machine_has_no_limit(launch: Launch) {
    let strict = [("--limit-messages", "1"), ("--limit-room-messages", "1"), ("--limit-waits", "1")];
    // Beside a proxy, and without one.
    for proxies in [&strict[..], &[strict[0], strict[1], strict[2], ("--trusted-proxy", "10.0.0.0/8")]] {
        let server = proxies
            .iter()
            .fold(launch.again(), |launch, (flag, value)| launch.with_flag(flag, value))
            .start();
        let (chat, mut here) = (server.chat(), server.connect());
        for _ in 0..50 {
            here.ask(&chat.post().text("hi")).is(200);
        }
    }
    let server = launched(launch, &strict);
    let (chat, mut here) = (server.chat(), server.connect());
    for _ in 0..50 {
        here.ask(&chat.post().text("hi")).is(200);
    }
}

fn a_limit_of_0_is_none(launch: Launch) {
    let flags =
        ["--limit-messages", "--limit-bytes", "--limit-rooms", "--limit-waits", "--limit-room-messages"];
    let server = launched(launch, &flags.map(|flag| (flag, "0")));
    let (chat, mut proxy) = (server.chat(), server.connect());
    for _ in 0..500 {
        proxy.ask(&from("192.0.2.1", chat.post().text("hi"))).is(200);
    }
    proxy.ask(&from("192.0.2.1", chat.get("?after=oldest"))).is(200);
}

/// Sixty people behind one address open the page, wait, say hello, and answer the teacher's question at once.
fn a_class_behind_one_address_hits_no_limit(launch: Launch) {
    let server = launched(launch, &[]);
    let (chat, mut proxy) = (server.chat(), server.connect());
    let school = |request: Request| from("192.0.2.1", request);
    for n in 0..60 {
        proxy.ask(&school(chat.get("").accept("text/html"))).is(200);
        proxy.ask(&school(chat.get(&format!("?after=latest&wait=0&name=p{n}")))).is(204);
        proxy.ask(&school(chat.get("/people"))).is(200);
    }
    let mut class: Vec<Connection> = (0..60).map(|_| server.connect()).collect();
    for text in ["hello", "forty-two", "because it is so"] {
        for (n, pupil) in class.iter_mut().enumerate() {
            pupil.ask(&school(chat.post().form(&[("message", text), ("name", &format!("p{n}"))]))).is(200);
        }
    }
    for pupil in &mut class {
        pupil.send(&wait(&chat, "192.0.2.1"));
    }
    chat.says_to(60, "well done");
    for pupil in &mut class {
        pupil.reply().is(200);
    }
}
