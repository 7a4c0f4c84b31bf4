//! The record of each request: a count, and at the level `debug` a line in the log.
//!
//! The line has the path without its query, which may hold names, and nothing of the body.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use tracing::Level;

use crate::metrics::METRICS;
use crate::wire::path::logged;
use crate::wire::request::{known_method, route};

/// A request. It is counted when it is answered. Its line is written then, or when it is dropped without an
/// answer. The line costs nothing at other levels.
pub struct Entry {
    method: &'static str,
    route: &'static str,
    line: Option<Box<Line>>,
}

struct Line {
    method: String,
    path: String,
    peer: Option<SocketAddr>,
    /// The client's address, if the peer is a proxy that has told it.
    client: Option<IpAddr>,
    began: Instant,
}

impl Entry {
    /// A request that has just come.
    pub fn begin(method: &str, target: &str, peer: Option<SocketAddr>) -> Entry {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let line = tracing::enabled!(Level::DEBUG).then(|| {
            let (method, path) = (method.to_owned(), logged(path).into_owned());
            Box::new(Line { method, path, peer, client: None, began: Instant::now() })
        });
        Entry { method: known_method(method), route: route(path), line }
    }

    /// Notes the address of the client, who may be behind a proxy.
    pub fn come_from(&mut self, client: Option<IpAddr>) {
        if let Some(line) = &mut self.line {
            line.client = client.filter(|_| client != line.peer.map(|peer| peer.ip().to_canonical()));
        }
    }

    /// Counts and logs the answer. Call it when the reply is made, before it is sent.
    pub fn answered(mut self, status: u16) {
        METRICS.answered(self.method, self.route, status);
        if let Some(line) = self.line.take() {
            line.write(Some(status));
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            line.write(None);
        }
    }
}

impl Line {
    fn write(&self, status: Option<u16>) {
        let Line { method, path, .. } = self;
        let peer = self.peer.map(tracing::field::display);
        let client = self.client.map(tracing::field::display);
        let ms = self.began.elapsed().as_millis() as u64;
        let answer = if status.is_some() { "answered" } else { "not answered" };
        // Method and path are quoted: a stranger may have put anything in them.
        tracing::debug!(method, path, status, ms, peer, client, "{answer}");
    }
}
