//! All visitors, and what each of them does with a reply.

use std::time::{Duration, Instant};

use super::super::answer::{fatal, next_of, unexpected};
use super::super::client::{Client, Event};
use super::super::error::Error;
use super::super::mark::Mark;
use super::super::reply::Reply;
use super::super::target::{Form, Target};
use super::requests;
use super::talk::Talk;
use super::visitor::{State, Visitor, around};
use super::voices::Voices;
use crate::config::{ON_THEIR_WAY, SOAK_BEAT, SOAK_PAUSE, SOAK_REFUSALS, SOAK_RUDE};

/// The visitors of a soak. Each has the slot of its number; the voices have those behind.
pub struct Crowd {
    pub talk: Talk,
    /// How often a visitor came back.
    pub returns: usize,
    /// How often one was refused, or its connection broke, and it came again.
    pub refused: usize,
    /// Replies that announced a gap.
    pub gaps: usize,
    visitors: Vec<Visitor>,
    voices: Voices,
    client: Client,
    target: Target,
    mark: Mark,
    hold: Duration,
    form: Form,
    /// Whether whoever has read everything leaves for good.
    is_over: bool,
    looked: Instant,
}

impl Crowd {
    /// So many visitors of a server. None is there yet.
    pub fn new(
        target: Target,
        visitors: usize,
        (hold, form): (Duration, Form),
        size: usize,
    ) -> Result<Crowd, Error> {
        let address = target.address().map_err(|error| Error::Resolve(target.to_string(), error))?;
        let mut client = Client::new(address)?;
        for _ in 0..visitors {
            client.add_slot();
        }
        Ok(Crowd {
            talk: Talk::new(target.rooms(), visitors),
            returns: 0,
            refused: 0,
            gaps: 0,
            visitors: (0..visitors).map(|_| Visitor::new()).collect(),
            voices: Voices::new(&mut client),
            client,
            target,
            mark: Mark::new(size),
            hold,
            form,
            is_over: false,
            looked: Instant::now(),
        })
    }

    /// How many are there.
    pub fn present(&self) -> usize {
        self.visitors.iter().filter(|visitor| visitor.is_there()).count()
    }

    /// How many visitors there are, there or away.
    pub fn count(&self) -> usize {
        self.visitors.len()
    }

    /// Has everybody come, before anything is said.
    pub fn gather(&mut self, patience: Duration) -> Result<(), Error> {
        let mut begun = 0;
        let mut deadline = Instant::now() + patience;
        loop {
            let greeted = self.visitors[..begun].iter().filter(|visitor| visitor.next.is_some()).count();
            if greeted == self.visitors.len() {
                return Ok(());
            }
            while begun < self.visitors.len().min(greeted + ON_THEIR_WAY) {
                let request = requests::greet(&self.target, self.talk.room_of(begun), begun);
                self.client.send(begun, &request);
                begun += 1;
            }
            if Instant::now() > deadline {
                return Err(Error::Silent(begun - greeted, patience));
            }
            if self.turn()? {
                deadline = Instant::now() + patience;
            }
        }
    }

    /// Somebody who is there says something.
    pub fn say_something(&mut self) {
        let visitor = fastrand::usize(..self.visitors.len());
        if self.visitors[visitor].is_there() {
            self.say(visitor);
        }
    }

    /// Ends the talk: everybody comes back once more, reads to the end, and leaves.
    pub fn disperse(&mut self, patience: Duration) -> Result<(), Error> {
        self.is_over = true;
        let mut deadline = Instant::now() + patience;
        // What is under way is answered first, so that the last words are the last.
        while !self.voices.are_silent() && Instant::now() < deadline {
            self.turn()?;
        }
        // Last words end each wait, so that everybody sees that there is no more.
        (0..self.target.rooms().min(self.visitors.len())).for_each(|visitor| self.say(visitor));
        let mut before = (0, 0);
        while self.done() < self.visitors.len() && Instant::now() < deadline {
            self.turn()?;
            // Who waits for what was lost is answered again and again.
            let now = (self.talk.deliveries(), self.done());
            if now != before {
                deadline = Instant::now() + patience;
            }
            before = now;
        }
        (0..self.visitors.len()).for_each(|visitor| self.client.close(visitor));
        Ok(())
    }

    /// Whether everybody has left.
    pub fn is_dispersed(&self) -> bool {
        self.done() == self.visitors.len()
    }

    /// How many of those who left are still listed as present, after so long at most.
    pub fn count_ghosts(&mut self, patience: Duration) -> Result<usize, Error> {
        let deadline = Instant::now() + patience;
        loop {
            let ghosts = self.ask_who_is_there(deadline)?;
            if ghosts == 0 || Instant::now() > deadline {
                return Ok(ghosts);
            }
            std::thread::sleep(SOAK_PAUSE);
        }
    }

    /// Waits a moment for what happens, and takes it in. Answers whether anything did.
    pub fn turn(&mut self) -> Result<bool, Error> {
        let happened = self.client.turn(SOAK_BEAT)?;
        let any = !happened.is_empty();
        for (slot, event) in happened {
            if slot < self.visitors.len() {
                self.take(slot, event)?;
            } else {
                let wire = (&mut self.client, &self.target);
                self.voices.take(slot, event, wire, &mut self.talk)?;
            }
        }
        if self.looked.elapsed() >= SOAK_BEAT {
            self.looked = Instant::now();
            self.look_at_the_time();
        }
        Ok(any)
    }

    /// Whether it has seen all that will be said.
    fn has_read_all(&self, visitor: usize) -> bool {
        self.voices.are_silent() && self.talk.is_known_to(visitor)
    }

    /// How many have left for good.
    fn done(&self) -> usize {
        self.visitors.iter().filter(|visitor| matches!(visitor.state, State::Done)).count()
    }

    fn say(&mut self, visitor: usize) {
        let room = self.talk.room_of(visitor);
        let message = self.talk.say(room);
        let request = requests::say(&self.target, room, visitor, message, &self.mark.text(message));
        self.voices.say(message, request, &mut self.client);
    }

    /// Whoever has been there for long enough goes, and whoever was away comes back.
    fn look_at_the_time(&mut self) {
        let now = Instant::now();
        self.voices.look_at_the_time(now, &mut self.client);
        for visitor in 0..self.visitors.len() {
            match self.visitors[visitor].state {
                State::Away(until) if until <= now || self.is_over => {
                    self.returns += 1;
                    self.visitors[visitor].come();
                    self.poll(visitor);
                }
                // Those who are polite go when they are answered.
                State::There(until) if until <= now && !self.is_over && is_rude(visitor) => {
                    self.client.close(visitor);
                    self.visitors[visitor].go();
                }
                _ => {}
            }
        }
    }

    fn take(&mut self, visitor: usize, event: Event) -> Result<(), Error> {
        match (&self.visitors[visitor].state, event) {
            (State::Greets, Event::Reply(reply)) if reply.is_poll_answer() => {
                self.visitors[visitor].next = Some(next_of(&reply, &self.target)?);
                self.visitors[visitor].come();
                self.poll(visitor);
            }
            (State::There(until), Event::Reply(reply)) if reply.is_poll_answer() => {
                let is_late = *until <= Instant::now();
                self.visitors[visitor].refused_in_a_row = 0;
                self.hear(visitor, &reply)?;
                if if self.is_over { self.has_read_all(visitor) } else { is_late } {
                    self.visitors[visitor].state = State::Leaves;
                    let request = requests::leave(&self.target, self.talk.room_of(visitor), visitor);
                    self.client.send(visitor, &request);
                } else {
                    self.poll(visitor);
                }
            }
            (State::Leaves, Event::Reply(reply)) if reply.status == 200 => {
                self.client.close(visitor);
                // It may have left before the last words.
                match self.is_over && self.has_read_all(visitor) {
                    true => self.visitors[visitor].state = State::Done,
                    false => self.visitors[visitor].go(),
                }
            }
            (State::Away(_) | State::Done, _) => {}
            (_, Event::Reply(reply)) if reply.is_refusal() => self.come_again(visitor, reply.summary())?,
            (_, Event::Reply(reply)) => return Err(unexpected("a visitor", &reply)),
            (_, Event::Closed(error)) => {
                let error = fatal(&self.target, error)?;
                self.come_again(visitor, error.to_string())?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, visitor: usize, reply: &Reply) -> Result<(), Error> {
        self.visitors[visitor].next = Some(next_of(reply, &self.target)?);
        self.gaps += usize::from(reply.gap);
        if reply.status == 204 {
            return Ok(());
        }
        let texts = reply.texts().map_err(|malformed| Error::OtherWire(malformed.to_string()))?;
        for message in texts.iter().filter_map(|text| self.mark.number(text)) {
            self.talk.see(visitor, message);
        }
        Ok(())
    }

    fn poll(&mut self, visitor: usize) {
        let Some(next) = &self.visitors[visitor].next else { return };
        // At the end nobody waits long for what does not come.
        let hold = if self.is_over { SOAK_PAUSE } else { self.hold.mul_f64(fastrand::f64()).max(SOAK_PAUSE) };
        self.client.send(visitor, &self.target.poll(next, hold, self.form));
    }

    /// Takes a refused visitor away for a moment. Fails if it has been refused again and again.
    fn come_again(&mut self, visitor: usize, why: String) -> Result<(), Error> {
        self.refused += 1;
        self.client.close(visitor);
        let visitor = &mut self.visitors[visitor];
        visitor.refused_in_a_row += 1;
        if visitor.next.is_none() || visitor.refused_in_a_row > SOAK_REFUSALS {
            return Err(Error::AllRefused(why));
        }
        visitor.state = State::Away(Instant::now() + around(SOAK_PAUSE));
        Ok(())
    }

    /// Counts who is there by the lists of the rooms.
    fn ask_who_is_there(&mut self, deadline: Instant) -> Result<usize, Error> {
        let rooms = self.target.rooms().min(self.visitors.len());
        // The visitors' slots are free now.
        for room in 0..rooms {
            self.client.send(room, &requests::people(&self.target, room));
        }
        let (mut answers, mut people) = (0, 0);
        while answers < rooms && Instant::now() < deadline {
            for (_, event) in self.client.turn(SOAK_BEAT)? {
                match event {
                    Event::Reply(reply) if reply.status == 200 => {
                        answers += 1;
                        people += reply.body.iter().filter(|byte| **byte == b'\n').count();
                    }
                    Event::Reply(reply) => return Err(unexpected("a list of people", &reply)),
                    // A voice that idled.
                    Event::Closed(_) => {}
                }
            }
        }
        Ok(people)
    }
}

fn is_rude(visitor: usize) -> bool {
    visitor % 10 < SOAK_RUDE
}
