//! The door: all that an open network asks of us around hyper.
//!
//! Nothing outside this folder knows of hyper.

mod connections;
mod exchange;
mod handlers;
mod held;
mod socket;

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crossbeam_channel::Receiver;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use self::held::{Client, Held};
use crate::config::{DRAIN, HOLD_MAX, LIGHT};
use crate::door::budget::{Budget, Cost};
use crate::door::listen;
use crate::message::Message;
use crate::metrics::Snapshot;
use crate::nonblocking::Server;
use crate::wire::refusal::Refusal;

pub use self::connections::Visit;
pub use self::exchange::EventWriter;

/// A connection is a descriptor, whether it waits or not.
pub const COST: Cost = Cost { descriptors: 1, threads: 0, waiting_threads: 0 };

/// How long a connection may be silent between two requests: longer than the longest wait and the gap
/// between two polls.
const SILENCE: Duration = HOLD_MAX.saturating_add(Duration::from_secs(15));

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to send a body, of 64 KiB at most.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a client may take nothing of a reply that is more than its kernel and ours hold. Whoever reads
/// on gets it, however slowly.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// The bytes of replies that the kernel takes off our hands for each client (128 KiB, which it doubles for
/// its own needs). Left alone it takes megabytes for each that does not read.
const SEND_BUFFER: usize = 128 * 1024;

/// The pauses after a failed accept: from the first, doubled up to the last. Who knocks when there is room
/// again waits no longer than that.
const ACCEPT_PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Admits connections and requests.
pub struct Door {
    listener: TcpListener,
    /// A permit for each connection that may yet come.
    places: Arc<Semaphore>,
    budget: Budget,
    waiters: Arc<AtomicUsize>,
    /// A permit to render a large reply.
    turn: Semaphore,
    in_flight: Arc<InFlight>,
    closing: AtomicBool,
}

/// Requests that were received and are not answered yet.
#[derive(Default)]
struct InFlight {
    count: AtomicUsize,
    /// What is held in memory of their bodies and replies.
    held: Held,
    none: Notify,
}

/// A place among those who wait. It is given back when this is dropped.
pub struct Seat(Arc<AtomicUsize>);

/// Binds a listener with the options that every connection inherits from it.
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = listen::bind(address)?;
    socket.set_nonblocking(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    listen::listen(socket)
}

impl Door {
    /// A door at this listener, not open yet. To be called within a runtime.
    pub fn new(listener: std::net::TcpListener, budget: Budget) -> io::Result<Door> {
        Ok(Door {
            listener: TcpListener::from_std(listener)?,
            places: Arc::new(Semaphore::new(budget.connections)),
            budget,
            waiters: Arc::default(),
            turn: Semaphore::new(1),
            in_flight: Arc::default(),
            closing: AtomicBool::new(false),
        })
    }

    /// Gives a request a place among those who wait, if there is one.
    pub fn admit(&self) -> Result<Seat, Refusal> {
        let taken = |n| (n < self.budget.waiters).then_some(n + 1);
        if self.waiters.fetch_update(SeqCst, SeqCst, taken).is_err() {
            return Err(Refusal::TooManyWaiters);
        }
        Ok(Seat(self.waiters.clone()))
    }

    /// Waits for the turn to render a reply with these messages, if it is a large one: while a task
    /// computes, its thread runs no other, and there are few.
    pub async fn turn(
        &self,
        visit: &Visit,
        messages: &[Arc<Message>],
    ) -> Result<Option<SemaphorePermit<'_>>, Refusal> {
        if visit.carries(messages)? <= LIGHT {
            return Ok(None);
        }
        // Nobody closes it.
        Ok(self.turn.acquire().await.ok())
    }

    /// How many are at the door, for the metrics.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            waiters: self.waiters.load(SeqCst),
            waiters_max: self.budget.waiters,
            held: self.in_flight.held.bytes(),
            ..Snapshot::default()
        }
    }

    fn is_closing(&self) -> bool {
        self.closing.load(SeqCst)
    }

    /// Whether only the lane of the POSTs is left: who holds a connection open there holds up others.
    fn is_crowded(&self) -> bool {
        self.places.available_permits() < self.budget.connections - self.budget.waiters
    }
}

/// Serves until told to stop; then answers all who wait, lets what is in flight finish, and returns.
pub fn serve(server: &Arc<Server>, stop: &Receiver<()>, runtime: &Runtime) {
    runtime.spawn(handlers::receive(server.clone()));
    // This thread runs no tasks, and so may block. It is the same whether `stop` spoke or was dropped.
    let _ = stop.recv();
    runtime.block_on(drain(server));
}

async fn drain(server: &Arc<Server>) {
    let door = &server.door;
    door.closing.store(true, SeqCst);
    // Ends the accept loop on this socket, and refuses who comes from now on.
    if let Err(error) = SockRef::from(&door.listener).shutdown(Shutdown::Read) {
        tracing::warn!(%error, "the listener could not be shut down");
    }
    server.rooms.close();
    if door.in_flight.wait_for_none(DRAIN).await {
        server.rooms.join().await;
    } else {
        tracing::warn!("not everything in flight was finished in time");
    }
}

impl InFlight {
    fn enter(self: &Arc<InFlight>, client: &Arc<Client>) -> Flight {
        self.count.fetch_add(1, SeqCst);
        Flight { of: self.clone(), client: client.clone(), bytes: 0 }
    }

    async fn wait_for_none(&self, limit: Duration) -> bool {
        let none = async {
            loop {
                // It hears of what happens from its making on, and so between the look and the wait.
                let notified = self.none.notified();
                if self.count.load(SeqCst) == 0 {
                    return;
                }
                notified.await;
            }
        };
        timeout(limit, none).await.is_ok()
    }
}

/// One request in flight.
struct Flight {
    of: Arc<InFlight>,
    client: Arc<Client>,
    bytes: usize,
}

impl Flight {
    /// Counts what is held for this request now. It is too much if all requests together hold as much
    /// as they may, and this one is not among the light ones.
    fn holds(&mut self, bytes: usize) -> Result<(), Refusal> {
        let held = self.of.held.change(&self.client, self.bytes, bytes, Instant::now());
        self.bytes = if held.is_ok() { bytes } else { 0 };
        held
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Nothing is never too much.
        let _ = self.holds(0);
        if self.of.count.fetch_sub(1, SeqCst) == 1 {
            self.of.none.notify_waiters();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
