//! One door: a listener, and what is known of its connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::closer::Closer;
use super::connections::Connections;
use super::hall::Hall;
use super::prepare;
use super::relay::Relay;
use super::rescuer::Rescuer;
use super::sockets::{Seen, Sockets};
use crate::config::LIFETIME;
use crate::door::listen::{self, Farewell, Listener};

/// What the threads of one listener share.
pub struct Door {
    /// What it shares with the other doors.
    pub hall: Arc<Hall>,
    /// Where clients come.
    pub listener: TcpListener,
    /// What passes them on from a Unix socket, if they come by one.
    pub relay: Option<Relay>,
    /// What is known of each connection.
    pub connections: Connections,
    /// What connects to this door, for tiny_http's sake.
    pub rescuer: Rescuer,
    /// What the kernel tells of the connections.
    pub sockets: Sockets,
    /// What closes connections.
    pub closer: Closer,
    /// How many requests were ever received.
    pub received: AtomicUsize,
    /// Tells that a tiny_http server has died.
    pub died: Receiver<()>,
    deaths: Sender<()>,
}

impl Door {
    /// A door at this listener, not open yet.
    pub fn new(listener: Listener, hall: Arc<Hall>) -> io::Result<Door> {
        let (listener, relay) = match listener {
            Listener::Tcp(listener) => (listener, None),
            Listener::Unix(socket, _) => {
                let own = listen::tcp((Ipv4Addr::LOCALHOST, 0).into(), prepare)?;
                let relay = Relay::start(socket, own.local_addr()?)?;
                (own, Some(relay))
            }
        };
        let (deaths, died) = bounded(1);
        Ok(Door {
            connections: Connections::new(LIFETIME, hall.counts.clone()),
            hall,
            relay,
            rescuer: Rescuer::start(listener.local_addr()?)?,
            sockets: Sockets::at(listener.local_addr()?.port()),
            closer: Closer::new(),
            received: AtomicUsize::new(0),
            died,
            deaths,
            listener,
        })
    }

    /// Whether whoever has this address may come in here.
    pub fn welcomes(&self, peer: Option<&SocketAddr>) -> bool {
        self.relay.as_ref().is_none_or(|relay| peer.is_some_and(|peer| relay.guests.have(*peer)))
    }

    /// The address of a connection's other end, as its client would name it: none, if it came by a Unix socket.
    pub fn outside(&self, peer: Option<SocketAddr>) -> Option<SocketAddr> {
        peer.filter(|_| self.relay.is_none())
    }

    /// Lets nobody in any more.
    pub fn stop(&self, farewell: Farewell) {
        self.rescuer.stop();
        match &self.relay {
            // The door's own listener is of no use to another.
            Some(relay) => {
                relay.stop(farewell);
                listen::stop(&self.listener, Farewell::Close);
            }
            None => {
                listen::stop(&self.listener, farewell);
                if farewell == Farewell::HandOver {
                    self.rescuer.knock();
                }
            }
        }
    }

    /// Ends its threads, when no request is in flight.
    pub fn close(&self) {
        self.closer.dismiss();
        self.relay.iter().for_each(Relay::end);
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

impl Deref for Door {
    type Target = Hall;

    fn deref(&self) -> &Hall {
        &self.hall
    }
}
