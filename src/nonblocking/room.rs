//! The room's task, and the registry that finds it by name.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot::{self, Receiver, Sender};
use tokio::task::{self, JoinHandle};
use tokio::time::timeout;

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

/// A room's address. While anybody holds one, the room's task does not end.
///
/// The mailbox needs no bound of its own: every letter in it is from somebody who waits for its
/// answer, and these are bounded.
pub struct RoomHandle {
    mailbox: UnboundedSender<Letter>,
}

impl RoomHandle {
    /// Registers a fresh receiver, which hears one [`Wake`]; or none, if the room is restarted.
    pub fn subscribe(&self, id: SubscriberId, after: After, wants: Wants) -> Receiver<Wake> {
        let (subscriber, wake) = oneshot::channel();
        self.send(Letter::Subscribe { id, after, wants, subscriber });
        wake
    }

    /// Ends a subscription: its receiver hears [`Wake::Expired`], if it has not heard better before.
    pub fn unsubscribe(&self, id: SubscriberId) {
        self.send(Letter::Unsubscribe(id));
    }

    /// Publishes, and waits until the message is stored and handed to every subscriber.
    pub async fn publish(&self, draft: Draft) -> Result<Published, Refusal> {
        let (sender, answer) = oneshot::channel();
        self.send(Letter::Publish { draft, sender });
        match answer.await {
            Ok(Ok(published)) => Ok(published),
            Ok(Err(error)) => Err(Refusal::StoreUnavailable(error.to_string())),
            Err(_) => Err(Refusal::TryAgain),
        }
    }

    fn send(&self, letter: Letter) {
        // The task can have ended only because the server is closing. The letter is dropped then,
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

    /// Asks the store behind the rooms, on a thread that may block.
    pub async fn store<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Store) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, store::Error> {
        let store = self.store.clone();
        let answer = task::spawn_blocking(move || ask(&*store)).await;
        answer.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_cancelled) => Err(store::Error("the server is closing".to_owned())),
        })
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
        let (mailbox, letters) = unbounded_channel();
        let owner = Owner { name: name.clone(), rooms: self.clone(), letters };
        let task = tokio::spawn(owner.run());
        let handle = Arc::new(RoomHandle { mailbox });
        registry.rooms.insert(name.clone(), (handle.clone(), task));
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

    /// Waits until every room's task has ended. Each does once nobody holds its address.
    pub async fn join(&self) {
        let rooms = std::mem::take(&mut self.registry().rooms);
        let tasks: Vec<_> = rooms.into_values().map(|(_, task)| task).collect();
        for task in tasks {
            let _ = task.await;
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

/// The one who owns a room's state: its task.
struct Owner {
    name: RoomName,
    rooms: Arc<Rooms>,
    letters: UnboundedReceiver<Letter>,
}

impl Owner {
    async fn run(mut self) {
        // A panic takes the room's state with it, and so the channels of all who wait: they are told
        // to poll again. What was answered `ok` is in the store, from which the room starts anew.
        while AssertUnwindSafe(self.own()).catch_unwind().await.is_err() {
            tracing::error!(room = %self.name, "the room panicked and is restarted from the store");
        }
    }

    /// Opens the room and serves its mailbox until nobody needs it.
    async fn own(&mut self) {
        let mut room = None;
        let mut letters = Vec::new();
        loop {
            match timeout(ROOM_IDLE, self.letters.recv_many(&mut letters, BATCH_LIMIT)).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(_elapsed) => {
                    if self.rooms.forget(&self.name) {
                        return;
                    }
                    continue;
                }
            }
            match self.open(&mut room).await {
                Ok(room) => self.act(room, letters.drain(..)).await,
                Err(error) => refuse(letters.drain(..), &error),
            }
        }
    }

    async fn open<'a>(
        &self,
        room: &'a mut Option<Room<Sender<Wake>>>,
    ) -> Result<&'a mut Room<Sender<Wake>>, store::Error> {
        if let Some(room) = room {
            return Ok(room);
        }
        let name = self.name.clone();
        let tail = self.rooms.store(move |store| store.newest(&name, TAIL_LIMIT)).await?;
        Ok(room.insert(Room::new(self.rooms.store.epoch(), tail)))
    }

    /// Acts on letters in their order, but publishes all drafts among them at the end, as one.
    async fn act(&self, room: &mut Room<Sender<Wake>>, letters: impl Iterator<Item = Letter>) {
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
            self.publish(room, drafts, senders).await;
        }
    }

    /// Stores first, shows second, and answers last.
    async fn publish(
        &self,
        room: &mut Room<Sender<Wake>>,
        drafts: Vec<Draft>,
        senders: Vec<Sender<Result<Published, store::Error>>>,
    ) {
        let name = self.name.clone();
        match self.rooms.store(move |store| store.append(&name, &drafts)).await {
            Ok(appended) => {
                let (woken, published) = room.publish(&appended);
                wake(woken);
                for (sender, published) in senders.into_iter().zip(published) {
                    answer(sender, Ok(published));
                }
            }
            Err(error) => {
                tracing::warn!(room = %self.name, %error, "nothing was published");
                for sender in senders {
                    answer(sender, Err(error.clone()));
                }
            }
        }
    }
}

/// Hands each subscriber what it waited for.
fn wake(woken: impl IntoIterator<Item = (Sender<Wake>, Wake)>) {
    for (subscriber, wake) in woken {
        let _ = subscriber.send(wake);
    }
}

/// Tells a sender what became of its message.
fn answer(sender: Sender<Result<Published, store::Error>>, outcome: Result<Published, store::Error>) {
    let _ = sender.send(outcome);
}

/// Answers letters to a room that can't be opened. Who subscribes hears nothing, and comes back.
fn refuse(letters: impl Iterator<Item = Letter>, error: &store::Error) {
    for letter in letters {
        if let Letter::Publish { sender, .. } = letter {
            answer(sender, Err(error.clone()));
        }
    }
}
