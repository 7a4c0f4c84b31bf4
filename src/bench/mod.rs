//! `comet-chat bench`: what a server of this wire costs, and whether it keeps its promises.
//!
//! It holds waiters, publishes, and times each delivery. It also checks that each waiter saw each message
//! once and in order. It uses only the wire, so it can measure any server that speaks it. With the number
//! of the server's process it also tells what the server spent.
//!
//! ```text
//!    fanout firehose publish idle     the modes: what is published, and when it is over
//!                  │
//!  process ──── session               what the server spent, from /proc; and one run
//!              │       │
//!       publishers   waiters          who publishes and who waits: what each does with a reply
//!           │  └────┬───┘ │
//!         mark    client  tally       their texts; the readiness loop; the record and its judge
//!                   │
//!   target ──── connection ──── reply bytes out, bytes in
//!
//!  live       what is seen meanwhile: a bar and a graph
//!  report     one run, for people and machines, with cost, latency, machine and verdict
//!  soak       visitors who come and go for a long time, by the same readiness loop
//!  crowd      waiters, messages and failures on order, by the same loop, for the backstage
//!  compare    many runs side by side: a page, a picture, JSON
//!  floor      the yardstick: the least server with a thread a connection
//!  relay      what a wake costs a thread and a task, with no server around it
//! ```

mod answer;
mod args;
mod client;
mod compare;
mod connection;
mod cost;
mod crowd;
mod error;
mod fanout;
mod files;
mod firehose;
pub mod floor;
mod graph;
mod idle;
mod latency;
mod live;
mod machine;
mod mark;
mod process;
mod publish;
mod publishers;
mod relay;
mod reply;
mod report;
mod session;
mod soak;
mod tally;
mod target;
mod verdict;
mod waiters;

use std::process::ExitCode;
use std::time::Instant;

pub use self::args::BenchArgs;
use self::args::Mode;
use crate::clock::Timestamp;
use crate::config::RELAY_LINKS;
use error::Error;
use process::Watched;
use report::Report;
use session::{Plan, Session};
use target::{Form, Target};

/// Does what the arguments ask for. The exit code tells whether it succeeded.
pub fn run(args: &BenchArgs) -> ExitCode {
    let target = args.url.clone();
    let target = match &args.bearer {
        Some(token) => target.map(|target| target.with_token(token)),
        None => target,
    };
    let relay = |links| relay::run(links, args.waiters.map_or(RELAY_LINKS, |links| links as usize));
    let nobody_waits = args.waiters == Some(0) && !matches!(args.mode, Mode::Firehose);
    let outcome = match (&args.floor, &args.report, &target) {
        _ if nobody_waits => Err(Error::NobodyWaits),
        (Some(address), _, _) => floor::serve(*address).map_err(Error::from).map(|()| true),
        (_, Some(directory), _) => compare::write(directory).map(|()| true),
        (_, _, Some(target)) if args.crowd => crowd::run(target),
        (_, _, Some(target)) if args.soak => soak::run(args, target),
        (_, _, Some(target)) => measure(args, target).map(|report| tell(&report, args.json)),
        (None, None, None) => match args.relay {
            Some(links) => relay(links).map(|report| println!("{}", report.json())).map(|()| true),
            None => unreachable!("clap asks for one of the four"),
        },
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
    let target = target.clone().with_rooms(args.rooms as usize);
    let mut session = Session::new(args, target, plan(args))?;
    session.hold_waiters()?;
    let held = session.tally.waiters();
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
