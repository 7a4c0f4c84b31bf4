//! The listening socket, whose options every connection inherits.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::AsFd;

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

use crate::config::{BACKLOG, GONE_AFTER, PROBE_AFTER, PROBE_EVERY};

/// Binds a socket. The door sets its own options, and then calls [`listen`].
///
/// Replies leave at once (no Nagle). A client that vanishes is noticed: if it does not acknowledge a reply or a
/// keep-alive probe within [`GONE_AFTER`], the kernel closes its connection.
pub fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(GONE_AFTER))?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Listens on a socket from [`bind`].
pub fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Ends every accept loop on a listener, and refuses new connections.
pub fn stop(listener: &impl AsFd) {
    if let Err(error) = SockRef::from(listener).shutdown(Shutdown::Read) {
        tracing::warn!(%error, "the listener could not be shut down");
    }
}
