//! The rescuer: a thread that connects to its own server, for tiny_http's sake.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use socket2::{Domain, Socket, Type};

use crate::address::from_here;

/// How often it connects unasked.
const BEAT: Duration = Duration::from_millis(100);

/// How many calls may stand at once. Further ones are left to the beat.
const CALLS_MAX: usize = 1_024;

/// **Fault:** tiny_http's `TaskPool::spawn` trusts a count of idle threads that is stale until a
/// woken thread has run, so in a burst of connections some are queued behind a thread that then
/// sits in another's keep-alive read: they are stranded, and nothing rescues them but the next
/// connection, which takes one of them off the queue.
///
/// **Cure:** that next connection is ours, and thrown away. Every connection's first request calls
/// for one, which makes a chain reaction that drains a burst; a beat makes sure of the rest.
///
/// The beat also keeps `accept` from running into the listener's read timeout.
pub struct Rescuer {
    calls: Sender<Call>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Call {
    Connect,
    Stop,
}

impl Rescuer {
    /// Starts the thread, for a server that listens at this address.
    pub fn start(listening: SocketAddr) -> std::io::Result<Rescuer> {
        let (calls, called) = bounded(CALLS_MAX);
        let thread = thread::Builder::new()
            .name("rescuer".into())
            .spawn(move || run(from_here(listening), &called))?;
        Ok(Rescuer { calls, thread: Mutex::new(Some(thread)) })
    }

    /// Asks for one connection.
    pub fn call(&self) {
        // When full, more than enough are on their way.
        let _ = self.calls.try_send(Call::Connect);
    }

    /// Ends the thread.
    pub fn stop(&self) {
        let _ = self.calls.send(Call::Stop);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

fn run(address: SocketAddr, calls: &Receiver<Call>) {
    loop {
        match calls.recv_timeout(BEAT) {
            Ok(Call::Connect) | Err(RecvTimeoutError::Timeout) => {
                // It may fail for want of a file descriptor: then the next beat does it.
                let _ = connect(address);
            }
            Ok(Call::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Connects and hangs up with a reset, so that no port is left in TIME_WAIT.
fn connect(address: SocketAddr) -> std::io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_linger(Some(Duration::ZERO))?;
    socket.connect_timeout(&address.into(), BEAT)
}
