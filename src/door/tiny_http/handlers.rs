//! The handlers: threads that answer requests, as many as are needed.
//!
//! **Fault:** in a fixed pool every thread may be in a wait, and the POST that would wake them finds none. A
//! thread for each request is slow. **Cure:** an elastic pool that always has one thread more than there are
//! requests, as long as the machine gives threads. A request may wait only if other threads are left.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use tiny_http::Request;

use super::connections::{Arrival, Turn, Visit};
use super::door::Door;
use super::hall::Hall;
use super::tasks::Task;
use super::{ending, exchange, head};
use crate::config::{HANDLER_STACK, HANDLERS_KEPT, HANDLERS_LANE};
use crate::wire::request::BodyLength;

/// Takes in a request that tiny_http has received. One thread does so at a time for a connection.
pub fn arrive(door: &Arc<Door>, request: Request) {
    door.received.fetch_add(1, SeqCst);
    if !door.welcomes(request.remote_addr()) {
        return assign(door, move || ending::leave(request));
    }
    let framing = head::framing(&request, door.service.upload_limit());
    let has_body = !matches!(framing, Ok(BodyLength::Exact(0)));
    let (arrival, is_first) = door.connections.arrive(request, framing, |peer| door.look(peer));
    if is_first {
        door.rescuer.call();
    }
    match arrival {
        Arrival::Free(mut visit, turn) => {
            let answering = door.clone();
            assign(door, move || answer(&answering, &mut visit, turn));
        }
        Arrival::Behind => {}
        // A thousand of these may come in one packet, so they are dropped here, which is quick. If one has a
        // body, tiny_http reads the next only when this one is dropped.
        Arrival::Unwelcome(request) if has_body => assign(door, move || ending::leave(request)),
        Arrival::Unwelcome(request) => ending::leave(request),
    }
}

fn assign(door: &Door, task: impl FnOnce() + Send + 'static) {
    let wanted = door.counts.crew.count_task();
    (0..wanted).take_while(|_| add_handler(&door.hall)).for_each(drop);
    door.tasks.give(Task::Do(Box::new(task)));
}

/// Ends every handler, when it is idle.
pub fn dismiss(hall: &Hall) {
    (0..hall.counts.crew.count()).for_each(|_| hall.tasks.give(Task::End));
}

/// Starts the handlers that always stay.
pub fn start(hall: &Arc<Hall>) {
    (0..HANDLERS_KEPT).take_while(|_| add_handler(hall)).for_each(drop);
}

/// Starts one more handler, if there may be one and the machine gives a thread.
fn add_handler(hall: &Arc<Hall>) -> bool {
    let crew = &hall.counts.crew;
    if !crew.grow(hall.counts.gate.budget().waiters + HANDLERS_LANE) {
        return false;
    }
    crew.count_free();
    let handler = {
        let hall = hall.clone();
        move || {
            work(&hall);
            hall.counts.crew.count_end();
        }
    };
    // The thread is not joined: the crew counts it, and it ends by itself when it is idle.
    match thread::Builder::new().name("handler".into()).stack_size(HANDLER_STACK).spawn(handler) {
        Ok(_) => true,
        Err(error) => {
            crew.uncount_start();
            hall.tasks.report_miss(&error);
            false
        }
    }
}

fn work(hall: &Hall) {
    let crew = &hall.counts.crew;
    loop {
        match hall.tasks.take() {
            Some(Task::Do(task)) => task(),
            Some(Task::End) => return,
            None if crew.shrink() => return,
            None => continue,
        }
        crew.count_free();
    }
}

/// Answers a request, and those behind it on its connection.
fn answer(door: &Door, visit: &mut Visit, turn: Turn) {
    let mut turn = Some(turn);
    while let Some(this) = turn {
        if catch_unwind(AssertUnwindSafe(|| exchange::exchange(door, this, visit))).is_err() {
            tracing::error!("a handler panicked");
        }
        turn = visit.next();
    }
}
