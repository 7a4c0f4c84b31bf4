//! Calls that block the server's own threads, again and again.

use std::ops::Range;
use std::thread;
use std::time::Instant;

use super::super::client::{Client, Event};
use super::super::target::Target;
use super::news::News;
use crate::config::{CROWD_AWAY, CROWD_STALLS};

/// The calls: slots of the client from `first_slot` on.
pub struct Stall {
    first_slot: usize,
    is_on: bool,
    /// When each calls next; `None` while it waits for its answer.
    calls: Vec<Option<Instant>>,
}

impl Stall {
    /// As many as the server has threads for its tasks, if it is on this machine.
    pub fn new(first_slot: usize, client: &mut Client, now: Instant) -> Stall {
        let count = CROWD_STALLS * thread::available_parallelism().map_or(1, usize::from);
        (0..count).for_each(|call| client.make_slot(first_slot + call));
        Stall { first_slot, is_on: false, calls: vec![Some(now); count] }
    }

    /// The slots.
    pub fn slots(&self) -> Range<usize> {
        self.first_slot..self.first_slot + self.calls.len()
    }

    /// Begins to call, or calls no more when the calls under way are answered.
    pub fn switch(&mut self, on: bool) {
        self.is_on = on;
    }

    /// Calls whose time has come.
    pub fn look_at_the_time(&mut self, now: Instant, client: &mut Client, target: &Target) {
        for call in 0..self.calls.len() {
            if self.is_on && self.calls[call].is_some_and(|at| at <= now) {
                self.calls[call] = None;
                client.send(self.first_slot + call, &target.post("/backstage/stall", "text/plain", "", ""));
            }
        }
    }

    /// Takes in what happened on a call's connection.
    pub fn take(&mut self, slot: usize, event: Event, news: &mut News) {
        let call = &mut self.calls[slot - self.first_slot];
        // The server may close a connection that idled.
        if call.is_some() {
            return;
        }
        let now = Instant::now();
        *call = Some(match event {
            Event::Reply(reply) if reply.status < 300 => {
                news.did.stalled += 1;
                now
            }
            Event::Reply(reply) => {
                news.refuse(reply.summary());
                now + CROWD_AWAY
            }
            Event::Closed(error) => {
                news.refuse(error.to_string());
                now + CROWD_AWAY
            }
        });
    }
}
