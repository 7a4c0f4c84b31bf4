//! The watcher: a thread that looks at the door's connections from outside.
//!
//! **Faults:** tiny_http does not see that a client is gone while its request waits. A client may take for
//! ever over its first request, which may be TLS or HTTP/2 and never become one. There is no way to close a
//! connection. **Cure:** once a second we ask the kernel for all connections of the port. It tells who is gone,
//! who has never sent a request, and whether clients knock and nobody accepts them.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::door::Door;
use super::lost::Lost;
use super::sockets::{Copier, Seen};
use crate::config::{DEAF_BEATS, HEAD_TIMEOUT, LINGER, LINGER_BEAT, WATCH_BEAT};
use crate::door::pace::Pace;

/// Starts the thread. It ends when the door closes.
pub fn start(door: &Arc<Door>) -> io::Result<JoinHandle<()>> {
    let door = door.clone();
    thread::Builder::new().name("watcher".into()).spawn(move || {
        let mut watcher = Watcher {
            lingering: Vec::new(),
            strangers: HashMap::new(),
            lost: Lost::default(),
            copier: Copier::new().ok(),
            cut_off: Pace::new(WATCH_BEAT, WATCH_BEAT),
            looked: None,
            received: 0,
            deaf: 0,
        };
        while !door.is_closing() {
            watcher.run(&door);
        }
    })
}

struct Watcher {
    /// The connections that are being closed, and when their time is over.
    lingering: Vec<(TcpStream, Instant)>,
    /// Connections on which no request has come yet, and when we first saw them.
    strangers: HashMap<u32, Instant>,
    /// The threads that do not end by that.
    lost: Lost,
    /// What makes descriptors by which they are cut off, where the kernel allows it.
    copier: Option<Copier>,
    /// How often one of them was cut off. The log says so once a minute.
    cut_off: Pace,
    looked: Option<Instant>,
    /// How many requests had been received at the last look.
    received: usize,
    /// How often in a row clients knocked and nobody was served.
    deaf: u32,
}

impl Watcher {
    fn run(&mut self, door: &Door) {
        let pause = if self.lingering.is_empty() { WATCH_BEAT } else { LINGER_BEAT };
        if let Some(connection) = door.closer.take(pause) {
            self.lingering.push((connection, Instant::now() + LINGER));
        }
        self.lingering.retain(|(connection, until)| {
            let is_over = Instant::now() >= *until;
            if is_over {
                let _ = connection.shutdown(Shutdown::Both);
            }
            // If the client has closed too, it has no address any more.
            !is_over && connection.peer_addr().is_ok()
        });
        let now = Instant::now();
        if self.looked.is_none_or(|looked| now - looked >= WATCH_BEAT) {
            self.looked = Some(now);
            // If the kernel does not tell, only the listener's time-outs are left.
            if let Ok(seen) = door.sockets.all() {
                self.look(door, &seen, now);
            }
        }
    }

    fn look(&mut self, door: &Door, seen: &[Seen], now: Instant) {
        let open: HashSet<_> = seen.iter().filter(|seen| seen.is_open).map(|seen| seen.peer).collect();
        door.connections.end_waits_beside(&open, now);

        let strange: HashSet<u32> = seen
            .iter()
            .filter(|seen| seen.inode != 0 && !door.connections.knows(seen.peer))
            .map(|seen| seen.inode)
            .collect();
        self.strangers.retain(|inode, _| strange.contains(inode));
        let is_late = |inode: &u32| now - *self.strangers.entry(*inode).or_insert(now) >= HEAD_TIMEOUT;
        let late: HashSet<u32> = strange.into_iter().filter(is_late).collect();
        self.lost.look(door.counts.gate.budget(), now);
        if !late.is_empty() {
            self.lost.note(&late, now);
            // There may be thousands. Without a descriptor for a copy the rest is cut off at the next look.
            let _ = self.copier.as_mut().map(|copier| {
                copier.for_each(late, |connection| {
                    let _ = connection.shutdown(Shutdown::Both);
                    if let Some(times) = self.cut_off.fails(now).times {
                        tracing::info!(
                            times,
                            "cut off who said nothing in HTTP for 10 s: is it TLS or HTTP/2?"
                        );
                    }
                })
            });
        }

        let received = door.received.load(SeqCst);
        let knocks = seen.iter().any(|seen| seen.inode == 0);
        self.deaf = if knocks && received == self.received { self.deaf + 1 } else { 0 };
        self.received = received;
        if self.deaf >= DEAF_BEATS {
            self.deaf = 0;
            tracing::error!("clients knock and nobody is let in: accepting is begun anew");
            door.report_death();
        }
    }
}
