//! One run's figures: a table for people, JSON for machines.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::args::Mode;
use super::cost::Server;
use super::fanout;
use super::latency::Latency;
use super::machine::Machine;
use super::process::Usage;
use super::session::Session;
use super::verdict::Verdict;
use crate::clock::Timestamp;

/// What one run found. Times of delivery are in microseconds.
#[derive(Debug, Serialize)]
pub struct Report {
    version: &'static str,
    command: String,
    started: Timestamp,
    machine: Machine,
    url: String,
    mode: &'static str,
    seconds: f64,
    waiters: Waiters,
    /// In how many rooms each waits.
    rooms: u32,
    rounds: Option<usize>,
    published: usize,
    acknowledged: usize,
    failed_posts: usize,
    deliveries: usize,
    /// From a publish to its arrival, over all waiters and messages.
    delivery: Option<Latency>,
    /// From a publish to its arrival at the last waiter, over all rounds.
    last: Option<Latency>,
    /// From a publish to its `ok`.
    answer: Option<Latency>,
    /// In a fan-out, the fewest waiters that a publish found waiting, as the server says.
    fewest_found: Option<u64>,
    timeouts: usize,
    reconnects: usize,
    gaps: usize,
    foreign: usize,
    server: Option<Server>,
    /// What this load itself took, as a share of one processor.
    load_share: Option<f64>,
    pub verdict: Verdict,
}

#[derive(Debug, Serialize)]
struct Waiters {
    asked: usize,
    held: usize,
    refused: usize,
    refusal: Option<String>,
}

impl Report {
    /// Sums up a session that is over.
    pub fn new(
        session: &Session<'_>,
        started: Timestamp,
        took: Duration,
        held: usize,
        fan_out: Option<fanout::Outcome>,
        server: Option<(Usage, Usage)>,
        load: Option<(Usage, Usage)>,
    ) -> Report {
        let (tally, publishers, waiters) = (&session.tally, &session.publishers, &session.waiters);
        let deliveries = tally.deliveries();
        let command: Vec<String> = std::env::args().collect();
        Report {
            version: env!("CARGO_PKG_VERSION"),
            command: command.join(" "),
            started,
            machine: Machine::here(),
            url: session.target.to_string(),
            mode: match session.args.mode {
                Mode::FanOut => "fan-out",
                Mode::Firehose => "firehose",
                Mode::Publish => "publish",
                Mode::Idle => "idle",
            },
            seconds: took.as_secs_f64(),
            waiters: Waiters {
                asked: session.plan.waiters,
                held,
                refused: waiters.refused,
                refusal: waiters.refusal.clone(),
            },
            rooms: session.args.rooms,
            rounds: fan_out.as_ref().map(|outcome| outcome.rounds),
            published: tally.published(),
            acknowledged: tally.acknowledged(),
            failed_posts: publishers.failed,
            deliveries,
            delivery: Latency::of(&waiters.delivery),
            last: fan_out.and_then(|outcome| Latency::of(&outcome.last)),
            answer: Latency::of(&publishers.answer),
            fewest_found: publishers.fewest_found.filter(|_| session.args.mode == Mode::FanOut),
            timeouts: waiters.timeouts,
            reconnects: waiters.reconnects,
            gaps: waiters.gaps,
            foreign: waiters.foreign,
            server: server.map(|(before, after)| {
                let none = session.baseline.as_ref();
                Server::of(none, before, &after, took, held, deliveries)
            }),
            load_share: load
                .map(|(before, after)| after.cpu_since(&before).as_secs_f64() / took.as_secs_f64()),
            verdict: tally.verdict(),
        }
    }

    /// The whole report in one JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every key is a string")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: String| writeln!(f, "{name:>22}  {value}");
        line("mode", format!("{} at {}", self.mode, self.url))?;
        let waiters = &self.waiters;
        let refused = match &waiters.refusal {
            Some(refusal) => format!(", {} refused ({refusal})", waiters.refused),
            None => String::new(),
        };
        let rooms = match self.rooms {
            1 => String::new(),
            rooms => format!(", each in {rooms} rooms by one request"),
        };
        line("waiters", format!("{} held of {}{rooms}{refused}", waiters.held, waiters.asked))?;
        line(
            "messages",
            format!(
                "{} published, {} answered ok, {} refused or broken; {} deliveries in {:.1} s",
                self.published, self.acknowledged, self.failed_posts, self.deliveries, self.seconds
            ),
        )?;
        if let Some(fewest) = self.fewest_found {
            line("found waiting", format!("at least {fewest} by each publish"))?;
        }
        for (name, latency) in [
            ("delivery", &self.delivery),
            ("last waiter has it", &self.last),
            ("publish to ok", &self.answer),
        ] {
            if let Some(latency) = latency {
                line(name, latency.to_string())?;
            }
        }
        if let Some(server) = &self.server {
            server.write(&mut line)?;
        }
        if let Some(share) = self.load_share {
            line("this load", format!("{:.0} % of a processor", share * 100.0))?;
        }
        for (name, count) in [
            ("waits timed out", self.timeouts),
            ("connections made anew", self.reconnects),
            ("gaps announced", self.gaps),
            ("messages of others", self.foreign),
        ] {
            if count > 0 {
                line(name, count.to_string())?;
            }
        }
        let verdict = &self.verdict;
        let judged = if self.published == 0 {
            "nothing was published".to_owned()
        } else if verdict.is_clean() {
            "every waiter saw every message once, in order".to_owned()
        } else {
            format!("{} lost, {} doubled, {} swapped", verdict.lost, verdict.doubled, verdict.swapped)
        };
        line("verdict", judged)
    }
}
