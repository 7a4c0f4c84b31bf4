//! The life of a door: it is opened and closed.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Receiver;
use tokio::runtime::Handle;

use super::door::Door;
use super::handlers;
use super::service::Service;
use crate::config::{DRAIN, LET_GO};
use crate::door::budget::Budget;
use crate::door::listen::{self, Farewell, Listener};

/// Serves until `stop` says so or is dropped. Then it answers all who wait, and returns when what is in flight
/// is done. Gives until when the threads may take to let go of the store. Call it within a runtime, on a thread that may
/// block.
pub fn serve(
    mut listeners: Vec<Listener>,
    budget: Budget,
    service: impl Service,
    stop: &Receiver<Farewell>,
) -> io::Result<Instant> {
    let files = listeners.iter_mut().filter_map(Listener::take_file).collect();
    let door = Arc::new(Door::new(listeners, budget, service)?);
    for entrance in 0..door.entrances.len() {
        tokio::spawn(handlers::receive(door.clone(), entrance));
    }
    let farewell = stop.recv().unwrap_or(Farewell::Close);
    let let_go = Instant::now() + LET_GO;
    drain(&door, farewell);
    listen::end(files, farewell);
    Ok(let_go)
}

/// Closes the door.
fn drain(door: &Door<impl Service>, farewell: Farewell) {
    let gate = &door.counts.gate;
    gate.close();
    door.left.close();
    door.entrances.iter().for_each(|entrance| listen::stop(entrance, farewell));
    door.service.close();
    if gate.wait_for_none(DRAIN) {
        Handle::current().block_on(door.service.join());
    } else {
        tracing::warn!("not everything in flight was finished in time");
    }
}
