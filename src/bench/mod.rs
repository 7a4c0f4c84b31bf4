//! `comet-chat bench`: what a server of this wire costs, and whether it keeps its promises.
//!
//! It holds waiters, publishes, and checks that each waiter saw each message once and in order
//! while it times them. It needs nothing but the wire, so that it measures any server that speaks
//! it; with the process's number it also tells what the server spent.
//!
//! ```text
//!    fanout firehose publish idle     a mode each: what is published, and when it is over
//!                  │
//!  process ──── session               what the server spent, from /proc; and one run
//!              │       │
//!       publishers   waiters          who speaks and who waits: what each does with a reply
//!           │  └────┬───┘ │
//!         mark    client  ledger      their texts; the readiness loop; the record and its judge
//!                   │
//!   target ──── connection ──── reply bytes out, bytes in
//!
//!  report     one run, for people and machines
//!  compare    many runs side by side: a page, a picture, JSON
//!  floor      the yardstick: the least server with a thread a connection
//! ```

mod client;
mod compare;
mod connection;
mod error;
mod fanout;
mod firehose;
pub mod floor;
mod idle;
mod ledger;
mod mark;
mod process;
mod publish;
mod publishers;
mod reply;
mod report;
mod session;
mod target;
mod waiters;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::message::{TEXT_LIMIT, Timestamp};
use error::Error;
use process::Watched;
use report::Report;
use session::{Plan, Session};
use target::{Form, Target};

/// Measure a server: hold waiters, publish, and check that each saw each message once, in order.
///
/// Exits with 0 if every delivery was right, 1 if one was lost, doubled or swapped (which ones is
/// told on stderr), and 2 if nothing could be measured.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Whom to measure: http://HOST:PORT for a fresh room, http://HOST:PORT/chat/ROOM for that one
    #[arg(value_name = "URL", required_unless_present_any = ["floor", "report"])]
    url: Option<Target>,

    /// What to measure
    #[arg(long, value_enum, default_value_t = Mode::FanOut)]
    mode: Mode,

    /// How many wait [default: fan-out and idle 1000, firehose 100, publish 1]
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    waiters: Option<u32>,

    /// Fan-out: how many messages are sent to all, one after the other
    #[arg(long, value_name = "R", default_value_t = 20)]
    rounds: usize,

    /// How many connections publish [default: firehose 4, publish 16]; fan-out has one
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u32).range(1..))]
    publishers: Option<u32>,

    /// Firehose: how many messages each publisher sends
    #[arg(long, value_name = "K", default_value_t = 2000)]
    messages: usize,

    /// Publish: messages a second, sent on time whether or not the server keeps up
    #[arg(long, value_name = "PER_SECOND", default_value_t = 500.0, value_parser = rate)]
    rate: f64,

    /// Publish and idle: how many seconds it goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,

    /// How many bytes a message has, at least enough for its number
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = size)]
    size: usize,

    /// The form of the replies that waiters ask for [default: fan-out and idle plain, else json]
    #[arg(long, value_enum)]
    accept: Option<Form>,

    /// How many seconds a waiter asks to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=60))]
    hold: u64,

    /// After how many seconds what did not come is lost
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,

    /// The pause before each round, for all to be waiting again [default: 0.1 for each waiter]
    #[arg(long, value_name = "MILLISECONDS")]
    pause: Option<u64>,

    /// The server's process, to tell its time, memory, threads and context switches (Linux)
    #[arg(long)]
    pid: Option<i32>,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    /// Measure nothing; serve: the least server with a thread a connection, as a yardstick
    #[arg(long, value_name = "ADDR:PORT", conflicts_with = "url")]
    floor: Option<SocketAddr>,

    /// Measure nothing; put the runs of scripts/compare.sh in this directory side by side
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["url", "floor"], hide = true)]
    report: Option<PathBuf>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// All wait; one message; all must see it and wait again
    FanOut,
    /// Publishers send as fast as they are answered while all follow
    Firehose,
    /// Messages at a steady rate; latency counts from when each should have been sent
    Publish,
    /// All wait and nothing is published
    Idle,
}

/// Does what the arguments ask for, and says with what success.
pub fn run(args: &BenchArgs) -> ExitCode {
    let outcome = match (&args.floor, &args.report, &args.url) {
        (Some(address), _, _) => floor::serve(*address).map_err(Error::from).map(|()| true),
        (_, Some(directory), _) => compare::write(directory).map(|()| true),
        (_, _, Some(target)) => measure(args, target).map(|report| tell(&report, args.json)),
        (None, None, None) => unreachable!("clap asks for one of the three"),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("comet-chat bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(args: &BenchArgs, target: &Target) -> Result<Report, Error> {
    let started = Timestamp::now();
    let mut session = Session::new(args, target, plan(args))?;
    session.hold_waiters()?;
    let held = session.ledger.waiters();
    let own = Watched::new(std::process::id() as i32).ok();
    let own_before = own.as_ref().and_then(|own| own.usage().ok());
    let before = session.usage()?;
    let clock = Instant::now();
    let last = match args.mode {
        Mode::FanOut => Some(fanout::run(&mut session)?),
        Mode::Firehose => firehose::run(&mut session).map(|()| None)?,
        Mode::Publish => publish::run(&mut session).map(|()| None)?,
        Mode::Idle => idle::run(&mut session).map(|()| None)?,
    };
    let took = clock.elapsed();
    let after = session.usage()?;
    let own_after = own.as_ref().and_then(|own| own.usage().ok());
    Ok(Report::new(&session, started, took, held, last, before.zip(after), own_before.zip(own_after)))
}

fn plan(args: &BenchArgs) -> Plan {
    let (waiters, publishers, form) = match args.mode {
        Mode::FanOut => (1000, 1, Form::Plain),
        Mode::Idle => (1000, 0, Form::Plain),
        Mode::Firehose => (100, 4, Form::Json),
        Mode::Publish => (1, 16, Form::Json),
    };
    let publishes_at_will = matches!(args.mode, Mode::Firehose | Mode::Publish);
    Plan {
        waiters: args.waiters.unwrap_or(waiters) as usize,
        publishers: match args.publishers {
            Some(asked) if publishes_at_will => asked as usize,
            _ => publishers,
        },
        form: args.accept.unwrap_or(form),
    }
}

/// Prints the report, names the faults on stderr, and answers whether there are none.
fn tell(report: &Report, json: bool) -> bool {
    if json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    for fault in &report.verdict.named {
        eprintln!("comet-chat bench: {fault}");
    }
    report.verdict.is_clean()
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("a rate is a number above 0, at most 1,000,000".to_owned()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(size) if size <= TEXT_LIMIT => Ok(size),
        _ => Err(format!("a message has at most {TEXT_LIMIT} bytes")),
    }
}
