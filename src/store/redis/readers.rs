//! Threads that read, each on a connection of its own.
//!
//! Those who ask have small stacks, and give up in time whatever Redis does.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::link::Link;
use super::spec::RedisSpec;
use super::trouble::Trouble;
use super::worker::{Seat, Worker};
use crate::config::{REDIS_PAUSES, REDIS_READERS, REDIS_TURN};
use crate::store::Error;
use crate::store::counts::Counts;

/// The threads, and the way to them.
pub(super) struct Readers {
    name: String,
    /// It is dropped before the threads, which end by that.
    jobs: Sender<Job>,
    _threads: Vec<Worker>,
}

/// Something to ask, and whether this is the last try. It tells whoever asked what came of it, but for a connection
/// that was lost before the last try.
type Job = Box<dyn Fn(Result<&mut Link, Trouble>, bool) -> Outcome + Send>;

/// What became of the connection.
#[derive(PartialEq)]
enum Outcome {
    Good,
    Lost,
}

impl Readers {
    pub(super) fn start(spec: &RedisSpec, counts: &Arc<Counts>) -> Result<Readers, Error> {
        let (jobs, waiting) = unbounded();
        let start = |_| {
            let waiting = waiting.clone();
            Worker::start("store-reader", spec, counts, move |seat| {
                Reader { seat, link: None, away: None }.work(&waiting)
            })
        };
        let threads = (0..REDIS_READERS).map(start).collect::<Result<_, _>>()?;
        Ok(Readers { name: spec.to_string(), jobs, _threads: threads })
    }

    /// Asks on whatever connection is idle.
    pub(super) fn read<T: Send + 'static>(
        &self,
        ask: impl Fn(&mut Link) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = bounded(1);
        let job = move |link: Result<&mut Link, Trouble>, is_last: bool| {
            let outcome = link.and_then(&ask);
            let is_lost = outcome.as_ref().is_err_and(|trouble| !trouble.is_refusal());
            if !is_lost || is_last {
                // Whoever asked may have given up.
                let _ = answer.send(outcome);
            }
            if is_lost { Outcome::Lost } else { Outcome::Good }
        };
        let fail = |why: &dyn fmt::Display| Error(format!("{} {why}", self.name));
        self.jobs.send(Box::new(job)).map_err(|_| fail(&"is closed"))?;
        match answered.recv_timeout(REDIS_TURN) {
            Ok(outcome) => outcome.map_err(|trouble| fail(&trouble)),
            Err(_) => Err(fail(&"did not answer in time")),
        }
    }
}

struct Reader<'a> {
    seat: &'a mut Seat,
    link: Option<Link>,
    /// Why there is no connection, and until when another try is of no use.
    away: Option<(Trouble, Instant)>,
}

impl Reader<'_> {
    fn work(mut self, jobs: &Receiver<Job>) {
        for job in jobs {
            let is_old = self.link.is_some();
            // A connection may have ended since it was last used. That harms nobody: this asks once more on a new one.
            if self.once(&job, !is_old) == Outcome::Lost && is_old {
                self.once(&job, true);
            }
        }
    }

    fn once(&mut self, job: &Job, is_last: bool) -> Outcome {
        let outcome = match self.connect() {
            Ok(link) => job(Ok(link), is_last),
            Err(trouble) => job(Err(trouble), is_last),
        };
        if outcome == Outcome::Lost {
            self.link = None;
        }
        outcome
    }

    fn connect(&mut self) -> Result<&mut Link, Trouble> {
        if self.link.is_none() {
            if let Some((trouble, until)) = &self.away
                && Instant::now() < *until
            {
                return Err(trouble.clone());
            }
            match self.seat.connect() {
                Ok(link) => (self.link, self.away) = (Some(link), None),
                Err(trouble) => {
                    self.away = Some((trouble.clone(), Instant::now() + REDIS_PAUSES.1));
                    return Err(trouble);
                }
            }
        }
        self.link.as_mut().ok_or_else(|| Trouble::Lost("is away".into()))
    }
}
