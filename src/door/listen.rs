//! The sockets on which the server listens, whose options every connection inherits.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};

use crate::address::Listen;
use crate::config::{BACKLOG, GONE_AFTER, PROBE_AFTER, PROBE_EVERY};

/// A socket on which the server listens.
#[derive(Debug)]
pub enum Listener {
    /// At an address.
    Tcp(TcpListener),
    /// At a path. The file is removed with this, if we made it.
    Unix(UnixListener, Option<SocketFile>),
}

/// Sets an engine's own options on a socket that does not listen yet, or listens already.
pub type Prepare = fn(&Socket) -> io::Result<()>;

impl Listener {
    /// Its address, if it has one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(..) => None,
        }
    }

    /// The file that we made for it. It is removed when this is dropped.
    pub fn take_file(&mut self) -> Option<SocketFile> {
        match self {
            Listener::Tcp(_) => None,
            Listener::Unix(_, file) => file.take(),
        }
    }

    /// Removes the socket's file at the end, as if it had been made here.
    pub fn own_file(&mut self) -> io::Result<()> {
        let path = self.path();
        if let (Listener::Unix(_, file), Some(path)) = (self, path) {
            *file = Some(SocketFile::at(&path)?);
        }
        Ok(())
    }

    /// Its path, if it has one.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Listener::Tcp(_) => None,
            Listener::Unix(listener, _) => Some(listener.local_addr().ok()?.as_pathname()?.to_owned()),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Listener::Tcp(listener) => listener.as_fd(),
            Listener::Unix(listener, _) => listener.as_fd(),
        }
    }
}

/// Listens at a place: by one socket, or for `localhost` by one for each family of addresses that the machine has.
pub fn open(place: &Listen, prepare: Prepare) -> io::Result<Vec<Listener>> {
    if let Listen::Unix { path, mode } = place {
        return Ok(vec![unix(path, *mode, prepare)?]);
    }
    let mut open: Vec<Listener> = Vec::new();
    let mut missing = None;
    for mut address in place.addresses() {
        // If the port is any, it is the same for both families.
        if let Some(first) = open.first().and_then(Listener::address) {
            address.set_port(first.port());
        }
        match tcp(address, prepare) {
            Ok(listener) => open.push(Listener::Tcp(listener)),
            Err(error) if is_of_family(&error) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    missing.filter(|_| open.is_empty()).map_or(Ok(open), Err)
}

/// Takes a socket that listens already, and was handed over by whoever started this process.
pub fn take(socket: Socket, prepare: Prepare) -> io::Result<Listener> {
    if !socket.is_listener()? {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it does not listen"));
    }
    let domain = socket.domain()?;
    if domain != Domain::UNIX {
        set_options(&socket)?;
    }
    prepare(&socket)?;
    socket.listen(BACKLOG)?;
    let socket = OwnedFd::from(socket);
    Ok(if domain == Domain::UNIX {
        Listener::Unix(socket.into(), None)
    } else {
        Listener::Tcp(socket.into())
    })
}

/// Listens at an address.
pub fn tcp(address: SocketAddr, prepare: Prepare) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    set_options(&socket)?;
    prepare(&socket)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Replies leave at once (no Nagle). A client that vanishes is noticed: if it does not acknowledge a reply or a
/// keep-alive probe within [`GONE_AFTER`], the kernel closes its connection.
fn set_options(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(GONE_AFTER))?;
    Ok(())
}

/// Whether this only says that the machine has no addresses of a family.
fn is_of_family(error: &io::Error) -> bool {
    let of_family = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(of_family)
}

fn unix(path: &Path, mode: u32, prepare: Prepare) -> io::Result<Listener> {
    remove_what_is_left(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    prepare(&socket)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile::at(path)?;
    // Nobody can connect yet.
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    socket.listen(BACKLOG)?;
    Ok(Listener::Unix(OwnedFd::from(socket).into(), Some(file)))
}

/// Removes the socket's file of a server that was killed. One on which somebody listens stays, and so does any other
/// file.
fn remove_what_is_left(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "another file is there"));
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // If many wait to be accepted, this would wait too.
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Err(ErrorKind::AddrInUse.into()),
    }
}

/// The file of a Unix socket. It is removed with this, if it is still the same one.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Its device and inode.
    id: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<SocketFile> {
        // The working directory may be another one at the end.
        let path = std::path::absolute(path)?;
        let id = id(&path)?;
        Ok(SocketFile { path, id })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if id(&self.path).is_ok_and(|id| id == self.id) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn id(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Removes the files of Unix sockets at the end, whoever still holds a listener; unless another will listen there.
pub fn end(files: Vec<SocketFile>, farewell: Farewell) {
    if farewell == Farewell::HandOver {
        files.into_iter().for_each(std::mem::forget);
    }
}

/// How a server takes leave of its listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// Nobody listens there any more: who connects is refused.
    Close,
    /// Another will listen there: who connects waits for it.
    HandOver,
}

/// Ends every accept loop on a listener.
///
/// If it is handed over it must not be shut down, as that would end it for all who have it. An accept loop that blocks
/// ends then with the next connection, of which nobody else hears.
pub fn stop(listener: &impl AsFd, farewell: Farewell) {
    let socket = SockRef::from(listener);
    let done = match farewell {
        Farewell::Close => socket.shutdown(Shutdown::Read),
        Farewell::HandOver => socket.set_nonblocking(true),
    };
    if let Err(error) = done {
        tracing::warn!(%error, "the listener could not be stopped");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn at(path: &Path) -> io::Result<Vec<Listener>> {
        open(&Listen::Unix { path: path.to_owned(), mode: 0o600 }, |_| Ok(()))
    }

    #[test]
    fn the_file_of_a_killed_server_is_replaced_and_that_of_a_running_one_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("chat.sock");
        // Dropping a std listener leaves its file, as a kill does.
        drop(UnixListener::bind(&path).expect("a socket"));
        let first = at(&path).expect("it is replaced");
        assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
        assert_eq!(at(&path).expect_err("somebody listens").kind(), ErrorKind::AddrInUse);
        UnixStream::connect(&path).expect("the first one still listens");
        drop(first);
        assert!(!path.exists(), "the file is removed at the end");
        fs::write(&path, "a letter").expect("a file");
        assert_eq!(at(&path).expect_err("another file").kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("the file"), "a letter");
    }

    #[test]
    fn the_file_that_another_server_made_is_not_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("chat.sock");
        let first = at(&path).expect("it listens");
        fs::rename(&path, directory.path().join("moved")).expect("it is moved");
        let _second = at(&path).expect("another listens there");
        drop(first);
        assert!(path.exists());
    }

    #[test]
    fn localhost_is_one_port_of_every_family_that_there_is() {
        let open = open(&Listen::Localhost(0), |_| Ok(())).expect("a port");
        let ports: Vec<u16> =
            open.iter().filter_map(Listener::address).map(|address| address.port()).collect();
        assert!(!ports.is_empty() && ports.iter().all(|port| port == &ports[0]), "{ports:?}");
    }

    #[test]
    fn only_a_listening_socket_is_taken() {
        let idle = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        assert!(take(idle, |_| Ok(())).is_err());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        assert_eq!(take(listener.into(), |_| Ok(())).expect("it listens").address(), Some(address));
    }
}
