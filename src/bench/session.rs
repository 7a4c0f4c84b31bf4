//! One run: publishers and waiters on one readiness loop, and the record of what they saw.

use std::time::{Duration, Instant, SystemTime};

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};

use super::BenchArgs;
use super::client::{Client, Event};
use super::error::Error;
use super::ledger::{Ledger, Number};
use super::opening::open;
use super::process::{Usage, Watched};
use super::reply::Reply;
use super::target::{Form, Target};

/// How often in a row a server may close a waiter's connection without a reply.
const CLOSED_IN_A_ROW: u8 = 3;

/// File descriptors beside the connections: the standard ones, `epoll`, `/proc`.
const SPARE_FILES: u64 = 32;

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
    pub ledger: Ledger,
    pub counts: Counts,
    /// From the sending of a message, or when it should have been sent, to its arrival, in ns.
    pub delivery: Histogram<u64>,
    /// From the sending of a message, or when it should have been sent, to its `ok`, in ns.
    pub answer: Histogram<u64>,
    /// The longest delivery since this was last set to zero.
    pub slowest: Duration,
    /// The server's cost before the waiters came.
    pub baseline: Option<Usage>,
    client: Client,
    watched: Option<Watched>,
    /// Marks the messages of this run.
    tag: String,
    publishers: Vec<Publisher>,
    waiters: Vec<Waiter>,
}

/// What is counted beside the deliveries.
#[derive(Debug, Default)]
pub struct Counts {
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
    /// Posts that were refused or whose connection broke: their messages may be there or not.
    pub failed_posts: usize,
    /// The fewest waiters that a publish found waiting, as the server says.
    pub fewest_found: Option<u64>,
}

#[derive(Debug, Default)]
struct Publisher {
    pending: Option<(Number, SystemTime)>,
}

#[derive(Debug)]
struct Waiter {
    next: String,
    closed_in_a_row: u8,
}

impl<'a> Session<'a> {
    /// Connects the publishers, and only then looks at the server for the baseline.
    pub fn new(args: &'a BenchArgs, target: &Target, plan: Plan) -> Result<Session<'a>, Error> {
        allow_files((plan.waiters + plan.publishers) as u64 + SPARE_FILES)?;
        let url = target.to_string();
        let address = target.address().map_err(|error| Error::Resolve(url, error))?;
        let watched = args.pid.map(Watched::new).transpose()?;
        let mut session = Session {
            args,
            plan,
            target: target.clone(),
            ledger: Ledger::new(plan.waiters),
            counts: Counts::default(),
            delivery: histogram(),
            answer: histogram(),
            slowest: Duration::ZERO,
            baseline: None,
            client: Client::new(address)?,
            watched,
            tag: format!("bench-{:08x}", fastrand::u32(..)),
            publishers: Vec::new(),
            waiters: Vec::new(),
        };
        // Even a run that publishes nothing greets once, so that the first request's cost to the
        // server is not taken for a waiter's.
        let greeters = plan.publishers.max(1);
        let opened = session.open(greeters, &ProgressBar::hidden())?;
        if opened.iter().any(Option::is_none) {
            let sentence = session.counts.refusal.take().unwrap_or_default();
            return Err(Error::AllRefused(sentence));
        }
        session.publishers.resize_with(greeters, Publisher::default);
        session.baseline = session.usage()?;
        Ok(session)
    }

    /// Brings the waiters in, lets each poll, and pauses until they may be taken to wait.
    pub fn hold_waiters(&mut self) -> Result<(), Error> {
        let bar = bar("connecting", self.plan.waiters as u64);
        let opened = self.open(self.plan.waiters, &bar)?;
        bar.finish_and_clear();
        for (waiter, next) in opened.into_iter().enumerate() {
            let refused = next.is_none();
            self.waiters.push(Waiter { next: next.unwrap_or_default(), closed_in_a_row: 0 });
            if refused {
                self.ledger.dismiss(waiter);
            } else {
                self.poll(waiter);
            }
        }
        self.rest(self.pause() * 2)?;
        if self.ledger.waiters() == 0 {
            let sentence = self.counts.refusal.take().unwrap_or_default();
            return Err(Error::AllRefused(sentence));
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

    /// A publisher that waits for no reply.
    pub fn free_publisher(&self) -> Option<usize> {
        self.publishers.iter().position(|one| one.pending.is_none())
    }

    /// Whether this publisher waits for no reply.
    pub fn is_free(&self, publisher: usize) -> bool {
        self.publishers[publisher].pending.is_none()
    }

    /// Publishes the next message on a free publisher's connection. Latencies count from `due`.
    pub fn publish(&mut self, publisher: usize, due: SystemTime) -> Number {
        let number = self.ledger.publish(publisher, due);
        let mut text = format!("{} {number} ", self.tag);
        while text.len() < self.args.size {
            text.push('.');
        }
        self.publishers[publisher].pending = Some((number, due));
        self.client.send(publisher, &self.target.publish(&text));
        number
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
        for (slot, event) in happened {
            if slot < self.publishers.len() {
                self.answered(slot, event)?;
            } else {
                self.polled(slot - self.publishers.len(), event)?;
            }
        }
        Ok(any)
    }

    fn open(&mut self, count: usize, bar: &ProgressBar) -> Result<Vec<Option<String>>, Error> {
        let patience = self.patience();
        let opened = open(&mut self.client, &self.target, count, patience, bar)?;
        self.counts.refused += opened.refused;
        self.counts.refusal = opened.sentence.or(self.counts.refusal.take());
        Ok(opened.next)
    }

    fn poll(&mut self, waiter: usize) {
        let hold = Duration::from_secs(self.args.hold);
        let request = self.target.poll(&self.waiters[waiter].next, hold, self.plan.form);
        self.client.send(self.publishers.len() + waiter, &request);
    }

    fn answered(&mut self, publisher: usize, event: Event) -> Result<(), Error> {
        let Some((number, due)) = self.publishers[publisher].pending.take() else {
            // The server closed a connection that idled; the next message makes it anew.
            return Ok(());
        };
        match event {
            Event::Reply(reply) if reply.status == 200 => {
                self.ledger.acknowledge(number);
                record(&mut self.answer, reply.at, due);
                let fewest = &mut self.counts.fewest_found;
                *fewest = (*fewest).into_iter().chain(reply.delivered()).min();
            }
            Event::Reply(reply) if matches!(reply.status, 429 | 503) => {
                self.counts.failed_posts += 1;
            }
            Event::Reply(reply) => return Err(unexpected("a POST", &reply)),
            Event::Closed(error) => {
                self.gone_if_refused(error)?;
                self.counts.failed_posts += 1;
            }
        }
        Ok(())
    }

    fn polled(&mut self, waiter: usize, event: Event) -> Result<(), Error> {
        match event {
            Event::Reply(reply) if matches!(reply.status, 200 | 204) => {
                self.waiters[waiter].closed_in_a_row = 0;
                self.counts.gaps += usize::from(reply.gap);
                if reply.status == 200 {
                    self.saw(waiter, &reply)?;
                } else {
                    self.counts.timeouts += 1;
                }
                if let Some(next) = reply.next {
                    self.waiters[waiter].next = next;
                } else if let Some(cursor) = reply.cursor {
                    self.waiters[waiter].next = self.target.after(&cursor);
                }
                self.poll(waiter);
            }
            Event::Reply(reply) if matches!(reply.status, 429 | 503) => {
                self.client.close(self.publishers.len() + waiter);
                self.ledger.dismiss(waiter);
                self.counts.refused += 1;
                self.counts.refusal = Some(format!("{} {}", reply.status, reply.sentence()));
            }
            Event::Reply(reply) => return Err(unexpected("a poll", &reply)),
            Event::Closed(error) => {
                let error = self.gone_if_refused(error)?;
                self.waiters[waiter].closed_in_a_row += 1;
                if self.waiters[waiter].closed_in_a_row > CLOSED_IN_A_ROW {
                    return Err(Error::Closes(waiter, error));
                }
                self.counts.reconnects += 1;
                self.poll(waiter);
            }
        }
        Ok(())
    }

    fn saw(&mut self, waiter: usize, reply: &Reply) -> Result<(), Error> {
        let texts = reply.texts().map_err(|malformed| Error::OtherWire(malformed.to_string()))?;
        for text in texts {
            match self.number_of(&text).and_then(|number| self.ledger.see(waiter, number)) {
                Some(sent) => {
                    let latency = record(&mut self.delivery, reply.at, sent);
                    self.slowest = self.slowest.max(latency);
                }
                None => self.counts.foreign += 1,
            }
        }
        Ok(())
    }

    /// The number in a text of this run: `TAG NUMBER ...`.
    fn number_of(&self, text: &str) -> Option<Number> {
        let mut words = text.split(' ');
        if words.next() != Some(&self.tag) {
            return None;
        }
        words.next()?.parse().ok()
    }

    /// When nobody listens any more there is nothing left to measure.
    fn gone_if_refused(&self, error: std::io::Error) -> Result<std::io::Error, Error> {
        match error.kind() {
            std::io::ErrorKind::ConnectionRefused => Err(Error::Absent(self.target.to_string(), error)),
            std::io::ErrorKind::InvalidData => Err(Error::OtherWire(error.to_string())),
            _ => Ok(error),
        }
    }
}

/// A progress bar on the terminal; nothing where stderr is none.
pub fn bar(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>12} {wide_bar} {pos}/{len} {eta:>4}")
        .expect("the template is well-formed");
    ProgressBar::new(length).with_style(style).with_message(what)
}

/// A distribution of times in ns, to three digits, from 1 ns to an hour.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("the bounds are in order")
}

fn record(histogram: &mut Histogram<u64>, at: SystemTime, since: SystemTime) -> Duration {
    let latency = at.duration_since(since).unwrap_or_default();
    histogram.saturating_record(latency.as_nanos() as u64);
    latency
}

fn unexpected(what: &str, reply: &Reply) -> Error {
    Error::OtherWire(format!("{what} was answered {}: {}", reply.status, reply.sentence()))
}

/// Raises the soft limit of open files as far as it goes, and sees whether that is enough.
fn allow_files(wanted: u64) -> Result<(), Error> {
    let allowed = rlimit::increase_nofile_limit(u64::MAX)?;
    if wanted > allowed {
        return Err(Error::TooManyFiles(wanted, allowed));
    }
    Ok(())
}
