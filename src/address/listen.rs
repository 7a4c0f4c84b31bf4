//! Where to listen, as the command line says it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::config::UNIX_MODE;

/// One place at which the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// `127.0.0.1:8080`, `[::1]:8080`.
    Address(SocketAddr),
    /// `localhost:8080`: by both families of addresses. One of them is enough.
    Localhost(u16),
    /// `unix:PATH`, or `unix:PATH?mode=666` with the permissions of the socket's file.
    Unix {
        /// The socket's file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl Listen {
    /// The addresses to bind; none for a path.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        match *self {
            Listen::Address(address) => vec![address],
            Listen::Localhost(port) => {
                vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]
            }
            Listen::Unix { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Address(address) => address.fmt(f),
            Listen::Localhost(port) => write!(f, "localhost:{port}"),
            Listen::Unix { path, .. } => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Listen, &'static str> {
        if let Some(rest) = text.strip_prefix("unix:") {
            return unix(rest);
        }
        let wrong = "it is ADDRESS:PORT, [ADDRESS]:PORT, localhost:PORT or unix:PATH";
        if let Some(port) = text.strip_prefix("localhost:") {
            return port.parse().map(Listen::Localhost).map_err(|_| wrong);
        }
        text.parse().map(Listen::Address).map_err(|_| wrong)
    }
}

fn unix(text: &str) -> Result<Listen, &'static str> {
    let (path, mode) = match text.split_once("?mode=") {
        None => (text, UNIX_MODE),
        Some((path, mode)) => match u32::from_str_radix(mode, 8) {
            Ok(mode) if mode <= 0o777 => (path, mode),
            _ => return Err("mode is three octal digits, such as unix:/run/chat.sock?mode=666"),
        },
    };
    if path.is_empty() {
        return Err("unix: needs the path of a file");
    }
    Ok(Listen::Unix { path: Path::new(path).to_owned(), mode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_is_read_and_shown() {
        for text in ["127.0.0.1:8080", "[::1]:0", "localhost:8080", "unix:/run/chat.sock"] {
            assert_eq!(text.parse::<Listen>().map(|place| place.to_string()), Ok(text.to_owned()));
        }
        let path = PathBuf::from("chat.sock");
        assert_eq!("unix:chat.sock?mode=666".parse(), Ok(Listen::Unix { path, mode: 0o666 }));
        assert_eq!("localhost:80".parse::<Listen>().map(|place| place.addresses().len()), Ok(2));
        for wrong in ["8080", "localhost", "localhost:x", "chat.example:80", "unix:", "unix:x?mode=9", ":80"]
        {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
