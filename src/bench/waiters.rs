//! The waiters: each follows `next` for ever.
//!
//! A waiter comes in with a greeting, a poll that does not wait. The reply proves that its connection
//! is served, not only queued in the kernel, and brings the cursor to follow.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::answer::{fatal, next_of, unexpected};
use super::client::{Client, Event};
use super::error::Error;
use super::latency::{histogram, record};
use super::mark::Mark;
use super::reply::Reply;
use super::tally::Tally;
use super::target::{Form, Target};
use crate::config::CLOSED_IN_A_ROW;

/// All waiters of a run: the slots of its client from `first_slot` on.
pub struct Waiters {
    all: Vec<Waiter>,
    first_slot: usize,
    hold: Duration,
    form: Form,
    /// How many greetings were answered, be it with a refusal.
    pub greeted: usize,
    /// From when a message was due to its arrival, in ns.
    pub delivery: Histogram<u64>,
    /// The longest delivery since this was last set to zero.
    pub slowest: Duration,
    /// Waiters that were refused, at the start or later.
    pub refused: usize,
    /// What the last refusal said.
    pub refusal: Option<String>,
    /// Waits that ended without a message.
    pub timeouts: usize,
    /// Connections that the server closed and a waiter made anew.
    pub reconnects: usize,
    /// Replies that announced a gap.
    pub gaps: usize,
    /// Messages in the room that are not of this run.
    pub foreign: usize,
}

struct Waiter {
    /// Where to poll next; `None` until the greeting is answered.
    next: Option<String>,
    closed_in_a_row: u8,
    refused: bool,
}

impl Waiters {
    /// None yet; they will be the client's next slots.
    pub fn new(first_slot: usize, hold: Duration, form: Form) -> Waiters {
        Waiters {
            all: Vec::new(),
            first_slot,
            hold,
            form,
            greeted: 0,
            delivery: histogram(),
            slowest: Duration::ZERO,
            refused: 0,
            refusal: None,
            timeouts: 0,
            reconnects: 0,
            gaps: 0,
            foreign: 0,
        }
    }

    /// How many have been connected.
    pub fn begun(&self) -> usize {
        self.all.len()
    }

    /// Connects one more, with a greeting.
    pub fn greet(&mut self, client: &mut Client, target: &Target) {
        let slot = client.add_slot();
        client.send(slot, &target.greeting());
        self.all.push(Waiter { next: None, closed_in_a_row: 0, refused: false });
    }

    /// Counts as refused those whose greeting was not answered, and `untried` that were not connected.
    pub fn give_up(&mut self, untried: usize, patience: Duration, client: &mut Client, tally: &mut Tally) {
        let silent: Vec<usize> =
            (0..self.all.len()).filter(|&w| self.all[w].next.is_none() && !self.all[w].refused).collect();
        let sentence = format!(
            "{} connections were not answered for {} s, and {untried} more not tried",
            silent.len(),
            patience.as_secs()
        );
        for waiter in silent {
            self.refuse(waiter, sentence.clone(), client, tally);
        }
        for waiter in self.all.len()..self.all.len() + untried {
            tally.dismiss(waiter);
        }
        self.refused += untried;
    }

    /// Takes in what happened on a waiter's connection.
    pub fn take(
        &mut self,
        waiter: usize,
        event: Event,
        (client, target): (&mut Client, &Target),
        tally: &mut Tally,
        mark: &Mark,
    ) -> Result<(), Error> {
        if self.all[waiter].refused {
            return Ok(());
        }
        let greets = self.all[waiter].next.is_none();
        self.greeted += usize::from(greets);
        match event {
            Event::Reply(reply) if reply.is_poll_answer() => {
                self.all[waiter].closed_in_a_row = 0;
                self.all[waiter].next = Some(next_of(&reply, target)?);
                if !greets {
                    self.heard(waiter, &reply, tally, mark)?;
                }
                self.poll(waiter, client, target);
            }
            Event::Reply(reply) if reply.is_refusal() => {
                self.refuse(waiter, reply.summary(), client, tally);
            }
            Event::Reply(reply) => return Err(unexpected("a poll", &reply)),
            Event::Closed(error) => {
                let error = fatal(target, error)?;
                if greets {
                    let sentence = format!("the connection was closed: {error}");
                    self.refuse(waiter, sentence, client, tally);
                    return Ok(());
                }
                self.all[waiter].closed_in_a_row += 1;
                if self.all[waiter].closed_in_a_row > CLOSED_IN_A_ROW {
                    return Err(Error::Closes(waiter, error));
                }
                self.reconnects += 1;
                self.poll(waiter, client, target);
            }
        }
        Ok(())
    }

    fn heard(&mut self, waiter: usize, reply: &Reply, tally: &mut Tally, mark: &Mark) -> Result<(), Error> {
        self.gaps += usize::from(reply.gap);
        if reply.status == 204 {
            self.timeouts += 1;
            return Ok(());
        }
        let texts = reply.texts().map_err(|malformed| Error::OtherWire(malformed.to_string()))?;
        for text in texts {
            match mark.number(&text).and_then(|number| tally.see(waiter, number)) {
                Some(due) => {
                    let latency = record(&mut self.delivery, reply.at, due);
                    self.slowest = self.slowest.max(latency);
                }
                None => self.foreign += 1,
            }
        }
        Ok(())
    }

    fn poll(&self, waiter: usize, client: &mut Client, target: &Target) {
        if let Some(next) = &self.all[waiter].next {
            client.send(self.first_slot + waiter, &target.poll(next, self.hold, self.form));
        }
    }

    fn refuse(&mut self, waiter: usize, sentence: String, client: &mut Client, tally: &mut Tally) {
        client.close(self.first_slot + waiter);
        tally.dismiss(waiter);
        self.all[waiter].refused = true;
        self.refused += 1;
        self.refusal = Some(sentence);
    }
}
