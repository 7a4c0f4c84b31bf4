//! What the command line says that the program does instead of serving.

#[cfg(not(feature = "bench"))]
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
#[cfg(feature = "bench")]
use comet_chat::bench::BenchArgs;
use comet_chat::message::{Invalid, RoomName};

use super::store::StoreOptions;

#[derive(Subcommand)]
pub enum Command {
    /// Copy the store to a file while a server uses it; to put it back, stop the server and copy it to its place
    Backup(BackupArgs),
    /// Write rooms to standard output, as lines of JSON, from any store
    Export(ExportArgs),
    /// Read what export wrote from standard input, and put it into any store
    Import(ImportArgs),
    /// Ask a server whether it works: status 0 if it does, 1 if not
    Health(HealthArgs),
    /// Write the manual pages and the completions of shells into a folder
    #[cfg(feature = "manual")]
    #[command(hide = true)]
    Manual(ManualArgs),
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

#[derive(Args)]
pub struct BackupArgs {
    /// Where the copy goes. What stands there is replaced when the copy is whole and on the disk
    pub file: PathBuf,

    #[command(flatten)]
    pub store: StoreOptions,
}

#[derive(Args)]
pub struct ExportArgs {
    /// Which room; may be given several times. Without it, all rooms
    #[arg(long, value_name = "ROOM", value_parser = room)]
    pub room: Vec<RoomName>,

    #[command(flatten)]
    pub store: StoreOptions,
}

#[derive(Args)]
pub struct ImportArgs {
    /// Under which name the room is imported; for an export of one room
    #[arg(long, value_name = "ROOM", value_parser = room)]
    pub room: Option<RoomName>,

    #[command(flatten)]
    pub store: StoreOptions,
}

#[derive(Args)]
pub struct HealthArgs {
    /// The server
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
}

#[cfg(feature = "manual")]
#[derive(Args)]
pub struct ManualArgs {
    /// The folder, which is made if it is missing
    pub folder: PathBuf,
}

fn room(text: &str) -> Result<RoomName, &'static str> {
    text.parse().map_err(|invalid: Invalid| invalid.0)
}
