//! The handlers: threads that answer requests, as many as are needed.
//!
//! **Fault:** of a fixed pool every thread may sit in a wait, with the POST that would wake them
//! behind. A thread for each request is slow. **Cure:** an elastic pool in which one more than the
//! requests at hand is always there, as long as the machine gives threads; and who waits is admitted
//! only where somebody else is left.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use tiny_http::Request;

use super::connections::{Arrival, Turn, Visit};
use super::crew::{Crew, KEPT};
use super::exchange;
use crate::blocking::Server;
use crate::door::pace::Pace;
use crate::wire::request::BodyLength;

/// How long a handler waits for a task before it may end.
const IDLE: Duration = Duration::from_secs(5);

/// How many handlers there may be beside those that wait: the lane of the POSTs.
const LANE: usize = 256;

/// A handler's stack, in bytes: it renders JSON and reads the store, and both are shallow.
const STACK: usize = 256 * 1024;

/// The threads, and what they are given to do.
pub struct Handlers {
    tasks: Sender<Task>,
    taken: Receiver<Task>,
    crew: Crew,
    /// How often there was no thread to be had.
    missed: Mutex<Pace>,
}

enum Task {
    /// Answer the requests of a connection, from this one on.
    Answer(Visit, Turn),
    /// Drop a request, which may take a while.
    Leave(Request),
    /// End.
    End,
}

impl Handlers {
    /// No thread yet.
    pub fn new() -> Handlers {
        // Each connection has one task at most in it.
        let (tasks, taken) = unbounded();
        let missed = Mutex::new(Pace::new(IDLE, IDLE));
        Handlers { tasks, taken, crew: Crew::default(), missed }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.crew.count()
    }

    /// Says that the machine has no thread, but not each time.
    fn misses(&self, error: &io::Error) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = missed.fails(Instant::now()).times {
            tracing::warn!(%error, times, "the machine gives no thread to answer with");
        }
    }

    /// Ends each of them once it is idle.
    pub fn dismiss(&self) {
        for _ in 0..self.count() {
            let _ = self.tasks.send(Task::End);
        }
    }
}

/// Takes in a request that tiny_http has received. One thread does so at a time for a connection.
pub fn arrive(server: &Arc<Server>, request: Request) {
    let door = &server.door;
    door.received.fetch_add(1, SeqCst);
    let framing = exchange::framing(&request);
    let has_body = !matches!(framing, Ok(BodyLength::Exact(0)));
    let look = |peer| door.sockets.of(peer).ok().flatten();
    let (arrival, is_first) = door.connections.arrive(request, framing, look);
    if is_first {
        door.rescuer.call();
    }
    match arrival {
        Arrival::Free(visit, turn) => assign(server, Task::Answer(visit, turn)),
        Arrival::Behind => {}
        // A thousand of these may stand in one packet, and to drop them is nothing. Of those with a body
        // tiny_http reads the next once the last has gone.
        Arrival::Unwelcome(request) if has_body => assign(server, Task::Leave(request)),
        Arrival::Unwelcome(request) => exchange::leave(request),
    }
}

fn assign(server: &Arc<Server>, task: Task) {
    let handlers = &server.door.handlers;
    let wanted = handlers.crew.is_given_a_task();
    (0..wanted).take_while(|_| add_handler(server)).for_each(drop);
    // The door has a receiver for as long as it is there.
    let _ = handlers.tasks.send(task);
}

/// Starts those that stay.
pub fn start(server: &Arc<Server>) {
    (0..KEPT).take_while(|_| add_handler(server)).for_each(drop);
}

/// Starts one more handler, if there may be one and the machine gives a thread.
fn add_handler(server: &Arc<Server>) -> bool {
    let crew = &server.door.handlers.crew;
    if !crew.may_grow(server.door.budget.waiters + LANE) {
        return false;
    }
    crew.is_free();
    let handler = {
        let server = server.clone();
        move || {
            work(&server);
            server.door.handlers.crew.has_ended();
        }
    };
    // The handle is let go: the crew counts the threads, and each ends by itself once idle.
    match thread::Builder::new().name("handler".into()).stack_size(STACK).spawn(handler) {
        Ok(_) => true,
        Err(error) => {
            crew.could_not_start();
            server.door.handlers.misses(&error);
            false
        }
    }
}

fn work(server: &Server) {
    let handlers = &server.door.handlers;
    loop {
        match handlers.taken.recv_timeout(IDLE) {
            Ok(Task::Answer(visit, turn)) => answer(server, &visit, turn),
            Ok(Task::Leave(request)) => exchange::leave(request),
            Ok(Task::End) => return,
            Err(_) if handlers.crew.may_shrink() => return,
            Err(_) => continue,
        }
        handlers.crew.is_free();
    }
}

/// Answers a request, and those behind it on its connection.
fn answer(server: &Server, visit: &Visit, turn: Turn) {
    let mut turn = Some(turn);
    while let Some(this) = turn {
        if catch_unwind(AssertUnwindSafe(|| exchange::exchange(server, this, visit))).is_err() {
            tracing::error!("a handler panicked; its client was answered 500");
        }
        turn = visit.next();
    }
}
