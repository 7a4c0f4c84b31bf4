//! Every flag may also stand in the environment: `COMET_CHAT_LISTEN` for `--listen`. A flag wins.

use std::env;

use clap::{Arg, ArgAction, Command};

/// What the name of each variable begins with.
const PREFIX: &str = "COMET_CHAT_";

/// Lets every flag of the server be given by the environment as well, also where a subcommand has it too, and says so in
/// the help. No value is shown there: it may hold a password.
pub fn readable(command: Command) -> Command {
    let flags: Vec<String> = command.get_arguments().filter_map(Arg::get_long).map(str::to_owned).collect();
    let read = |command: Command| {
        let is_of_server = |flag: &str| flags.iter().any(|of_server| of_server == flag);
        command.mut_args(|arg| match arg.get_long() {
            Some(flag) if is_of_server(flag) => readable_flag(arg),
            _ => arg,
        })
    };
    read(command).mut_subcommands(read)
}

fn readable_flag(arg: Arg) -> Arg {
    let flag = arg.get_long().unwrap_or_default();
    // Once in the life of the process, since clap keeps only what lives as long.
    let name: &'static str = format!("{PREFIX}{}", flag.to_uppercase().replace('-', "_")).leak();
    let value = env::var(name).unwrap_or_default();
    match arg.get_action() {
        ArgAction::Append => listed(arg, name, value),
        // As if it were not there: many tools can't leave a variable out.
        _ if value.is_empty() && env::var_os(name).is_some() => arg,
        _ => arg.env(name).hide_env_values(true),
    }
}

/// A flag that may be given several times has its values in one variable, each on a line or with commas between.
fn listed(arg: Arg, name: &str, value: String) -> Arg {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let arg = arg.help(format!("{help} [env: {name}]"));
    let values: &'static str = value.leak();
    let mut values = values.split([',', '\n']).map(str::trim).filter(|value| !value.is_empty()).peekable();
    if values.peek().is_none() { arg } else { arg.default_values(values).hide_default_value(true) }
}
