//! People of an instance that is killed or stopped have left when its lease has lapsed: each once, and only those
//! who are on no other instance.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::client::{Client, cursor};
use crate::instances::{Instances, deadline, wait_until};
use crate::server::Server;

const GHOSTS: usize = 100;

/// Who came and who went in the room, in its order, as a client hears it.
struct Watcher {
    client: Client,
    after: String,
    heard: Vec<(String, String)>,
}

impl Watcher {
    fn of(client: Client) -> Watcher {
        Watcher { client, after: "oldest".into(), heard: Vec::new() }
    }

    /// Hears on until so many have come, or gone.
    fn hears(&mut self, kind: &str, names: &BTreeSet<String>, times: usize) {
        let deadline = deadline();
        while !names.iter().all(|name| self.count(kind, name) >= times) {
            assert!(Instant::now() < deadline, "not all have {kind}: {:?}", self.heard);
            let query = [("after", &*self.after), ("wait", "5"), ("kinds", "joined,left")];
            let reply = self.client.get("", "application/json", &query);
            self.after = cursor(&reply);
            let body: Value = serde_json::from_str(reply.body()).unwrap_or_default();
            assert_ne!(body["gap"], true, "{body}");
            for message in body["messages"].as_array().into_iter().flatten() {
                let field = |name: &str| message[name].as_str().unwrap().to_owned();
                self.heard.push((field("kind"), field("name")));
            }
        }
    }

    fn count(&self, kind: &str, name: &str) -> usize {
        self.heard.iter().filter(|(of_kind, of_name)| of_kind == kind && of_name == name).count()
    }

    /// How often each of these has come and gone, all alike. Who came and went took turns.
    fn each_has(&self, names: &BTreeSet<String>, joined: usize, left: usize) {
        for name in names {
            let times = ["joined", "left"].map(|kind| self.count(kind, name));
            assert_eq!(times, [joined, left], "{name} in {:?}", self.heard);
        }
        let mut here: HashMap<&str, bool> = HashMap::new();
        for (kind, name) in &self.heard {
            let was_here = here.insert(name, kind == "joined").unwrap_or(false);
            assert_eq!(was_here, kind == "left", "{name} {kind}, and was so already: {:?}", self.heard);
        }
    }
}

/// A wait on this instance that ends with the instance, or a minute later. Who comes and goes does not end it.
fn wait_on(server: &Server, name: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let path = format!("/chat/lobby?name={name}&wait=60&kinds=message&after=latest");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n").unwrap();
    stream
}

/// Waits again and again, until it is over.
fn stay(client: &Client, name: &str, is_over: &AtomicBool) {
    while !is_over.load(Relaxed) {
        let query = [("name", name), ("wait", "2"), ("kinds", "message"), ("after", "latest")];
        client.get("", "application/json", &query);
    }
}

fn named(prefix: &str, count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("{prefix}-{number}")).collect()
}

/// Waits until an instance shows exactly these people.
fn shows(client: &Client, names: &BTreeSet<String>) {
    let shown = || -> BTreeSet<String> {
        let reply = client.get("/people", "application/json", &[]);
        let body: Value = serde_json::from_str(reply.body()).unwrap();
        let people = body["people"].as_array().unwrap().iter();
        people.map(|person| person["name"].as_str().unwrap().to_owned()).collect()
    };
    wait_until("exactly these are shown", || shown() == *names);
}

#[test]
fn the_people_of_an_instance_that_is_killed_leave_once_and_nobody_else_does() {
    let mut instances = Instances::start(&[]);
    let (urls, deadline) = (instances.urls(), deadline());
    let client = |urls: &[String]| Client::of(urls, "lobby", deadline);
    let (ghosts, on_both, elsewhere) = (named("ghost", GHOSTS), named("both", 5), named("elsewhere", 5));
    let staying: BTreeSet<String> = on_both.union(&elsewhere).cloned().collect();
    let mut watcher = Watcher::of(client(&urls[1..]));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for name in &staying {
            let (client, is_over) = (client(&urls[1..2]), &is_over);
            scope.spawn(move || stay(&client, name, is_over));
        }
        watcher.hears("joined", &staying, 1);
        let waits: Vec<TcpStream> =
            ghosts.union(&on_both).map(|name| wait_on(&instances.servers[0], name)).collect();
        watcher.hears("joined", &ghosts, 1);

        let killed = Instant::now();
        instances.servers[0].dies();
        watcher.hears("left", &ghosts, 1);
        println!("all had left after {:?}", killed.elapsed());
        drop(waits);
        for url in &urls[1..] {
            shows(&Client::new(url, "lobby", deadline), &staying);
        }

        // Whoever comes back, to the same instance in its next life, comes back once.
        instances.servers[0].starts_again();
        let waits: Vec<TcpStream> = ghosts.iter().map(|name| wait_on(&instances.servers[0], name)).collect();
        watcher.hears("joined", &ghosts, 2);
        watcher.each_has(&ghosts, 2, 1);
        watcher.each_has(&staying, 1, 0);
        drop(waits);
        is_over.store(true, Relaxed);
    });
}

#[test]
fn the_people_of_an_instance_that_is_stopped_for_long_leave_and_come_back_with_it() {
    let instances = Instances::start(&[]);
    let (urls, deadline) = (instances.urls(), deadline());
    let client = |urls: &[String]| Client::of(urls, "lobby", deadline);
    let (away, here) = (named("away", 5), named("here", 5));
    let mut watcher = Watcher::of(client(&urls[1..]));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for (names, urls) in [(&away, &urls[..1]), (&here, &urls[1..2])] {
            for name in names {
                let (client, is_over) = (client(urls), &is_over);
                scope.spawn(move || stay(&client, name, is_over));
            }
        }
        watcher.hears("joined", &away, 1);
        watcher.hears("joined", &here, 1);
        instances.servers[0].signal("STOP");
        watcher.hears("left", &away, 1);
        instances.servers[0].signal("CONT");
        watcher.hears("joined", &away, 2);
        watcher.each_has(&away, 2, 1);
        watcher.each_has(&here, 1, 0);
        is_over.store(true, Relaxed);
    });
}
