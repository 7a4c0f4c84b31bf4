//! The rescuer: a thread that connects to its own server, for tiny_http's sake.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use socket2::{Domain, Socket, Type};

use crate::address::from_here;
use crate::config::{RESCUE_BEAT, RESCUE_CALM_BEAT, RESCUE_PATIENCE, RESCUE_STIR, RESCUES_MAX};
use crate::metrics::{METRICS, process};

/// **Fault:** tiny_http's `TaskPool::spawn` trusts a count of idle threads that is wrong until a woken thread
/// has run. So in a burst some connections wait in a queue for a thread that has gone into the keep-alive read
/// of another. They are stranded. Only the next connection helps: it takes one of them off the queue.
///
/// **Cure:** we make that next connection, and throw it away. Every connection's first request calls for one,
/// and this chain reaction drains a burst. A beat takes care of the rest.
///
/// Because of the beat, `accept` never runs into the listener's read timeout either.
pub struct Rescuer {
    address: SocketAddr,
    calls: Sender<Call>,
    stopped: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Asks for one connection.
struct Call;

impl Rescuer {
    /// Starts the thread, for a server that listens at this address.
    pub fn start(listening: SocketAddr) -> io::Result<Rescuer> {
        let (calls, called) = bounded(RESCUES_MAX);
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        let address = from_here(listening);
        let thread =
            thread::Builder::new().name("rescuer".into()).spawn(move || run(address, &called, &stop))?;
        Ok(Rescuer { address, calls, stopped, thread: Mutex::new(Some(thread)) })
    }

    /// Asks for one connection.
    pub fn call(&self) {
        // If the queue is full, more than enough are on their way.
        let _ = self.calls.try_send(Call);
    }

    /// Connects once, so that an accept loop that blocks sees what has become of its listener.
    pub fn knock(&self) {
        // If the queue is full, it does not block.
        let _ = connect(self.address);
    }

    /// Ends the thread, within the time of one connection, whatever calls there are.
    pub fn stop(&self) {
        self.stopped.store(true, SeqCst);
        self.call();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

fn run(address: SocketAddr, calls: &Receiver<Call>, stopped: &AtomicBool) {
    let mut called = Instant::now();
    let mut more = false;
    while !stopped.load(SeqCst) {
        let pause = match called.elapsed() {
            _ if more => RESCUE_PATIENCE,
            since if since < RESCUE_STIR => RESCUE_BEAT,
            _ => RESCUE_CALM_BEAT,
        };
        // If there is no file descriptor for a connection, the next beat tries again.
        match calls.recv_timeout(pause) {
            Ok(Call) => {
                called = Instant::now();
                let _ = connect(address);
            }
            Err(RecvTimeoutError::Timeout) => more = may_be_more(address).unwrap_or(false),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Connects. When the socket is dropped it resets the connection, so that no port is left in TIME_WAIT.
fn connect(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_linger(Some(Duration::ZERO))?;
    socket.connect_timeout(&address.into(), RESCUE_BEAT)?;
    METRICS.rescues.inc();
    Ok(socket)
}

/// Connects, and says whether there may be more to rescue.
///
/// There is more if this connection is stranded itself: then it has taken another off the queue. There may be
/// more if the pool has started a thread for it: then none was idle, and nobody looked at the queue.
fn may_be_more(address: SocketAddr) -> io::Result<bool> {
    let before = process::threads();
    let mut socket = connect(address)?;
    socket.set_read_timeout(Some(RESCUE_PATIENCE))?;
    // A thread that reads from it sees at once that nothing comes, and closes it.
    socket.shutdown(Shutdown::Write)?;
    let end = socket.read(&mut [0]);
    let is_stranded =
        end.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    Ok(is_stranded || process::threads() > before)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::net::TcpListener;

    use super::*;
    use crate::door::search::through_all_orders;

    /// A thousand calls stood when the server was to end, each with a connection that took its time to fail:
    /// the end took minutes.
    #[test]
    fn it_ends_at_once_however_many_calls_stand() {
        // Nobody accepts here, so that a connection fails once the queue is full.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let rescuer = Rescuer::start(listener.local_addr().expect("it is bound")).expect("a thread");
        (0..RESCUES_MAX).for_each(|_| rescuer.call());
        let start = Instant::now();
        rescuer.stop();
        assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    enum Who {
        /// A client, whose connection holds its thread from then on.
        Client,
        /// The rescuer, whose connection ends at once.
        Rescuer,
    }

    /// tiny_http's `TaskPool` and its threads.
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct Pool {
        to_come: usize,
        queue: VecDeque<Who>,
        /// Threads that sleep, and those that were woken and have not run yet: `spawn` takes both for idle.
        asleep: usize,
        woken: usize,
        /// Threads of the rescuer's connections. Those of clients are of no use to anybody else.
        passing: usize,
    }

    impl Pool {
        fn spawns(&mut self, who: Who) {
            if self.asleep + self.woken == 0 {
                self.runs(who);
                return;
            }
            self.queue.push_back(who);
            if self.asleep > 0 {
                self.asleep -= 1;
                self.woken += 1;
            }
        }

        fn runs(&mut self, who: Who) {
            self.passing += usize::from(who == Who::Rescuer);
        }

        /// A thread looks for something to do.
        fn looks(&mut self) {
            match self.queue.pop_front() {
                Some(who) => self.runs(who),
                None => self.asleep += 1,
            }
        }

        fn step(&self, change: impl FnOnce(&mut Pool)) -> Pool {
            let mut next = self.clone();
            change(&mut next);
            next
        }

        /// Every next state that comes about without the rescuer.
        fn next(&self) -> Vec<Pool> {
            let mut next = Vec::new();
            if self.to_come > 0 {
                next.push(self.step(|pool| {
                    pool.to_come -= 1;
                    pool.spawns(Who::Client);
                }));
            }
            next.extend(self.by_themselves());
            if self.asleep > 0 {
                // Its five seconds are over: it ends, if there is nothing to do.
                next.push(self.step(|pool| {
                    pool.asleep -= 1;
                    if !pool.queue.is_empty() {
                        pool.looks();
                    }
                }));
            }
            next
        }

        /// What the threads do that can go on.
        fn by_themselves(&self) -> Vec<Pool> {
            let mut next = Vec::new();
            if self.woken > 0 {
                next.push(self.step(|pool| {
                    pool.woken -= 1;
                    pool.looks();
                }));
            }
            if self.passing > 0 {
                next.push(self.step(|pool| {
                    pool.passing -= 1;
                    pool.looks();
                }));
            }
            next
        }

        fn comes_to_rest(mut self) -> Pool {
            while let Some(next) = self.by_themselves().into_iter().next() {
                self = next;
            }
            self
        }

        fn stranded(&self) -> usize {
            self.queue.iter().filter(|&&who| who == Who::Client).count()
        }
    }

    /// In a burst of connections some stood behind a thread that sat in another's read, for as long as
    /// that one was silent. Through all orders of what clients and threads do: nobody stands for longer than
    /// as many beats of the rescuer as there are connections in the queue.
    #[test]
    fn through_all_orders_of_a_burst_a_few_beats_rescue_everybody() {
        let start = Pool { to_come: 6, queue: VecDeque::new(), asleep: 4, woken: 0, passing: 0 };
        let mut most = 0;
        through_all_orders(start, Pool::clone, |pool| {
            let mut rescued = pool.clone().comes_to_rest();
            most = most.max(rescued.stranded());
            for _ in 0..rescued.queue.len() {
                rescued.spawns(Who::Rescuer);
                rescued = rescued.comes_to_rest();
            }
            assert_eq!(rescued.stranded(), 0, "{pool:?}");
            pool.next()
        });
        assert!(most > 1, "nobody was ever stranded: this is no model of it");
    }
}
