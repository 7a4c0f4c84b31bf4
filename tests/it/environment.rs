//! Flags from the environment.

use std::process::Command;

use crate::client::Request;
use crate::harness::{Launch, wait_until};

on_every_engine![
    a_flag_may_stand_in_the_environment,
    a_list_has_its_values_on_lines_or_with_commas_between,
    a_flag_on_the_command_line_wins,
    an_empty_variable_is_none,
    a_variable_that_is_not_understood_is_refused,
];

fn a_flag_may_stand_in_the_environment(launch: Launch) {
    let server = launch.with_variable("COMET_CHAT_PUBLIC_URL", "https://chat.example/talk").start();
    // The server's address is known before the whole greeting is read.
    wait_until("the greeting names the public address", || {
        server.lines_with("from elsewhere https://chat.example/talk/chat/lobby") == 1
    });
}

fn a_list_has_its_values_on_lines_or_with_commas_between(launch: Launch) {
    let hosts = "one.example,two.example\nthree.example\n";
    let server = launch.with_variable("COMET_CHAT_ALLOW_HOST", hosts).start();
    let ask = |host| server.connect().ask(&Request::get("/help").header("Host", host)).status;
    assert_eq!(
        ["one.example", "two.example", "three.example", "four.example"].map(ask),
        [200, 200, 200, 421]
    );
}

fn a_flag_on_the_command_line_wins(launch: Launch) {
    let launch = launch.with_variable("COMET_CHAT_LISTEN", "unix:/nowhere/chat.sock");
    // The flag is there: `--listen 127.0.0.1:0`.
    let server = launch
        .with_variable("COMET_CHAT_ALLOW_HOST", "one.example")
        .with_flag("--allow-host", "two.example")
        .start();
    let ask = |host| server.connect().ask(&Request::get("/help").header("Host", host)).status;
    assert_eq!(["one.example", "two.example"].map(ask), [421, 200]);
}

fn an_empty_variable_is_none(launch: Launch) {
    let empty = ["KEEP", "KEEP_FOR", "LOG", "PUBLIC_URL", "ALLOW_HOST"];
    let launch =
        empty.iter().fold(launch, |launch, name| launch.with_variable(&format!("COMET_CHAT_{name}"), ""));
    launch.start().chat().says("it serves");
}

fn a_variable_that_is_not_understood_is_refused(launch: Launch) {
    let said = launch.with_variable("COMET_CHAT_KEEP", "some").misused();
    assert!(said.contains("--keep"), "{said}");
}

/// A password stood in the help, since it shows what the environment holds.
#[test]
fn the_help_names_the_variable_of_every_flag_and_shows_no_value() {
    let help = Command::new(env!("CARGO_BIN_EXE_comet-chat"))
        .arg("--help")
        .env("COMET_CHAT_STORE", "redis://:secret@redis.example")
        .env("COMET_CHAT_ALLOW_HOST", "secret.example")
        .output()
        .expect("the binary runs");
    let help = String::from_utf8(help.stdout).expect("a text");
    assert!(!help.contains("secret"), "{help}");
    let flags = help.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split(' ').next());
    let flags: Vec<&str> = flags.filter(|flag| !matches!(*flag, "help" | "version")).collect();
    assert!(flags.len() > 10, "{flags:?}");
    for flag in flags {
        let name = flag.to_uppercase().replace('-', "_");
        assert!(help.contains(&format!("[env: COMET_CHAT_{name}]")), "{flag}: {help}");
    }
}
