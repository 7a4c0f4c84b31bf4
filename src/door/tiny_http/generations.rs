//! The lives of tiny_http's server on one listener, and the thread that receives from each.
//!
//! **Fault:** the accept loop of tiny_http ends at its first error, such as EMFILE: one receiver hears
//! of it. When the error comes a little later its thread panics, and nobody hears of it.
//! **Cure:** another server is started on the same listener, and the old one is received from for as
//! long as it may have connections. If an accept thread has ended in any way, the descriptor of its listener
//! is closed, and that can be seen.

use std::collections::HashSet;
use std::mem::ManuallyDrop;
use std::os::fd::AsRawFd;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use super::door::Door;
use super::handlers;
use super::sockets::descriptor;
use crate::config::{LIFETIME, RECEIVER_BEAT, RECEIVER_STACK};

/// One life of tiny_http's server. Its accept thread may die; its connections live on.
pub struct Generation {
    life: Arc<Life>,
    receiver: JoinHandle<()>,
    /// Once it is dead: the sockets that may still be its own, as far as the kernel tells.
    left: Option<HashSet<u32>>,
}

struct Life {
    /// **Fault:** when tiny_http is dropped it connects to its own listener, without a time-out. If the backlog
    /// is full that takes minutes. **Cure:** it is never dropped. Only a queue stays in memory.
    http: ManuallyDrop<tiny_http::Server>,
    /// The number of the accept thread's own descriptor of the listener, and what it names.
    listener: (i32, Option<String>),
    dead: AtomicBool,
    /// None of its connections is left.
    over: AtomicBool,
    started: Instant,
    /// When a request was last received, in seconds since the start.
    heard: AtomicU64,
}

impl Generation {
    /// Starts one more tiny_http server on the listener. `None` if the machine has no descriptor or no
    /// thread for it.
    pub fn start(door: &Arc<Door>) -> Option<Generation> {
        let listener = door.listener.try_clone().ok()?;
        let number = listener.as_raw_fd();
        let mark = (number, descriptor(number));
        // The receiver comes first: without one a server takes clients and nobody answers them.
        let (life, lives) = bounded::<Arc<Life>>(1);
        let receiver = {
            let door = door.clone();
            thread::Builder::new()
                .name("receiver".into())
                .stack_size(RECEIVER_STACK)
                .spawn(move || receive(&door, &lives))
                .ok()?
        };
        // It panics if there is no thread for it.
        let http = catch_unwind(move || tiny_http::Server::from_listener(listener, None)).ok()?.ok()?;
        let started = Arc::new(Life {
            http: ManuallyDrop::new(http),
            listener: mark,
            dead: AtomicBool::new(false),
            over: AtomicBool::new(false),
            started: Instant::now(),
            heard: AtomicU64::new(0),
        });
        life.send(started.clone()).ok()?;
        Some(Generation { life: started, receiver, left: None })
    }

    /// Whether connections are accepted and received from.
    pub fn is_alive(&self) -> bool {
        !self.life.dead.load(SeqCst) && self.life.accepts() && !self.receiver.is_finished()
    }

    /// Lets another take its place. If its accept thread has ended, its receiver ends with its last
    /// connection.
    pub fn retire(&self) {
        if !self.life.accepts() {
            self.life.dead.store(true, SeqCst);
        }
    }

    /// Whether it may still have connections, and a thread receives from them.
    pub fn is_needed(&self) -> bool {
        !self.receiver.is_finished()
    }

    /// Whether it accepts no more, and another does.
    pub fn is_dead(&self) -> bool {
        self.life.dead.load(SeqCst)
    }

    /// Notes which sockets are open. A socket that opens later does not belong to a dead server.
    pub fn note_open(&mut self, open: &HashSet<u32>) {
        if !self.is_dead() {
            return;
        }
        let left = self.left.get_or_insert_with(|| open.clone());
        left.retain(|inode| open.contains(inode));
        if left.is_empty() {
            self.life.over.store(true, SeqCst);
        }
    }

    /// Wakes its receiver, so that it sees that the door closes.
    pub fn dismiss(&self) {
        self.life.http.unblock();
    }
}

impl Life {
    fn accepts(&self) -> bool {
        let (number, name) = &self.listener;
        // Where we can't look at descriptors, we trust the accept thread.
        name.is_none() || descriptor(number) == *name
    }

    fn silence(&self) -> Duration {
        self.started.elapsed().saturating_sub(Duration::from_secs(self.heard.load(SeqCst)))
    }
}

/// Receives requests, in their order, until the connections of a dead server have gone.
///
/// **Fault:** if several threads are in tiny_http's `recv_timeout`, one whose time is up can swallow the notice
/// of a request, which then waits until another comes. **Cure:** only one thread receives, and it looks again
/// at once.
fn receive(door: &Arc<Door>, lives: &Receiver<Arc<Life>>) {
    let Ok(life) = lives.recv() else { return };
    loop {
        match life.http.recv_timeout(RECEIVER_BEAT) {
            Ok(Some(request)) => {
                life.heard.store(life.started.elapsed().as_secs(), SeqCst);
                handlers::arrive(door, request);
            }
            Ok(None) if door.is_closing() => return,
            Ok(None) => {
                if life.over.load(SeqCst) || life.dead.load(SeqCst) && life.silence() >= LIFETIME {
                    return;
                }
            }
            Err(error) => {
                if !door.is_closing() {
                    tracing::debug!(%error, "tiny_http's accept loop ended");
                }
                life.dead.store(true, SeqCst);
                door.report_death();
            }
        }
    }
}
