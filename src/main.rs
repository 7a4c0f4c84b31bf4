//! The command line of comet-chat.
#![deny(unsafe_code)]

mod allocator;
mod greeting;
#[cfg(feature = "redis")]
mod redis_options;

use std::error::Error;
#[cfg(not(feature = "bench"))]
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::net::{SocketAddr, TcpListener};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use clap::{Parser, Subcommand, ValueEnum};
#[cfg(feature = "bench")]
use comet_chat::bench::{self, BenchArgs};
use comet_chat::blocking;
use comet_chat::config::{KEEP, SMALL_STACK, STOP_TIME};
use comet_chat::door::budget::{Budget, Cost};
#[cfg(feature = "async")]
use comet_chat::nonblocking;
use comet_chat::store::{self, Keep, Store, StoreSpec, Sweeper};
use comet_chat::wire::origin::Hosts;
use crossbeam_channel::{Receiver, Sender, bounded};
use nix::sys::signal::{SigSet, Signal};

/// A Comet (HTTP long-polling) chat: start it, share the address, talk. Phones, browsers and curl.
#[derive(Parser)]
#[command(version, about, max_term_width = 100, args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,

    /// Where to listen. 127.0.0.1 is for this machine only, 0.0.0.0 for all who can reach it; port 0
    /// takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Where messages are kept: sqlite:PATH in a file, across crashes and restarts; memory: forgets them
    /// at the end; redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] shares them with other instances (in a build with
    /// --features redis)
    // Text, since clap shows what it can't read, and this may hold a password.
    #[arg(long, value_name = "STORE", default_value_t = StoreSpec::default().to_string())]
    store: String,

    /// How the server waits
    #[arg(long, value_enum, default_value_t = EngineChoice::Blocking)]
    engine: EngineChoice,

    /// How many messages are kept of each room; what is older makes a gap, which is announced
    #[arg(long, value_name = "MESSAGES", default_value_t = KEEP, value_parser = clap::value_parser!(u64).range(1..))]
    keep: u64,

    /// How long a message is kept, such as 12h or 30days; if this is not given, whatever its age
    #[arg(long, value_name = "AGE")]
    keep_for: Option<humantime::Duration>,

    /// A name by which the server may be called, such as chat.example behind a proxy; may be given several
    /// times, and * is any. Addresses, localhost and the machine's own name (NAME, NAME.local) always work;
    /// other names could be a stranger's, pointed at this machine to read along
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,

    /// How much is logged, to standard error; debug writes a line for each request. No level ever holds the
    /// text of a message
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = ["error", "warn", "info", "debug"])]
    log: String,

    #[cfg(feature = "redis")]
    #[command(flatten)]
    redis: redis_options::RedisOptions,
}

/// What the program can do instead of serving.
#[derive(Subcommand)]
enum Command {
    #[cfg(feature = "bench")]
    Bench(BenchArgs),
    /// Measure a server: hold waiters, publish, and check that each saw each message once, in order (in a
    /// build with --features bench)
    #[cfg(not(feature = "bench"))]
    #[command(disable_help_flag = true)]
    Bench {
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum EngineChoice {
    /// A thread for every waiter: tiny_http and crossbeam
    Blocking,
    /// A task for every waiter: hyper and tokio
    Async,
}

type Serve = fn(TcpListener, Arc<dyn Store>, Budget, Hosts, &Receiver<()>) -> io::Result<()>;

/// What the command line needs to know of an engine.
struct Engine {
    name: &'static str,
    /// What the engine is not made for.
    warning: Option<&'static str>,
    /// What a client costs the engine.
    cost: Cost,
    bind: fn(SocketAddr) -> io::Result<TcpListener>,
    serve: Serve,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match &options.command {
        None => {}
        #[cfg(feature = "bench")]
        Some(Command::Bench(args)) => return bench::run(args),
        #[cfg(not(feature = "bench"))]
        Some(Command::Bench { .. }) => {
            eprintln!("comet-chat: this build has no benchmark: build it with --features bench");
            return ExitCode::from(2);
        }
    }
    claim_small_stacks();
    log_to_stderr(&options.log);
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("comet-chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn log_to_stderr(level: &str) {
    // The command line accepts only levels.
    let level: tracing::Level = level.parse().expect("a level");
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .init();
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
        unsafe { std::env::set_var("RUST_MIN_STACK", SMALL_STACK.to_string()) };
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let spec: StoreSpec = options.store.parse()?;
    #[cfg(feature = "redis")]
    let spec = options.redis.complete(spec)?;
    let stop = stop_signal()?;
    let Engine { name, warning, cost, bind, serve } = engine(options.engine)?;
    // First, so that limits which are too low are reported before anything is opened.
    let budget = Budget::claim(cost)?;
    let listener =
        bind(options.listen).map_err(|error| format!("can't listen on {}: {error}", options.listen))?;
    let keep = Keep { messages: usize::try_from(options.keep)?, age: options.keep_for.map(Into::into) };
    let store = store::open(&spec, keep)?;
    let _sweeper = Sweeper::start(store.clone())?;
    // The reader of our output may close it after the first line, as `head -1` does.
    if let Err(error) = greeting::greet(listener.local_addr()?, name, &spec, warning) {
        tracing::info!(%error, "the greeting was not read to its end");
    }
    serve(listener, store, budget, Hosts::new(&options.allow_host), &stop)?;
    Ok(())
}

/// The engine that was chosen, if this build has it.
fn engine(choice: EngineChoice) -> Result<Engine, &'static str> {
    match choice {
        EngineChoice::Blocking => Ok(Engine {
            name: "blocking",
            warning: Some(blocking::WARNING),
            cost: blocking::COST,
            bind: blocking::bind,
            serve: blocking::serve,
        }),
        #[cfg(feature = "async")]
        EngineChoice::Async => Ok(Engine {
            name: "async",
            warning: None,
            cost: nonblocking::COST,
            bind: nonblocking::bind,
            serve: nonblocking::serve,
        }),
        #[cfg(not(feature = "async"))]
        EngineChoice::Async => Err("this build has no async engine: build it with --features async"),
    }
}

/// The channel on which a signal asks the server to stop. A second signal ends the process at once.
fn stop_signal() -> Result<Receiver<()>, Box<dyn Error>> {
    // ctrlc can't tell these two apart, and would end a server that `nohup` must keep alive. We block them
    // before the first thread starts: every thread inherits that, and one thread waits for them.
    let others = SigSet::from_iter([Signal::SIGTERM, Signal::SIGHUP]);
    others.thread_block()?;
    let (stop, stopped) = bounded(1);
    let ends_in_time = watchdog()?;
    let is_ending = AtomicBool::new(false);
    let end = Arc::new(move || {
        if is_ending.swap(true, Ordering::SeqCst) {
            process::exit(130);
        }
        let _ = stop.try_send(());
        let _ = ends_in_time.try_send(());
    });
    ctrlc::set_handler({
        let end = end.clone();
        move || end()
    })?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        while let Ok(signal) = others.wait() {
            match signal {
                // Closing a terminal must not end the server, and there is no configuration to reload.
                Signal::SIGHUP => tracing::info!("a hangup changes nothing: SIGTERM ends the server"),
                _ => end(),
            }
        }
    })?;
    Ok(stopped)
}

/// A thread that ends the process some time after it is told to, even if a disk, a room or a large log
/// hangs. Every message that was answered `ok` is stored by then, and the next start reads it. The thread
/// starts with the server, since at the end the machine may have no thread left to give.
fn watchdog() -> io::Result<Sender<()>> {
    let (tell, told) = bounded(1);
    let watch = move || {
        if told.recv().is_ok() {
            thread::sleep(STOP_TIME);
            tracing::warn!("something is still in the store's hands; it is not waited for");
            process::exit(0);
        }
    };
    thread::Builder::new().name("watchdog".into()).spawn(watch)?;
    Ok(tell)
}
