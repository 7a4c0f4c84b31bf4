//! The lesson: what is seen behind the stage, and who may look.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::Command;

use serde_json::{Value, json};

use crate::client::{Connection, Reply, Request};
use crate::harness::{Launch, PATIENCE, left_out, wait_until};
use crate::server::Server;

on_every_engine![
    without_the_flag_there_is_no_such_place,
    only_this_machine_looks_behind_the_stage,
    a_page_of_another_site_is_refused_and_one_of_this_machine_is_not,
    a_frame_says_what_the_figures_say,
    levers_move_within_their_bounds,
    only_so_many_pages_look_at_once,
    a_crowd_does_what_the_levers_say_and_ends_with_the_server,
    a_failure_of_the_server_begins_and_ends,
];

const LOOPBACK: &str = "http://localhost:1";

/// Starts a server with a backstage.
fn lesson(launch: Launch) -> Server {
    launch.with_variable("COMET_CHAT_LESSON", "true").start()
}

fn get(path: &str) -> Request {
    // The description of the wire does not have the lesson.
    Request::get(&format!("/backstage{path}")).breaking_the_rules()
}

fn post(path: &str, body: Value) -> Request {
    Request::post(&format!("/backstage{path}")).json(body).breaking_the_rules()
}

fn ask(server: &Server, request: Request) -> Reply {
    server.connect().ask(&request)
}

/// Somebody who looks behind the stage.
struct Watcher(BufReader<TcpStream>);

impl Watcher {
    fn of(server: &Server) -> Watcher {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time greater than zero");
        stream.write_all(&get("/events").bytes()).expect("the request is sent");
        Watcher(BufReader::new(stream))
    }

    fn is_let_in(&mut self) -> bool {
        let mut status = String::new();
        self.0.read_line(&mut status).expect("a line in time");
        status.starts_with("HTTP/1.1 200")
    }

    /// The next frame.
    fn frame(&mut self) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("a line in time") > 0, "the frames end");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).expect("a frame in JSON");
            }
        }
    }

    /// Looks until a frame is as it should be.
    #[track_caller]
    fn sees(&mut self, what: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let mut frame = Value::Null;
        wait_until(what, || {
            frame = self.frame();
            is_right(&frame)
        });
        frame
    }
}

fn without_the_flag_there_is_no_such_place(launch: Launch) {
    let server = launch.start();
    for request in [get(""), get("/events"), post("/levers", json!({})), post("/stall", json!({}))] {
        let reply = ask(&server, request.clone()).is(404);
        let nowhere = ask(&server, Request::new(&request.method, "/nowhere"));
        assert_eq!(reply.text(), nowhere.text());
        let reply = ask(&server, request.header("Origin", LOOPBACK));
        assert_eq!(reply.header("Access-Control-Allow-Origin"), None);
    }
}

fn only_this_machine_looks_behind_the_stage(launch: Launch) {
    let launch = launch.with_flag("--trusted-proxy", "127.0.0.2").with_flag("--listen", "0.0.0.0:0");
    let server = lesson(launch);
    ask(&server, get("")).is(200);
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
        ask(&server, get("").header(name, "127.0.0.1")).is(404);
    }
    ask(&server, get("").header("Host", "elsewhere.example")).is(421);
    // No packet is sent by that.
    let outside = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    let Some(ip) = outside.ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback()) else {
        return left_out("this machine has no address but loopback");
    };
    let port = server.addresses()[1].port();
    let mut stranger = Connection::open(SocketAddr::new(ip, port));
    stranger.ask(&Request::get("/health/live")).is(200);
    for request in [get(""), get("/backstage.js"), post("/levers", json!({"waiters": 1}))] {
        stranger.ask(&request).is(404);
    }
}

fn a_page_of_another_site_is_refused_and_one_of_this_machine_is_not(launch: Launch) {
    let server = lesson(launch);
    for origin in ["http://evil.example", "null", "https://localhost", "http://localhost.evil.example"] {
        let refused = ask(&server, get("").header("Origin", origin)).is(403);
        assert_eq!(refused.header("Access-Control-Allow-Origin"), None);
        ask(&server, post("/levers", json!({"rate": 1})).header("Origin", origin)).is(403);
    }
    let own = format!("http://{}", server.address());
    for origin in [LOOPBACK, "http://127.0.0.1:65000", "http://[::1]:3000", &own] {
        let moved = ask(&server, post("/levers", json!({"rate": 1})).header("Origin", origin)).is(200);
        assert_eq!(moved.expect_header("Access-Control-Allow-Origin"), origin);
        // What is refused can be read too.
        let refused = ask(&server, post("/levers", json!({"rate": -1})).header("Origin", origin)).is(400);
        assert_eq!(refused.expect_header("Access-Control-Allow-Origin"), origin);
    }
    let preflight = Request::new("OPTIONS", "/backstage/levers").breaking_the_rules();
    let preflight = preflight.header("Origin", LOOPBACK).header("Access-Control-Request-Method", "POST");
    let told = ask(&server, preflight).is(204);
    assert!(told.expect_header("Access-Control-Allow-Methods").contains("POST"));
    assert_eq!(told.expect_header("Access-Control-Allow-Headers"), "Content-Type");
    assert_eq!(told.expect_header("Allow"), "POST, OPTIONS");
}

fn a_frame_says_what_the_figures_say(launch: Launch) {
    let server = lesson(launch);
    let page = ask(&server, get("").accept("text/html")).is(200);
    assert!(page.expect_header("Content-Security-Policy").contains("default-src 'none'"));
    for file in ["/backstage.js", "/backstage.css"] {
        assert!(page.text().contains(&file[1..]), "{file}");
        ask(&server, get(file)).is(200);
    }
    let chat = server.chat();
    let mut waiting: Vec<_> = (0..7).map(|_| chat.waits("?after=latest&wait=60")).collect();
    let _stream = chat.events("?after=latest", &[]);
    let mut watcher = Watcher::of(&server);
    let frame = watcher.sees("eight wait", |frame| frame["waiters"] == 8);
    assert_eq!(chat.figure("comet_chat_waiters"), 8.0);
    let frame = match frame["rooms"][0]["waiting"] == 8 {
        true => frame,
        false => watcher.sees("the room knows of them", |frame| frame["rooms"][0]["waiting"] == 8),
    };
    assert_eq!(frame["rooms"][0]["room"], chat.name());
    let decoded = |frame: &Value| cells(frame["cells"].as_str().expect("cells"));
    let kinds = |cells: &[u8]| {
        let count = |is: fn(u8) -> bool| cells.iter().filter(|cell| is(**cell & 0x7f)).count();
        (count(|cell| (1..=120).contains(&cell)), count(|cell| cell == 127))
    };
    assert_eq!(kinds(&decoded(&frame)), (7, 1));
    // What is said wakes all, and their cells flash.
    chat.says_to(8, "now");
    for connection in &mut waiting {
        connection.reply().is(200);
    }
    let flashed = watcher.sees("cells flash", |frame| decoded(frame).iter().any(|cell| *cell & 0x80 > 0));
    assert!(flashed["rooms"][0]["taken"].as_u64() >= Some(9), "{flashed}");
    let frame = watcher.sees("nobody waits but the stream", |frame| frame["waiters"] == 1);
    assert_eq!(frame["deliveries"].as_f64(), Some(chat.figure("comet_chat_deliveries_total")));
    let empty = json!({"subscribe": 0, "publish": 0, "arrived": 0, "unsubscribe": 0, "other": 0});
    watcher.sees("the mailbox is empty, and stays so", |frame| {
        frame["rooms"][0]["mailbox"] == empty && frame["rooms"][0]["most"] == empty
    });
    watcher.sees("threads and files are as in /proc", |frame| {
        let held = server.footprint();
        let sum: u64 = frame["threads"].as_object().expect("threads").iter().fold(0, |sum, (name, count)| {
            sum + if name == "all" { 0 } else { count.as_u64().expect("a count") }
        });
        // A thread that blocks in `accept` has a descriptor in reserve, which the kernel counts and does not list.
        let files = [held.open_files, held.open_files + 1].map(|files| json!(files));
        frame["threads"]["all"] == held.threads
            && sum == held.threads as u64
            && files.contains(&frame["files"])
    });
    watcher.sees("threads by name are as in /proc", |frame| {
        ["handler", "room"].iter().all(|name| {
            let counted = frame["threads"].get(*name).and_then(Value::as_u64);
            counted.unwrap_or(0) == server.threads_named(name) as u64
        })
    });
}

fn levers_move_within_their_bounds(launch: Launch) {
    let server = lesson(launch);
    let mut watcher = Watcher::of(&server);
    let moved = ask(&server, post("/levers", json!({"rate": 7, "size": 100}))).is(200).json();
    assert_eq!(moved, json!({"waiters": 0, "rate": 7, "size": 100}));
    watcher.sees("the frame says so", |frame| frame["levers"] == moved);
    for wrong in
        [json!({"waiters": 1_000_000}), json!({"size": 0}), json!({"rate": 0.5}), json!({"other": 1})]
    {
        let refused = ask(&server, post("/levers", wrong)).is(400);
        assert!(refused.text().contains("waiters up to"), "{refused:?}");
    }
    assert_eq!(watcher.frame()["levers"], moved);
    ask(&server, get("/levers")).is(405);
    ask(&server, post("/failures/earthquake", json!({"on": true}))).is(404);
    ask(&server, post("/failures/panic", json!({}))).is(400);
    ask(&server, post("/stall", json!({}))).is(200);
}

fn only_so_many_pages_look_at_once(launch: Launch) {
    let server = lesson(launch);
    let mut watchers: Vec<Watcher> = (0..8).map(|_| Watcher::of(&server)).collect();
    watchers.iter_mut().for_each(|watcher| drop(watcher.frame()));
    ask(&server, get("/events")).is(503);
    watchers.pop();
    wait_until("there is a place again", || Watcher::of(&server).is_let_in());
}

/// Switches a failure, on a connection that is open: at the limit of files there is no other.
fn switch(connection: &mut Connection, failure: &str, on: bool) {
    let told = connection.ask(&post(&format!("/failures/{failure}"), json!({"on": on}))).is(200).json();
    assert_eq!(told, json!({"on": on}));
}

fn a_crowd_does_what_the_levers_say_and_ends_with_the_server(launch: Launch) {
    const WAITERS: u64 = 30;
    let mut server = lesson(launch);
    let (chat, mut watcher) = (server.chat(), Watcher::of(&server));
    let mut hand = server.connect();
    hand.ask(&post("/levers", json!({"waiters": WAITERS, "rate": 5}))).is(200);
    watcher.sees("all of the crowd hear a message", |frame| {
        let posts = frame["crowd"]["posts"].as_array().expect("posts");
        posts.iter().any(|post| post["of"] == WAITERS && post["last_us"].as_u64() > Some(0))
    });
    hand.ask(&post("/levers", json!({"rate": 0}))).is(200);
    watcher.sees("all of the crowd wait", |frame| {
        frame["waiters"] == WAITERS && frame["crowd"]["waiting"] == WAITERS && frame["crowd"]["lost"] == 0
    });
    // Each waits again and again, and there is a moment between.
    wait_until("the figures say so", || chat.figure("comet_chat_waiters") == WAITERS as f64);
    switch(&mut hand, "vanish", true);
    watcher.sees("clients vanish", |frame| frame["crowd"]["did"]["vanished"].as_u64() > Some(0));
    switch(&mut hand, "vanish", false);
    // An order that comes when it is dead starts another, so the last one must have come.
    hand.ask(&post("/levers", json!({"waiters": 2}))).is(200);
    watcher.sees("it is small", |frame| frame["crowd"]["waiting"] == 2 && frame["waiters"] == 2);

    let crowd = server.children();
    assert_eq!(crowd.len(), 1);
    kill(crowd[0]);
    watcher.sees("the crowd has ended", |frame| frame["crowd"]["ended"].is_string());
    hand.ask(&post("/levers", json!({"waiters": 3}))).is(200);
    watcher.sees("there is another", |frame| frame["crowd"]["waiting"] == 3 && frame["waiters"] == 3);
    let crowd = server.children();
    server.signal("TERM");
    server.exits();
    wait_until("the crowd has ended too", || has_ended(crowd[0]));
}

/// Whether a process has ended, even if nobody has asked for its status.
fn has_ended(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, fields)| fields.starts_with('Z'))
}

fn kill(process: u32) {
    let status = Command::new("kill").args(["-KILL", &process.to_string()]).status().expect("kill runs");
    assert!(status.success());
}

fn a_failure_of_the_server_begins_and_ends(launch: Launch) {
    let server = lesson(launch);
    let (chat, mut watcher) = (server.chat(), Watcher::of(&server));
    let mut hand = server.connect();
    chat.says("all is well");
    assert!(watcher.frame()["failures"].as_object().expect("failures").values().all(|on| on == false));

    switch(&mut hand, "store", true);
    watcher.sees("the store is away", |frame| frame["failures"]["store"] == true);
    chat.ask(&chat.post().text("to nobody")).is(503);
    assert_eq!(chat.figure("comet_chat_store_failures_total"), 1.0);
    switch(&mut hand, "store", false);
    chat.says("it is back");

    switch(&mut hand, "panic", true);
    let frame = watcher.sees("a room has panicked", |frame| frame["restarts"]["rooms"] == 1);
    assert_eq!(frame["failures"]["panic"], false);
    assert_eq!(chat.figure("comet_chat_room_restarts_total"), 1.0);
    chat.serves_again();

    let (cores, limits) = (server.cores(), server.limits());
    switch(&mut hand, "pin", true);
    watcher.sees("all share a core", |frame| frame["cores"] == 1 && frame["failures"]["pin"] == true);
    assert!(server.cores().iter().all(|list| list.parse::<u32>().is_ok()), "{:?}", server.cores());
    switch(&mut hand, "pin", false);
    watcher.sees("they run as before", |frame| frame["failures"]["pin"] == false);
    assert_eq!(server.cores(), cores);

    switch(&mut hand, "files", true);
    let frame = watcher.sees("no files are left", |frame| frame["failures"]["files"] == true);
    let open = frame["files"].as_u64().expect("a count");
    let limit = |limits: &str| limits.split_whitespace().nth(3).and_then(|soft| soft.parse::<u64>().ok());
    assert!(limit(&server.limits()) <= Some(open + 16), "{open} {}", server.limits());
    switch(&mut hand, "files", false);
    watcher.sees("there are files", |frame| frame["failures"]["files"] == false);
    assert_eq!(server.limits(), limits);
}

/// Base64, read.
fn cells(text: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        alphabet.iter().position(|digit| *digit == byte).map(|at| at as u32)
    };
    let quads = text.as_bytes().chunks(4).map(|quad| {
        let digits: Vec<u32> = quad.iter().filter_map(|byte| digit(*byte)).collect();
        let bits = digits.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - digits.len()));
        bits.to_be_bytes()[1..digits.len()].to_vec()
    });
    quads.flatten().collect()
}
