//! The way in by a Unix socket: what comes there is passed on to a listener of the door's own.
//!
//! **Fault:** of a connection by a Unix socket tiny_http tells nothing, not even whether two requests came on the
//! same one. Its connections have no time-outs, and the kernel can't be asked about them by an address. So a
//! request behind a wait would not end it, and nothing could be closed. **Cure:** tiny_http listens at a port of
//! this machine, and one thread passes bytes on between that and the Unix socket. All other cures work there. Only
//! what this thread passes on is answered at that port, since the permissions of the socket's file must hold.

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use socket2::{Domain, Socket, Type};

use crate::config::{RELAY_EVENTS, RELAY_PAUSE, RELAY_PIECE};
use crate::door::listen::{self, Farewell};

/// The addresses of those who are passed on.
#[derive(Default)]
pub struct Guests(Mutex<HashSet<SocketAddr>>);

impl Guests {
    /// Whether this is one of them.
    pub fn have(&self, address: SocketAddr) -> bool {
        self.lock().contains(&address)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<SocketAddr>> {
        // Nothing under this lock can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that passes on.
pub struct Relay {
    /// Who is passed on.
    pub guests: Arc<Guests>,
    /// Where they come.
    from: UnixListener,
    /// Nobody is let in any more.
    is_left: Arc<AtomicBool>,
    /// The thread, and what tells it to end when it is dropped.
    thread: Mutex<Option<(UnixStream, JoinHandle<()>)>>,
}

impl Relay {
    /// Starts the thread, from this socket to a listener at this address.
    pub fn start(from: UnixListener, to: SocketAddr) -> io::Result<Relay> {
        let (stay, left) = UnixStream::pair()?;
        from.set_nonblocking(true)?;
        let guests = Arc::new(Guests::default());
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &from, EventData::new_u64(LISTENER), EventFlags::IN)?;
        epoll::add(&epoll, &left, EventData::new_u64(END), EventFlags::IN)?;
        let pairs = HashMap::new();
        let own = from.try_clone()?;
        let is_left = Arc::new(AtomicBool::new(false));
        let is_to_end = is_left.clone();
        let guests_there = guests.clone();
        let between = Between {
            from,
            to,
            guests: guests_there,
            epoll,
            pairs,
            last: END,
            is_left: is_to_end,
            _left: left,
        };
        let thread = thread::Builder::new().name("relay".into()).spawn(move || between.run())?;
        Ok(Relay { guests, from: own, is_left, thread: Mutex::new(Some((stay, thread))) })
    }

    /// Lets nobody in any more.
    pub fn stop(&self, farewell: Farewell) {
        self.is_left.store(true, SeqCst);
        listen::stop(&self.from, farewell);
    }

    /// Passes on what has been said until now, and ends.
    pub fn end(&self) {
        if let Some((stay, thread)) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(stay);
            let _ = thread.join();
        }
    }
}

const LISTENER: u64 = 0;
const END: u64 = 1;

/// What the thread knows.
struct Between {
    from: UnixListener,
    to: SocketAddr,
    guests: Arc<Guests>,
    epoll: OwnedFd,
    pairs: HashMap<u64, Pair>,
    /// The number of the last pair.
    last: u64,
    is_left: Arc<AtomicBool>,
    _left: UnixStream,
}

/// A connection by the Unix socket, and the one to the listener.
struct Pair {
    client: UnixStream,
    server: TcpStream,
    address: SocketAddr,
    up: Flow,
    down: Flow,
}

/// What goes one way.
#[derive(Default)]
struct Flow {
    /// What was read and is not written yet.
    rest: Vec<u8>,
    /// Nothing more comes.
    ended: bool,
    /// The other side was told so.
    told: bool,
}

impl Between {
    fn run(mut self) {
        let mut events = Vec::with_capacity(RELAY_EVENTS);
        loop {
            if epoll::wait(&self.epoll, spare_capacity(&mut events), None).is_err() {
                // A signal.
                continue;
            }
            for event in events.drain(..) {
                match event.data.u64() {
                    LISTENER => self.accept(),
                    END => {
                        let all: Vec<u64> = self.pairs.keys().copied().collect();
                        all.into_iter().for_each(|number| self.pass_on(number));
                        return;
                    }
                    number => self.pass_on(number),
                }
            }
        }
    }

    fn accept(&mut self) {
        if self.is_left.load(SeqCst) {
            // Who comes now waits for whoever listens there next, or is refused by the kernel.
            let _ = epoll::delete(&self.epoll, &self.from);
            return;
        }
        match self.from.accept() {
            // If it can't be passed on it is closed.
            Ok((client, _)) => {
                if let Err(error) = self.begin(client) {
                    tracing::debug!(%error, "a connection by the Unix socket was not passed on");
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // There is no file for it. It waits in the kernel's queue.
            Err(_) => thread::sleep(RELAY_PAUSE),
        }
    }

    fn begin(&mut self, client: UnixStream) -> io::Result<()> {
        client.set_nonblocking(true)?;
        let socket = Socket::new(Domain::for_address(self.to), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::new(self.to.ip(), 0).into())?;
        let server = TcpStream::from(socket);
        let address = server.local_addr()?;
        self.guests.lock().insert(address);
        // From here on it is taken off the list when it is dropped.
        let pair = Pair { client, server, address, up: Flow::default(), down: Flow::default() };
        self.last += 1;
        let number = self.last;
        let begun = self.connect(&pair, number);
        self.pairs.insert(number, pair);
        if begun.is_err() {
            self.forget(number);
        }
        begun
    }

    fn connect(&self, pair: &Pair, number: u64) -> io::Result<()> {
        match socket2::SockRef::from(&pair.server).connect(&self.to.into()) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            _ => {}
        }
        let all = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, &pair.client, EventData::new_u64(number), all)?;
        epoll::add(&self.epoll, &pair.server, EventData::new_u64(number), all)?;
        Ok(())
    }

    /// Passes on all that goes at the moment. The kernel tells when more goes.
    fn pass_on(&mut self, number: u64) {
        let Some(pair) = self.pairs.get_mut(&number) else { return };
        let Pair { client, server, up, down, .. } = pair;
        let tell_server = |server: &&TcpStream| server.shutdown(Shutdown::Write);
        let tell_client = |client: &&UnixStream| client.shutdown(Shutdown::Write);
        let passed = up
            .pass(&*client, &*server, tell_server)
            .and_then(|()| down.pass(&*server, &*client, tell_client));
        if passed.is_err() || pair.up.told && pair.down.told {
            self.forget(number);
        }
    }

    /// Closes both.
    fn forget(&mut self, number: u64) {
        if let Some(pair) = self.pairs.remove(&number) {
            self.guests.lock().remove(&pair.address);
        }
    }
}

impl Flow {
    fn pass<R, W>(&mut self, mut from: R, mut to: W, tell: impl Fn(&W) -> io::Result<()>) -> io::Result<()>
    where
        R: Read,
        W: Write,
    {
        let mut piece = [0; RELAY_PIECE];
        while !self.told {
            if !self.rest.is_empty() {
                let Some(written) = now(to.write(&self.rest))? else { return Ok(()) };
                self.rest.drain(..written);
            } else if self.ended {
                self.told = true;
                tell(&to)?;
            } else {
                let Some(read) = now(from.read(&mut piece))? else { return Ok(()) };
                self.ended = read == 0;
                let written = now(to.write(&piece[..read]))?.unwrap_or(0);
                self.rest.extend_from_slice(&piece[written..read]);
            }
        }
        Ok(())
    }
}

/// What a socket did, or `None` if it does nothing at the moment.
fn now(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => Ok(None),
        Err(error) => Err(error),
    }
}
