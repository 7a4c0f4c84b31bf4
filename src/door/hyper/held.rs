//! The memory that is held for clients: the bodies and replies of their requests.
//!
//! While there is room, everybody gets it. When there is none, a client that does not take what is held for it
//! makes room: its connection is cut.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::time::Instant;

use crate::address::client;
use crate::config::{HELD_MAX, HELD_SHARE, LIGHT, STUCK};
use crate::wire::refusal::Refusal;

/// What is held for all clients.
#[derive(Default)]
pub struct Held {
    /// The bytes of light bodies and replies.
    light: AtomicUsize,
    heavy: Mutex<Heavy>,
}

/// What is held of the others. There are few.
#[derive(Default)]
struct Heavy {
    bytes: usize,
    /// How much is held for each client, by its number.
    clients: BTreeMap<u64, (Arc<Client>, usize)>,
}

/// The other end of a connection, for which something is held.
pub struct Client {
    number: u64,
    address: Option<IpAddr>,
    /// The addresses that count as one client.
    place: IpAddr,
    cut: AtomicBool,
    /// Since when its kernel takes nothing, and the task to wake when it is cut. This lock is taken last.
    stuck: Mutex<Option<(Instant, Waker)>>,
}

impl Client {
    /// A client at this address; without one it came by a Unix socket.
    pub fn at(address: Option<IpAddr>) -> Arc<Client> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Arc::new(Client {
            number: NUMBERS.fetch_add(1, SeqCst),
            address: address.map(|address| address.to_canonical()),
            place: client(address.unwrap_or(Ipv4Addr::LOCALHOST.into())),
            cut: AtomicBool::new(false),
            stuck: Mutex::new(None),
        })
    }

    /// Its address, if it has one.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether its connection must end, because others need the room.
    pub fn is_cut(&self) -> bool {
        self.cut.load(SeqCst)
    }

    /// Notes that it takes nothing of its reply at the moment. The task is woken if it is cut.
    pub fn mark_stuck(&self, waker: &Waker) {
        let mut stuck = self.stuck();
        let since = stuck.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *stuck = Some((since, waker.clone()));
    }

    /// Notes that it has taken something.
    pub fn mark_taking(&self) {
        *self.stuck() = None;
    }

    /// Whether it takes nothing at the moment.
    pub fn takes_nothing(&self) -> bool {
        self.stuck().is_some()
    }

    fn stuck_since(&self) -> Option<Instant> {
        self.stuck().as_ref().map(|(since, _)| *since)
    }

    fn end(&self) {
        self.cut.store(true, SeqCst);
        if let Some((_, waker)) = self.stuck().take() {
            waker.wake();
        }
    }

    fn stuck(&self) -> MutexGuard<'_, Option<(Instant, Waker)>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// How many bytes are held for all together.
    pub fn bytes(&self) -> usize {
        self.light.load(SeqCst) + self.heavy().bytes
    }

    /// Sets how many bytes one request of a client holds: `now` instead of `before`. Refused if that is not
    /// light, there is no room, and nobody can be cut. The request then holds nothing.
    pub fn change(
        &self,
        client: &Arc<Client>,
        before: usize,
        now: usize,
        time: impl FnOnce() -> Instant,
    ) -> Result<(), Refusal> {
        let light = |bytes| if bytes <= LIGHT { bytes } else { 0 };
        self.light.fetch_add(light(now), SeqCst);
        let all_light = self.light.fetch_sub(light(before), SeqCst) - light(before);
        if before <= LIGHT && now <= LIGHT {
            return Ok(());
        }
        let mut heavy = self.heavy();
        heavy.give_back(client, before - light(before));
        match now - light(now) {
            0 => Ok(()),
            bytes => heavy.take(client, bytes, HELD_MAX.saturating_sub(all_light), time()),
        }
    }

    fn heavy(&self) -> MutexGuard<'_, Heavy> {
        // Nothing under this lock can panic half way.
        self.heavy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heavy {
    fn take(&mut self, client: &Arc<Client>, bytes: usize, most: usize, now: Instant) -> Result<(), Refusal> {
        // A client that was cut gets nothing more.
        if client.is_cut() {
            return Err(Refusal::TooMuchHeld);
        }
        while self.bytes + bytes > most {
            let number = self.who_makes_room(client, bytes, now).ok_or(Refusal::TooMuchHeld)?;
            self.cut(number);
        }
        self.bytes += bytes;
        self.clients.entry(client.number).or_insert_with(|| (client.clone(), 0)).1 += bytes;
        Ok(())
    }

    fn give_back(&mut self, client: &Client, bytes: usize) {
        // A client that was cut has given everything back already.
        if let Some((_, held)) = self.clients.get_mut(&client.number) {
            *held -= bytes;
            self.bytes -= bytes;
            if *held == 0 {
                self.clients.remove(&client.number);
            }
        }
    }

    /// Chooses the client to cut: one that has taken nothing for a while, at the address for which most is
    /// held. If there is none, and this address has less than its share: one at an address that has more.
    fn who_makes_room(&self, client: &Client, bytes: usize, now: Instant) -> Option<u64> {
        let mut of = BTreeMap::<IpAddr, usize>::new();
        for (other, held) in self.clients.values() {
            *of.entry(other.place).or_default() += held;
        }
        let own = of.get(&client.place).copied().unwrap_or(0);
        let is_entitled = own + bytes <= HELD_SHARE;
        let stuck = self.clients.values().filter(|(other, _)| other.number != client.number);
        let stuck = stuck.filter_map(|(other, _)| Some((other, other.stuck_since()?)));
        let found = stuck.filter(|(other, since)| {
            now.saturating_duration_since(*since) >= STUCK || is_entitled && of[&other.place] > HELD_SHARE
        });
        let first = found.max_by_key(|(other, since)| {
            let waited = now.saturating_duration_since(*since);
            (waited >= STUCK, of[&other.place], waited)
        });
        first.map(|(other, _)| other.number)
    }

    fn cut(&mut self, number: u64) {
        if let Some((client, bytes)) = self.clients.remove(&number) {
            self.bytes -= bytes;
            client.end();
            tracing::debug!(address = %client.place, bytes, "cut off, for it does not take its reply");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MIB: usize = 1024 * 1024;

    fn client(last: u8) -> Arc<Client> {
        Client::at(Some(IpAddr::from([10, 0, 0, last])))
    }

    fn stuck(client: &Client, since: Instant) {
        *client.stuck() = Some((since, Waker::noop().clone()));
    }

    /// 22 connections of one address that never read, with 6 MB for each, kept everybody else from anything
    /// over 16 KiB.
    #[test]
    fn who_takes_nothing_makes_room_for_others() {
        let (held, now) = (Held::default(), Instant::now());
        let deaf: Vec<_> = (0..22).map(|_| client(1)).collect();
        for (n, client) in deaf.iter().take(21).enumerate() {
            held.change(client, 0, 6 * MIB, || now).expect("there is room");
            stuck(client, now - Duration::from_millis(100 - n as u64));
        }
        // Their own address has more than its share: it gets no more of it.
        assert_eq!(held.change(&deaf[21], 0, 6 * MIB, || now), Err(Refusal::TooMuchHeld));
        // Another gets its share, at their cost, and who waited longest is the first to go.
        let honest = client(2);
        held.change(&honest, 0, 6 * MIB, || now).expect("a share for each");
        assert!(deaf[0].is_cut() && !deaf[1].is_cut());
        assert!(held.change(&deaf[0], 6 * MIB, 7 * MIB, || now).is_err(), "it is to go");
        assert_eq!(held.bytes(), 21 * 6 * MIB);
        // After a while everybody does.
        let later = now + STUCK;
        held.change(&deaf[21], 0, 6 * MIB, || later).expect("some have not read for long");
        assert!(deaf[1].is_cut() && !deaf[2].is_cut());
    }

    #[test]
    fn who_takes_something_is_not_cut() {
        let (held, now) = (Held::default(), Instant::now());
        let readers: Vec<_> = (0..16).map(client).collect();
        for reader in &readers {
            held.change(reader, 0, 8 * MIB, || now).expect("there is room");
            reader.mark_taking();
        }
        let newcomer = client(20);
        assert_eq!(held.change(&newcomer, 0, 8 * MIB, || now + STUCK), Err(Refusal::TooMuchHeld));
        held.change(&newcomer, 0, LIGHT, || now).expect("what is light is let through");
        assert!(readers.iter().all(|reader| !reader.is_cut()));
    }

    #[test]
    fn the_sum_is_what_is_held_whatever_comes_and_goes() {
        let seed = fastrand::u64(..);
        eprintln!("seed {seed}");
        fastrand::seed(seed);
        let (held, start) = (Held::default(), Instant::now());
        // Each with the bytes of its request.
        let mut clients: Vec<(Arc<Client>, usize)> = (0..64).map(|n| (client(n % 5), 0)).collect();
        for step in 0..20_000 {
            let now = start + Duration::from_millis(step * 10);
            let index = fastrand::usize(..clients.len());
            let (client, bytes) = &mut clients[index];
            match fastrand::u8(..5) {
                0 => client.mark_taking(),
                1 => stuck(client, now),
                2 if client.is_cut() => {
                    let _ = held.change(client, *bytes, 0, || now);
                    clients[index] = (self::client(fastrand::u8(..5)), 0);
                }
                _ => {
                    let wanted = [0, 10, LIGHT, LIGHT + 1, MIB, 6 * MIB][fastrand::usize(..6)];
                    let is_taken = held.change(client, *bytes, wanted, || now).is_ok();
                    *bytes = if is_taken { wanted } else { 0 };
                }
            }
            let counts = |(client, bytes): &&(Arc<Client>, usize)| !client.is_cut() || *bytes <= LIGHT;
            let sum = clients.iter().filter(counts).map(|(_, bytes)| bytes).sum::<usize>();
            assert_eq!(held.bytes(), sum, "step {step}, seed {seed}");
            assert!(sum <= HELD_MAX + 64 * LIGHT, "step {step}, seed {seed}");
        }
        for (client, bytes) in &clients {
            held.change(client, *bytes, 0, || start).expect("nothing is never too much");
        }
        assert_eq!(held.bytes(), 0);
    }
}
