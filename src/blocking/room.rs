//! The room's thread, and the registry that finds it by name.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use crate::clock::Now;
use crate::config::{BATCH_LIMIT, GOING_BEAT, LAPSE_BEAT, ROOM_IDLE, TAIL_LIMIT};
use crate::message::{Draft, PersonName, RoomName, Timestamp};
use crate::metrics::METRICS;
use crate::places::{Full, Places};
use crate::presence::End;
use crate::room::{IdReused, Published, Room, SubscriberId, Subscription, Wake};
use crate::store::{self, Store};
use crate::tails::Tails;
use crate::wire::refusal::Refusal;

/// What a room's mailbox takes: the seed's three letters, those about people, and the last ones.
enum Letter {
    Subscribe { id: SubscriberId, what: Subscription, subscriber: Sender<Wake> },
    Unsubscribe(SubscriberId, End),
    Publish { draft: Draft, sender: Sender<Result<Published, Refusal>> },
    People(Sender<Vec<(PersonName, Timestamp)>>),
    Leave { name: PersonName, wait: Duration, done: Sender<Result<(), Refusal>> },
    MakePlace,
    Close,
}

/// A room's address. While anybody holds one, the room's thread does not end.
///
/// The mailbox needs no bound of its own: every letter in it is from somebody who waits for its
/// answer, and these are bounded.
pub struct RoomHandle {
    mailbox: Sender<Letter>,
    census: Arc<Census>,
}

/// How many are in a room, for those who only look.
#[derive(Default)]
pub struct Census {
    /// Subscriptions that wait.
    pub waiting: AtomicUsize,
    /// People who are present.
    pub people: AtomicUsize,
}

impl RoomHandle {
    /// Registers a fresh receiver, which hears one [`Wake`]; or none, if the room is restarted.
    pub fn subscribe(&self, id: SubscriberId, what: Subscription) -> Receiver<Wake> {
        let (subscriber, wake) = bounded(1);
        self.send(Letter::Subscribe { id, what, subscriber });
        wake
    }

    /// Ends a subscription: its receiver hears [`Wake::Expired`], if it has not heard better before.
    pub fn unsubscribe(&self, id: SubscriberId) {
        self.send(Letter::Unsubscribe(id, End::Answered));
    }

    /// Ends a subscription whose client is gone.
    pub fn hang_up(&self, id: SubscriberId) {
        self.send(Letter::Unsubscribe(id, End::Gone));
    }

    /// Publishes, and waits until the message is stored and handed to every subscriber.
    pub fn publish(&self, draft: Draft) -> Result<Published, Refusal> {
        self.post(draft).recv().map_err(|_| Refusal::TryAgain)?
    }

    /// The same, for one who does not wait for it, or not for ever.
    pub fn post(&self, draft: Draft) -> Receiver<Result<Published, Refusal>> {
        let (sender, answer) = bounded(1);
        self.send(Letter::Publish { draft, sender });
        answer
    }

    /// Who is present, and since when.
    pub fn people(&self) -> Result<Vec<(PersonName, Timestamp)>, Refusal> {
        let (asker, answer) = bounded(1);
        self.send(Letter::People(asker));
        answer.recv().map_err(|_| Refusal::TryAgain)
    }

    /// Ends a person's presence, and waits until that is stored and told; or has it end after a wait.
    pub fn leave(&self, name: PersonName, wait: Duration) -> Result<(), Refusal> {
        let (done, answer) = bounded(1);
        self.send(Letter::Leave { name, wait, done });
        answer.recv().map_err(|_| Refusal::TryAgain)?
    }

    fn send(&self, letter: Letter) {
        // The thread can have ended only because the server is closing. The letter is dropped then,
        // and with it the channel that its sender waits on, which tells the sender.
        let _ = self.mailbox.send(letter);
    }
}

/// The rooms that are awake, by name: the seed's `register` and `whereis`.
pub struct Rooms {
    store: Arc<dyn Store>,
    /// What the rooms remember, all together.
    tails: Arc<Tails>,
    /// Held to look up, to add and to remove; never while a letter is waited for.
    awake: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    places: Places<RoomHandle, JoinHandle<()>>,
    closed: bool,
}

impl Rooms {
    /// No room is awake yet.
    pub fn new(store: Arc<dyn Store>) -> Arc<Rooms> {
        Arc::new(Rooms { store, tails: Arc::default(), awake: Mutex::default() })
    }

    /// The store behind the rooms.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Asks the store on behalf of a client.
    pub fn ask<T>(&self, question: impl FnOnce(&dyn Store) -> Result<T, store::Error>) -> Result<T, Refusal> {
        question(&*self.store).map_err(unavailable)
    }

    /// How many bytes the rooms remember, all together.
    pub fn tail_bytes(&self) -> usize {
        self.tails.bytes()
    }

    /// Finds a room, and wakes it if it sleeps. If too many are awake, the one that is needed least goes.
    pub fn whereis(self: &Arc<Rooms>, name: &RoomName) -> Result<Arc<RoomHandle>, Refusal> {
        let mut registry = self.registry();
        if let Some(handle) = registry.places.find(name) {
            return Ok(handle);
        }
        if registry.closed {
            return Err(Refusal::Closing);
        }
        for handle in registry.places.make_place(name).map_err(|Full| Refusal::TooManyRooms)? {
            handle.send(Letter::MakePlace);
        }
        let (mailbox, letters) = unbounded();
        let census = Arc::new(Census::default());
        let owner = Owner { name: name.clone(), rooms: self.clone(), letters, census: census.clone() };
        let thread = thread::Builder::new()
            .name(format!("room {name}"))
            .spawn(move || owner.run())
            .map_err(|_| Refusal::TooManyRooms)?;
        let handle = Arc::new(RoomHandle { mailbox, census });
        registry.places.insert(name.clone(), handle.clone(), thread);
        Ok(handle)
    }

    /// Finds a room if it is awake, for somebody who only looks: that wakes nothing.
    pub fn look(&self, name: &RoomName) -> Result<Option<Arc<RoomHandle>>, Refusal> {
        let registry = self.registry();
        match registry.places.look(name) {
            None if registry.closed => Err(Refusal::Closing),
            found => Ok(found),
        }
    }

    /// The rooms that are awake, and how many are in each.
    pub fn awake(&self) -> HashMap<RoomName, Arc<Census>> {
        let registry = self.registry();
        registry.places.iter().map(|(name, handle)| (name.clone(), handle.census.clone())).collect()
    }

    /// Wakes every room in which somebody was present when the server ended: to come back, or to lapse.
    pub fn wake_the_peopled(self: &Arc<Rooms>) -> Result<(), store::Error> {
        let peopled = self.store.peopled(usize::MAX)?;
        self.registry().places.leave(peopled);
        self.wake_those_left();
        Ok(())
    }

    /// Wakes rooms that sleep with people in them, as far as there are places.
    fn wake_those_left(self: &Arc<Rooms>) {
        loop {
            let mut registry = self.registry();
            if registry.closed {
                return;
            }
            let Some(name) = registry.places.next_left() else { return };
            drop(registry);
            if self.whereis(&name).is_err() {
                // It has its turn when the next room goes to sleep.
                return self.registry().places.leave([name]);
            }
        }
    }

    /// Tells every room to answer all who wait; no room takes a new subscriber after that.
    pub fn close(&self) {
        let mut registry = self.registry();
        registry.closed = true;
        for (_, handle) in registry.places.iter() {
            handle.send(Letter::Close);
        }
    }

    /// Waits until every room's thread has ended. Each does once nobody holds its address.
    pub fn join(&self) {
        let threads = self.registry().places.take_owners();
        for thread in threads {
            let _ = thread.join();
        }
    }

    /// Forgets a room if nobody but the registry holds its address, so that no letter can be lost. One
    /// that may have people in it is woken again when there is a place, for them to lapse.
    fn forget(self: &Arc<Rooms>, name: &RoomName, is_peopled: bool) -> bool {
        let is_forgotten = self.registry().places.forget(name, is_peopled);
        if is_forgotten {
            self.wake_those_left();
        }
        is_forgotten
    }

    /// Whether a room is to go to sleep for another, and was not asked for since.
    fn is_going(&self, name: &RoomName) -> bool {
        self.registry().places.is_going(name)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Nothing under this lock can panic half way.
        self.awake.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The one who owns a room's state: its thread.
struct Owner {
    name: RoomName,
    rooms: Arc<Rooms>,
    letters: Receiver<Letter>,
    census: Arc<Census>,
}

/// Whom to answer when a draft is stored; nobody, if the room itself wrote it.
type Senders = Vec<Option<Sender<Result<Published, Refusal>>>>;

impl Owner {
    fn run(self) {
        // A panic takes the room's state with it, and so the channels of all who wait: they are told
        // to poll again. What was answered `ok` is in the store, from which the room starts anew.
        let mut restarted = false;
        while catch_unwind(AssertUnwindSafe(|| self.own(restarted))).is_err() {
            tracing::error!(room = %self.name, "the room panicked and is restarted from the store");
            METRICS.room_restarts.inc();
            restarted = true;
        }
    }

    /// Opens the room and serves its mailbox until nobody needs it. After a restart it is opened for the
    /// next letter only: if that panics again, the letter is spent.
    fn own(&self, restarted: bool) {
        let mut room = if restarted { None } else { self.open() };
        let mut looked = Instant::now();
        let mut busy = Instant::now();
        loop {
            let is_empty = room.as_ref().is_none_or(|room| room.people.is_empty());
            // What could not be opened may have people in it.
            let is_peopled = room.is_none() || !is_empty;
            let is_going = self.rooms.is_going(&self.name);
            if is_going {
                if self.rooms.forget(&self.name, is_peopled) {
                    return;
                }
                room.iter_mut().for_each(|room| room.abandon(Now::read()));
            }
            let pause = match (is_going, is_empty) {
                (true, _) => GOING_BEAT,
                (false, true) => ROOM_IDLE,
                (false, false) => LAPSE_BEAT,
            };
            let first = match self.letters.recv_timeout(pause) {
                Ok(letter) => {
                    busy = Instant::now();
                    Some(letter)
                }
                Err(RecvTimeoutError::Timeout) => {
                    if is_empty && busy.elapsed() >= ROOM_IDLE && self.rooms.forget(&self.name, is_peopled) {
                        return;
                    }
                    None
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let letters = first.into_iter().chain(self.letters.try_iter()).take(BATCH_LIMIT);
            room = room.or_else(|| self.open());
            let Some(room) = &mut room else {
                refuse(letters);
                continue;
            };
            let lapses = looked.elapsed() >= LAPSE_BEAT;
            if lapses {
                looked = Instant::now();
            }
            self.act(room, letters, lapses);
            self.census.waiting.store(room.waiting(), Relaxed);
            self.census.people.store(room.people.count(), Relaxed);
        }
    }

    fn open(&self) -> Option<Room<Sender<Wake>>> {
        let (store, tails) = (&self.rooms.store, &self.rooms.tails);
        let limit = if tails.are_tight() { 0 } else { TAIL_LIMIT };
        match store.newest(&self.name, limit) {
            Ok(tail) => Some(Room::new(store.epoch(), tail, tails, Now::read())),
            Err(error) => {
                tracing::warn!(room = %self.name, %error, "the room can't be opened");
                None
            }
        }
    }

    /// Acts on letters in their order, but publishes all drafts among them at the end, as one.
    fn act(&self, room: &mut Room<Sender<Wake>>, letters: impl Iterator<Item = Letter>, lapses: bool) {
        let now = Now::read();
        room.forget(self.rooms.store.keep(), now.wall);
        let mut drafts = Vec::new();
        let mut senders: Senders = Vec::new();
        let mut left = Vec::new();
        for letter in letters {
            match letter {
                Letter::Subscribe { id, what, subscriber } => {
                    drafts.extend(what.name.as_ref().and_then(|name| room.people.sees(name, now)));
                    wake(room.subscribe(id, what, subscriber));
                }
                Letter::Unsubscribe(id, end) => wake(room.unsubscribe(id, end, now)),
                Letter::Publish { draft, sender } => {
                    drafts.extend(draft.name.as_ref().and_then(|name| room.people.sees(name, now)));
                    senders.resize_with(drafts.len(), || None);
                    drafts.push(draft);
                    senders.push(Some(sender));
                }
                Letter::People(asker) => answer(asker, room.people.list()),
                Letter::Leave { name, wait, done } => {
                    drafts.extend(room.people.leaves(&name, wait, now));
                    left.push(done);
                }
                // The owner looks whether it is to go, before it waits for the next letter.
                Letter::MakePlace => {}
                Letter::Close => wake(room.close()),
            }
        }
        if lapses {
            drafts.extend(room.people.lapse(now));
        }
        senders.resize_with(drafts.len(), || None);
        let outcome = if drafts.is_empty() { Ok(()) } else { self.publish(room, &drafts, senders, now) };
        for done in left {
            answer(done, outcome.clone());
        }
    }

    /// Stores first, shows second, and answers last.
    fn publish(
        &self,
        room: &mut Room<Sender<Wake>>,
        drafts: &[Draft],
        senders: Senders,
        now: Now,
    ) -> Result<(), Refusal> {
        match self.rooms.store.append(&self.name, drafts) {
            Ok(appended) => {
                let began = Instant::now();
                let (woken, published) = room.publish(&appended, now);
                if !self.name.is_internal() {
                    METRICS.deliveries.inc_by(woken.len() as u64);
                }
                wake(woken);
                METRICS.broadcasts.observe(began.elapsed().as_secs_f64());
                for (sender, published) in senders.into_iter().zip(published) {
                    let published = published.map_err(|IdReused| Refusal::IdReused);
                    sender.into_iter().for_each(|sender| answer(sender, published.clone()));
                }
                Ok(())
            }
            Err(error) => {
                tracing::warn!(room = %self.name, %error, "nothing was published");
                room.people.settle(&[]);
                for sender in senders.into_iter().flatten() {
                    answer(sender, Err(Refusal::StoreUnavailable));
                }
                Err(Refusal::StoreUnavailable)
            }
        }
    }
}

/// Hands each subscriber what it waited for.
fn wake(woken: impl IntoIterator<Item = (Sender<Wake>, Wake)>) {
    for (subscriber, wake) in woken {
        answer(subscriber, wake);
    }
}

/// Sends somebody the one thing that its channel has room for. It may have gone meanwhile.
fn answer<T>(asker: Sender<T>, outcome: T) {
    let _ = asker.try_send(outcome);
}

/// Answers letters to a room that can't be opened. Who wants no change hears nothing, and comes back.
fn refuse(letters: impl Iterator<Item = Letter>) {
    for letter in letters {
        match letter {
            Letter::Publish { sender, .. } => answer(sender, Err(Refusal::StoreUnavailable)),
            Letter::Leave { done, .. } => answer(done, Err(Refusal::StoreUnavailable)),
            _ => {}
        }
    }
}

/// The client's side of a store's error; ours is logged.
fn unavailable(error: store::Error) -> Refusal {
    tracing::warn!(%error, "the store could not be read");
    Refusal::StoreUnavailable
}
