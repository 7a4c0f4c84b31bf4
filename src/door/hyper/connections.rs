//! What is known of each connection: what its socket sees, and its service has to know.
//!
//! hyper polls a connection's socket and then its service, in one task. So what the socket saw is here
//! when the service looks.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use super::Flight;
use super::held::Client;
use crate::message::Message;
use crate::nonblocking::room::RoomHandle;
use crate::room::SubscriberId;
use crate::wire::refusal::Refusal;

/// One connection.
pub struct Connection {
    /// Its other end.
    client: Arc<Client>,
    /// Held for look-ups only. The connection's task is the one that takes it, so it is always free.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many requests came on it.
    requests: u64,
    /// Whether the last of them has no reply yet.
    answering: bool,
    /// Whether hyper found nothing to read behind that request.
    quiet: bool,
    /// The client sends nothing any more: it is gone, or has said all that it wants to.
    ended: bool,
    /// The wait that stands on it, and how to end it.
    wait: Option<(Arc<RoomHandle>, SubscriberId)>,
    /// The last request, until its reply has left.
    flight: Option<Flight>,
    /// Those before it whose replies have not left yet. hyper reads no more ahead than a head's length.
    unsent: Vec<Flight>,
    /// The task that is to read on when the request is answered and the reply has left: hyper does not
    /// look by itself, and then nobody would mind how long the client is silent.
    reader: Option<Waker>,
}

/// What a socket has to know of its connection.
pub struct Stage {
    /// How many requests came.
    pub requests: u64,
    /// Whether one is being answered.
    pub answering: bool,
}

/// One request, from when it was received until its reply was handed to hyper.
pub struct Visit {
    connection: Arc<Connection>,
}

impl Connection {
    /// A connection on which nothing came yet.
    pub fn of(client: Arc<Client>) -> Connection {
        Connection { client, state: Mutex::default() }
    }

    /// Its other end, for which something is held.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Enters a request.
    pub fn arrive(self: &Arc<Connection>, flight: Flight) -> Visit {
        let mut state = self.state();
        state.requests += 1;
        state.answering = true;
        state.quiet = false;
        let unsent = state.flight.replace(flight);
        state.unsent.extend(unsent);
        Visit { connection: self.clone() }
    }

    /// Where the connection stands.
    pub fn stage(&self) -> Stage {
        let state = self.state();
        Stage { requests: state.requests, answering: state.answering }
    }

    /// Says that nothing more has come, so far. The task is woken when the reply has left.
    pub fn is_quiet(&self, reader: &Waker) {
        let mut state = self.state();
        state.quiet = true;
        state.reader = Some(reader.clone());
    }

    /// Says that nothing is read before the reply has left. The task is woken then.
    pub fn reads_later(&self, reader: &Waker) {
        self.state().reader = Some(reader.clone());
    }

    /// Says that something came behind the request that is being answered.
    pub fn is_followed(&self) {
        let mut state = self.state();
        state.quiet = false;
        state.end_wait();
    }

    /// Says that nothing will come any more. The task is woken when the request is answered.
    pub fn has_ended(&self, reader: &Waker) {
        let mut state = self.state();
        state.ended = true;
        state.quiet = false;
        state.reader = Some(reader.clone());
        state.hang_up();
    }

    /// Whether there is a request whose reply has not left yet.
    pub fn is_owed_a_reply(&self) -> bool {
        self.state().flight.is_some()
    }

    /// Says that what hyper was given to send has left.
    pub fn is_flushed(&self) {
        let mut state = self.state();
        state.unsent.clear();
        if !state.answering && state.flight.take().is_some() {
            state.wake_reader();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half way.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    fn end_wait(&mut self) {
        if let Some((room, id)) = self.wait.take() {
            room.unsubscribe(id);
        }
    }

    fn hang_up(&mut self) {
        if let Some((room, id)) = self.wait.take() {
            room.hang_up(id);
        }
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl Visit {
    /// Counts what is held in memory for this request now: of its body, then of its reply.
    pub fn holds(&self, bytes: usize) -> Result<(), Refusal> {
        self.connection.state().flight.as_mut().map_or(Ok(()), |flight| flight.holds(bytes))
    }

    /// Says that nothing is held for it now.
    pub fn holds_no_more(&self) {
        // Nothing is never too much.
        let _ = self.holds(0);
    }

    /// Counts messages for its reply, and says how many bytes of text they have.
    pub fn carries(&self, messages: &[Arc<Message>]) -> Result<usize, Refusal> {
        let bytes = messages.iter().map(|message| message.text.len()).sum();
        self.holds(bytes).map(|()| bytes)
    }

    /// Whether the client will send nothing more.
    pub fn has_ended(&self) -> bool {
        self.connection.state().ended
    }

    /// Whether something came behind this request, or nothing will come any more.
    pub fn is_followed(&self) -> bool {
        !self.connection.state().quiet
    }

    /// Says that this request waits, so that what comes behind it can end the wait: another request,
    /// or the end of the connection.
    pub fn waits(&self, room: &Arc<RoomHandle>, id: SubscriberId) {
        let mut state = self.connection.state();
        state.wait = Some((room.clone(), id));
        if state.ended {
            state.hang_up();
        } else if !state.quiet {
            state.end_wait();
        }
    }

    /// Says that this request's wait is over.
    pub fn waits_no_more(&self, id: SubscriberId) {
        self.connection.state().wait.take_if(|(_, waiting)| *waiting == id);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.connection.state();
        // If the connection broke, nobody has said that the wait is over.
        state.hang_up();
        state.answering = false;
        if state.ended {
            state.wake_reader();
        }
    }
}
