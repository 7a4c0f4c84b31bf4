//! The command line: which subcommand runs.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use comet_chat::bench::{self, BenchArgs};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(BenchArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Bench(args) => bench::run(&args),
    }
}
