//! The publishers: each has a connection and sends one message at a time.

use std::io;
use std::time::SystemTime;

use hdrhistogram::Histogram;

use super::answer::{fatal, next_of, unexpected};
use super::client::{Client, Event};
use super::error::Error;
use super::latency::{histogram, record};
use super::mark::{Mark, Number};
use super::tally::Tally;
use super::target::Target;

/// All publishers of a run: the first slots of its client.
pub struct Publishers {
    all: Vec<Publisher>,
    /// From when a message was due to its `ok`, in ns.
    pub answer: Histogram<u64>,
    /// Posts that were refused or whose connection broke: their messages may be there or not.
    pub failed: usize,
    /// The fewest waiters that a publish found waiting, as the server says.
    pub fewest_found: Option<u64>,
}

enum Publisher {
    /// It has asked for the room's cursor. The answer will prove that it is served.
    Greets,
    Free,
    /// It waits for the `ok` of a message that was due at this time.
    Waits(Number, SystemTime),
}

impl Publishers {
    /// Connects so many, each with a greeting.
    pub fn greet(count: usize, client: &mut Client, target: &Target) -> Publishers {
        let greet = |_| {
            let slot = client.add_slot();
            client.send(slot, &target.greeting());
            Publisher::Greets
        };
        Publishers {
            all: (0..count).map(greet).collect(),
            answer: histogram(),
            failed: 0,
            fewest_found: None,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// One that can publish now.
    pub fn free(&self) -> Option<usize> {
        self.all.iter().position(|one| matches!(one, Publisher::Free))
    }

    /// Whether this one can publish now.
    pub fn is_free(&self, publisher: usize) -> bool {
        matches!(self.all[publisher], Publisher::Free)
    }

    /// Whether all can publish now: no message is under way.
    pub fn all_free(&self) -> bool {
        self.all.iter().all(|one| matches!(one, Publisher::Free))
    }

    /// Publishes the next message on a free publisher's connection.
    pub fn publish(
        &mut self,
        publisher: usize,
        due: SystemTime,
        (client, target): (&mut Client, &Target),
        tally: &mut Tally,
        mark: &Mark,
    ) -> Number {
        let room = target.room_of(tally.next());
        let number = tally.publish(publisher, room, due);
        self.all[publisher] = Publisher::Waits(number, due);
        client.send(publisher, &target.publish(room, &mark.text(number)));
        number
    }

    /// Takes in what happened on a publisher's connection.
    pub fn take(
        &mut self,
        publisher: usize,
        event: Event,
        target: &Target,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        match std::mem::replace(&mut self.all[publisher], Publisher::Free) {
            Publisher::Greets => greeted(event, target),
            // The server closed a connection that idled; the next message makes it anew.
            Publisher::Free => Ok(()),
            Publisher::Waits(number, due) => self.answered(number, due, event, target, tally),
        }
    }

    fn answered(
        &mut self,
        number: Number,
        due: SystemTime,
        event: Event,
        target: &Target,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        match event {
            // Other servers answer that they have made a message, or taken it.
            Event::Reply(reply) if matches!(reply.status, 200..=202) => {
                tally.acknowledge(number);
                record(&mut self.answer, reply.at, due);
                self.fewest_found = self.fewest_found.into_iter().chain(reply.delivered()).min();
            }
            Event::Reply(reply) if reply.is_refusal() => self.failed += 1,
            Event::Reply(reply) => return Err(unexpected("a POST", &reply)),
            Event::Closed(error) => {
                fatal(target, error)?;
                self.failed += 1;
            }
        }
        Ok(())
    }
}

/// The very first replies show whether there is a server, and whether it speaks this wire.
fn greeted(event: Event, target: &Target) -> Result<(), Error> {
    match event {
        Event::Reply(reply) if reply.is_poll_answer() => next_of(&reply, target).map(drop),
        Event::Reply(reply) if reply.is_refusal() => Err(Error::AllRefused(reply.summary())),
        Event::Reply(reply) => Err(unexpected("a poll", &reply)),
        Event::Closed(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Error::OtherWire(error.to_string()))
        }
        Event::Closed(error) => Err(Error::Absent(target.to_string(), error)),
    }
}
