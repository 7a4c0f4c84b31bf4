//! What is known of each connection, by the address of its other end: all that tiny_http tells.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::room::RoomHandle;
use crate::room::SubscriberId;

/// The most requests of one connection that may stand unanswered. tiny_http reads on without bound,
/// and each would hold a thread.
const UNANSWERED_MAX: usize = 8;

/// How long after a connection was closed for our part what still comes on it is dropped: time enough
/// for all that was under way, and too short for another connection to come from the same port.
const CLOSED_FOR: Duration = Duration::from_secs(1);

/// How often what is known of connections long gone is forgotten.
const SWEEP: Duration = Duration::from_secs(10);

/// The connections that were heard of lately.
pub struct Connections {
    /// Held to look a connection up. What is known of it has a lock of its own, so that a thousand
    /// handlers that wake at once do not meet here.
    table: Mutex<Table>,
    /// After this long without a request no connection is alive.
    lifetime: Duration,
}

struct Table {
    known: HashMap<SocketAddr, Arc<Mutex<Connection>>>,
    swept: Instant,
}

struct Connection {
    /// How many requests have come on it: the number of the latest.
    arrived: u64,
    unanswered: usize,
    /// The wait that stands on it.
    wait: Option<Wait>,
    /// Nothing that comes on it is to be believed any more, since then.
    closed: Option<Instant>,
    seen: Instant,
}

/// A request that waits, and how to end that.
struct Wait {
    number: u64,
    room: Arc<RoomHandle>,
    id: SubscriberId,
}

/// What a request turned out to be.
pub enum Arrival {
    /// The first of its connection.
    First(Visit),
    /// A later one.
    Known(Visit),
    /// One more than may stand unanswered: to be told so, and nothing after it to be answered.
    TooDeep(Visit),
    /// Behind a request after which the connection was closed for our part: to be dropped.
    Unwelcome,
}

/// One request, from when it was received until it is answered.
pub struct Visit {
    connection: Arc<Mutex<Connection>>,
    /// Its place among the requests of its connection.
    number: u64,
    /// Whether the thread that it has can't be spared for a wait.
    urgent: bool,
}

impl Connections {
    /// None is known yet. A silent connection lives at most so long.
    pub fn new(lifetime: Duration) -> Connections {
        let table = Table { known: HashMap::new(), swept: Instant::now() };
        Connections { table: Mutex::new(table), lifetime }
    }

    /// Enters a request.
    pub fn arrive(&self, peer: Option<SocketAddr>, urgent: bool) -> Arrival {
        let now = Instant::now();
        let known = self.look_up(peer, now);
        let mut connection = lock(&known);
        if connection.closed.is_some_and(|closed| now - closed < CLOSED_FOR) {
            connection.closed = Some(now);
            return Arrival::Unwelcome;
        }
        let first = connection.arrived == 0 || connection.closed.take().is_some();
        connection.seen = now;
        connection.arrived += 1;
        connection.unanswered += 1;
        let is_too_deep = connection.unanswered > UNANSWERED_MAX;
        if is_too_deep {
            connection.closed = Some(now);
        }
        let number = connection.arrived;
        drop(connection);
        let visit = Visit { connection: known, number, urgent };
        match (is_too_deep, first) {
            (true, _) => Arrival::TooDeep(visit),
            (false, true) => Arrival::First(visit),
            (false, false) => Arrival::Known(visit),
        }
    }

    fn look_up(&self, peer: Option<SocketAddr>, now: Instant) -> Arc<Mutex<Connection>> {
        let new = || {
            let connection = Connection { arrived: 0, unanswered: 0, wait: None, closed: None, seen: now };
            Arc::new(Mutex::new(connection))
        };
        let Some(peer) = peer else { return new() };
        let mut table = lock(&self.table);
        table.sweep(now, self.lifetime);
        table.known.entry(peer).or_insert_with(new).clone()
    }
}

impl Table {
    fn sweep(&mut self, now: Instant, lifetime: Duration) {
        if now - self.swept < SWEEP {
            return;
        }
        self.swept = now;
        self.known.retain(|_, connection| {
            let connection = lock(connection);
            connection.unanswered > 0 || now.saturating_duration_since(connection.seen) < lifetime
        });
    }
}

impl Visit {
    /// Whether this request must be answered without a wait.
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Whether another request came behind this one.
    pub fn is_followed(&self) -> bool {
        lock(&self.connection).arrived != self.number
    }

    /// Ends the wait that stands on this connection before this request, if there is one.
    pub fn end_wait(&self) {
        let earlier = lock(&self.connection).wait.take_if(|wait| wait.number < self.number);
        if let Some(wait) = earlier {
            wait.room.unsubscribe(wait.id);
        }
    }

    /// Says that this request waits, so that a later one on its connection can end the wait. If a
    /// later one is here already, the wait ends at once.
    pub fn waits(&self, room: &Arc<RoomHandle>, id: SubscriberId) {
        self.end_wait();
        let mut connection = lock(&self.connection);
        let is_latest = connection.arrived == self.number;
        if is_latest {
            connection.wait = Some(Wait { number: self.number, room: room.clone(), id });
        }
        drop(connection);
        if !is_latest {
            room.unsubscribe(id);
        }
    }

    /// Says that this request's wait is over.
    pub fn waits_no_more(&self, id: SubscriberId) {
        lock(&self.connection).wait.take_if(|wait| wait.id == id);
    }

    /// Believes nothing that comes on this connection after this request.
    pub fn closes(&self) {
        lock(&self.connection).closed = Some(Instant::now());
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut connection = lock(&self.connection);
        connection.unanswered -= 1;
        connection.seen = Instant::now();
    }
}

/// Nothing under these locks can panic half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
