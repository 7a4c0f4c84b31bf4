//! The relay: what it costs to wake one who waits, as a thread and as a task, with no server around it.
//!
//! Each of many links waits for the one before it, and then wakes the one behind it. It is the bucket brigade of
//! <https://github.com/jimblandy/context-switch>, so that its figures can stand beside ours: links that wait for the
//! network have a socket between them, as there; links that wait for each other have what the engines' waiters wait on,
//! a crossbeam or a tokio channel. What the reading and writing of a hop cost by themselves is known from sockets with
//! nobody between them; the rest is the switch.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Serialize;

use super::error::Error;
use super::files;
use super::machine::Machine;
use super::process::{Usage, Watched};
use crate::clock::Timestamp;
use crate::config::{BENCH_FILES, HOLD, RELAY_ROUNDS, RELAY_STACK, RELAY_WARM_UPS};

/// What the links are, and what is between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Links {
    /// None: one thread reads and writes all sockets, which shows what a hop costs without a switch
    NoneBySocket,
    /// Threads that wait for the network
    ThreadsBySocket,
    /// Threads that wait for each other
    ThreadsByChannel,
    /// Tasks that wait for the network
    #[cfg(feature = "async")]
    TasksBySocket,
    /// Tasks that wait for each other
    #[cfg(feature = "async")]
    TasksByChannel,
}

/// What a relay cost.
#[derive(Debug, Serialize)]
pub struct Report {
    version: &'static str,
    started: Timestamp,
    machine: Machine,
    mode: &'static str,
    links: usize,
    rounds: usize,
    /// From link to link: half of all rounds were as quick or quicker.
    hop_us: f64,
    /// To start a link, as it takes the one who starts it.
    creation_us: f64,
    /// What a link keeps resident, without the kernel's share.
    link_bytes: Option<f64>,
    /// The kernel's stacks of a link.
    kernel_stack_bytes: Option<f64>,
}

impl Report {
    /// The whole report in one JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every key is a string")
    }
}

/// A relay that stands.
struct Relay {
    /// Sends something in at one end, and waits until it comes out at the other.
    pass: Box<dyn FnMut() -> io::Result<()>>,
    /// How long it took to start its links.
    creation: Duration,
    /// What runs them; it ends after the ends of the chain, which `pass` has.
    _holds: Box<dyn std::any::Any>,
}

/// Builds a relay of so many links, and sends something through it again and again.
pub fn run(kind: Links, links: usize) -> Result<Report, Error> {
    files::allow(2 * (links as u64 + 1) + BENCH_FILES)?;
    let started = Timestamp::now();
    let own = Watched::new(std::process::id() as i32).ok();
    let usage = || own.as_ref().and_then(|own| own.usage().ok());
    let before = usage();
    let mut relay = match kind {
        Links::NoneBySocket => none_by_socket(links)?,
        Links::ThreadsBySocket => threads::by_socket(links)?,
        Links::ThreadsByChannel => threads::by_channel(links)?,
        #[cfg(feature = "async")]
        Links::TasksBySocket => tasks::by_socket(links)?,
        #[cfg(feature = "async")]
        Links::TasksByChannel => tasks::by_channel(links)?,
    };
    for _ in 0..RELAY_WARM_UPS {
        (relay.pass)()?;
    }
    let held = usage();
    let mut rounds = Vec::with_capacity(RELAY_ROUNDS);
    for _ in 0..RELAY_ROUNDS {
        let start = Instant::now();
        (relay.pass)()?;
        rounds.push(start.elapsed());
    }
    rounds.sort();
    let each = |duration: Duration| duration.as_secs_f64() * 1e6 / links as f64;
    let grew = |of: fn(&Usage) -> u64| {
        let (before, held) = (before.as_ref()?, held.as_ref()?);
        Some((of(held) as f64 - of(before) as f64) / links as f64)
    };
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        started,
        machine: Machine::here(),
        mode: "relay",
        links,
        rounds: RELAY_ROUNDS,
        hop_us: each(rounds[RELAY_ROUNDS / 2]),
        creation_us: each(relay.creation),
        link_bytes: grew(|usage| usage.resident),
        kernel_stack_bytes: grew(|usage| usage.kernel_stacks),
    })
}

/// Sends a byte into one socket and waits until it comes out of another.
fn pass_byte(mut first: UnixStream, mut last: UnixStream) -> Box<dyn FnMut() -> io::Result<()>> {
    Box::new(move || {
        first.write_all(b"*")?;
        last.read_exact(&mut [0])
    })
}

/// Sockets that nobody waits for.
fn none_by_socket(count: usize) -> io::Result<Relay> {
    let mut sockets = Vec::new();
    let clock = Instant::now();
    for _ in 0..=count {
        sockets.push(UnixStream::pair()?);
    }
    let creation = clock.elapsed();
    let pass = Box::new(move || {
        for (write, read) in &mut sockets {
            write.write_all(b"*")?;
            read.read_exact(&mut [0])?;
        }
        Ok(())
    });
    Ok(Relay { pass, creation, _holds: Box::new(()) })
}

/// What a channel says when its other side has ended too early.
fn broken<E>(_: E) -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

/// Links that are threads. Each ends when the one before it has ended.
mod threads {
    use super::*;
    use std::thread::{Builder, JoinHandle};

    /// Threads that are waited for. The ends of their chain must have been dropped before.
    struct Joined(Vec<JoinHandle<()>>);

    impl Drop for Joined {
        fn drop(&mut self) {
            for link in self.0.drain(..) {
                // A link that panicked has said so.
                let _ = link.join();
            }
        }
    }

    fn start(links: Vec<impl FnOnce() + Send + 'static>) -> io::Result<(Duration, Joined)> {
        let mut started = Joined(Vec::with_capacity(links.len()));
        let clock = Instant::now();
        for link in links {
            let builder = Builder::new().name("link".to_owned()).stack_size(RELAY_STACK);
            started.0.push(builder.spawn(link)?);
        }
        Ok((clock.elapsed(), started))
    }

    pub fn by_socket(count: usize) -> io::Result<Relay> {
        let (first, mut upstream) = UnixStream::pair()?;
        let mut links = Vec::new();
        for _ in 0..count {
            let (mut downstream, next) = UnixStream::pair()?;
            let mut before = std::mem::replace(&mut upstream, next);
            links.push(move || {
                let mut byte = [0];
                while before.read_exact(&mut byte).is_ok() && downstream.write_all(&byte).is_ok() {}
            });
        }
        let (creation, started) = start(links)?;
        Ok(Relay { pass: pass_byte(first, upstream), creation, _holds: Box::new(started) })
    }

    pub fn by_channel(count: usize) -> io::Result<Relay> {
        let (first, mut upstream) = crossbeam_channel::bounded::<()>(1);
        let mut links = Vec::new();
        for _ in 0..count {
            let (downstream, next) = crossbeam_channel::bounded::<()>(1);
            let before = std::mem::replace(&mut upstream, next);
            // As a waiter of the blocking engine waits.
            links.push(move || while before.recv_timeout(HOLD).is_ok() && downstream.send(()).is_ok() {});
        }
        let (creation, started) = start(links)?;
        let pass = Box::new(move || {
            first.send(()).map_err(broken)?;
            upstream.recv().map_err(broken)
        });
        Ok(Relay { pass, creation, _holds: Box::new(started) })
    }
}

/// Links that are tasks. They end with their runtime.
#[cfg(feature = "async")]
mod tasks {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::runtime::{Builder, Runtime};

    fn runtime() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    fn start(runtime: &Runtime, links: Vec<impl Future<Output = ()> + Send + 'static>) -> Duration {
        let clock = Instant::now();
        for link in links {
            runtime.spawn(link);
        }
        clock.elapsed()
    }

    pub fn by_socket(count: usize) -> io::Result<Relay> {
        let runtime = runtime()?;
        let _entered = runtime.enter();
        let taken = |stream: UnixStream| {
            stream.set_nonblocking(true)?;
            tokio::net::UnixStream::from_std(stream)
        };
        let (first, mut upstream) = UnixStream::pair()?;
        let mut links = Vec::new();
        for _ in 0..count {
            let (downstream, next) = UnixStream::pair()?;
            let (mut before, mut downstream) =
                (taken(std::mem::replace(&mut upstream, next))?, taken(downstream)?);
            links.push(async move {
                let mut byte = [0];
                while before.read_exact(&mut byte).await.is_ok() && downstream.write_all(&byte).await.is_ok()
                {
                }
            });
        }
        let creation = start(&runtime, links);
        drop(_entered);
        Ok(Relay { pass: pass_byte(first, upstream), creation, _holds: Box::new(runtime) })
    }

    pub fn by_channel(count: usize) -> io::Result<Relay> {
        let runtime = runtime()?;
        let (first, mut upstream) = tokio::sync::mpsc::channel::<()>(1);
        let mut links = Vec::new();
        for _ in 0..count {
            let (downstream, next) = tokio::sync::mpsc::channel::<()>(1);
            let mut before = std::mem::replace(&mut upstream, next);
            links.push(
                async move { while before.recv().await.is_some() && downstream.send(()).await.is_ok() {} },
            );
        }
        let creation = start(&runtime, links);
        let pass = Box::new(move || {
            first.blocking_send(()).map_err(broken)?;
            upstream.blocking_recv().ok_or_else(|| broken(()))
        });
        Ok(Relay { pass, creation, _holds: Box::new(runtime) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_links_are_what_goes_in_comes_out() {
        for kind in Links::value_variants() {
            let report = run(*kind, 5).unwrap();
            assert!(report.hop_us > 0.0 && report.creation_us > 0.0, "{kind:?}: {report:?}");
        }
    }
}
