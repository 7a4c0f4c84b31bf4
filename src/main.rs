//! The command line of comet-chat.
#![deny(unsafe_code)]

mod allocator;
mod commands;
mod greeting;
mod options;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use comet_chat::access::Access;
use comet_chat::blocking;
use comet_chat::config::{SMALL_STACK, STOP_TIME};
use comet_chat::door::budget::{Budget, Cost};
use comet_chat::door::listen::{Listener, Prepare};
#[cfg(feature = "async")]
use comet_chat::nonblocking;
use comet_chat::store::{self, Keep, Store, Sweeper};
use crossbeam_channel::{Receiver, Sender, bounded};
use nix::sys::signal::{SigSet, Signal};

use self::options::{EngineChoice, Options};

type Serve = fn(Vec<Listener>, Arc<dyn Store>, Budget, Arc<Access>, &Receiver<()>) -> io::Result<()>;

/// What the command line needs to know of an engine.
struct Engine {
    name: &'static str,
    /// What the engine is not made for.
    warning: Option<&'static str>,
    /// What a client costs the engine.
    cost: Cost,
    /// What a client by a Unix socket costs it.
    unix_cost: Cost,
    /// Sets its options on a listener.
    prepare: Prepare,
    serve: Serve,
}

fn main() -> ExitCode {
    let options = Options::read();
    if let Some(command) = &options.command {
        log_to_stderr(&options.log);
        return commands::run(command);
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
    let spec = options.store.spec()?;
    let access = Arc::new(Access::new(&options.access.spec(options.listen.public_url.as_ref()))?);
    let stop = stop_signal(access.clone())?;
    let Engine { name, warning, cost, unix_cost, prepare, serve } = engine(options.engine)?;
    // First, so that limits which are too low are reported before anything is opened.
    let budget = Budget::claim(if options.listen.are_for_unix() { unix_cost } else { cost })?;
    let listeners = options.listen.open(prepare)?;
    let keep = Keep { messages: usize::try_from(options.keep)?, age: options.keep_for.map(Into::into) };
    let store = store::open(&spec, keep)?;
    let _sweeper = Sweeper::start(store.clone())?;
    // The reader of our output may close it after the first line, as `head -1` does.
    if let Err(error) = greeting::greet(&listeners, access.public(), name, &spec, warning) {
        tracing::info!(%error, "the greeting was not read to its end");
    }
    access.use_seal(store.seal());
    serve(listeners, store, budget, access, &stop)?;
    Ok(())
}

/// The engine that was chosen, if this build has it.
fn engine(choice: EngineChoice) -> Result<Engine, &'static str> {
    match choice {
        EngineChoice::Blocking => Ok(Engine {
            name: "blocking",
            warning: Some(blocking::WARNING),
            cost: blocking::COST,
            unix_cost: blocking::UNIX_COST,
            prepare: blocking::prepare,
            serve: blocking::serve,
        }),
        #[cfg(feature = "async")]
        EngineChoice::Async => Ok(Engine {
            name: "async",
            warning: None,
            cost: nonblocking::COST,
            unix_cost: nonblocking::UNIX_COST,
            prepare: nonblocking::prepare,
            serve: nonblocking::serve,
        }),
        #[cfg(not(feature = "async"))]
        EngineChoice::Async => Err("this build has no async engine: build it with --features async"),
    }
}

/// The channel on which a signal asks the server to stop. A second signal ends the process at once.
fn stop_signal(access: Arc<Access>) -> Result<Receiver<()>, Box<dyn Error>> {
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
                // Closing a terminal must not end the server.
                Signal::SIGHUP => reload(&access),
                _ => end(),
            }
        }
    })?;
    Ok(stopped)
}

/// Reads again what may be read again while the server runs.
fn reload(access: &Access) {
    match access.reload() {
        Ok(()) => tracing::info!("a hangup: who may enter was read again; SIGTERM ends the server"),
        Err(error) => tracing::warn!("a hangup, and all stays as it was: {error}"),
    }
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
