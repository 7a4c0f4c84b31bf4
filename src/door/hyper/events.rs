//! The rest of a connection, given to a stream of events.

use std::io;
use std::sync::Arc;

use hyper::body::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::connections::Connection;

/// The way of events to hyper, which asks for them as it gets rid of them.
pub struct EventWriter {
    connection: Arc<Connection>,
    events: Sender<Bytes>,
}

impl EventWriter {
    /// A writer, and where what it writes comes out.
    pub(super) fn start(connection: Arc<Connection>) -> (EventWriter, Receiver<Bytes>) {
        let (sender, events) = mpsc::channel(1);
        (EventWriter { connection, events: sender }, events)
    }

    /// Sends events, which come in pieces and hold so many bytes for this client alone until all are sent.
    /// Fails when that is too much.
    pub async fn send(&mut self, bytes: usize, pieces: impl IntoIterator<Item = String>) -> io::Result<()> {
        self.connection.hold(bytes).map_err(io::Error::other)?;
        for piece in pieces {
            // The writer and the reader are one future: they go together.
            let _ = self.events.send(Bytes::copy_from_slice(piece.as_bytes())).await;
        }
        // Nothing is never too much.
        let _ = self.connection.hold(0);
        Ok(())
    }
}
