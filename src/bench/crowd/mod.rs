//! A crowd that a program plays with, as the backstage does: it waits, speaks, and fails on a switch.
//!
//! It takes orders on stdin and tells on stdout what happened, both as lines of JSON. It goes on whatever the
//! server does, until stdin ends.
//!
//! ```text
//! {"waiters":1000,"rate":2,"size":64}     an order: any of these levers
//! {"failure":"vanish","on":true}          or one failure: vanish, slow, burst, stall
//! {"waiting":1000,"lost":0,"posts":[{"of":1000,"first_us":310,"last_us":21000,"refused":0}],
//!  "did":{"vanished":0,"slow":0,"burst":0,"refused":0,"stalled":0}}     what happened since the line before
//! ```
//!
//! ```text
//! orders      what is asked for
//! waiters     those who wait, and who vanish
//! voices      the connections on which messages are said
//! posts       the messages under way, and who has them
//! slow burst stall     the other failures
//! news        what is told
//! ```

mod burst;
mod news;
mod orders;
mod posts;
mod slow;
mod stall;
mod voices;
mod waiters;

use std::io;
use std::time::Instant;

use crossbeam_channel::TryRecvError;

use super::client::Client;
use super::error::Error;
use super::files;
use super::mark::Mark;
use super::target::Target;
use crate::config::{BENCH_FILES, CROWD_BEAT, CROWD_SIZE, CROWD_SLOW, CROWD_SLOW_SIZE, CROWD_TELL};
use burst::Burst;
use news::{News, say};
use orders::{Failure, Levers, Order};
use posts::Posts;
use slow::Slow;
use stall::Stall;
use voices::Voices;
use waiters::Waiters;

/// Obeys until stdin ends.
pub fn run(target: &Target) -> Result<bool, Error> {
    let mut crowd = Crowd::new(target)?;
    let (orders, reader) = orders::listen()?;
    loop {
        match orders.try_recv() {
            Ok(order) => crowd.obey(order),
            Err(TryRecvError::Empty) => match crowd.turn() {
                // Whoever gave the orders listens no more.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(true),
                done => done?,
            },
            Err(TryRecvError::Disconnected) => {
                // It has nothing left to do.
                let _ = reader.join();
                return Ok(true);
            }
        }
    }
}

/// All who are in it. The client's slots are in this order: voices, calls that stall, the burst, waiters.
struct Crowd {
    client: Client,
    target: Target,
    mark: Mark,
    size: usize,
    most: usize,
    voices: Voices,
    stall: Stall,
    burst: Burst,
    slow: Slow,
    waiters: Waiters,
    posts: Posts,
    news: News,
    looked: Instant,
    told: Instant,
}

impl Crowd {
    fn new(target: &Target) -> Result<Crowd, Error> {
        let now = Instant::now();
        let address = target.address().map_err(|error| Error::Resolve(target.to_string(), error))?;
        let mut client = Client::new(address)?;
        let voices = Voices::new(&mut client, now);
        let stall = Stall::new(voices.slots().end, &mut client, now);
        let burst = Burst::new(stall.slots().end, &mut client);
        let waiters = Waiters::new(burst.slots().end, now);
        let others = burst.slots().end as u64 + CROWD_SLOW as u64 + BENCH_FILES;
        Ok(Crowd {
            client,
            target: target.clone(),
            mark: Mark::new(CROWD_SIZE),
            size: CROWD_SIZE,
            most: files::allow_most()?.saturating_sub(others) as usize,
            voices,
            stall,
            burst,
            slow: Slow::new(address, now),
            waiters,
            posts: Posts::default(),
            news: News::default(),
            looked: now,
            told: now,
        })
    }

    fn obey(&mut self, order: Order) {
        let now = Instant::now();
        match order {
            Order::Levers(Levers { waiters, rate, size }) => {
                if let Some(waiters) = waiters {
                    self.waiters.wanted = waiters.min(self.most);
                    if waiters > self.most {
                        say(&format!("{waiters} waiters are too many for the limit of files: {}", self.most));
                    }
                }
                self.size = size.unwrap_or(self.size);
                if let Some(rate) = rate {
                    self.voices.set_rate(rate, now);
                }
            }
            Order::Failure(Failure::Vanish, on) => self.waiters.vanish(on, now),
            Order::Failure(Failure::Slow, on) => self.slow.switch(on),
            Order::Failure(Failure::Burst, on) => self.burst.switch(on, now),
            Order::Failure(Failure::Stall, on) => self.stall.switch(on),
        }
        // Who reads nothing notices nothing as long as its kernel and the server's hold all that comes.
        let least = if self.slow.is_on() { CROWD_SLOW_SIZE } else { 0 };
        self.mark.set_size(self.size.max(least));
    }

    /// Waits a moment for what happens, takes it in, and does what it is time for.
    fn turn(&mut self) -> io::Result<()> {
        let rest = self.voices.rest(Instant::now()).unwrap_or(CROWD_BEAT);
        for (slot, event) in self.client.turn(rest.min(CROWD_BEAT))? {
            if self.voices.slots().contains(&slot) {
                self.voices.take(slot, &event, &mut self.posts);
            } else if self.stall.slots().contains(&slot) {
                self.stall.take(slot, event, &mut self.news);
            } else if self.burst.slots().contains(&slot) {
                self.burst.take(slot, event, &mut self.client, &mut self.news);
            } else {
                let wire = (&mut self.client, &self.target, &self.mark);
                self.waiters.take(slot, event, wire, &mut self.posts, &mut self.news);
            }
        }
        let now = Instant::now();
        let wire = (&mut self.client, &self.target, &self.mark);
        self.voices.speak(now, wire, &mut self.posts, &self.waiters);
        if now >= self.looked + CROWD_BEAT {
            self.looked = now;
            self.look_at_the_time(now)?;
        }
        Ok(())
    }

    fn look_at_the_time(&mut self, now: Instant) -> io::Result<()> {
        let Crowd { client, target, posts, news, .. } = self;
        self.voices.look_at_the_time(now, client, posts);
        self.stall.look_at_the_time(now, client, target);
        self.burst.look_at_the_time(now, (client, target), news);
        self.slow.look_at_the_time(now, target, news)?;
        self.waiters.look_at_the_time(now, (client, target), posts, news);
        posts.look_at_the_time(now);
        if now >= self.told + CROWD_TELL {
            self.told = now;
            news.tell(self.waiters.waiting().count(), posts, now)?;
        }
        Ok(())
    }
}
