//! The handlers: threads that each receive a request for themselves, and answer it.
//!
//! **Fault:** of a fixed pool every thread may sit in a wait, with the POST that would wake them
//! behind. A thread for each request is slow. **Cure:** leader and followers, elastic: whoever takes
//! a request and leaves nobody idle behind first makes sure of a successor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use super::super::Server;
use super::{LIFETIME, exchange};

/// How long a handler waits for a request before it may end.
const IDLE: Duration = Duration::from_secs(5);

/// How many idle handlers stay however quiet it is.
const KEPT: usize = 4;

/// How many handlers there may be beside those that wait: the lane of the POSTs.
const LANE: usize = 256;

/// A handler's stack, in bytes: it renders JSON and reads the store, and both are shallow.
const STACK: usize = 256 * 1024;

/// One life of tiny_http's server. Its accept thread may die; its connections live on.
pub struct Generation {
    server: tiny_http::Server,
    /// Handlers that wait for a request, or are about to.
    idle: AtomicUsize,
    dead: AtomicBool,
    served: AtomicBool,
    started: Instant,
    /// When a request was last received, in seconds since the start.
    heard: AtomicU64,
}

impl Generation {
    /// Starts receiving from a server. `None` if not even one thread can be had.
    pub fn start(server: &Arc<Server>, http: tiny_http::Server) -> Option<Arc<Generation>> {
        let generation = Arc::new(Generation {
            server: http,
            idle: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
            served: AtomicBool::new(false),
            started: Instant::now(),
            heard: AtomicU64::new(0),
        });
        add_handler(server, &generation).then_some(generation)
    }

    /// Whether it may still have connections.
    pub fn is_needed(self: &Arc<Generation>) -> bool {
        !self.dead.load(SeqCst) || self.silence() < LIFETIME
    }

    /// Whether it ever received a request.
    pub fn has_served(self: &Arc<Generation>) -> bool {
        self.served.load(SeqCst)
    }

    /// Wakes up to so many of its idle handlers, for them to see that the door is closing.
    pub fn dismiss(&self, handlers: usize) {
        for _ in 0..handlers {
            self.server.unblock();
        }
    }

    fn silence(&self) -> Duration {
        self.started.elapsed().saturating_sub(Duration::from_secs(self.heard.load(SeqCst)))
    }

    fn hear(&self) {
        self.served.store(true, SeqCst);
        self.heard.store(self.started.elapsed().as_secs(), SeqCst);
    }
}

/// Starts one more handler, if there may be one and the machine gives a thread.
fn add_handler(server: &Arc<Server>, generation: &Arc<Generation>) -> bool {
    let door = &server.door;
    let limit = door.budget.waiters + LANE;
    if door.handlers.fetch_update(SeqCst, SeqCst, |n| (n < limit).then_some(n + 1)).is_err() {
        return false;
    }
    // It counts as idle from now on: were it to count only once it runs, everybody who took a request
    // until then would start another, and a thousand requests at once hundreds.
    generation.idle.fetch_add(1, SeqCst);
    let handler = {
        let (server, generation) = (server.clone(), generation.clone());
        move || {
            receive(&server, &generation);
            server.door.handlers.fetch_sub(1, SeqCst);
        }
    };
    // The handle is let go: `handlers` counts the threads, and each ends by itself once idle.
    let spawned = thread::Builder::new().name("handler".into()).stack_size(STACK).spawn(handler).is_ok();
    if !spawned {
        generation.idle.fetch_sub(1, SeqCst);
        door.handlers.fetch_sub(1, SeqCst);
    }
    spawned
}

fn receive(server: &Arc<Server>, generation: &Arc<Generation>) {
    loop {
        match generation.server.recv_timeout(IDLE) {
            Ok(Some(request)) => {
                let none_idle = generation.idle.fetch_sub(1, SeqCst) == 1;
                generation.hear();
                // With nobody to follow, this thread must be back at once: it may not wait.
                let urgent = none_idle && !add_handler(server, generation);
                let exchange = || exchange::exchange(server, request, urgent);
                if catch_unwind(AssertUnwindSafe(exchange)).is_err() {
                    tracing::error!("a handler panicked; its client was answered 500");
                }
                generation.idle.fetch_add(1, SeqCst);
            }
            Ok(None) => {
                if may_leave(server, generation) {
                    return;
                }
            }
            Err(error) => {
                if !server.door.is_closing() {
                    tracing::warn!(%error, "tiny_http's accept loop ended");
                }
                generation.dead.store(true, SeqCst);
                server.door.report_death();
            }
        }
    }
}

/// Takes an idle handler off its generation, if it is not needed.
fn may_leave(server: &Server, generation: &Generation) -> bool {
    let kept = if server.door.is_closing() {
        0
    } else if !generation.dead.load(SeqCst) {
        KEPT
    } else if generation.silence() < LIFETIME {
        1
    } else {
        0
    };
    generation.idle.fetch_update(SeqCst, SeqCst, |idle| (idle > kept).then(|| idle - 1)).is_ok()
}
