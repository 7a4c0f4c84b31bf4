//! The door of the async engine: all that an open network asks of us around hyper.
//!
//! Nothing outside this folder knows of hyper, and nothing in it knows an engine: requests are answered by a
//! [`Service`].

mod service;

mod body;
mod connections;
mod counts;
mod deadline;
mod door;
mod events;
mod exchange;
mod handlers;
mod held;
mod patience;
mod response;
mod serving;
mod socket;
#[cfg(test)]
mod tests;
mod unread;

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::door::budget::Cost;
use crate::door::listen;

pub use self::connections::Visit;
pub use self::events::EventWriter;
pub use self::service::{Answer, Service};
pub use self::serving::serve;

/// A connection is a descriptor, whether it waits or not.
pub const COST: Cost = Cost { descriptors: 1, threads: 0, waiting_threads: 0 };

/// The bytes of replies that the kernel takes off our hands for each client (128 KiB, which it doubles for
/// its own needs). Left alone it takes megabytes for each that does not read.
const SEND_BUFFER: usize = 128 * 1024;

/// Binds a listener with the options that every connection inherits from it.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = listen::bind(address)?;
    socket.set_nonblocking(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    listen::listen(socket)
}
