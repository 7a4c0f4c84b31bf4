//! Readers of a stream who read nothing.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Socket, Type};

use super::super::target::Target;
use super::news::News;
use crate::config::{CROWD_AWAY, CROWD_BEAT, CROWD_SLOW, CROWD_SLOW_STAY};

/// The readers.
pub struct Slow {
    address: SocketAddr,
    is_on: bool,
    /// Each with the time at which it goes.
    streams: Vec<(Socket, Instant)>,
    /// Not before this time does another come.
    next: Instant,
}

impl Slow {
    /// None yet.
    pub fn new(address: SocketAddr, now: Instant) -> Slow {
        Slow { address, is_on: false, streams: Vec::new(), next: now }
    }

    /// They come, or go.
    pub fn switch(&mut self, on: bool) {
        self.is_on = on;
        if !on {
            self.streams.clear();
        }
    }

    /// Whether they are to be there.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Looks which were cut off, and lets others come for them.
    pub fn look_at_the_time(&mut self, now: Instant, target: &Target, news: &mut News) -> io::Result<()> {
        if !self.is_on || now < self.next {
            return Ok(());
        }
        self.next = now + CROWD_AWAY;
        // An end behind what it has not read never reaches it, so each goes some time.
        self.streams.retain(|(_, until)| now < *until);
        let before = self.streams.len();
        self.drop_ended()?;
        (self.streams.len()..before).for_each(|_| news.refuse("a slow reader was cut off".to_owned()));
        while self.streams.len() < CROWD_SLOW {
            match open(self.address, target) {
                Ok(stream) => self.streams.push((stream, now + CROWD_SLOW_STAY)),
                Err(error) => {
                    news.refuse(error.to_string());
                    return Ok(());
                }
            }
            news.did.slow += 1;
        }
        Ok(())
    }

    fn drop_ended(&mut self) -> io::Result<()> {
        let mut polled: Vec<PollFd<'_>> =
            self.streams.iter().map(|(stream, _)| PollFd::new(stream, PollFlags::RDHUP)).collect();
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
        let goes_on: Vec<bool> = polled.iter().map(|stream| stream.revents().is_empty()).collect();
        let mut goes_on = goes_on.into_iter();
        self.streams.retain(|_| goes_on.next().unwrap_or_default());
        Ok(())
    }
}

/// Opens a stream. The kernel takes almost nothing for it, so that the server's own buffer is soon full.
fn open(address: SocketAddr, target: &Target) -> io::Result<Socket> {
    let mut socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(1)?;
    // On loopback the kernel answers at once, or its queue is full.
    socket.connect_timeout(&address.into(), CROWD_BEAT)?;
    socket.set_write_timeout(Some(Duration::from_millis(1)))?;
    socket.write_all(&target.stream())?;
    Ok(socket)
}
