//! The connections on which the visitors speak: one message at a time on each.

use std::collections::VecDeque;
use std::time::Instant;

use super::super::answer::{fatal, unexpected};
use super::super::client::{Client, Event};
use super::super::error::Error;
use super::super::mark::Number;
use super::super::target::Target;
use super::talk::Talk;
use crate::config::{SOAK_PAUSE, SOAK_REFUSALS, SOAK_VOICES};

/// The voices: a slot of the client each, from the first on.
pub struct Voices {
    first_slot: usize,
    /// What each of them is saying.
    saying: Vec<Option<Words>>,
    /// What is to be said when one is free, and not before its time.
    waiting: VecDeque<(Instant, Words)>,
}

/// A message on its way.
struct Words {
    message: Number,
    /// It names the message by an id, so it may be sent again if nobody knows what became of it.
    request: Vec<u8>,
    attempts: u32,
}

impl Voices {
    /// All are free.
    pub fn new(client: &mut Client) -> Voices {
        let slots: Vec<usize> = (0..SOAK_VOICES).map(|_| client.add_slot()).collect();
        let saying = (0..SOAK_VOICES).map(|_| None).collect();
        Voices { first_slot: slots[0], saying, waiting: VecDeque::new() }
    }

    /// Whether all that was to be said is said.
    pub fn are_silent(&self) -> bool {
        self.waiting.is_empty() && self.saying.iter().all(Option::is_none)
    }

    /// Says something, as soon as a voice is free.
    pub fn say(&mut self, message: Number, request: Vec<u8>, client: &mut Client) {
        self.waiting.push_back((Instant::now(), Words { message, request, attempts: 0 }));
        self.look_at_the_time(Instant::now(), client);
    }

    /// Gives free voices what is to be said now.
    pub fn look_at_the_time(&mut self, now: Instant, client: &mut Client) {
        for voice in 0..self.saying.len() {
            if self.saying[voice].is_some() {
                continue;
            }
            if self.waiting.front().is_none_or(|(from, _)| *from > now) {
                return;
            }
            let Some((_, words)) = self.waiting.pop_front() else { return };
            client.send(self.first_slot + voice, &words.request);
            self.saying[voice] = Some(words);
        }
    }

    /// Takes in what happened on a voice's connection.
    pub fn take(
        &mut self,
        slot: usize,
        event: Event,
        (client, target): (&mut Client, &Target),
        talk: &mut Talk,
    ) -> Result<(), Error> {
        // The server may close a connection that idled.
        let Some(mut words) = self.saying[slot - self.first_slot].take() else { return Ok(()) };
        let why = match event {
            Event::Reply(reply) if reply.status == 200 => {
                talk.acknowledge(words.message);
                self.look_at_the_time(Instant::now(), client);
                return Ok(());
            }
            Event::Reply(reply) if reply.is_refusal() => reply.summary(),
            Event::Reply(reply) => return Err(unexpected("a POST", &reply)),
            Event::Closed(error) => fatal(target, error)?.to_string(),
        };
        words.attempts += 1;
        if words.attempts > SOAK_REFUSALS {
            return Err(Error::AllRefused(why));
        }
        self.waiting.push_back((Instant::now() + SOAK_PAUSE, words));
        Ok(())
    }
}
