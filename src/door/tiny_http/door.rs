//! The door itself: what all of its threads share.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::closer::Closer;
use super::connections::Connections;
use super::counts::Counts;
use super::rescuer::Rescuer;
use super::service::Service;
use super::sockets::{Seen, Sockets};
use super::tasks::Tasks;
use crate::config::LIFETIME;
use crate::door::budget::Budget;
use crate::door::gate::Gate;

/// What the threads share.
pub struct Door {
    /// What answers the requests.
    pub service: Box<dyn Service>,
    /// Where clients come.
    pub listener: TcpListener,
    /// Who waits, who answers, and what is held.
    pub counts: Arc<Counts>,
    /// What is known of each connection.
    pub connections: Connections,
    /// What the handlers are given to do.
    pub tasks: Tasks,
    /// What connects to this server, for tiny_http's sake.
    pub rescuer: Rescuer,
    /// What the kernel tells of the connections.
    pub sockets: Sockets,
    /// What closes connections.
    pub closer: Closer,
    /// How many requests were ever received.
    pub received: AtomicUsize,
    /// Locked while a large reply is rendered.
    pub turn: Mutex<()>,
    /// Tells that a tiny_http server has died.
    pub died: Receiver<()>,
    deaths: Sender<()>,
}

impl Door {
    /// A door at this listener, not open yet.
    pub fn new(listener: TcpListener, budget: Budget, service: impl Service) -> io::Result<Door> {
        let counts = Counts::new(Gate::new(budget));
        let (deaths, died) = bounded(1);
        Ok(Door {
            service: Box::new(service),
            connections: Connections::new(LIFETIME, counts.clone()),
            counts,
            tasks: Tasks::new(),
            rescuer: Rescuer::start(listener.local_addr()?)?,
            sockets: Sockets::at(listener.local_addr()?.port()),
            closer: Closer::new(),
            received: AtomicUsize::new(0),
            turn: Mutex::new(()),
            died,
            deaths,
            listener,
        })
    }

    /// Whether the server closes.
    pub fn is_closing(&self) -> bool {
        self.counts.gate.is_closing()
    }

    /// Asks the kernel for a connection.
    pub fn look(&self, peer: SocketAddr) -> Option<Seen> {
        self.sockets.of(peer).ok().flatten()
    }

    /// Tells the supervisor that a server has died. Once is enough for it to look.
    pub fn report_death(&self) {
        let _ = self.deaths.try_send(());
    }
}
