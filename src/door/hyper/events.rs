//! The rest of a connection, given to a stream of events.

use std::io;
use std::sync::Arc;

use hyper::body::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::connections::Connection;

/// Passes events on to hyper, which takes the next one when it has sent the last.
pub struct EventWriter {
    connection: Arc<Connection>,
    events: Sender<Bytes>,
}

impl EventWriter {
    /// A writer, and the receiver of what it writes.
    pub(super) fn start(connection: Arc<Connection>) -> (EventWriter, Receiver<Bytes>) {
        let (sender, events) = mpsc::channel(1);
        (EventWriter { connection, events: sender }, events)
    }

    /// Sends events in pieces. Until all are sent they hold so many bytes for this client alone. Fails if that
    /// is too much.
    pub async fn send(&mut self, bytes: usize, pieces: impl IntoIterator<Item = String>) -> io::Result<()> {
        self.connection.hold(bytes).map_err(io::Error::other)?;
        for piece in pieces {
            // The receiver is in the same future, so it is still there.
            let _ = self.events.send(Bytes::copy_from_slice(piece.as_bytes())).await;
        }
        // Zero bytes are never refused.
        let _ = self.connection.hold(0);
        Ok(())
    }
}
