//! Why a measurement could not be made, as sentences for people.

use std::fmt;
use std::io;
use std::time::Duration;

/// Why there is no report.
#[derive(Debug)]
pub enum Error {
    /// The server's name has no address.
    Resolve(String, io::Error),
    /// Nobody listens at the address, or no longer.
    Absent(String, io::Error),
    /// The server answers, but not in this wire.
    OtherWire(String),
    /// Nobody is to wait, where that is what is measured.
    NobodyWaits,
    /// The server refused every waiter.
    AllRefused(String),
    /// So many connections were made and none was answered, for so long.
    Silent(usize, Duration),
    /// For so long no publish was answered.
    Stalled(Duration),
    /// The server keeps closing a waiter's connection without a reply.
    Closes(usize, io::Error),
    /// This process may not open as many connections as were asked for: wanted, allowed.
    TooManyFiles(u64, u64),
    /// There is no process with that number, or it may not be looked at.
    Process(i32, String),
    /// A file of results: its path and what is wrong with it.
    Results(String, String),
    /// This machine refused something to this process.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Resolve(url, error) => write!(f, "{url}: cannot find the host: {error}"),
            Error::NobodyWaits => f.write_str("only a firehose goes without anybody who waits"),
            Error::Absent(url, error) => {
                write!(f, "{url}: no server answers there: {error}")
            }
            Error::OtherWire(what) => write!(f, "the server does not speak this wire: {what}"),
            Error::AllRefused(sentence) => {
                write!(f, "the server refused every waiter: {sentence}")
            }
            Error::Silent(connections, patience) => {
                let seconds = patience.as_secs();
                write!(f, "{connections} connections were made, and none was answered for {seconds} s")
            }
            Error::Stalled(patience) => {
                write!(f, "no publish was answered for {} s", patience.as_secs())
            }
            Error::Closes(waiter, error) => write!(
                f,
                "the server keeps closing the connection of waiter {waiter} without a reply: {error}"
            ),
            Error::TooManyFiles(wanted, allowed) => write!(
                f,
                "this takes {wanted} open files and the hard limit is {allowed} (ulimit -Hn): \
                 ask for fewer --waiters or raise it"
            ),
            Error::Process(pid, why) => write!(f, "--pid {pid}: {why}"),
            Error::Results(path, why) => write!(f, "{path}: {why}"),
            Error::Io(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Io(error)
    }
}
