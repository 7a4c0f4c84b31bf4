//! The server as a process that can be killed and started again at the same address and store.
#![allow(dead_code, reason = "tests/crash and tests/cluster each use a part of it")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rusqlite::Connection;
use tempfile::TempDir;

/// The token of the operator of all rooms.
pub const OPERATOR: &str = "operator-0123456789";

/// How often a server is started that finds no store.
const STARTS: usize = 20;

/// Dropping it kills the process, and shows its log if a test failed.
pub struct Server {
    engine: &'static str,
    /// The value of `--store`.
    store: String,
    /// Holds the log, and the store if that is a file.
    place: TempDir,
    address: String,
    process: Child,
}

impl Server {
    pub fn start(engine: &'static str) -> Server {
        Server::start_under(engine, "")
    }

    /// Starts behind a line of shell that sets limits.
    pub fn start_under(engine: &'static str, limits: &str) -> Server {
        let place = TempDir::new().unwrap();
        let store = format!("sqlite:{}", database(&place).display());
        Server::launched(engine, store, place, limits)
    }

    /// Starts on a store that others may use as well.
    pub fn start_on(engine: &'static str, store: &str) -> Server {
        Server::launched(engine, store.to_owned(), TempDir::new().unwrap(), "")
    }

    fn launched(engine: &'static str, store: String, place: TempDir, limits: &str) -> Server {
        // On an address of its own no other test's server takes the port between two of its lives.
        let own = Ipv4Addr::new(127, fastrand::u8(1..255), fastrand::u8(..), fastrand::u8(1..255));
        let (process, address) = launch(engine, &store, &place, &format!("{own}:0"), limits);
        Server { engine, store, place, address, process }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn database(&self) -> PathBuf {
        database(&self.place)
    }

    /// What it has logged in all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(log(&self.place)).unwrap()
    }

    /// `http://127.0.0.1:PORT`, the same for all its lives.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address.parse().unwrap()
    }

    /// Tells it to end, and waits until it has ended with success.
    pub fn ends_by_signal(&mut self) {
        self.signal("TERM");
        assert!(self.process.wait().unwrap().success(), "it ended with an error");
    }

    /// `kill -9`, and a new life.
    pub fn crash(&mut self) {
        self.dies();
        self.starts_again();
    }

    /// `kill -9`.
    pub fn dies(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends it a signal: `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Ends properly, lets the test change its database, and starts again.
    pub fn rests(&mut self, work: impl FnOnce(&Path)) {
        self.ends_by_signal();
        // On a busy machine the server may have had no time to fold its log into the file.
        let database = Connection::open(self.database()).unwrap();
        database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        drop(database);
        work(&self.database());
        self.starts_again();
    }

    /// A new life at the same address and store.
    pub fn starts_again(&mut self) {
        let (process, address) = launch(self.engine, &self.store, &self.place, &self.address, "");
        assert_eq!(address, self.address);
        self.process = process;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        if thread::panicking() {
            println!("{}", fs::read_to_string(log(&self.place)).unwrap_or_default());
        }
    }
}

fn log(place: &TempDir) -> PathBuf {
    place.path().join("log")
}

fn database(place: &TempDir) -> PathBuf {
    place.path().join("chat.db")
}

/// Starts the process. Returns it when it listens, with its address.
///
/// On a busy machine a store elsewhere may not answer in time, and the server gives up. Then it starts again, as under
/// whatever watches over it.
fn launch(engine: &str, store: &str, place: &TempDir, listen: &str, limits: &str) -> (Child, String) {
    for _ in 0..STARTS {
        if let Ok(started) = try_to_launch(engine, store, place, listen, limits) {
            return started;
        }
        if store.starts_with("sqlite:") {
            break;
        }
    }
    panic!("it did not start: {}", fs::read_to_string(log(place)).unwrap());
}

/// Starts the process. Gives what it printed in place of an address.
fn try_to_launch(
    engine: &str,
    store: &str,
    place: &TempDir,
    listen: &str,
    limits: &str,
) -> Result<(Child, String), String> {
    let operators = place.path().join("operators");
    fs::write(&operators, format!("{OPERATOR} *\n")).unwrap();
    let stderr = File::options().create(true).append(true).open(log(place)).unwrap();
    let mut process = Command::new("sh")
        .args(["-ec", &format!("{limits}\nexec \"$@\""), "sh", env!("CARGO_BIN_EXE_comet-chat")])
        .args(["--listen", listen, "--engine", engine, "--store", store])
        // More than the test publishes: a message that falls out would be a loss that is allowed.
        .args(["--keep", "10000000"])
        .arg("--operators-file")
        .arg(operators)
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    // Nobody reads after the first line. That once ended the server: it could not print its greeting.
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    match line.split_once("http://").and_then(|(_, rest)| rest.split('/').next()) {
        Some(address) => Ok((process, address.trim().to_owned())),
        None => {
            process.wait().unwrap();
            Err(line)
        }
    }
}
