//! What the command line says.

mod access;
mod command;
mod environment;
mod listen;
#[cfg(feature = "redis")]
mod redis;
mod store;
mod uploads;

use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use comet_chat::config::KEEP;

use self::access::AccessOptions;
#[cfg(feature = "manual")]
pub use self::command::ManualArgs;
pub use self::command::{BackupArgs, Command, ExportArgs, HealthArgs, ImportArgs};
use self::listen::ListenOptions;
pub use self::listen::PREDECESSOR;
use self::store::StoreOptions;
use self::uploads::UploadOptions;

/// A Comet (HTTP long-polling) chat: start it, share the address, talk. Phones, browsers and curl.
#[derive(Parser)]
#[command(version, about, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How the server waits
    #[arg(long, value_enum, default_value_t = EngineChoice::Blocking)]
    pub engine: EngineChoice,

    /// How many messages are kept of each room; what is older makes a gap, which is announced
    #[arg(long, value_name = "MESSAGES", default_value_t = KEEP, value_parser = clap::value_parser!(u64).range(1..))]
    pub keep: u64,

    /// How long a message is kept, such as 12h or 30days; if this is not given, whatever its age
    #[arg(long, value_name = "AGE")]
    pub keep_for: Option<humantime::Duration>,

    /// How much is logged, to standard error; debug writes a line for each request. No level ever holds the
    /// text of a message
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = ["error", "warn", "info", "debug"])]
    pub log: String,

    /// Let a class look behind the stage, and move the levers there: the address /backstage, only for this machine.
    /// There anybody on this machine can break this server on purpose (in a build with --features lesson)
    #[arg(long, value_parser = clap::builder::BoolishValueParser::new())]
    pub lesson: bool,

    #[command(flatten)]
    pub listen: ListenOptions,

    #[command(flatten)]
    pub uploads: UploadOptions,

    #[command(flatten)]
    pub access: AccessOptions,

    #[command(flatten)]
    pub store: StoreOptions,
}

impl Options {
    /// What the command line says, and the environment where that is silent. Ends the process if it can't be understood.
    pub fn read() -> Options {
        let matches = Options::whole_command().get_matches();
        Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// The command with all of its flags, and the variables that stand for them.
    pub fn whole_command() -> clap::Command {
        environment::readable(Options::command())
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum EngineChoice {
    /// A thread for every waiter: tiny_http and crossbeam
    Blocking,
    /// A task for every waiter: hyper and tokio
    Async,
}
