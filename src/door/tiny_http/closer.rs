//! What gives connections to the watcher to be closed.

use std::net::TcpStream;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// The connections that are to be closed.
pub struct Closer {
    /// `None` wakes the watcher, for it to see that the door is closing.
    given: Sender<Option<TcpStream>>,
    taken: Receiver<Option<TcpStream>>,
}

impl Closer {
    /// None yet.
    pub fn new() -> Closer {
        // Each is a request that is being answered, and these are bounded.
        let (given, taken) = unbounded();
        Closer { given, taken }
    }

    /// Closes a connection that has been shut for writing: once its client has, or after a moment.
    pub fn close(&self, connection: TcpStream) {
        // There is a receiver beside the sender.
        let _ = self.given.send(Some(connection));
    }

    /// Ends the watcher of a door that is closing.
    pub fn dismiss(&self) {
        let _ = self.given.send(None);
    }

    /// The next connection to be closed, if one comes within this time.
    pub fn take(&self, limit: Duration) -> Option<TcpStream> {
        self.taken.recv_timeout(limit).ok().flatten()
    }
}
