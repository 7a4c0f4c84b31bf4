//! The door of the async engine: all that an open network asks of us around hyper, and what needs no hyper.
//!
//! Nothing outside this folder knows of hyper, and nothing in it knows an engine: requests are answered by a
//! [`Service`].

mod service;

mod body;
mod connections;
mod counts;
mod deadline;
mod door;
mod entrance;
mod events;
mod exchange;
mod handlers;
mod head;
mod held;
mod line;
mod response;
mod serving;
mod simple;
mod socket;
#[cfg(test)]
mod tests;
mod unread;
mod workers;

use std::io;

use socket2::Socket;

use crate::config::SEND_BUFFER;
use crate::door::budget::Cost;

pub use self::connections::Visit;
pub use self::events::EventWriter;
pub use self::line::{Ear, Line};
pub use self::service::{Answer, Service};
pub use self::serving::serve;
pub use self::workers::Workers;

/// A connection is a descriptor, whether it waits or not.
pub const COST: Cost = Cost { descriptors: 1, threads: 0, waiting_threads: 0 };

/// A connection by a Unix socket costs no more.
pub const UNIX_COST: Cost = COST;

/// Gives a listener the options that every connection inherits from it.
pub fn prepare(socket: &Socket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)
}
