//! The life of a door: it is opened, supervised, and closed.

use std::io;
use std::panic;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::door::Door;
use super::generations::Generation;
use super::hall::Hall;
use super::handlers;
use super::service::Service;
use super::supervisor::supervise;
use crate::config::{DRAIN, LET_GO};
use crate::door::budget::Budget;
use crate::door::listen::{self, Farewell, Listener};

/// Serves until `stop` says so or is dropped. Then it answers all who wait, and returns when what is in flight
/// is done.
pub fn serve(
    mut listeners: Vec<Listener>,
    budget: Budget,
    service: impl Service,
    stop: &Receiver<Farewell>,
) -> io::Result<()> {
    quieten_panics();
    let files = listeners.iter_mut().filter_map(Listener::take_file).collect();
    let hall = &Hall::new(budget, service);
    let open = |listener| Door::new(listener, hall.clone()).map(Arc::new);
    let doors = listeners.into_iter().map(open).collect::<io::Result<Vec<_>>>()?;
    handlers::start(hall);
    let (generations, farewell) = supervise_all(&doors, stop)?;
    let let_go = Instant::now() + LET_GO;
    drain(hall, &doors, &generations, farewell);
    listen::end(files, farewell);
    wait_for_the_last(hall, &doors, let_go);
    Ok(())
}

/// Keeps every door open until `stop` speaks: each has a supervisor of its own.
fn supervise_all(doors: &[Arc<Door>], stop: &Receiver<Farewell>) -> io::Result<(Vec<Generation>, Farewell)> {
    // Nobody speaks here: when `stop` has spoken, its other end is dropped.
    let (stopping, stopped) = bounded(0);
    thread::scope(|scope| {
        let watch = |door| {
            let stopped = &stopped;
            let supervisor = thread::Builder::new().name("supervisor".into());
            supervisor.spawn_scoped(scope, move || supervise(door, stopped))
        };
        let supervisors = doors.iter().map(watch).collect::<io::Result<Vec<_>>>();
        let farewell =
            if supervisors.is_ok() { stop.recv().unwrap_or(Farewell::Close) } else { Farewell::Close };
        drop::<Sender<()>>(stopping);
        let generations =
            |supervisor: ScopedJoinHandle<'_, Vec<Generation>>| supervisor.join().unwrap_or_default();
        Ok((supervisors?.into_iter().flat_map(generations).collect(), farewell))
    })
}

/// Closes the doors.
fn drain(hall: &Hall, doors: &[Arc<Door>], generations: &[Generation], farewell: Farewell) {
    let gate = &hall.counts.gate;
    gate.close();
    doors.iter().for_each(|door| door.stop(farewell));
    hall.service.close();
    if gate.wait_for_none(DRAIN) {
        hall.service.join();
    } else {
        tracing::warn!("not everything in flight was finished in time");
    }
    generations.iter().for_each(Generation::dismiss);
    handlers::dismiss(hall);
    doors.iter().for_each(|door| door.close());
}

/// The last thread that drops the service closes the store. That should be this one, while there is time.
fn wait_for_the_last(hall: &Arc<Hall>, doors: &[Arc<Door>], let_go: Instant) {
    let is_held = || doors.iter().any(|door| Arc::strong_count(door) > 1);
    while (is_held() || Arc::strong_count(hall) > doors.len() + 1) && Instant::now() < let_go {
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
