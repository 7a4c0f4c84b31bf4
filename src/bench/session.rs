//! One run: publishers and waiters on one readiness loop, and the record of what they saw.

use std::time::{Duration, Instant, SystemTime};

use super::args::BenchArgs;
use super::client::Client;
use super::error::Error;
use super::files;
use super::live::Live;
use super::mark::{Mark, Number};
use super::process::{Usage, Watched};
use super::publishers::Publishers;
use super::tally::Tally;
use super::target::{Form, Target};
use super::waiters::Waiters;
use crate::config::{BENCH_FILES, ON_THEIR_WAY};

/// What a mode needs of a session.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many wait.
    pub waiters: usize,
    /// How many connections publish.
    pub publishers: usize,
    /// In which form waiters ask for messages.
    pub form: Form,
}

/// A run under way.
pub struct Session<'a> {
    pub args: &'a BenchArgs,
    pub plan: Plan,
    pub target: Target,
    pub tally: Tally,
    pub publishers: Publishers,
    pub waiters: Waiters,
    /// The server's cost before the waiters came.
    pub baseline: Option<Usage>,
    client: Client,
    mark: Mark,
    watched: Option<Watched>,
}

impl<'a> Session<'a> {
    /// Connects the publishers, and only then looks at the server for the baseline.
    pub fn new(args: &'a BenchArgs, target: Target, plan: Plan) -> Result<Session<'a>, Error> {
        files::allow((plan.waiters + plan.publishers) as u64 + BENCH_FILES)?;
        let url = target.to_string();
        let address = target.address().map_err(|error| Error::Resolve(url, error))?;
        let watched = args.pid.map(Watched::new).transpose()?;
        let mut client = Client::new(address)?;
        // Even a run that publishes nothing greets once, so that the first request's cost to the
        // server is not taken for a waiter's.
        let publishers = Publishers::greet(plan.publishers.max(1), &mut client, &target);
        let waiters = Waiters::new(publishers.count(), Duration::from_secs(args.hold), plan.form);
        let mut session = Session {
            args,
            plan,
            target,
            tally: Tally::new(plan.waiters),
            publishers,
            waiters,
            baseline: None,
            client,
            mark: Mark::new(args.size),
            watched,
        };
        let deadline = Instant::now() + session.patience();
        while !session.publishers.all_free() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Silent(session.publishers.count(), session.patience()));
            }
            session.turn(left)?;
        }
        session.baseline = session.usage()?;
        Ok(session)
    }

    /// Connects the waiters, as many as the server takes, until all of them wait.
    pub fn hold_waiters(&mut self) -> Result<(), Error> {
        let (wanted, patience) = (self.plan.waiters, self.patience());
        let mut live = Live::new("connecting", wanted as u64, "served, a second");
        let mut deadline = Instant::now() + patience;
        while self.waiters.greeted < wanted {
            let before = self.waiters.greeted;
            live.set_position(before);
            live.count(before, None);
            while self.waiters.begun() < wanted.min(before + ON_THEIR_WAY) {
                self.waiters.greet(&mut self.client, &self.target);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // The server leaves so many unanswered for so long that it has no room for more.
                let untried = wanted - self.waiters.begun();
                self.waiters.give_up(untried, patience, &mut self.client, &mut self.tally);
                break;
            }
            self.turn(left)?;
            if self.waiters.greeted > before {
                deadline = Instant::now() + patience;
            }
        }
        drop(live);
        self.settle()?;
        if wanted > 0 && self.tally.waiters() == 0 {
            return Err(Error::AllRefused(self.waiters.refusal.take().unwrap_or_default()));
        }
        Ok(())
    }

    /// How long waiters are given to be waiting again: 100 us for each, unless told otherwise.
    pub fn pause(&self) -> Duration {
        match self.args.pause {
            Some(millis) => Duration::from_millis(millis),
            None => Duration::from_micros(self.plan.waiters as u64 * 100).max(Duration::from_millis(2)),
        }
    }

    /// How long to wait for what should come before it counts as lost.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.args.patience)
    }

    /// The server's cost now, if its process is known.
    pub fn usage(&self) -> Result<Option<Usage>, Error> {
        self.watched.as_ref().map(Watched::usage).transpose()
    }

    /// Publishes the next message on a free publisher's connection. Latencies count from `due`.
    pub fn publish(&mut self, publisher: usize, due: SystemTime) -> Number {
        let wire = (&mut self.client, &self.target);
        self.publishers.publish(publisher, due, wire, &mut self.tally, &self.mark)
    }

    /// Keeps waiters polling for so long.
    pub fn rest(&mut self, pause: Duration) -> Result<(), Error> {
        let end = Instant::now() + pause;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.turn(left)?;
        }
    }

    /// Waits until something happens, at most this long, and takes it in. Answers whether it did.
    pub fn turn(&mut self, timeout: Duration) -> Result<bool, Error> {
        let happened = self.client.turn(timeout)?;
        let any = !happened.is_empty();
        let publishers = self.publishers.count();
        for (slot, event) in happened {
            if slot < publishers {
                self.publishers.take(slot, event, &self.target, &mut self.tally)?;
            } else {
                let wire = (&mut self.client, &self.target);
                self.waiters.take(slot - publishers, event, wire, &mut self.tally, &self.mark)?;
            }
        }
        Ok(any)
    }

    /// Pauses until, from one pause to the next, nobody more was refused or had to connect anew.
    fn settle(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + self.patience();
        loop {
            let before = (self.waiters.refused, self.waiters.reconnects);
            self.rest(self.pause() * 2)?;
            if before == (self.waiters.refused, self.waiters.reconnects) || Instant::now() > deadline {
                return Ok(());
            }
        }
    }
}
