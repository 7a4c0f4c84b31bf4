//! What a server's answer means for the run: where to poll next, or why it cannot go on.

use std::io;

use super::error::Error;
use super::reply::Reply;
use super::target::Target;

/// Where to poll next after a reply.
pub fn next_of(reply: &Reply, target: &Target) -> Result<String, Error> {
    let from_cursor = || reply.cursor.as_deref().map(|cursor| target.after(cursor));
    reply.next.clone().or_else(from_cursor).ok_or_else(|| {
        let what = "a poll's reply has neither Link: <...>; rel=\"next\" nor Chat-Cursor";
        Error::OtherWire(what.to_owned())
    })
}

/// Passes on an error of a connection that is not the end of everything: when nobody listens any
/// more, or what speaks is not HTTP, there is nothing left to measure.
pub fn fatal(target: &Target, error: io::Error) -> Result<io::Error, Error> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Err(Error::Absent(target.to_string(), error)),
        io::ErrorKind::InvalidData => Err(Error::OtherWire(error.to_string())),
        _ => Ok(error),
    }
}

/// A reply that this wire does not have.
pub fn unexpected(what: &str, reply: &Reply) -> Error {
    Error::OtherWire(format!("{what} was answered {}", reply.summary()))
}
