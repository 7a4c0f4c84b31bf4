//! The server is stopped for 20 s, as by a debugger, a full host or a laptop's lid, and goes on.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, cursor};
use crate::server::Server;

on_every_engine![after_a_stop_of_20_s_nobody_has_lost_anything];

/// Longer than the time after which an absent person has left.
const STOP: Duration = Duration::from_secs(20);

const PATIENCE: Duration = Duration::from_secs(180);

const FOLLOWERS: usize = 20;

/// Follows from the beginning until the last words. Gives what was said, and who left.
fn follow(client: &Client) -> (Vec<String>, Vec<String>) {
    let (mut said, mut left) = (Vec::new(), Vec::new());
    let mut next = "oldest".to_owned();
    while said.last().is_none_or(|last| last != "the end") {
        let reply = client.get("", "application/json", &[("after", &next), ("wait", "5"), ("name", "ann")]);
        next = cursor(&reply);
        if reply.status().as_u16() == 204 {
            continue;
        }
        let body: Value = serde_json::from_str(reply.body()).unwrap();
        assert_eq!(body["gap"], false, "{body}");
        for message in body["messages"].as_array().unwrap() {
            let of = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
            match of("kind").as_str() {
                "message" => said.push(of("text")),
                "left" => left.push(of("name")),
                _ => {}
            }
        }
    }
    (said, left)
}

/// Waits until all of them wait at once.
fn until_they_wait(server: &Server) {
    let deadline = Instant::now() + PATIENCE;
    let all = format!("comet_chat_waiters {FOLLOWERS}");
    let wait = || {
        let metrics =
            ureq::get(format!("{}/metrics", server.url())).call().ok()?.body_mut().read_to_string().ok()?;
        metrics.lines().any(|line| line == all).then_some(())
    };
    while wait().is_none() {
        assert!(Instant::now() < deadline, "they do not wait");
        thread::sleep(Duration::from_millis(20));
    }
}

fn after_a_stop_of_20_s_nobody_has_lost_anything(engine: &'static str) {
    let server = Server::start(engine);
    let client = || Client::new(&server.url(), "stopped", Instant::now() + PATIENCE);
    let speaker = client();
    speaker.publish("before");
    thread::scope(|scope| {
        let followers: Vec<_> = (0..FOLLOWERS).map(|_| scope.spawn(|| follow(&client()))).collect();
        // Whoever has just been answered and has not come back yet may be taken for gone.
        until_they_wait(&server);
        server.signal("STOP");
        // It is said while the server is stopped, and again until it is answered.
        let spoken = scope.spawn(|| speaker.publish("meanwhile"));
        // This is the fault itself.
        thread::sleep(STOP);
        server.signal("CONT");
        spoken.join().unwrap();
        client().publish("the end");
        for follower in followers {
            let (said, left) = follower.join().unwrap();
            assert_eq!(said, ["before", "meanwhile", "the end"]);
            assert!(left.is_empty(), "{left:?} left who were there all the while");
        }
    });
}
