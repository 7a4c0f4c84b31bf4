//! The command line of comet-chat.
#![deny(unsafe_code)]

mod allocator;

use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use clap::{Parser, ValueEnum};
use comet_chat::blocking;
#[cfg(feature = "async")]
use comet_chat::nonblocking;
use comet_chat::store::{Keep, MemoryStore, Store};
use crossbeam_channel::{Receiver, bounded};

/// A Comet (HTTP long-polling) chat: start it, share the address, talk. Phones, browsers and curl.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Options {
    /// Where to listen. 127.0.0.1 is for this machine only, 0.0.0.0 for all who can reach it; port 0
    /// takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Where messages are kept. memory: forgets them at the end
    #[arg(long, value_name = "STORE", default_value = "memory:")]
    store: StoreSpec,

    /// How the server waits
    #[arg(long, value_enum, default_value_t = Engine::Blocking)]
    engine: Engine,

    /// How many messages are kept of each room; what is older makes a gap, which is announced
    #[arg(long, value_name = "MESSAGES", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    keep: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    /// A thread for every waiter: tiny_http and crossbeam
    Blocking,
    /// A task for every waiter: hyper and tokio
    Async,
}

#[derive(Clone)]
struct StoreSpec;

impl FromStr for StoreSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<StoreSpec, String> {
        if text == "memory:" { Ok(StoreSpec) } else { Err("the only store yet is memory:".to_owned()) }
    }
}

impl fmt::Display for StoreSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory:")
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    claim_small_stacks();
    tracing_subscriber::fmt().with_writer(io::stderr).with_target(false).init();
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("comet-chat: {error}");
            ExitCode::FAILURE
        }
    }
}

/// tiny_http starts its threads with std's default stack, which only this variable can change. Small
/// stacks keep the kernel from backing each with a huge page.
#[allow(
    unsafe_code,
    reason = "std offers no other way, and no other thread is there to read the environment yet"
)]
fn claim_small_stacks() {
    if std::env::var_os("RUST_MIN_STACK").is_none() {
        // SAFETY: this is called first in `main`, while the process has one thread.
        unsafe { std::env::set_var("RUST_MIN_STACK", "131072") };
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let stop = stop_signal()?;
    let keep = Keep { messages: usize::try_from(options.keep)? };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(keep));
    match options.engine {
        Engine::Blocking => {
            let listener = bound(options, blocking::bind)?;
            blocking::serve(listener, store, &stop)?;
        }
        #[cfg(feature = "async")]
        Engine::Async => {
            let listener = bound(options, nonblocking::bind)?;
            nonblocking::serve(listener, store, &stop)?;
        }
        #[cfg(not(feature = "async"))]
        Engine::Async => return Err("this build has no async engine: build it with --features async".into()),
    }
    Ok(())
}

/// Listens as the engine does, and says where.
fn bound(
    options: &Options,
    bind: impl Fn(SocketAddr) -> io::Result<TcpListener>,
) -> Result<TcpListener, Box<dyn std::error::Error>> {
    let listener =
        bind(options.listen).map_err(|error| format!("can't listen on {}: {error}", options.listen))?;
    greet(listener.local_addr()?)?;
    Ok(listener)
}

/// What a stopping signal sends to: the first asks the server to end, the second ends the process.
fn stop_signal() -> Result<Receiver<()>, ctrlc::Error> {
    let (stop, stopped) = bounded(1);
    let signals = AtomicU32::new(0);
    ctrlc::set_handler(move || match signals.fetch_add(1, Ordering::SeqCst) {
        0 => drop(stop.try_send(())),
        _ => std::process::exit(130),
    })?;
    Ok(stopped)
}

/// Says where to go, and what to try.
fn greet(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "comet-chat: open http://{address}/chat/lobby")?;
    out.flush()
}
