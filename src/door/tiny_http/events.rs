//! The rest of a connection, given to a stream of events.

use std::io::{self, Write};

use tiny_http::{HTTPVersion, Request};

use super::counts::Held;
use crate::log::Entry;
use crate::wire::reply::Reply;

/// Writes events to a client.
///
/// **Fault:** a body that tiny_http reads from us is not flushed before it ends. **Cure:** every event
/// is written and flushed here.
pub struct EventWriter {
    connection: Box<dyn Write + Send>,
    /// HTTP/1.0 knows no chunks: there the end of the connection is the end of the stream.
    is_chunked: bool,
    /// The client is gone, or takes nothing.
    is_broken: bool,
    held: Held,
}

impl EventWriter {
    /// Sends the head of the stream.
    pub(super) fn start(
        entry: Entry,
        request: Request,
        reply: &Reply,
        held: Held,
    ) -> io::Result<EventWriter> {
        let is_chunked = *request.http_version() > HTTPVersion(1, 0);
        entry.answered(reply.status);
        let mut head = reply.render_head();
        head.push_str(if is_chunked {
            "Transfer-Encoding: chunked\r\n\r\n"
        } else {
            "Connection: close\r\n\r\n"
        });
        let connection = request.into_writer();
        let mut events = EventWriter { connection, is_chunked, is_broken: false, held };
        events.write(head.as_bytes())?;
        Ok(events)
    }

    /// Sends events in pieces. Until all are sent they hold so many bytes for this client alone. Fails if that
    /// is too much, or if the client does not take a piece within 10 s.
    pub fn send(&mut self, bytes: usize, pieces: impl IntoIterator<Item = String>) -> io::Result<()> {
        self.held.hold(bytes).map_err(io::Error::other)?;
        for piece in pieces {
            let chunk = if self.is_chunked { format!("{:x}\r\n{piece}\r\n", piece.len()) } else { piece };
            self.write(chunk.as_bytes())?;
        }
        // Zero bytes are never refused.
        let _ = self.held.hold(0);
        Ok(())
    }

    /// Ends the stream.
    pub(super) fn finish(mut self) {
        let end: &[u8] = if self.is_chunked { b"0\r\n\r\n" } else { b"" };
        if !self.is_broken {
            // A client that is gone comes back with its cursor.
            let _ = self.write(end);
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.connection.write_all(bytes).and_then(|()| self.connection.flush());
        self.is_broken = written.is_err();
        written
    }
}
