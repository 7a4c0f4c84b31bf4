//! The room's thread, and the registry that finds it by name.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use crate::config::{BATCH_LIMIT, ROOM_IDLE, ROOMS_MAX};
use crate::message::{Draft, RoomName};
use crate::room::{After, Published, Room, SubscriberId, TAIL_LIMIT, Wake, Wants};
use crate::store::{self, Store};
use crate::wire::refusal::Refusal;

/// What a room's mailbox takes: the seed's three letters, and the last one.
enum Letter {
    Subscribe { id: SubscriberId, after: After, wants: Wants, subscriber: Sender<Wake> },
    Unsubscribe(SubscriberId),
    Publish { draft: Draft, sender: Sender<Result<Published, store::Error>> },
    Close,
}

/// A room's address. While anybody holds one, the room's thread does not end.
///
/// The mailbox needs no bound of its own: every letter in it is from somebody who waits for its
/// answer, and these are bounded.
pub struct RoomHandle {
    mailbox: Sender<Letter>,
}

impl RoomHandle {
    /// Registers a fresh receiver, which hears one [`Wake`]; or none, if the room is restarted.
    pub fn subscribe(&self, id: SubscriberId, after: After, wants: Wants) -> Receiver<Wake> {
        let (subscriber, wake) = bounded(1);
        self.send(Letter::Subscribe { id, after, wants, subscriber });
        wake
    }

    /// Ends a subscription: its receiver hears [`Wake::Expired`], if it has not heard better before.
    pub fn unsubscribe(&self, id: SubscriberId) {
        self.send(Letter::Unsubscribe(id));
    }

    /// Publishes, and waits until the message is stored and handed to every subscriber.
    pub fn publish(&self, draft: Draft) -> Result<Published, Refusal> {
        let (sender, answer) = bounded(1);
        self.send(Letter::Publish { draft, sender });
        match answer.recv() {
            Ok(Ok(published)) => Ok(published),
            Ok(Err(error)) => Err(Refusal::StoreUnavailable(error.to_string())),
            Err(_) => Err(Refusal::TryAgain),
        }
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
    /// Held to look up, to add and to remove; never while a letter is waited for.
    awake: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    rooms: HashMap<RoomName, (Arc<RoomHandle>, JoinHandle<()>)>,
    closed: bool,
}

impl Rooms {
    /// No room is awake yet.
    pub fn new(store: Arc<dyn Store>) -> Arc<Rooms> {
        Arc::new(Rooms { store, awake: Mutex::default() })
    }

    /// The store behind the rooms.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Finds a room, and wakes it if it sleeps.
    pub fn whereis(self: &Arc<Rooms>, name: &RoomName) -> Result<Arc<RoomHandle>, Refusal> {
        let mut registry = self.registry();
        if let Some((handle, _)) = registry.rooms.get(name) {
            return Ok(handle.clone());
        }
        if registry.closed {
            return Err(Refusal::Closing);
        }
        if registry.rooms.len() >= ROOMS_MAX {
            return Err(Refusal::TooManyRooms);
        }
        let (mailbox, letters) = unbounded();
        let owner = Owner { name: name.clone(), rooms: self.clone(), letters };
        let thread = thread::Builder::new()
            .name(format!("room {name}"))
            .spawn(move || owner.run())
            .map_err(|_| Refusal::TooManyRooms)?;
        let handle = Arc::new(RoomHandle { mailbox });
        registry.rooms.insert(name.clone(), (handle.clone(), thread));
        Ok(handle)
    }

    /// Tells every room to answer all who wait; no room takes a new subscriber after that.
    pub fn close(&self) {
        let mut registry = self.registry();
        registry.closed = true;
        for (handle, _) in registry.rooms.values() {
            handle.send(Letter::Close);
        }
    }

    /// Waits until every room's thread has ended. Each does once nobody holds its address.
    pub fn join(&self) {
        let rooms = std::mem::take(&mut self.registry().rooms);
        let threads: Vec<_> = rooms.into_values().map(|(_, thread)| thread).collect();
        for thread in threads {
            let _ = thread.join();
        }
    }

    /// Forgets a room if nobody but the registry holds its address, so that no letter can be lost.
    fn forget(&self, name: &RoomName) -> bool {
        let mut registry = self.registry();
        let unused = registry.rooms.get(name).is_none_or(|(handle, _)| Arc::strong_count(handle) == 1);
        if unused {
            registry.rooms.remove(name);
        }
        unused
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
}

impl Owner {
    fn run(self) {
        // A panic takes the room's state with it, and so the channels of all who wait: they are told
        // to poll again. What was answered `ok` is in the store, from which the room starts anew.
        while catch_unwind(AssertUnwindSafe(|| self.own())).is_err() {
            tracing::error!(room = %self.name, "the room panicked and is restarted from the store");
        }
    }

    /// Opens the room and serves its mailbox until nobody needs it.
    fn own(&self) {
        let mut room = None;
        loop {
            let first = match self.letters.recv_timeout(ROOM_IDLE) {
                Ok(letter) => letter,
                Err(RecvTimeoutError::Timeout) => {
                    if self.rooms.forget(&self.name) {
                        return;
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let letters = std::iter::once(first).chain(self.letters.try_iter()).take(BATCH_LIMIT);
            match self.open(&mut room) {
                Ok(room) => self.act(room, letters),
                Err(error) => refuse(letters, &error),
            }
        }
    }

    fn open<'a>(
        &self,
        room: &'a mut Option<Room<Sender<Wake>>>,
    ) -> Result<&'a mut Room<Sender<Wake>>, store::Error> {
        if let Some(room) = room {
            return Ok(room);
        }
        let store = &self.rooms.store;
        let tail = store.newest(&self.name, TAIL_LIMIT)?;
        Ok(room.insert(Room::new(store.epoch(), tail)))
    }

    /// Acts on letters in their order, but publishes all drafts among them at the end, as one.
    fn act(&self, room: &mut Room<Sender<Wake>>, letters: impl Iterator<Item = Letter>) {
        let mut drafts = Vec::new();
        let mut senders = Vec::new();
        for letter in letters {
            match letter {
                Letter::Subscribe { id, after, wants, subscriber } => {
                    wake(room.subscribe(id, after, wants, subscriber));
                }
                Letter::Unsubscribe(id) => wake(room.unsubscribe(id)),
                Letter::Publish { draft, sender } => {
                    drafts.push(draft);
                    senders.push(sender);
                }
                Letter::Close => wake(room.close()),
            }
        }
        if !drafts.is_empty() {
            self.publish(room, &drafts, senders);
        }
    }

    /// Stores first, shows second, and answers last.
    fn publish(
        &self,
        room: &mut Room<Sender<Wake>>,
        drafts: &[Draft],
        senders: Vec<Sender<Result<Published, store::Error>>>,
    ) {
        match self.rooms.store.append(&self.name, drafts) {
            Ok(appended) => {
                let (woken, published) = room.publish(&appended);
                wake(woken);
                for (sender, published) in senders.into_iter().zip(published) {
                    answer(&sender, Ok(published));
                }
            }
            Err(error) => {
                tracing::warn!(room = %self.name, %error, "nothing was published");
                for sender in senders {
                    answer(&sender, Err(error.clone()));
                }
            }
        }
    }
}

/// Hands each subscriber what it waited for. Its channel has room for that one thing.
fn wake(woken: impl IntoIterator<Item = (Sender<Wake>, Wake)>) {
    for (subscriber, wake) in woken {
        let _ = subscriber.try_send(wake);
    }
}

/// Tells a sender what became of its message. Its channel has room for that one thing.
fn answer(sender: &Sender<Result<Published, store::Error>>, outcome: Result<Published, store::Error>) {
    let _ = sender.try_send(outcome);
}

/// Answers letters to a room that can't be opened. Who subscribes hears nothing, and comes back.
fn refuse(letters: impl Iterator<Item = Letter>, error: &store::Error) {
    for letter in letters {
        if let Letter::Publish { sender, .. } = letter {
            answer(&sender, Err(error.clone()));
        }
    }
}
