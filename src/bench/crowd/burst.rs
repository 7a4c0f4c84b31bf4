//! Many connections at once: each asks once, and goes.

use std::ops::Range;
use std::time::Instant;

use super::super::client::{Client, Event};
use super::super::target::Target;
use super::news::News;
use crate::config::{CROWD_BURST, CROWD_BURST_PAUSE, CROWD_PATIENCE};

/// The burst: slots of the client from `first_slot` on.
pub struct Burst {
    first_slot: usize,
    /// Until when each waits for its answer, if it has asked.
    asked: Vec<Option<Instant>>,
    /// When the next burst comes, while this failure is on.
    next: Option<Instant>,
}

impl Burst {
    /// No burst yet.
    pub fn new(first_slot: usize, client: &mut Client) -> Burst {
        (0..CROWD_BURST).for_each(|one| client.make_slot(first_slot + one));
        Burst { first_slot, asked: vec![None; CROWD_BURST], next: None }
    }

    /// The slots.
    pub fn slots(&self) -> Range<usize> {
        self.first_slot..self.first_slot + self.asked.len()
    }

    /// Begins, or comes no more.
    pub fn switch(&mut self, on: bool, now: Instant) {
        self.next = on.then_some(now);
    }

    /// Comes when it is time. Who still waits since the burst before does not come again.
    pub fn look_at_the_time(
        &mut self,
        now: Instant,
        (client, target): (&mut Client, &Target),
        news: &mut News,
    ) {
        for one in 0..self.asked.len() {
            if self.asked[one].is_some_and(|until| until <= now) {
                client.close(self.first_slot + one);
                self.asked[one] = None;
                news.refuse("no answer".to_owned());
            }
        }
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + CROWD_BURST_PAUSE);
        for one in 0..self.asked.len() {
            if self.asked[one].is_none() {
                client.send(self.first_slot + one, &target.greeting());
                self.asked[one] = Some(now + CROWD_PATIENCE);
                news.did.burst += 1;
            }
        }
    }

    /// Takes in what happened on one of the connections.
    pub fn take(&mut self, slot: usize, event: Event, client: &mut Client, news: &mut News) {
        if self.asked[slot - self.first_slot].take().is_none() {
            return;
        }
        client.close(slot);
        match event {
            Event::Reply(reply) if reply.is_poll_answer() => {}
            Event::Reply(reply) => news.refuse(reply.summary()),
            Event::Closed(error) => news.refuse(error.to_string()),
        }
    }
}
