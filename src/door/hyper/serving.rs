//! The life of a door: it is opened and closed.

use std::io;
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;

use crossbeam_channel::Receiver;
use socket2::SockRef;
use tokio::runtime::Handle;

use super::door::Door;
use super::handlers;
use super::service::Service;
use crate::config::DRAIN;
use crate::door::budget::Budget;

/// Serves until `stop` says so or is dropped. Then it answers all who wait, and returns when what is in flight
/// is done. Call it within a runtime, on a thread that may block.
pub fn serve(
    listener: TcpListener,
    budget: Budget,
    service: impl Service,
    stop: &Receiver<()>,
) -> io::Result<()> {
    let door = Arc::new(Door::new(listener, budget, service)?);
    tokio::spawn(handlers::receive(door.clone()));
    // It is the same whether `stop` spoke or was dropped.
    let _ = stop.recv();
    drain(&door);
    Ok(())
}

/// Closes the door.
fn drain(door: &Door<impl Service>) {
    let gate = &door.counts.gate;
    gate.close();
    // Ends the accept loop on this socket, and refuses new connections.
    if let Err(error) = SockRef::from(&door.listener).shutdown(Shutdown::Read) {
        tracing::warn!(%error, "the listener could not be shut down");
    }
    door.service.close();
    if gate.wait_for_none(DRAIN) {
        Handle::current().block_on(door.service.join());
    } else {
        tracing::warn!("not everything in flight was finished in time");
    }
}
