//! The door: all that tiny_http needs around it, each cure beside the fault that it cures.
//!
//! tiny_http 0.12 is used as it is. Nothing outside this folder knows of it.

mod connections;
mod crew;
mod exchange;
mod generations;
mod handlers;
mod rescuer;
mod sockets;
mod supervisor;
mod watcher;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use socket2::SockRef;

use self::connections::Connections;
use self::generations::Generation;
use self::handlers::Handlers;
use self::rescuer::Rescuer;
use self::sockets::Sockets;
use self::watcher::Closer;
use crate::blocking::Server;
use crate::config::{DRAIN, HELD_MAX, HOLD_MAX, LIGHT};
use crate::door::budget::{Budget, Cost};
use crate::door::listen;
use crate::message::Message;
use crate::metrics::Snapshot;
use crate::wire::refusal::Refusal;

pub use self::connections::Visit;
pub use self::exchange::EventWriter;
pub use self::supervisor::serve;

/// A connection is a thread of tiny_http's and two descriptors; one that waits is a handler's, too.
pub const COST: Cost = Cost { descriptors: 2, threads: 1, waiting_threads: 1 };

/// How long a connection may be silent: longer than the longest wait and the gap between two polls.
const SILENCE: Duration = HOLD_MAX.saturating_add(Duration::from_secs(15));

/// How long a client may take to accept what is sent to it.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// The bytes of a reply that the kernel takes off our hands (128 KiB, which it doubles for its own
/// needs). A kernel with a larger buffer lets a sender go on only when a third of that is free, and a slow
/// reader takes longer for that than [`SEND_TIMEOUT`].
const SEND_BUFFER: usize = 128 * 1024;

/// After how long no connection of a dead server is alive.
const LIFETIME: Duration = SILENCE.saturating_add(SEND_TIMEOUT);

/// How long at the end the threads that are idle may take to let go of what they share.
const LET_GO: Duration = Duration::from_millis(200);

/// What tiny_http can't be kept from, for whoever opens it to a network.
pub const WARNING: &str = "\
this engine is made for a trusted network, or to stand behind a proxy. On an open one anybody can
hold its threads for good with HTTP/2.0 request lines, and fill its memory with an endless header:
tiny_http has no limit there, and nothing in this process can give it one. Put nginx or Caddy before it.";

/// Admits requests, and sees that somebody is always there to receive them.
pub struct Door {
    listener: TcpListener,
    connections: Connections,
    rescuer: Rescuer,
    budget: Budget,
    waiters: AtomicUsize,
    handlers: Handlers,
    sockets: Sockets,
    closer: Closer,
    /// How many requests were ever received.
    received: AtomicUsize,
    /// The bytes of large replies that clients have not taken yet.
    held: AtomicUsize,
    /// Held by the one who renders a large reply.
    turn: Mutex<()>,
    in_flight: InFlight,
    closing: AtomicBool,
    deaths: Sender<()>,
    died: Receiver<()>,
}

/// Requests that were received and are not answered yet.
#[derive(Default)]
struct InFlight {
    count: AtomicUsize,
    lock: Mutex<()>,
    none: Condvar,
}

/// A place among those who wait. It is given back when this is dropped.
pub struct Seat<'a>(&'a AtomicUsize);

/// The turn to render a large reply. It passes on when this is dropped.
pub struct Turn<'a> {
    _held: Held<'a>,
    _turn: MutexGuard<'a, ()>,
}

/// Bytes that are held for a client. They are given back when this is dropped.
struct Held<'a> {
    of: &'a AtomicUsize,
    bytes: usize,
}

/// Binds a listener with the options that every connection inherits from it.
///
/// **Fault:** tiny_http sets no timeout and no option on its sockets. A client that is gone, or that
/// sends half a header, holds a thread for ever, and a body over 1 KiB waits 40 ms for Nagle.
/// **Cure:** on Linux an accepted socket inherits the listener's options.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = listen::bind(address)?;
    socket.set_read_timeout(Some(SILENCE))?;
    socket.set_write_timeout(Some(SEND_TIMEOUT))?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    listen::listen(socket)
}

impl Door {
    /// A door at this listener, not open yet.
    pub fn new(listener: TcpListener, budget: Budget) -> io::Result<Door> {
        quieten_panics();
        let (deaths, died) = bounded(1);
        Ok(Door {
            connections: Connections::new(LIFETIME),
            rescuer: Rescuer::start(listener.local_addr()?)?,
            budget,
            waiters: AtomicUsize::new(0),
            handlers: Handlers::new(),
            sockets: Sockets::at(listener.local_addr()?.port()),
            closer: Closer::new(),
            received: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            turn: Mutex::new(()),
            in_flight: InFlight::default(),
            closing: AtomicBool::new(false),
            deaths,
            died,
            listener,
        })
    }

    /// Gives a request a place among those who wait, if there is one and its thread can be spared.
    pub fn admit(&self) -> Result<Seat<'_>, Refusal> {
        let most = self.budget.waiters.min(self.handlers.count().saturating_sub(crew::SPARE));
        let taken = |n| (n < most).then_some(n + 1);
        if self.waiters.fetch_update(SeqCst, SeqCst, taken).is_err() {
            return Err(Refusal::TooManyWaiters);
        }
        Ok(Seat(&self.waiters))
    }

    /// Waits for the turn to render a reply with these messages, if it is a large one: two hundred threads
    /// that render at once leave no time for anybody else. What is to be rendered is counted meanwhile.
    pub fn turn(&self, messages: &[Arc<Message>]) -> Result<Option<Turn<'_>>, Refusal> {
        let bytes = messages.iter().map(|message| message.text.len()).sum();
        if bytes <= LIGHT {
            return Ok(None);
        }
        let held = self.hold(bytes)?;
        // Nothing is under this lock, so a panic leaves it as it was.
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(Turn { _held: held, _turn: turn }))
    }

    /// Counts a large reply until it is dropped.
    fn hold(&self, bytes: usize) -> Result<Held<'_>, Refusal> {
        let held = Held { of: &self.held, bytes };
        if self.held.fetch_add(bytes, SeqCst) + bytes > HELD_MAX {
            return Err(Refusal::TooMuchHeld);
        }
        Ok(held)
    }

    /// How many are at the door, for the metrics.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            waiters: self.waiters.load(SeqCst),
            waiters_max: self.budget.waiters,
            held: self.held.load(SeqCst),
            handlers: self.handlers.count(),
            ..Snapshot::default()
        }
    }

    fn is_closing(&self) -> bool {
        self.closing.load(SeqCst)
    }

    /// Tells the supervisor that a server has died. Once is enough for it to look.
    fn report_death(&self) {
        let _ = self.deaths.try_send(());
    }
}

fn drain(server: &Arc<Server>, generations: &[Generation]) {
    let door = &server.door;
    door.closing.store(true, SeqCst);
    door.rescuer.stop();
    // Ends every accept loop on this socket.
    if let Err(error) = SockRef::from(&door.listener).shutdown(Shutdown::Read) {
        tracing::warn!(%error, "the listener could not be shut down");
    }
    server.rooms.close();
    if door.in_flight.wait_for_none(DRAIN) {
        server.rooms.join();
    } else {
        tracing::warn!("not everything in flight was finished in time");
    }
    generations.iter().for_each(Generation::dismiss);
    door.handlers.dismiss();
    door.closer.dismiss();
    // Whoever is the last to let go of the server closes the store: that should be us, while there is time.
    let patience = Instant::now() + LET_GO;
    while Arc::strong_count(server) > 1 && Instant::now() < patience {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Passes over the panics inside tiny_http: a connection that was reset before it was looked at is of no
/// consequence, and an accept thread's end is seen by its descriptor. It alone starts threads by a function
/// of std that panics where there is none to be had.
fn quieten_panics() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_expected = |file: &str| file.contains("tiny_http") || file.contains("std/src/thread");
        if !info.location().is_some_and(|location| is_expected(location.file())) {
            others(info);
        }
    }));
}

impl InFlight {
    fn enter(&self) -> Flight<'_> {
        self.count.fetch_add(1, SeqCst);
        Flight(self)
    }

    fn wait_for_none(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.count.load(SeqCst) > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            lock = self.none.wait_timeout(lock, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// One request in flight.
struct Flight<'a>(&'a InFlight);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, SeqCst) == 1 {
            let _lock = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.none.notify_all();
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, SeqCst);
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
