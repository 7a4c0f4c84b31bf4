//! A line in the log for each request, at the level `debug`.
//!
//! It holds the path alone: a query may hold names and places, and a body what was said.

use std::net::SocketAddr;
use std::time::Instant;

use tracing::Level;

/// A request's line: written when it is answered, or dropped without an answer. It costs nothing unless
/// somebody reads it.
pub struct Entry(Option<Box<Line>>);

struct Line {
    method: String,
    path: String,
    peer: Option<SocketAddr>,
    began: Instant,
}

impl Entry {
    /// A request that has just come.
    pub fn begin(method: &str, target: &str, peer: Option<SocketAddr>) -> Entry {
        Entry(tracing::enabled!(Level::DEBUG).then(|| {
            let path = target.split(['?', '#']).next().unwrap_or_default();
            Box::new(Line { method: method.to_owned(), path: path.to_owned(), peer, began: Instant::now() })
        }))
    }

    /// Says how it is answered: to be called when the reply is made, before it is sent.
    pub fn answered(mut self, status: u16) {
        if let Some(line) = self.0.take() {
            line.write(Some(status));
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(line) = self.0.take() {
            line.write(None);
        }
    }
}

impl Line {
    fn write(&self, status: Option<u16>) {
        let Line { method, path, .. } = self;
        let peer = self.peer.map(tracing::field::display);
        let ms = self.began.elapsed().as_millis() as u64;
        let answer = if status.is_some() { "answered" } else { "not answered" };
        // As text that is quoted: both are whatever a stranger has sent.
        tracing::debug!(method, path, status, ms, peer, "{answer}");
    }
}
