//! The bytes to and from Redis, with TLS or without.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

use socket2::SockRef;

use super::spec::RedisSpec;
use super::tls::{self, TlsStream};
use super::trouble::Trouble;
use crate::config::{REDIS_ANSWER, REDIS_CONNECT};

/// A stream on which nothing waits for ever.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Stream {
    /// Connects, and begins TLS if that is wanted.
    pub(super) fn open(spec: &RedisSpec) -> Result<Stream, Trouble> {
        let socket =
            connect(spec).map_err(|error| Trouble::Away(format!("could not be reached: {error}")))?;
        let Some(tls) = &spec.tls else { return Ok(Stream::Plain(socket)) };
        let greeted = tls::greet(&spec.host, tls, socket).map_err(Trouble::Unwelcome)?;
        Ok(Stream::Tls(Box::new(greeted)))
    }

    /// How long a read waits from now on.
    pub(super) fn wait(&self, patience: Duration) -> io::Result<()> {
        self.socket().set_read_timeout(Some(patience))
    }

    /// By which another thread ends this stream, whatever is waited for.
    pub(super) fn handle(&self) -> io::Result<Handle> {
        self.socket().try_clone().map(Handle)
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => &tls.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    /// With TLS, only this sends what was written, and tells if that failed.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}

/// Ends a stream when it is dropped.
pub(super) struct Handle(TcpStream);

impl Drop for Handle {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Whether the server speaks TLS, where it was asked without.
pub(super) fn wants_tls(spec: &RedisSpec) -> bool {
    spec.tls.is_none() && connect(spec).is_ok_and(|socket| tls::is_spoken_at(&spec.host, socket))
}

fn connect(spec: &RedisSpec) -> io::Result<TcpStream> {
    let mut failure = io::ErrorKind::NotFound.into();
    for address in (spec.host.as_str(), spec.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, REDIS_CONNECT) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                // What is still on its way when the connection is given up does not arrive later.
                SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
                socket.set_write_timeout(Some(REDIS_ANSWER))?;
                socket.set_read_timeout(Some(REDIS_ANSWER))?;
                return Ok(socket);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
