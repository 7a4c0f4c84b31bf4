//! The door of the blocking engine: all that tiny_http needs around it, each cure beside its fault.
//!
//! tiny_http 0.12 is used as it is. Nothing outside this folder knows of it, and nothing in it knows an
//! engine: requests are answered by a [`Service`].

mod service;

mod body;
mod closer;
mod connections;
mod counts;
mod crew;
mod door;
mod ending;
mod events;
mod exchange;
mod generations;
mod hall;
mod handlers;
mod head;
mod line;
mod lost;
mod relay;
mod rescuer;
mod serving;
mod sockets;
mod supervisor;
mod tasks;
mod watcher;

use std::io;

use socket2::Socket;

use crate::config::{SEND_BUFFER, SEND_TIMEOUT, SILENCE};
use crate::door::budget::Cost;

pub use self::connections::Visit;
pub use self::events::EventWriter;
pub use self::line::{Ear, Line, hear_all};
pub use self::service::{Answer, Service};
pub use self::serving::serve;

/// A connection takes a thread of tiny_http and two descriptors. One that waits takes a handler too.
pub const COST: Cost = Cost { descriptors: 2, threads: 1, waiting_threads: 1 };

/// A connection by a Unix socket takes two descriptors more, to be passed on.
pub const UNIX_COST: Cost = Cost { descriptors: 4, ..COST };

/// The threads that a door has for itself: supervisor, receiver, rescuer, watcher, and the one of tiny_http that accepts.
pub const OWN_THREADS: usize = 5;

/// The faults of tiny_http that have no cure here, for people who open the server to a network.
pub const WARNING: &str = "\
this engine is made for a trusted network, or to stand behind a proxy. On an open one anybody can
hold its threads for good with HTTP/2.0 request lines, and fill its memory with an endless header:
tiny_http has no limit there, and nothing in this process can give it one. Put nginx or Caddy before it.";

/// Gives a listener the options that every connection inherits from it.
///
/// **Fault:** tiny_http sets no timeout and no option on its sockets. A client that is gone, or that
/// sends half a header, holds a thread for ever, and a body over 1 KiB waits 40 ms for Nagle.
/// **Cure:** on Linux an accepted socket inherits the listener's options.
pub fn prepare(socket: &Socket) -> io::Result<()> {
    // One that was handed over may be in any state.
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(SILENCE))?;
    socket.set_write_timeout(Some(SEND_TIMEOUT))?;
    socket.set_send_buffer_size(SEND_BUFFER)
}
