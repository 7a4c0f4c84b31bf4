//! Three instances, of both engines, on one Redis. Each has a network of its own to it.

use std::thread;
use std::time::{Duration, Instant};

use crate::link::Link;
use crate::redis::RedisServer;
use crate::server::Server;

const ENGINES: [&str; 3] = ["blocking", "async", "blocking"];

/// A Redis that keeps what it has acknowledged when it is killed.
pub const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// How long anything may take. It is far more than anything needs, so that a busy machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Dropping it ends all of it.
pub struct Instances {
    pub servers: Vec<Server>,
    pub links: Vec<Link>,
    pub redis: RedisServer,
}

impl Instances {
    /// Starts Redis with these arguments, and the instances.
    pub fn start(redis: &[&str]) -> Instances {
        let redis = RedisServer::start(redis);
        let links = ENGINES.map(|_| Link::to(redis.address()));
        let servers = ENGINES.iter().zip(&links).map(|(engine, link)| Server::start_on(engine, &link.url()));
        Instances { servers: servers.collect(), links: links.into(), redis }
    }

    /// The addresses of all.
    pub fn urls(&self) -> Vec<String> {
        self.servers.iter().map(Server::url).collect()
    }
}

/// When a test gives up.
pub fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// Waits until something holds.
#[track_caller]
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = deadline();
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
