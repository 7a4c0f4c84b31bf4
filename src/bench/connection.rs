//! One connection of the bench: a socket that never blocks, and its two buffers.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::reply::Reply;
use crate::config::BENCH_READ;

/// A connection that is being made or stands.
pub struct Connection {
    stream: TcpStream,
    inbox: Vec<u8>,
    /// What is still to be written. It may be filled before the connection stands.
    outbox: Vec<u8>,
    established: bool,
}

impl Connection {
    /// Begins to connect; the loop's event for `token` tells when it stands.
    pub fn connect(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stamp::turn_on(&stream)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Connection { stream, inbox: Vec::new(), outbox: Vec::new(), established: false })
    }

    /// Sends a request, now or as soon as the connection stands.
    pub fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.outbox.extend_from_slice(request);
        if self.established { self.flush() } else { Ok(()) }
    }

    /// Writes what waits to be written. An error of the attempt to connect comes out here.
    pub fn writable(&mut self) -> io::Result<()> {
        if !self.established {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.peer_addr() {
                Ok(_) => self.stream.set_nodelay(true)?,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(()),
                Err(error) => return Err(error),
            }
            self.established = true;
        }
        self.flush()
    }

    /// Reads until a reply is whole or there is no more. `None`: not whole yet.
    ///
    /// It stops at a whole reply without asking for more, which saves a system call a delivery: a
    /// server has nothing to say until the next request, and then the loop is told anew.
    pub fn readable(&mut self) -> io::Result<Option<Reply>> {
        if !self.established {
            return Ok(None);
        }
        let mut chunk = [0; BENCH_READ];
        loop {
            let (length, at) = match stamp::read(&mut self.stream, &mut chunk) {
                Ok((0, _)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.inbox.extend_from_slice(&chunk[..length]);
            let reply = Reply::take(&mut self.inbox, at)
                .map_err(|malformed| io::Error::new(io::ErrorKind::InvalidData, malformed.to_string()))?;
            if reply.is_some() {
                if !self.inbox.is_empty() {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "bytes after the reply that answer no request",
                    ));
                }
                return Ok(reply);
            }
        }
    }

    /// Breaks the connection: its other side gets a reset in place of an end.
    pub fn reset(self) {
        // If that fails, it is closed like any other.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        while written < self.outbox.len() {
            match self.stream.write(&self.outbox[written..]) {
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.outbox.drain(..written);
        Ok(())
    }
}

/// Reading with the kernel's own time of arrival, so that the time that a reply waits for this
/// process to come round is not counted as the server's.
#[cfg(target_os = "linux")]
mod stamp {
    use std::io::{self, IoSliceMut};
    use std::os::fd::AsRawFd;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use mio::net::TcpStream;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
    use nix::sys::time::TimeSpec;

    pub fn turn_on(stream: &TcpStream) -> io::Result<()> {
        setsockopt(stream, sockopt::ReceiveTimestampns, &true)?;
        Ok(())
    }

    pub fn read(stream: &mut TcpStream, chunk: &mut [u8]) -> io::Result<(usize, SystemTime)> {
        let mut control = nix::cmsg_space!(TimeSpec);
        let mut slices = [IoSliceMut::new(chunk)];
        let received = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::empty())?;
        let stamped = received.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(time) => Some(UNIX_EPOCH + Duration::from(time)),
            _ => None,
        });
        Ok((received.bytes, stamped.unwrap_or_else(SystemTime::now)))
    }
}

/// Reading with the time at which this process came round to it.
#[cfg(not(target_os = "linux"))]
mod stamp {
    use std::io::{self, Read};
    use std::time::SystemTime;

    use mio::net::TcpStream;

    pub fn turn_on(_stream: &TcpStream) -> io::Result<()> {
        Ok(())
    }

    pub fn read(stream: &mut TcpStream, chunk: &mut [u8]) -> io::Result<(usize, SystemTime)> {
        Ok((stream.read(chunk)?, SystemTime::now()))
    }
}
