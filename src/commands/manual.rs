//! `comet-chat manual`: for those who make packages. It is written from the same source as `--help`.

use std::error::Error;
use std::fs;

use clap_complete::Shell;

use crate::options::{ManualArgs, Options};

pub fn run(args: &ManualArgs) -> Result<(), Box<dyn Error>> {
    let folder = &args.folder;
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Options::whole_command(), folder)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Options::whole_command(), "comet-chat", folder)?;
    }
    Ok(())
}
