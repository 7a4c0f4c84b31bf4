//! One run's figures: a table for people, JSON for machines.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::Mode;
use super::fanout;
use super::ledger::Verdict;
use super::process::Usage;
use super::session::Session;
use crate::message::Timestamp;

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

/// Where it ran.
#[derive(Debug, Serialize)]
struct Machine {
    processor: String,
    processors: usize,
    memory_bytes: u64,
    system: String,
}

#[derive(Debug, Serialize)]
struct Waiters {
    asked: usize,
    held: usize,
    refused: usize,
    refusal: Option<String>,
}

/// A distribution, in microseconds.
#[derive(Debug, Serialize)]
struct Latency {
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

/// What the server spent, and what each waiter costs it.
#[derive(Debug, Serialize)]
struct Server {
    /// With the waiters held, before the first publish.
    held: Usage,
    /// Its time on a processor while it was measured, as a share of one processor.
    share: f64,
    per_delivery: Option<PerDelivery>,
    per_waiter: Option<PerWaiter>,
    /// Context switches in a second while it was measured.
    switches_a_second: f64,
}

/// Of the whole run, divided by the deliveries: each includes its next poll.
#[derive(Debug, Serialize)]
struct PerDelivery {
    cpu_us: f64,
    user_us: f64,
    system_us: f64,
    voluntary_switches: f64,
    involuntary_switches: f64,
}

/// The difference between waiters held and none, divided by their number.
#[derive(Debug, Serialize)]
struct PerWaiter {
    threads: f64,
    fds: f64,
    resident_bytes: f64,
    kernel_stack_bytes: f64,
    page_table_bytes: f64,
    virtual_bytes: f64,
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
        let (ledger, publishers, waiters) = (&session.ledger, &session.publishers, &session.waiters);
        let deliveries = ledger.deliveries();
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
            rounds: fan_out.as_ref().map(|outcome| outcome.rounds),
            published: ledger.published(),
            acknowledged: ledger.acknowledged(),
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
            server: server.map(|(before, after)| Server::of(session, before, &after, took, held)),
            load_share: load
                .map(|(before, after)| after.cpu_since(&before).as_secs_f64() / took.as_secs_f64()),
            verdict: ledger.verdict(),
        }
    }

    /// The whole report in one JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every key is a string")
    }
}

impl Machine {
    #[cfg(target_os = "linux")]
    fn here() -> Machine {
        use procfs::Current;
        let processors = procfs::CpuInfo::current().ok();
        let model = processors.as_ref().and_then(|all| all.model_name(0));
        let release = procfs::sys::kernel::Version::current();
        Machine {
            processor: model.unwrap_or("unknown").to_owned(),
            processors: processors.as_ref().map_or(0, |all| all.num_cores()),
            memory_bytes: procfs::Meminfo::current().map_or(0, |memory| memory.mem_total),
            system: match release {
                Ok(v) => format!("Linux {}.{}.{}", v.major, v.minor, v.patch),
                Err(_) => "Linux".to_owned(),
            },
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn here() -> Machine {
        Machine {
            processor: std::env::consts::ARCH.to_owned(),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: 0,
            system: std::env::consts::OS.to_owned(),
        }
    }
}

impl Latency {
    /// `None` when nothing was timed.
    fn of(nanoseconds: &Histogram<u64>) -> Option<Latency> {
        let at = |quantile| nanoseconds.value_at_quantile(quantile) as f64 / 1000.0;
        (!nanoseconds.is_empty()).then(|| Latency {
            mean: nanoseconds.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: nanoseconds.max() as f64 / 1000.0,
        })
    }
}

impl Server {
    fn of(session: &Session<'_>, held: Usage, after: &Usage, took: Duration, waiters: usize) -> Server {
        let switches = after.switches_since(&held);
        let switches = (switches.voluntary + switches.involuntary) as f64;
        let baseline = session.baseline.as_ref();
        Server {
            share: after.cpu_since(&held).as_secs_f64() / took.as_secs_f64(),
            per_delivery: PerDelivery::of(&held, after, session.ledger.deliveries()),
            per_waiter: baseline.map(|none| PerWaiter::of(none, &held, waiters)),
            switches_a_second: switches / took.as_secs_f64(),
            held,
        }
    }
}

impl PerDelivery {
    fn of(before: &Usage, after: &Usage, deliveries: usize) -> Option<PerDelivery> {
        let each = |duration: Duration| duration.as_secs_f64() * 1e6 / deliveries as f64;
        let switches = after.switches_since(before);
        (deliveries > 0).then(|| PerDelivery {
            cpu_us: each(after.cpu_since(before)),
            user_us: each(after.user.saturating_sub(before.user)),
            system_us: each(after.system.saturating_sub(before.system)),
            voluntary_switches: switches.voluntary as f64 / deliveries as f64,
            involuntary_switches: switches.involuntary as f64 / deliveries as f64,
        })
    }
}

impl PerWaiter {
    fn of(none: &Usage, held: &Usage, waiters: usize) -> PerWaiter {
        let each = |of: fn(&Usage) -> u64| (of(held) as f64 - of(none) as f64) / waiters as f64;
        PerWaiter {
            threads: each(|usage| usage.threads),
            fds: each(|usage| usage.fds),
            resident_bytes: each(|usage| usage.resident),
            kernel_stack_bytes: each(|usage| usage.kernel_stacks),
            page_table_bytes: each(|usage| usage.page_tables),
            virtual_bytes: each(|usage| usage.virtual_size),
        }
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
        line("waiters", format!("{} held of {}{refused}", waiters.held, waiters.asked))?;
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

impl Server {
    fn write(&self, line: &mut impl FnMut(&str, String) -> fmt::Result) -> fmt::Result {
        let kib = |bytes: f64| bytes / 1024.0;
        if let Some(each) = &self.per_delivery {
            line(
                "server, a delivery",
                format!(
                    "{:.1} us of a processor ({:.1} user, {:.1} kernel); {:.2} + {:.2} context switches",
                    each.cpu_us,
                    each.user_us,
                    each.system_us,
                    each.voluntary_switches,
                    each.involuntary_switches
                ),
            )?;
        }
        if let Some(each) = &self.per_waiter {
            line(
                "server, a waiter",
                format!(
                    "{:.2} threads, {:.2} fds; KiB: {:.1} resident, {:.1} kernel stack, \
                     {:.1} page tables, {:.0} reserved",
                    each.threads,
                    each.fds,
                    kib(each.resident_bytes),
                    kib(each.kernel_stack_bytes),
                    kib(each.page_table_bytes),
                    kib(each.virtual_bytes)
                ),
            )?;
        }
        line(
            "server, in all",
            format!(
                "{} threads, {} fds, {:.1} MiB resident; {:.0} % of a processor, \
                 {:.0} context switches a second",
                self.held.threads,
                self.held.fds,
                kib(self.held.resident as f64) / 1024.0,
                self.share * 100.0,
                self.switches_a_second
            ),
        )
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |microseconds: f64| microseconds / 1000.0;
        write!(
            f,
            "p50 {:.2}  p90 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2} ms",
            ms(self.p50),
            ms(self.p90),
            ms(self.p99),
            ms(self.p999),
            ms(self.max)
        )
    }
}
