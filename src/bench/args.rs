//! What `comet-chat bench` is asked for.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::relay::Links;
use super::target::{Form, Target};
use crate::config::{ROOMS_ASKED_MAX, TEXT_LIMIT};

/// Measure a server: hold waiters, publish, and check that each saw each message once, in order.
///
/// Exits with 0 if every delivery was right, 1 if one was lost, doubled or swapped (which ones is
/// told on stderr), and 2 if nothing could be measured.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Whom to measure: http://HOST:PORT for a fresh room, http://HOST:PORT/chat/ROOM for that one. Where it takes a
    /// passphrase to come in: http://NAME:PASSPHRASE@HOST:PORT
    #[arg(value_name = "URL", required_unless_present_any = ["floor", "relay", "report"])]
    pub url: Option<Target>,

    /// A token that may read and write in the rooms, where it takes one to come in
    #[arg(long, value_name = "TOKEN")]
    pub bearer: Option<String>,

    /// What to measure
    #[arg(long, value_enum, default_value_t = Mode::FanOut)]
    pub mode: Mode,

    /// How many wait [default: fan-out and idle 1000, firehose 100, publish 1, soak 200, relay 500]; a firehose goes
    /// without anybody too
    #[arg(long, short = 'n', value_name = "N")]
    pub waiters: Option<u32>,

    /// In how many rooms each waiter waits, by one request; messages go to one room after the other. In a soak:
    /// over how many rooms the visitors are spread
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=ROOMS_ASKED_MAX as i64))]
    pub rooms: u32,

    /// Fan-out: how many messages are sent to all, one after the other
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub rounds: usize,

    /// How many connections publish [default: firehose 4, publish 16]; fan-out has one
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u32).range(1..))]
    pub publishers: Option<u32>,

    /// Firehose: how many messages each publisher sends
    #[arg(long, value_name = "K", default_value_t = 2000)]
    pub messages: usize,

    /// Publish and soak: messages a second, sent on time whether or not the server keeps up [default: publish
    /// 500, soak 20]
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    pub rate: Option<f64>,

    /// Publish, idle and soak: how many seconds it goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub seconds: u64,

    /// How many bytes a message has, at least enough for its number
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = size)]
    pub size: usize,

    /// The form of the replies that waiters ask for [default: fan-out and idle plain, else json]
    #[arg(long, value_enum)]
    pub accept: Option<Form>,

    /// How many seconds a waiter asks to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub hold: u64,

    /// After how many seconds what did not come is lost
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub patience: u64,

    /// The pause before each round, for all to be waiting again [default: 0.1 for each waiter]
    #[arg(long, value_name = "MILLISECONDS")]
    pub pause: Option<u64>,

    /// The server's process, to tell its time, memory, threads and context switches (Linux)
    #[arg(long)]
    pub pid: Option<i32>,

    /// Soak the server in place of that: so many visitors, spread over the rooms, come, follow, speak and go, and
    /// come back with their cursors. With --pid, its memory, threads and files must stay flat
    #[arg(long, conflicts_with = "mode", requires = "url")]
    pub soak: bool,

    /// Soak: write the plot of what the server took into this file, as SVG
    #[arg(long, value_name = "FILE", requires_all = ["soak", "pid"])]
    pub plot: Option<PathBuf>,

    /// Be a crowd that obeys orders on stdin, for the backstage
    #[arg(long, conflicts_with_all = ["mode", "soak"], requires = "url", hide = true)]
    pub crowd: bool,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    /// Measure nothing; serve: the least server with a thread a connection, as a yardstick
    #[arg(long, value_name = "ADDR:PORT", conflicts_with = "url")]
    pub floor: Option<SocketAddr>,

    /// Measure no server, but what a wake costs: so many links [default: 500], each of which waits for the one before it
    /// and wakes the one behind it. Told as JSON
    #[arg(long, value_enum, value_name = "LINKS", conflicts_with_all = ["url", "floor"])]
    pub relay: Option<Links>,

    /// Measure nothing; put the runs of scripts/compare.sh in this directory side by side
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["url", "floor", "relay"], hide = true)]
    pub report: Option<PathBuf>,
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
