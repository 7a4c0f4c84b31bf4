//! What is known of each connection, by the address of its other end: all that tiny_http tells.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
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
    /// Held for look-ups only.
    table: Mutex<Table>,
    /// After this long without a request no connection is alive.
    lifetime: Duration,
}

struct Table {
    known: HashMap<SocketAddr, Connection>,
    swept: Instant,
}

#[derive(Default)]
struct Connection {
    /// How many requests have come on it: the number of the latest.
    arrived: u64,
    unanswered: usize,
    /// The wait that stands on it.
    wait: Option<Wait>,
    /// Nothing that comes on it is to be believed any more, since then.
    closed: Option<Instant>,
    seen: Option<Instant>,
}

/// A request that waits, and how to end that.
struct Wait {
    number: u64,
    room: Arc<RoomHandle>,
    id: SubscriberId,
}

/// What a request turned out to be.
pub enum Arrival<'a> {
    /// The first of its connection.
    First(Visit<'a>),
    /// A later one.
    Known(Visit<'a>),
    /// One more than may stand unanswered: to be told so, and nothing after it to be answered.
    TooDeep(Visit<'a>),
    /// Behind a request after which the connection was closed for our part: to be dropped.
    Unwelcome,
}

/// One request, from when it was received until it is answered.
pub struct Visit<'a> {
    connections: &'a Connections,
    /// `None` where the address is not known.
    peer: Option<SocketAddr>,
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
    pub fn arrive(&self, peer: Option<SocketAddr>, urgent: bool) -> Arrival<'_> {
        let visit = |number| Visit { connections: self, peer, number, urgent };
        let Some(address) = peer else { return Arrival::First(visit(1)) };
        let mut table = self.table();
        table.sweep(self.lifetime);
        let connection = table.known.entry(address).or_default();
        let now = Instant::now();
        if connection.closed.is_some_and(|closed| now - closed < CLOSED_FOR) {
            connection.closed = Some(now);
            return Arrival::Unwelcome;
        }
        let first = connection.seen.replace(now).is_none() || connection.closed.take().is_some();
        connection.arrived += 1;
        connection.unanswered += 1;
        let visit = visit(connection.arrived);
        if connection.unanswered > UNANSWERED_MAX {
            connection.closed = Some(now);
            Arrival::TooDeep(visit)
        } else if first {
            Arrival::First(visit)
        } else {
            Arrival::Known(visit)
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing under this lock can panic half way.
        self.table.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Table {
    fn sweep(&mut self, lifetime: Duration) {
        let now = Instant::now();
        if now - self.swept < SWEEP {
            return;
        }
        self.swept = now;
        let is_alive = |c: &Connection| c.unanswered > 0 || c.seen.is_some_and(|seen| now - seen < lifetime);
        self.known.retain(|_, connection| is_alive(connection));
    }
}

impl Visit<'_> {
    /// Whether this request must be answered without a wait.
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Ends the wait that stands on this connection before this request, if there is one.
    pub fn end_wait(&self) {
        let number = self.number;
        let earlier = self.connection(|connection| connection.wait.take_if(|wait| wait.number < number));
        if let Some(Some(wait)) = earlier {
            wait.room.unsubscribe(wait.id);
        }
    }

    /// Says that this request waits, so that a later one on its connection can end the wait. If a
    /// later one is here already, the wait ends at once.
    pub fn waits(&self, room: &Arc<RoomHandle>, id: SubscriberId) {
        self.end_wait();
        let is_latest = self.connection(|connection| {
            let is_latest = connection.arrived == self.number;
            if is_latest {
                connection.wait = Some(Wait { number: self.number, room: room.clone(), id });
            }
            is_latest
        });
        if is_latest == Some(false) {
            room.unsubscribe(id);
        }
    }

    /// Says that this request's wait is over.
    pub fn waits_no_more(&self, id: SubscriberId) {
        self.connection(|connection| connection.wait.take_if(|wait| wait.id == id));
    }

    /// Believes nothing that comes on this connection after this request.
    pub fn closes(&self) {
        self.connection(|connection| connection.closed = Some(Instant::now()));
    }

    fn connection<T>(&self, with: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        let mut table = self.connections.table();
        table.known.get_mut(&self.peer?).map(with)
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.connection(|connection| {
            connection.unanswered -= 1;
            connection.seen = Some(Instant::now());
        });
    }
}
