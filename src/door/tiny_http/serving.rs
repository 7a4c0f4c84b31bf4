//! The life of a door: it is opened, supervised, and closed.

use std::io;
use std::net::TcpListener;
use std::panic;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::door::Door;
use super::generations::Generation;
use super::handlers;
use super::service::Service;
use super::supervisor::supervise;
use crate::config::{DRAIN, LET_GO};
use crate::door::budget::Budget;
use crate::door::listen;

/// Serves until `stop` says so or is dropped. Then it answers all who wait, and returns when what is in flight
/// is done.
pub fn serve(
    listener: TcpListener,
    budget: Budget,
    service: impl Service,
    stop: &Receiver<()>,
) -> io::Result<()> {
    quieten_panics();
    let door = &Arc::new(Door::new(listener, budget, service)?);
    handlers::start(door);
    let generations = supervise(door, stop);
    drain(door, &generations);
    Ok(())
}

/// Closes the door.
fn drain(door: &Arc<Door>, generations: &[Generation]) {
    let gate = &door.counts.gate;
    gate.close();
    door.rescuer.stop();
    listen::stop(&door.listener);
    door.service.close();
    if gate.wait_for_none(DRAIN) {
        door.service.join();
    } else {
        tracing::warn!("not everything in flight was finished in time");
    }
    generations.iter().for_each(Generation::dismiss);
    handlers::dismiss(door);
    door.closer.dismiss();
    // The last thread that drops the service closes the store. That should be this one, while there is time.
    let patience = Instant::now() + LET_GO;
    while Arc::strong_count(door) > 1 && Instant::now() < patience {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Keeps the panics inside tiny_http out of the log. It panics at a connection that was reset early, which does
/// no harm, and when an accept thread ends, which we see by its descriptor. Only tiny_http starts threads by the
/// function of std that panics if there is none.
fn quieten_panics() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_expected = |file: &str| file.contains("tiny_http") || file.contains("std/src/thread");
        if !info.location().is_some_and(|location| is_expected(location.file())) {
            others(info);
        }
    }));
}
