//! The kernel's own view of the sockets at a port.
//!
//! tiny_http does not give away the descriptor of a connection, and does not read from one that waits. But the
//! kernel tells by `sock_diag(7)` in which state each connection is, and by `pidfd_getfd(2)` a process may copy
//! a descriptor of its own. If a kernel or a sandbox does not allow this, these functions fail, and the door
//! works without them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, Resource, getpid, getrlimit, pidfd_getfd, pidfd_open};
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::{DESCRIPTORS_MOST, KERNEL_PATIENCE};

/// A connection to the port, as the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its other end.
    pub peer: SocketAddr,
    /// Whether the client may still send: it has not closed its side.
    pub is_open: bool,
    /// Names the socket in this process; 0 for a connection that is not accepted yet.
    pub inode: u32,
}

/// What asks the kernel.
pub struct Sockets {
    port: u16,
    /// Locked for one question and its answer, which the kernel gives at once. `None` where the kernel can't be
    /// asked.
    diag: Mutex<Option<Socket>>,
}

const NETLINK: i32 = 16;
const SOCK_DIAG: i32 = 4;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP`
const REQUEST_ALL: u16 = 0x301;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const TCP: u8 = 6;
const TCP_ESTABLISHED: u8 = 1;
const TCP_CLOSE_WAIT: u8 = 8;
const FAMILIES: [u8; 2] = [2, 10];
const HEADER: usize = 16;

impl Sockets {
    /// Looks at the connections of this port.
    pub fn at(port: u16) -> Sockets {
        let diag = Socket::new(Domain::from(NETLINK), Type::DGRAM, Some(Protocol::from(SOCK_DIAG)));
        // Linux answers within the call. The time-out is for other kernels.
        let ready = diag.and_then(|diag| diag.set_read_timeout(Some(KERNEL_PATIENCE)).map(|()| diag));
        Sockets { port, diag: Mutex::new(ready.ok()) }
    }

    /// Whether the kernel can be asked.
    pub fn are_seen(&self) -> bool {
        self.diag.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// All connections that are open on our side.
    pub fn all(&self) -> io::Result<Vec<Seen>> {
        self.ask(0)
    }

    /// The connection of this peer, if there is one that is open on our side.
    pub fn of(&self, peer: SocketAddr) -> io::Result<Option<Seen>> {
        let peer = canonical(peer);
        Ok(self.ask(peer.port())?.into_iter().find(|seen| seen.peer == peer))
    }

    fn ask(&self, peer_port: u16) -> io::Result<Vec<Seen>> {
        let guard = self.diag.lock().unwrap_or_else(PoisonError::into_inner);
        let diag = guard.as_ref().ok_or(ErrorKind::Unsupported)?;
        let mut seen = Vec::new();
        for family in FAMILIES {
            diag.send(&self.request(family, peer_port))?;
            read_answer(diag, &mut seen)?;
        }
        Ok(seen)
    }

    /// A `struct nlmsghdr` and a `struct inet_diag_req_v2`.
    fn request(&self, family: u8, peer_port: u16) -> Vec<u8> {
        let mut request = Vec::with_capacity(72);
        request.extend_from_slice(&72_u32.to_ne_bytes());
        request.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        request.extend_from_slice(&REQUEST_ALL.to_ne_bytes());
        request.extend_from_slice(&[0; 8]);
        request.extend_from_slice(&[family, TCP, 0, 0]);
        let states: u32 = 1 << TCP_ESTABLISHED | 1 << TCP_CLOSE_WAIT;
        request.extend_from_slice(&states.to_ne_bytes());
        request.extend_from_slice(&self.port.to_be_bytes());
        request.extend_from_slice(&peer_port.to_be_bytes());
        request.resize(72, 0);
        request
    }
}

/// Reads messages until the last one, each a `struct nlmsghdr` and a `struct inet_diag_msg`.
fn read_answer(mut diag: &Socket, seen: &mut Vec<Seen>) -> io::Result<()> {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let length = diag.read(&mut buffer)?;
        let mut rest = &buffer[..length];
        while rest.len() >= HEADER {
            let size = number(rest, 0) as usize;
            let message = rest.get(..size).filter(|_| size >= HEADER).ok_or(ErrorKind::InvalidData)?;
            match u16::from_ne_bytes([message[4], message[5]]) {
                NLMSG_DONE => return Ok(()),
                NLMSG_ERROR => return Err(ErrorKind::Unsupported.into()),
                _ => seen.extend(parse(&message[HEADER..])),
            }
            rest = rest.get(size.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

/// One `struct inet_diag_msg`, of 72 bytes.
fn parse(message: &[u8]) -> Option<Seen> {
    let message: &[u8; 72] = message.first_chunk()?;
    let port = u16::from_be_bytes([message[6], message[7]]);
    let ip = match message[0] {
        2 => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(&message[24..28]).ok()?)),
        _ => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(&message[24..40]).ok()?)),
    };
    Some(Seen {
        peer: canonical(SocketAddr::new(ip, port)),
        is_open: message[1] == TCP_ESTABLISHED,
        inode: number(message, 68),
    })
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |four| u32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
}

/// The address of a connection, in the same form for a listener of either family.
pub fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

/// What the descriptor of this number stands for: for a socket `socket:[INODE]`.
pub fn descriptor(number: impl std::fmt::Display) -> Option<String> {
    let name = fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
    Some(name.to_string_lossy().into_owned())
}

/// A descriptor of our own for a connection of this process.
pub fn duplicate(inode: u32) -> io::Result<TcpStream> {
    let mut found = None;
    Copier::new()?.for_each(HashSet::from([inode]), |copy| found = Some(copy))?;
    found.ok_or(ErrorKind::NotFound.into())
}

/// What makes descriptors of our own for connections of this process, also when no descriptor is left.
pub struct Copier {
    this: OwnedFd,
    /// It gives its place to a copy.
    spare: Option<File>,
}

impl Copier {
    /// Takes what it needs, while there is something.
    pub fn new() -> io::Result<Copier> {
        Ok(Copier { this: pidfd_open(getpid(), PidfdFlags::empty())?, spare: File::open("/dev/null").ok() })
    }

    /// Makes one for each of these connections, one after the other. This looks at all descriptors, once: it is for
    /// connections in trouble, not for every one.
    pub fn for_each(&mut self, mut inodes: HashSet<u32>, mut work: impl FnMut(TcpStream)) -> io::Result<()> {
        for number in numbers() {
            if inodes.is_empty() {
                break;
            }
            let Some(wanted) = descriptor(number) else { continue };
            let Some(inode) = inode_in(&wanted).filter(|inode| inodes.contains(inode)) else { continue };
            let copy = match self.copy(number) {
                Err(Errno::MFILE) => {
                    self.spare = None;
                    self.copy(number)
                }
                copy => copy,
            };
            match copy {
                // Between the look and the copy it may have been closed, and its number given to another.
                Ok(copy) if descriptor(copy.as_raw_fd()).as_ref() == Some(&wanted) => {
                    inodes.remove(&inode);
                    work(copy.into());
                }
                Err(Errno::MFILE) => return Err(Errno::MFILE.into()),
                // It may be closed by now.
                _ => {}
            }
            if self.spare.is_none() {
                self.spare = File::open("/dev/null").ok();
            }
        }
        Ok(())
    }

    fn copy(&self, number: i32) -> Result<OwnedFd, Errno> {
        pidfd_getfd(&self.this, number, PidfdGetfdFlags::empty())
    }
}

/// The numbers of all sockets of which this process has a descriptor.
pub fn open_sockets() -> HashSet<u32> {
    numbers().filter_map(|number| inode_in(&descriptor(number)?)).collect()
}

/// The numbers that descriptors may have. A list of those that are open would take a descriptor.
fn numbers() -> Range<i32> {
    let end = getrlimit(Resource::Nofile).current.and_then(|end| i32::try_from(end).ok());
    0..end.unwrap_or(DESCRIPTORS_MOST)
}

/// The number in `socket:[INODE]`.
fn inode_in(descriptor: &str) -> Option<u32> {
    descriptor.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::{Shutdown, TcpListener};

    #[test]
    fn the_kernel_tells_who_is_there_and_who_has_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = Sockets::at(listener.local_addr().unwrap().port());
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let peer = client.local_addr().unwrap();
        let waiting = sockets.of(peer).unwrap().expect("it waits to be accepted");
        assert_eq!((waiting.is_open, waiting.inode), (true, 0));
        let (_accepted, _) = listener.accept().unwrap();
        let there = sockets.of(peer).unwrap().expect("it is there");
        assert!(there.is_open && there.inode != 0);
        assert_eq!(sockets.all().unwrap(), [there]);
        client.shutdown(Shutdown::Write).unwrap();
        assert!(!sockets.of(peer).unwrap().expect("half of it is there").is_open);
    }

    #[test]
    fn a_connection_is_found_among_our_descriptors() {
        let listener = TcpListener::bind("[::1]:0").unwrap();
        let sockets = Sockets::at(listener.local_addr().unwrap().port());
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_accepted, _) = listener.accept().unwrap();
        let seen = sockets.of(client.local_addr().unwrap()).unwrap().expect("it is there");
        let mut copy = duplicate(seen.inode).unwrap();
        copy.write_all(b"hi").unwrap();
        copy.shutdown(Shutdown::Both).unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "hi");
        assert!(duplicate(1).is_err());
    }
}
