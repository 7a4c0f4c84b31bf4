//! What the program can do instead of serving.

mod backup;
mod export;
mod health;
mod import;
#[cfg(feature = "manual")]
mod manual;

use std::process::ExitCode;

#[cfg(feature = "bench")]
use comet_chat::bench;

use crate::options::Command;

/// Does it. What fails is told by a sentence, and by the status.
pub fn run(command: &Command) -> ExitCode {
    let outcome = match command {
        Command::Backup(args) => backup::run(args),
        Command::Export(args) => export::run(args),
        Command::Import(args) => import::run(args),
        Command::Health(args) => health::run(args),
        #[cfg(feature = "manual")]
        Command::Manual(args) => manual::run(args),
        #[cfg(feature = "bench")]
        Command::Bench(args) => return bench::run(args),
        #[cfg(not(feature = "bench"))]
        Command::Bench { .. } => {
            eprintln!("comet-chat: this build has no benchmark: build it with --features bench");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("comet-chat: {error}");
            ExitCode::FAILURE
        }
    }
}
