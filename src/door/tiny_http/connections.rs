//! The state of each connection. It is found by the address of the client, as tiny_http tells nothing else.
//!
//! One handler answers the requests of a connection, one after the other. A request that comes behind a waiting
//! one ends that wait.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tiny_http::Request;

use super::counts::Counts;
use super::sockets::{Seen, canonical};
use crate::access::Caller;
use crate::config::{CLOSED_FOR, CONNECTIONS_SWEEP, LOOKS_EVERY, PIPELINE_MAX};
use crate::door::gate::{Cancel, Interrupt, Seat};
use crate::metrics::Snapshot;
use crate::wire::refusal::Refusal;
use crate::wire::request::BodyLength;

/// The connections on which a request came lately.
pub struct Connections {
    /// Locked to look a connection up. Each connection has a lock of its own, so that a thousand handlers that
    /// wake at once do not wait for one another here.
    table: Mutex<Table>,
    /// After this long without a request no connection is alive.
    lifetime: Duration,
    counts: Arc<Counts>,
}

struct Table {
    known: HashMap<SocketAddr, Arc<Mutex<Connection>>>,
    swept: Instant,
}

struct Connection {
    peer: Option<SocketAddr>,
    /// Whether a handler answers its requests.
    busy: bool,
    /// The requests behind the one that is being answered.
    pending: VecDeque<Turn>,
    /// The wait on it, if a request waits.
    wait: Option<Wait>,
    /// The kernel says that the client is gone, or sends nothing more.
    gone: bool,
    /// When we closed it: what comes on it later is dropped.
    closed: Option<Closed>,
    seen: Instant,
}

/// How to end a wait, and when it began.
struct Wait {
    cancel: Cancel,
    since: Instant,
}

#[derive(Clone, Copy)]
struct Closed {
    since: Instant,
    /// Which socket it was; `None` where the kernel does not tell.
    inode: Option<u32>,
    /// When the kernel last said that it is still the same, and how often it was asked.
    looked: Instant,
    looks: usize,
}

/// A request, and what its head says of its body.
pub struct Turn {
    /// The request.
    pub request: Request,
    /// How much body follows; or why the body, and all that comes after it, can't be read.
    pub framing: Result<BodyLength, Refusal>,
}

/// What to do with a request that has come.
pub enum Arrival {
    /// Find a handler for it.
    Free(Visit, Turn),
    /// Nothing: the handler of the requests before it answers it.
    Behind,
    /// Drop it: the connection was closed after an earlier request.
    Unwelcome(Request),
}

/// The right to answer the requests of a connection, which one handler has at a time.
pub struct Visit {
    connection: Arc<Mutex<Connection>>,
    counts: Arc<Counts>,
    caller: Caller,
}

impl Connections {
    /// None yet. A silent connection lives at most so long.
    pub fn new(lifetime: Duration, counts: Arc<Counts>) -> Connections {
        let table = Table { known: HashMap::new(), swept: Instant::now() };
        Connections { table: Mutex::new(table), lifetime, counts }
    }

    /// Notes that a request has come. Also says whether it is the connection's first.
    ///
    /// One thread must call this, in the order in which requests came: what comes after a body of unclear
    /// length must find the connection closed. `look` asks the kernel for a connection.
    pub fn arrive(
        &self,
        request: Request,
        mut framing: Result<BodyLength, Refusal>,
        look: impl Fn(SocketAddr) -> Option<Seen>,
    ) -> (Arrival, bool) {
        let now = Instant::now();
        let peer = request.remote_addr().copied().map(canonical);
        let (known, is_new) = self.look_up(peer, now);
        let mut connection = lock(&known);
        let was_closed = connection.closed.is_some();
        if was_closed && connection.is_still_closed(now, &look) {
            return (Arrival::Unwelcome(request), false);
        }
        let is_first = is_new || was_closed;
        connection.seen = now;
        if connection.pending.len() >= PIPELINE_MAX {
            framing = Err(Refusal::TooDeepPipeline);
        }
        if framing.is_err() {
            connection.close(now, look);
        }
        let turn = Turn { request, framing };
        if connection.busy {
            connection.pending.push_back(turn);
            connection.interrupt(Interrupt::Followed);
            return (Arrival::Behind, is_first);
        }
        connection.busy = true;
        connection.gone = false;
        drop(connection);
        let visit = Visit { connection: known, counts: self.counts.clone(), caller: Caller::default() };
        (Arrival::Free(visit, turn), is_first)
    }

    /// Ends every wait on a connection that was not among the open ones at this time.
    pub fn end_waits_beside(&self, open: &HashSet<SocketAddr>, looked: Instant) {
        let known: Vec<_> = lock(&self.table).known.values().cloned().collect();
        for connection in known {
            let mut connection = lock(&connection);
            let stood = connection.wait.as_ref().is_some_and(|wait| wait.since < looked);
            if stood && connection.peer.is_some_and(|peer| !open.contains(&peer)) {
                connection.gone = true;
                connection.interrupt(Interrupt::Gone);
            }
        }
    }

    /// Whether a request ever came from there.
    pub fn knows(&self, peer: SocketAddr) -> bool {
        lock(&self.table).known.contains_key(&peer)
    }

    fn look_up(&self, peer: Option<SocketAddr>, now: Instant) -> (Arc<Mutex<Connection>>, bool) {
        let new = || {
            Arc::new(Mutex::new(Connection {
                peer,
                busy: false,
                pending: VecDeque::new(),
                wait: None,
                gone: false,
                closed: None,
                seen: now,
            }))
        };
        let Some(peer) = peer else { return (new(), true) };
        let mut table = lock(&self.table);
        table.sweep(now, self.lifetime);
        let mut is_new = false;
        let entry = table.known.entry(peer).or_insert_with(|| {
            is_new = true;
            new()
        });
        (entry.clone(), is_new)
    }
}

impl Table {
    fn sweep(&mut self, now: Instant, lifetime: Duration) {
        if now - self.swept < CONNECTIONS_SWEEP {
            return;
        }
        self.swept = now;
        self.known.retain(|_, connection| {
            let connection = lock(connection);
            connection.busy || now.saturating_duration_since(connection.seen) < lifetime
        });
    }
}

impl Connection {
    fn close(&mut self, now: Instant, look: impl Fn(SocketAddr) -> Option<Seen>) {
        let inode = self.peer.and_then(look).map(|seen| seen.inode);
        self.closed = Some(Closed { since: now, inode, looked: now, looks: 0 });
    }

    /// Whether a closed connection is still the one that was closed: a new one may have come from the same
    /// port.
    fn is_still_closed(&mut self, now: Instant, look: &impl Fn(SocketAddr) -> Option<Seen>) -> bool {
        let Some(closed) = &mut self.closed else { return false };
        let is_same = match (closed.inode, self.peer) {
            // The kernel is not asked about each request of a client that goes on and on.
            (Some(_), _) if closed.looks >= PIPELINE_MAX && now - closed.looked < LOOKS_EVERY => true,
            (Some(inode), Some(peer)) => {
                closed.looked = now;
                closed.looks += 1;
                look(peer).is_none_or(|seen| seen.inode == inode)
            }
            _ => now - closed.since < CLOSED_FOR,
        };
        if !is_same {
            self.closed = None;
        }
        is_same
    }

    fn interrupt(&mut self, why: Interrupt) {
        if let Some(wait) = self.wait.take() {
            (wait.cancel)(why);
        }
    }
}

impl Visit {
    /// The request behind the one that was answered. If there is none, the visit is over.
    pub(super) fn next(&self) -> Option<Turn> {
        let mut connection = lock(&self.connection);
        connection.seen = Instant::now();
        let next = connection.pending.pop_front();
        connection.busy = next.is_some();
        next
    }

    /// Who sent this request.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Notes who sent this request.
    pub(super) fn identify(&mut self, caller: Caller) {
        self.caller = caller;
    }

    /// The address of the connection's other end.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        lock(&self.connection).peer
    }

    /// Gives this request a seat for so long among those who wait, if there is one.
    pub fn admit(&self, hold: Duration) -> Result<Seat, Refusal> {
        self.counts.admit(&self.caller, hold)
    }

    /// How many are at the door, for the metrics.
    pub fn snapshot(&self) -> Snapshot {
        self.counts.snapshot()
    }

    /// Whether another request came behind this one, or none will come any more.
    pub fn is_followed(&self) -> bool {
        let connection = lock(&self.connection);
        connection.gone || !connection.pending.is_empty()
    }

    /// Notes that this request waits, and how what comes behind it can end the wait: another request, or the
    /// end of the connection. If that has come already, the wait ends at once.
    pub fn begin_wait(&self, cancel: impl FnOnce(Interrupt) + Send + 'static) {
        let mut connection = lock(&self.connection);
        connection.wait = Some(Wait { cancel: Box::new(cancel), since: Instant::now() });
        if connection.gone {
            connection.interrupt(Interrupt::Gone);
        } else if !connection.pending.is_empty() {
            connection.interrupt(Interrupt::Followed);
        }
    }

    /// Notes that this request's wait is over.
    pub fn end_wait(&self) {
        lock(&self.connection).wait = None;
    }

    /// Drops whatever comes on this connection after this request. `look` asks the kernel for it.
    pub(super) fn close(&self, look: impl Fn(SocketAddr) -> Option<Seen>) {
        let mut connection = lock(&self.connection);
        if connection.closed.is_none() {
            connection.close(Instant::now(), look);
        }
    }
}

/// Nothing under these locks can panic half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
