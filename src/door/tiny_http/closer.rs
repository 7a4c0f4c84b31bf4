//! The connections that the watcher is to close.

use std::net::TcpStream;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// A queue of them.
pub struct Closer {
    /// `None` wakes the watcher, so that it sees that the door closes.
    given: Sender<Option<TcpStream>>,
    taken: Receiver<Option<TcpStream>>,
}

impl Closer {
    /// None yet.
    pub fn new() -> Closer {
        // It needs no bound: each connection has a request that is being answered, and those are bounded.
        let (given, taken) = unbounded();
        Closer { given, taken }
    }

    /// Closes a connection that is shut for writing: when its client closes too, or after a moment.
    pub fn close(&self, connection: TcpStream) {
        // It can't fail: the receiver is in the same struct.
        let _ = self.given.send(Some(connection));
    }

    /// Wakes the watcher, so that it ends with the door.
    pub fn dismiss(&self) {
        let _ = self.given.send(None);
    }

    /// Takes the next connection, if one comes within this time.
    pub fn take(&self, limit: Duration) -> Option<TcpStream> {
        self.taken.recv_timeout(limit).ok().flatten()
    }
}
