//! The state of each connection: its socket writes it, its service reads it.
//!
//! A connection's socket is polled first and then its service, in one task. So the service always finds here what
//! the socket has seen.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::counts::{Counts, Flight};
use super::held::Client;
use crate::access::Caller;
use crate::door::gate::{Cancel, Interrupt, Seat};
use crate::metrics::Snapshot;
use crate::wire::refusal::Refusal;

/// One connection.
pub struct Connection {
    /// Its other end.
    client: Arc<Client>,
    counts: Arc<Counts>,
    /// Locked only for a moment, and only by the connection's task, so it is always free.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many requests came on it.
    requests: u64,
    /// Whether the last of them has no reply yet.
    answering: bool,
    /// Whether there was nothing to read behind that request.
    quiet: bool,
    /// The client sends nothing more: it is gone, or it has said all that it wants to say.
    ended: bool,
    /// How to end the wait on it, if a request waits.
    wait: Option<Cancel>,
    /// The last request, until its reply has left.
    flight: Option<Flight>,
    /// Earlier requests whose replies have not left yet. They are few: hyper reads ahead no more than a head.
    unsent: Vec<Flight>,
}

/// What a socket must know of its connection.
pub struct Stage {
    /// How many requests came.
    pub requests: u64,
    /// Whether one is being answered.
    pub answering: bool,
    /// Whether the last reply has not left yet.
    sending: bool,
}

impl Stage {
    /// Whether more requests than these have come, and all replies have left.
    pub fn is_idle_after(&self, requests: u64) -> bool {
        self.requests > requests && !self.answering && !self.sending
    }
}

/// One request, from when it was received until its reply was handed to hyper.
pub struct Visit {
    connection: Arc<Connection>,
    caller: Caller,
}

impl Connection {
    /// A connection on which nothing came yet.
    pub fn new(client: Arc<Client>, counts: Arc<Counts>) -> Connection {
        Connection { client, counts, state: Mutex::default() }
    }

    /// Its other end, for which something is held.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Notes that a request has come.
    pub fn arrive(self: &Arc<Connection>) -> Visit {
        let flight = self.counts.enter(&self.client);
        let mut state = self.state();
        state.requests += 1;
        state.answering = true;
        state.quiet = false;
        let unsent = state.flight.replace(flight);
        state.unsent.extend(unsent);
        Visit { connection: self.clone(), caller: Caller::default() }
    }

    /// Where the connection stands.
    pub fn stage(&self) -> Stage {
        let state = self.state();
        Stage { requests: state.requests, answering: state.answering, sending: state.flight.is_some() }
    }

    /// Notes that nothing more has come, so far.
    pub fn mark_quiet(&self) {
        self.state().quiet = true;
    }

    /// Notes that something came behind the request that is being answered.
    pub fn mark_followed(&self) {
        let mut state = self.state();
        state.quiet = false;
        state.interrupt(Interrupt::Followed);
    }

    /// Notes that nothing will come any more.
    pub fn mark_ended(&self) {
        let mut state = self.state();
        state.ended = true;
        state.quiet = false;
        state.interrupt(Interrupt::Gone);
    }

    /// Whether there is a request whose reply has not left yet.
    pub fn is_owed_a_reply(&self) -> bool {
        self.state().flight.is_some()
    }

    /// Notes that what hyper was given to send has left.
    pub fn mark_flushed(&self) {
        let mut state = self.state();
        state.unsent.clear();
        if !state.answering {
            state.flight = None;
        }
    }

    /// Counts what is held in memory for the last request now: of its body, then of its reply.
    pub fn hold(&self, bytes: usize) -> Result<(), Refusal> {
        self.state().flight.as_mut().map_or(Ok(()), |flight| flight.hold(bytes))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half way.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    fn interrupt(&mut self, why: Interrupt) {
        if let Some(cancel) = self.wait.take() {
            cancel(why);
        }
    }
}

impl Visit {
    /// Who sent this request.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Notes who sent this request.
    pub(super) fn identify(&mut self, caller: Caller) {
        self.caller = caller;
    }

    /// Gives this request a seat for so long among those who wait, if there is one.
    pub fn admit(&self, hold: Duration) -> Result<Seat, Refusal> {
        self.connection.counts.admit(&self.caller, hold)
    }

    /// How many are at the door, for the metrics.
    pub fn snapshot(&self) -> Snapshot {
        self.connection.counts.snapshot()
    }

    /// The connection that it came on.
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Whether the client will send nothing more.
    pub(super) fn has_ended(&self) -> bool {
        self.connection.state().ended
    }

    /// Whether something came behind this request, or nothing will come any more.
    pub fn is_followed(&self) -> bool {
        !self.connection.state().quiet
    }

    /// Notes that this request waits, and how what comes behind it can end the wait: another request, or the
    /// end of the connection. If that has come already, the wait ends at once.
    pub fn begin_wait(&self, cancel: impl FnOnce(Interrupt) + Send + 'static) {
        let mut state = self.connection.state();
        state.wait = Some(Box::new(cancel));
        if state.ended {
            state.interrupt(Interrupt::Gone);
        } else if !state.quiet {
            state.interrupt(Interrupt::Followed);
        }
    }

    /// Notes that this request's wait is over.
    pub fn end_wait(&self) {
        self.connection.state().wait = None;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.connection.state();
        // If the connection has broken, nobody has ended the wait.
        state.interrupt(Interrupt::Gone);
        state.answering = false;
    }
}
