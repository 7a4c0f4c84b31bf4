//! The room's thread: it carries letters to the owner, and answers back.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::store::SharedStore;
use crate::clock::Now;
use crate::config::{BATCH_LIMIT, TAIL_LIMIT};
use crate::door::tiny_http::{Ear, Line};
use crate::message::{Cursor, Draft, Person, PersonName, RoomName, Timestamp};
use crate::metrics::METRICS;
use crate::room::lease::End;
use crate::room::letter::{BatchId, Engine, Letter, refuse};
use crate::room::owner::Owner;
use crate::room::registry::{Census, Registry};
use crate::room::rest::Rest;
use crate::room::state::Room;
use crate::room::tails::Tails;
use crate::room::{Published, Receipt, SubscriberId, Subscription, Wake};
use crate::store::{self, Done, Following, Store};
use crate::wire::refusal::Refusal;

/// A room's address. While anybody holds one, the room's thread does not end.
///
/// The mailbox needs no bound of its own: every letter in it is from somebody who waits for its
/// answer, and these are bounded.
pub struct RoomHandle {
    mailbox: Sender<Letter<Carrier>>,
    census: Arc<Census>,
    line: Arc<Line<Wake>>,
}

impl RoomHandle {
    /// Registers a fresh receiver, which hears one [`Wake`]; or none, if the room is restarted.
    pub fn subscribe(&self, id: SubscriberId, what: Subscription) -> Ear<Wake> {
        self.line.join(self.ask(|subscriber| Letter::Subscribe { id, what, subscriber }))
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
        Ok(self.post(draft).recv().map_err(|_| Refusal::TryAgain)??)
    }

    /// The same, for one who does not wait for it, or not for ever.
    pub fn post(&self, draft: Draft) -> Receiver<Receipt> {
        self.ask(|sender| Letter::Publish { draft, sender })
    }

    /// Whether a person may have the name here.
    pub fn admits(&self, who: Person) -> Result<(), Refusal> {
        Ok(self.ask(|asker| Letter::Admits(who, asker)).recv().map_err(|_| Refusal::TryAgain)??)
    }

    /// Who is present, and since when.
    pub fn people(&self) -> Result<Vec<(PersonName, Timestamp)>, Refusal> {
        self.ask(Letter::People).recv().map_err(|_| Refusal::TryAgain)
    }

    /// Ends a person's presence, and waits until that is stored and told; or has it end after a wait.
    pub fn leave(&self, who: Person, wait: Duration) -> Result<(), Refusal> {
        let left = self.ask(|done| Letter::Leave { who, wait, done }).recv();
        Ok(left.map_err(|_| Refusal::TryAgain)??)
    }

    fn ask<T>(&self, letter: impl FnOnce(Sender<T>) -> Letter<Carrier>) -> Receiver<T> {
        let (asker, answer) = bounded(1);
        self.send(letter(asker));
        answer
    }

    fn send(&self, letter: Letter<Carrier>) {
        // The thread can have ended only because the server is closing. The letter is dropped then,
        // and with it the channel that its sender waits on, which tells the sender.
        self.census.sent(letter.kind());
        let _ = self.mailbox.send(letter);
    }
}

/// The rooms that are awake, by name.
pub struct Rooms {
    /// Where all of them keep their messages.
    pub store: SharedStore,
    /// What the rooms remember, all together.
    tails: Arc<Tails>,
    awake: Registry<RoomHandle, JoinHandle<()>>,
}

impl Rooms {
    /// No room is awake yet.
    pub fn new(store: Arc<dyn Store>) -> Arc<Rooms> {
        Arc::new(Rooms { store: SharedStore::new(store), tails: Arc::default(), awake: Registry::default() })
    }

    /// How many bytes the rooms remember, all together.
    pub fn tail_bytes(&self) -> usize {
        self.tails.bytes()
    }

    /// Finds a room, and wakes it if it sleeps. If too many are awake, the one that is needed least goes.
    pub fn whereis(self: &Arc<Rooms>, name: &RoomName) -> Result<Arc<RoomHandle>, Refusal> {
        let make_place = |handle: &RoomHandle| handle.send(Letter::MakePlace);
        Ok(self.awake.find(name, || self.wake(name), make_place)?)
    }

    /// Starts a room's thread. `None` if there can't be another.
    fn wake(self: &Arc<Rooms>, name: &RoomName) -> Option<(Arc<RoomHandle>, JoinHandle<()>)> {
        let (mailbox, letters) = unbounded();
        let handle = Arc::new(RoomHandle { mailbox, census: Arc::default(), line: Arc::default() });
        let carrier = Carrier { name: name.clone(), rooms: self.clone(), address: Arc::downgrade(&handle) };
        let census = handle.census.clone();
        let thread = thread::Builder::new().name(format!("room {name}"));
        let thread = thread.spawn(move || carrier.run(&letters, &census)).ok()?;
        Some((handle, thread))
    }

    /// Finds a room if it is awake, for somebody who only looks: that wakes nothing.
    pub fn look(&self, name: &RoomName) -> Result<Option<Arc<RoomHandle>>, Refusal> {
        Ok(self.awake.look(name)?)
    }

    /// The rooms that are awake, and how many are in each.
    pub fn awake(&self) -> HashMap<RoomName, Arc<Census>> {
        self.awake.awake(|handle| handle.census.clone())
    }

    /// Wakes every room in which somebody was present when the server ended: to come back, or to lapse.
    pub fn wake_the_peopled(self: &Arc<Rooms>) -> Result<(), store::Error> {
        self.awake.leave(self.store.peopled(usize::MAX)?);
        self.wake_those_left();
        Ok(())
    }

    /// Wakes rooms that sleep with people in them, as far as there are places.
    fn wake_those_left(self: &Arc<Rooms>) {
        self.awake.wake_those_left(|name| self.whereis(name).is_ok());
    }

    /// Tells every room to answer all who wait; no room takes a new subscriber after that.
    pub fn close(&self) {
        self.awake.close().iter().for_each(|handle| handle.send(Letter::Close));
    }

    /// Waits until every room's thread has ended. Each does once nobody holds its address.
    pub fn join(&self) {
        for thread in self.awake.take_owners() {
            let _ = thread.join();
        }
    }
}

/// What an owner has of its thread: its name and address, and the way to the store.
#[derive(Clone)]
struct Carrier {
    name: RoomName,
    rooms: Arc<Rooms>,
    address: Weak<RoomHandle>,
}

impl Engine for Carrier {
    type To<T> = Sender<T>;

    fn answer<T>(to: Sender<T>, what: T) {
        let _ = to.try_send(what);
    }

    fn broadcast(&self, woken: Vec<(Sender<Wake>, Wake)>) {
        let began = Instant::now();
        if !self.name.is_internal() {
            METRICS.deliveries.inc_by(woken.len() as u64);
        }
        // Whoever waits has the address. If there is none, nobody does.
        if let Some(room) = self.address.upgrade() {
            room.line.hand_out(woken);
        }
        METRICS.broadcasts.observe(began.elapsed().as_secs_f64());
    }

    fn append(&self, batch: BatchId, seen: Cursor, drafts: Vec<Draft>) {
        // The store holds the address, so the room does not go to sleep before it has the outcome. There
        // is no address when the server ends and nobody waits for an answer.
        let address = self.address.upgrade();
        let arrived = move |outcome| {
            if let Some(room) = address {
                room.send(Letter::Arrived(batch, outcome));
            }
        };
        self.rooms.store.append(&self.name, seen, drafts, Done::new(arrived));
    }
}

impl Carrier {
    fn run(&self, letters: &Receiver<Letter<Carrier>>, census: &Census) {
        // A panic takes the room's state with it, and so the channels of all who wait: they are told
        // to poll again. What was answered `ok` is in the store, from which the room starts anew.
        let mut restarted = false;
        while catch_unwind(AssertUnwindSafe(|| self.carry(letters, census, restarted))).is_err() {
            tracing::error!(room = %self.name, "the room panicked and is restarted from the store");
            METRICS.room_restarts.inc();
            restarted = true;
        }
    }

    /// Opens the room and serves its mailbox until nobody needs it. After a restart it is opened for the
    /// next letter only: if that panics again, the letter is spent.
    fn carry(&self, letters: &Receiver<Letter<Carrier>>, census: &Census, mut restarted: bool) {
        // First, so that nothing is missed between.
        let _following = self.follow();
        let mut owner = if restarted { None } else { self.open() };
        let mut busy = Instant::now();
        loop {
            let rest = Rest::of(owner.as_ref(), self.rooms.awake.is_going(&self.name));
            if rest.may_sleep(busy.elapsed()) && self.sleep(rest.is_peopled) {
                return;
            }
            owner.iter_mut().filter(|_| rest.is_going).for_each(|owner| owner.abandon(Now::read()));
            let first = match letters.recv_timeout(rest.pause()) {
                Ok(letter) if letter.is_of_a_client() => {
                    busy = Instant::now();
                    Some(letter)
                }
                Ok(letter) => Some(letter),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let letters = first.into_iter().chain(letters.try_iter()).take(BATCH_LIMIT);
            let letters = letters.inspect(|letter| census.took(letter.kind()));
            if std::mem::take(&mut restarted) {
                self.settle();
            }
            owner = owner.or_else(|| self.open());
            let Some(owner) = &mut owner else {
                refuse(letters);
                continue;
            };
            owner.act(letters, Now::read());
            census.note(owner.waiting(), owner.room().people.count());
        }
    }

    /// Hears what other instances do in the room. The address is weak, so that the room may sleep.
    fn follow(&self) -> Following {
        let address = self.address.clone();
        let hear = move |heard| {
            if let Some(room) = address.upgrade() {
                room.send(Letter::Heard(heard));
            }
        };
        self.rooms.store.follow(&self.name, Box::new(hear))
    }

    /// Has the registry forget the room, if nobody needs it.
    fn sleep(&self, is_peopled: bool) -> bool {
        let is_forgotten = self.rooms.awake.forget(&self.name, is_peopled);
        if is_forgotten {
            self.rooms.wake_those_left();
        }
        is_forgotten
    }

    /// Waits until the store has done with what the room gave it before a restart, so that the room is
    /// opened with it.
    fn settle(&self) {
        let (done, settled) = bounded(1);
        let settles = move |_| Self::answer(done, ());
        let (store, seen) = (&self.rooms.store, Cursor::start(self.rooms.store.epoch()));
        store.append(&self.name, seen, Vec::new(), Done::new(settles));
        let _ = settled.recv();
    }

    fn open(&self) -> Option<Owner<Carrier>> {
        let (store, tails, name) = (&self.rooms.store, &self.rooms.tails, self.name.clone());
        let limit = if tails.are_tight() { 0 } else { TAIL_LIMIT };
        match store.read(move |store| store.newest(&name, limit)) {
            Ok(tail) => {
                let now = Now::read();
                let room = Room::new(tail, tails, now);
                Some(Owner::new(self.clone(), self.name.clone(), room, store.keep(), now))
            }
            Err(error) => {
                tracing::warn!(room = %self.name, %error, "the room can't be opened");
                None
            }
        }
    }
}
