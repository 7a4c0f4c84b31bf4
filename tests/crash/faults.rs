//! A store that can't write: the answer is `503`, nothing is kept or shown, and waiters stay. When the store
//! is cured, the answer is `ok` again. If the store can't be opened, there is a sentence and no server.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;
use ureq::http::Response;

use crate::checker::{Record, Seen, check};
use crate::client::{Client, cursor};
use crate::followers::{Format, follow};
use crate::server::Server;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

on_every_engine![
    while_another_program_locks_the_store_nothing_is_published,
    while_the_disk_is_full_nothing_is_published,
    while_the_store_hangs_people_come_and_go_in_the_room_that_waits_for_it,
    what_waits_in_many_rooms_shares_one_commit,
    a_person_who_could_not_leave_is_told_so_and_is_still_there,
    a_health_check_ends_in_time_while_the_store_hangs,
    a_server_whose_store_hangs_ends_within_two_seconds,
    a_store_that_cannot_be_opened_is_a_sentence_and_no_server,
];

fn while_another_program_locks_the_store_nothing_is_published(engine: &'static str) {
    let server = Server::start(engine);
    let database = Connection::open(server.database()).unwrap();
    goes_on_after(&server, |publisher| {
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        let answers = (0..3).map(|n| publisher.try_to_publish(&format!("locked-{n}")).unwrap());
        assert!(answers.into_iter().all(|answer| is_refused(&answer)));
        database.execute_batch("ROLLBACK").unwrap();
        Vec::new()
    });
}

/// A room waited for its store, so a slow disk kept people from coming, going and looking: a wait of one
/// second took as long as the disk.
fn while_the_store_hangs_people_come_and_go_in_the_room_that_waits_for_it(engine: &'static str) {
    let server = Server::start(engine);
    let database = Connection::open(server.database()).unwrap();
    let address = server.address();
    let post =
        move || exchange(address, "POST /chat/den HTTP/1.1\r\nContent-Length: 19\r\n\r\nmessage=hi&name=bob");
    // A busy machine may be late with one of the waits, so the test tries again.
    let are_answered_meanwhile = || {
        let said = post();
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
        let cursor = said.lines().find_map(|line| line.strip_prefix("Chat-Cursor: ")).expect("a cursor");
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        // The room goes on while the first message is with the store, and while the second waits for the next
        // batch.
        let posts = [thread::spawn(post), thread::spawn(post)];
        thread::sleep(Duration::from_millis(200));
        let took: Vec<Duration> = thread::scope(|scope| {
            let waits = |query: String, status: &'static str| {
                scope.spawn(move || {
                    let began = Instant::now();
                    let reply = exchange(address, &format!("GET /chat/den?wait=1{query} HTTP/1.1"));
                    let took = began.elapsed();
                    let is_message = reply.starts_with("HTTP/1.1 200") && reply.ends_with("hi");
                    assert!(is_message || reply.starts_with(&format!("HTTP/1.1 {status}")), "{reply}");
                    // A wait with a cursor may end an eighth earlier.
                    let least = Duration::from_millis(if query.is_empty() { 1_000 } else { 875 });
                    assert!(is_message || took >= least, "{took:?}");
                    if is_message { Duration::MAX } else { took }
                })
            };
            let waits = [
                waits(String::new(), "404"),
                waits(format!("&after={cursor}"), "204"),
                waits("&after=latest&name=ann".into(), "204"),
            ];
            let began = Instant::now();
            let people = exchange(address, "GET /chat/den/people HTTP/1.1");
            assert!(people.contains("bob since"), "{people}");
            let looked = began.elapsed();
            waits.into_iter().map(|wait| wait.join().unwrap()).chain([looked]).collect()
        });
        let hangs = !posts.iter().all(|post| post.is_finished());
        database.execute_batch("ROLLBACK").unwrap();
        for post in posts {
            let reply = post.join().unwrap();
            assert!(["HTTP/1.1 200", "HTTP/1.1 503"].iter().any(|line| reply.starts_with(line)), "{reply}");
        }
        // A room that waits for its store is held up for two seconds.
        hangs && took.iter().all(|&took| took < Duration::from_millis(1_900))
    };
    assert!((0..10).any(|_| are_answered_meanwhile()), "who waits, waits for the store");
}

/// The async engine had four threads that waited for the store: at most four of its rooms shared a commit,
/// and readers took three of these threads.
fn what_waits_in_many_rooms_shares_one_commit(engine: &'static str) {
    const ROOMS: u64 = 20;
    let server = Server::start(engine);
    let database = Connection::open(server.database()).unwrap();
    let address = server.address();
    let figure = |name: &str| -> u64 {
        let metrics = exchange(address, "GET /metrics HTTP/1.1");
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
    };
    let post = |room: u64| {
        let head = format!("POST /chat/room-{room} HTTP/1.1\r\nContent-Length: 10\r\n\r\nmessage=hi");
        thread::spawn(move || exchange(address, &head))
    };
    // On a machine that is too busy the store gives up before all have come, or some come after the others.
    for attempt in 1..=10 {
        let (commits, messages) =
            (figure("comet_chat_store_commits_total"), figure("comet_chat_messages_total"));
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        let posts: Vec<_> = (ROOMS * (attempt - 1)..ROOMS * attempt).map(post).collect();
        let began = Instant::now();
        while figure("comet_chat_rooms") < ROOMS * attempt && began.elapsed() < Duration::from_secs(1) {}
        // All rooms are awake, and about to hand their messages to the store.
        thread::sleep(Duration::from_millis(100));
        database.execute_batch("ROLLBACK").unwrap();
        let replies: Vec<String> = posts.into_iter().map(|post| post.join().unwrap()).collect();
        let commits = figure("comet_chat_store_commits_total") - commits;
        if replies.iter().all(|reply| reply.starts_with("HTTP/1.1 200")) {
            assert_eq!(figure("comet_chat_messages_total") - messages, ROOMS);
            // The first waited alone.
            if commits <= 3 {
                return;
            }
        }
        println!("attempt {attempt}: {commits} commits");
    }
    panic!("what was said in {ROOMS} rooms never shared a commit");
}

/// `leave` was answered `ok` while the store could not write, and the person was gone without a message.
fn a_person_who_could_not_leave_is_told_so_and_is_still_there(engine: &'static str) {
    let server = Server::start(engine);
    let database = Connection::open(server.database()).unwrap();
    let ask = |request: &str| exchange(server.address(), request);
    assert!(ask("GET /chat/den?name=bob&wait=0&after=latest HTTP/1.1").starts_with("HTTP/1.1 20"));
    // A request that does not wait is answered before `joined` is stored.
    let began = Instant::now();
    while !ask("GET /chat/den/people HTTP/1.1").contains("bob since") {
        assert!(began.elapsed() < PATIENCE, "nobody joined");
    }
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let leave = ask("POST /chat/den/leave HTTP/1.1\r\nContent-Length: 8\r\n\r\nname=bob");
    assert!(leave.starts_with("HTTP/1.1 503"), "{leave}");
    database.execute_batch("ROLLBACK").unwrap();
    let people = ask("GET /chat/den/people HTTP/1.1");
    assert!(people.contains("bob since"), "{people}");
}

/// A health check waited for the store without a limit, and left its subscription behind.
fn a_health_check_ends_in_time_while_the_store_hangs(engine: &'static str) {
    let server = Server::start(engine);
    let database = Connection::open(server.database()).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..3 {
        let began = Instant::now();
        let health = exchange(server.address(), "GET /health HTTP/1.1");
        assert!(health.starts_with("HTTP/1.1 503"), "{health}");
        assert!(began.elapsed() < PATIENCE, "it took {:?}", began.elapsed());
    }
    database.execute_batch("ROLLBACK").unwrap();
    let began = Instant::now();
    while !exchange(server.address(), "GET /health HTTP/1.1").starts_with("HTTP/1.1 200") {
        assert!(began.elapsed() < PATIENCE, "it is well again");
    }
}

/// A server that was told to end waited for its store without a limit.
fn a_server_whose_store_hangs_ends_within_two_seconds(engine: &'static str) {
    // Three messages would take six. The rest is for a busy machine, and if that stood still for longer, it is tried again.
    let took: Vec<Duration> =
        (0..5).map(|_| ends_with_a_store_that_hangs(engine)).take_while(|took| took.as_secs() >= 5).collect();
    assert!(took.len() < 5, "it took {took:?}");
}

/// How long the end takes while three messages wait, each two seconds for the lock.
fn ends_with_a_store_that_hangs(engine: &'static str) -> Duration {
    let mut server = Server::start(engine);
    let database = Connection::open(server.database()).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let address = server.address();
    let posts: Vec<_> = (0..3)
        .map(|n| {
            thread::spawn(move || {
                let head = format!("POST /chat/room-{n} HTTP/1.1\r\nContent-Length: 10\r\n\r\nmessage=hi");
                exchange(address, &head)
            })
        })
        .collect();
    // The rooms are there when their messages have come.
    let began = Instant::now();
    while !exchange(address, "GET /metrics HTTP/1.1").contains("\ncomet_chat_rooms 3\n") {
        assert!(began.elapsed() < PATIENCE, "the messages do not come");
    }
    let began = Instant::now();
    server.ends_by_signal();
    let took = began.elapsed();
    drop(posts);
    took
}

/// Sends a request, and reads until the server closes.
fn exchange(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    let (line, rest) = request.split_once("\r\n").unwrap_or((request, "\r\n"));
    write!(socket, "{line}\r\nHost: localhost\r\nConnection: close\r\n{rest}").unwrap();
    let mut reply = String::new();
    // A server that has ended resets the connection.
    let _ = socket.read_to_string(&mut reply);
    reply
}

fn while_the_disk_is_full_nothing_is_published(engine: &'static str) {
    // No file may grow beyond 300 KiB. The signal for that is ignored, so a write fails as on a full disk.
    let server = Server::start_under(engine, "trap '' XFSZ; ulimit -S -f 600");
    goes_on_after(&server, |publisher| {
        let mut answered = Vec::new();
        let mut refused = 0;
        for n in 0..1_000 {
            // Long and short in turn, so that it fails at different places.
            let text = format!("{n}{}", "-".repeat(n % 7 * 2_000));
            let answer = publisher.try_to_publish(&text).unwrap();
            if answer.status().as_u16() == 200 {
                answered.push(Seen { cursor: cursor(&answer), text });
            } else {
                assert!(is_refused(&answer));
                refused += 1;
            }
            if refused == 20 {
                break;
            }
        }
        assert!(refused == 20 && answered.len() > 5, "{refused} refused, {} stored", answered.len());
        let pid = Pid::from_raw(server.pid().cast_signed());
        prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
        answered
    });
}

/// Runs a fault and its cure between two messages, with a follower that waits all the time.
fn goes_on_after(server: &Server, fault_and_cure: impl FnOnce(&Client) -> Vec<Seen>) {
    let deadline = Instant::now() + Duration::from_secs(120);
    let client = || Client::new(&server.url(), "lobby", deadline);
    let (publisher, follower) = (client(), client());
    thread::scope(|scope| {
        let follower = &follower;
        let following = scope.spawn(move || follow(follower, &["lobby"], Format::Text, "cured").remove(0));
        let mut answered = vec![publisher.publish("before")];
        answered.extend(fault_and_cure(&publisher));
        answered.push(publisher.publish("cured"));
        let followers = vec![following.join().unwrap()];
        let record = Record { answered: vec![answered], kept: client().read(), followers };
        if let Err(fault) = check(&record) {
            panic!("{fault}");
        }
    });
    assert_eq!(follower.traffic.retries.load(Relaxed), 0, "the waiter was sent away");
}

fn is_refused(answer: &Response<String>) -> bool {
    assert!(answer.headers().contains_key("Retry-After"));
    assert!(!answer.body().is_empty());
    answer.status().as_u16() == 503
}

fn a_store_that_cannot_be_opened_is_a_sentence_and_no_server(engine: &'static str) {
    let running = Server::start(engine);
    let directory = TempDir::new().unwrap();
    let letter = directory.path().join("letter.txt");
    fs::write(&letter, "Dear Ann, ".repeat(100)).unwrap();
    for (database, sentence) in [
        (running.database(), "another comet-chat uses"),
        (directory.path().join("missing/chat.db"), "there is no directory"),
        (letter, "is not a SQLite database"),
    ] {
        let said = why_it_does_not_start(engine, &database);
        assert!(said.contains(sentence) && said.contains(database.to_str().unwrap()), "{said}");
    }
}

fn why_it_does_not_start(engine: &str, database: &Path) -> String {
    let store = format!("sqlite:{}", database.display());
    // If it starts nevertheless, it is ended, and the exit code is another one.
    let output = Command::new("timeout")
        .args(["60", env!("CARGO_BIN_EXE_comet-chat")])
        .args(["--listen", "127.0.0.1:0", "--engine", engine, "--store", &store])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "it printed an address");
    String::from_utf8(output.stderr).unwrap()
}
