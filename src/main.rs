//! The command line of comet-chat.
#![deny(unsafe_code)]

mod allocator;
mod commands;
mod greeting;
mod options;
mod signals;
mod stage;
mod successor;

use std::env;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use comet_chat::access::Access;
use comet_chat::blocking;
use comet_chat::config::SMALL_STACK;
use comet_chat::door::budget::{Budget, Cost};
use comet_chat::door::listen::{Farewell, Listener, Prepare};
#[cfg(feature = "async")]
use comet_chat::nonblocking;
use comet_chat::store::{self, Keep, Store, Sweeper};
use crossbeam_channel::Receiver;

use self::options::{EngineChoice, Options};
use self::stage::Stage;
use self::successor::Successor;

type Serve = fn(Vec<Listener>, Arc<dyn Store>, Budget, Arc<Access>, &Receiver<Farewell>) -> io::Result<()>;

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
    log_to_stderr(&options.log);
    if let Err(error) = have_small_threads(options.engine) {
        tracing::info!(%error, "threads take more memory than they need");
    }
    match run(&options) {
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

/// Has a thread take little memory. That is said by the environment alone, so the program begins anew, as the same
/// process, unless its environment says it already.
///
/// tiny_http starts its threads with std's default stack. Small stacks keep the kernel from backing each with a huge
/// page. And glibc keeps freed memory for each thread: where each waiter has two threads, that is 30 KB a waiter.
fn have_small_threads(engine: EngineChoice) -> io::Result<()> {
    if env::var_os("RUST_MIN_STACK").is_some() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let mut anew = Command::new(env::current_exe()?);
    anew.arg0(arguments.next().unwrap_or_default())
        .args(arguments)
        .env("RUST_MIN_STACK", SMALL_STACK.to_string());
    if matches!(engine, EngineChoice::Blocking) && env::var_os("GLIBC_TUNABLES").is_none() {
        anew.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
    }
    Err(anew.exec())
}

/// Serves. If a successor was called, becomes that at the end.
fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let successor = Arc::new(Successor::new(options.listen.farewell())?);
    serve(options, &successor)?;
    if successor.is_called() {
        return Err(format!("the new program does not start: {}", successor.take_over()).into());
    }
    Ok(())
}

fn serve(options: &Options, successor: &Arc<Successor>) -> Result<(), Box<dyn Error>> {
    let spec = options.store.spec()?;
    let upload_limit = options.uploads.limit();
    let access = options.access.spec(options.listen.public_url.as_ref(), options.lesson, upload_limit);
    let access = Arc::new(Access::new(&access)?);
    let stop = signals::listen(access.clone(), successor.clone(), options.listen.farewell())?;
    let Engine { name, warning, cost, unix_cost, prepare, serve } = engine(options.engine)?;
    let listeners = options.listen.open(prepare)?;
    successor.keep(&listeners)?;
    let is_for_unix = listeners.iter().any(|listener| matches!(listener, Listener::Unix(..)));
    let budget = Budget::claim(if is_for_unix { unix_cost } else { cost })?;
    let keep = Keep {
        messages: usize::try_from(options.keep)?,
        files: options.uploads.keep(),
        age: options.keep_for.map(Into::into),
    };
    let addresses: Vec<_> = listeners.iter().filter_map(Listener::address).collect();
    let stage = options.lesson.then(|| Stage::set(&addresses)).transpose()?;
    let store = store::open(&spec, keep)?;
    let _sweeper = Sweeper::start(store.clone())?;
    let store = stage.iter().fold(store, |store, stage| stage.put_on(store));
    // The reader of our output may close it after the first line, as `head -1` does.
    if let Err(error) = greeting::greet(&listeners, &access, name, &spec, warning) {
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
