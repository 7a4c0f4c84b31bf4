//! The readiness loop: one thread and one `epoll` for all connections, so that the measure weighs
//! little beside what is measured.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::{Events, Poll, Token};

use super::connection::Connection;
use super::reply::Reply;
use crate::config::BENCH_EVENTS;

/// What happened on a connection.
#[derive(Debug)]
pub enum Event {
    /// A whole reply came.
    Reply(Reply),
    /// The connection ended, or was never made; what was asked on it will not be answered.
    Closed(io::Error),
}

/// Every connection of the bench, by its slot.
pub struct Client {
    address: SocketAddr,
    poll: Poll,
    events: Events,
    connections: Vec<Option<Connection>>,
    /// What happened outside a turn, to be told in the next.
    early: Vec<(usize, Event)>,
}

impl Client {
    /// A client of one server, without connections.
    pub fn new(address: SocketAddr) -> io::Result<Client> {
        Ok(Client {
            address,
            poll: Poll::new()?,
            events: Events::with_capacity(BENCH_EVENTS),
            connections: Vec::new(),
            early: Vec::new(),
        })
    }

    /// A new slot without a connection: the first request makes it.
    pub fn add_slot(&mut self) -> usize {
        self.connections.push(None);
        self.connections.len() - 1
    }

    /// Sends a request, on a new connection if the slot has none. Whatever fails is told as an event.
    pub fn send(&mut self, slot: usize, request: &[u8]) {
        if let Err(error) = self.try_send(slot, request) {
            self.connections[slot] = None;
            self.early.push((slot, Event::Closed(error)));
        }
    }

    /// Makes this slot one without a connection, if it is not there yet.
    pub fn make_slot(&mut self, slot: usize) {
        if self.connections.len() <= slot {
            self.connections.resize_with(slot + 1, || None);
        }
    }

    /// Closes a slot's connection without a goodbye: the server's kernel is told that it is broken.
    pub fn reset(&mut self, slot: usize) {
        if let Some(connection) = self.connections[slot].take() {
            connection.reset();
        }
    }

    /// Closes a slot's connection.
    pub fn close(&mut self, slot: usize) {
        self.connections[slot] = None;
    }

    /// Waits until something happens, at most this long, and tells all that did.
    pub fn turn(&mut self, timeout: Duration) -> io::Result<Vec<(usize, Event)>> {
        let mut happened = std::mem::take(&mut self.early);
        let timeout = if happened.is_empty() { timeout } else { Duration::ZERO };
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(happened),
            Err(error) => return Err(error),
        }
        for event in &self.events {
            let slot = event.token().0;
            let Some(connection) = &mut self.connections[slot] else {
                continue;
            };
            let outcome = match connection.writable() {
                Ok(()) => connection.readable(),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(None) => {}
                Ok(Some(reply)) => {
                    if reply.close {
                        self.connections[slot] = None;
                    }
                    happened.push((slot, Event::Reply(reply)));
                }
                Err(error) => {
                    self.connections[slot] = None;
                    happened.push((slot, Event::Closed(error)));
                }
            }
        }
        Ok(happened)
    }

    fn try_send(&mut self, slot: usize, request: &[u8]) -> io::Result<()> {
        let connection = match &mut self.connections[slot] {
            Some(connection) => connection,
            none => {
                let registry = self.poll.registry();
                none.insert(Connection::connect(self.address, registry, Token(slot))?)
            }
        };
        connection.send(request)
    }
}
