//! An owner's engine in the hands of a test: it keeps answers, and holds drafts until the test decides what
//! becomes of them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use comet_chat::clock::Now;
use comet_chat::message::{Cursor, Draft, RoomName};
use comet_chat::room::Wake;
use comet_chat::room::letter::{BatchId, Engine, Letter};
use comet_chat::room::owner::Owner;
use comet_chat::room::state::Room;
use comet_chat::store::{Arrived, Done, Error, MemoryStore, Store};
use fastrand::Rng;

/// What was handed to the store.
pub type Handed = Rc<RefCell<Vec<(BatchId, Cursor, Vec<Draft>)>>>;

#[derive(Clone, Default)]
pub struct Desk {
    pub handed: Handed,
}

/// Where one answer goes to.
pub struct To<T>(Rc<RefCell<Option<T>>>);

/// Where one answer is read.
pub struct Answer<T>(Rc<RefCell<Option<T>>>);

/// A fresh channel.
pub fn channel<T>() -> (To<T>, Answer<T>) {
    let place = Rc::new(RefCell::new(None));
    (To(place.clone()), Answer(place))
}

impl<T> Answer<T> {
    /// The answer, if it has come.
    pub fn take(&self) -> Option<T> {
        self.0.borrow_mut().take()
    }

    /// Whether no answer can come any more.
    pub fn is_lost(&self) -> bool {
        Rc::strong_count(&self.0) == 1 && self.0.borrow().is_none()
    }
}

impl Engine for Desk {
    type To<T> = To<T>;

    fn answer<T>(to: To<T>, what: T) {
        assert!(to.0.replace(Some(what)).is_none(), "somebody is answered twice");
    }

    fn broadcast(&self, woken: Vec<(To<Wake>, Wake)>) {
        woken.into_iter().for_each(|(to, wake)| Self::answer(to, wake));
    }

    fn append(&self, batch: BatchId, seen: Cursor, drafts: Vec<Draft>) {
        self.handed.borrow_mut().push((batch, seen, drafts));
        assert_eq!(self.handed.borrow().len(), 1, "one batch is on its way");
    }
}

impl Desk {
    /// Takes the batch that is on its way, and stores or refuses it. Returns the letter that tells the owner.
    pub fn decide(&self, store: &MemoryStore, is_stored: bool) -> Option<Letter<Desk>> {
        self.decide_for(store, &RoomName::lobby(), is_stored)
    }

    /// The same for another room than the lobby.
    pub fn decide_for(&self, store: &MemoryStore, room: &RoomName, is_stored: bool) -> Option<Letter<Desk>> {
        let (batch, seen, drafts) = self.handed.borrow_mut().pop()?;
        let refused = || Err(Error("refused by the test".into()));
        Some(Letter::Arrived(batch, if is_stored { append(store, room, seen, drafts) } else { refused() }))
    }
}

/// The owner of the lobby, opened from the store. It holds little, so late clients read from the store.
pub fn open(desk: &Desk, store: &MemoryStore, now: Now) -> Owner<Desk> {
    let name = RoomName::lobby();
    let tail = store.newest(&name, 10).expect("a room");
    let room = Room::new(tail, &Arc::default(), now);
    Owner::new(desk.clone(), name, room, store.keep(), now)
}

/// Runs a random world so many times. `SEED` repeats it, and `TIMES=100` makes it a hundred times as long.
pub fn by_chance(runs: u64, world: impl Fn(Rng)) {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    let times: u64 = std::env::var("TIMES").map_or(1, |times| times.parse().expect("TIMES is a number"));
    println!("repeat this with SEED={seed}");
    (0..runs * times).for_each(|run| world(Rng::with_seed(seed.wrapping_add(run))));
}

/// A store in memory calls at once.
fn append(store: &MemoryStore, room: &RoomName, seen: Cursor, drafts: Vec<Draft>) -> Result<Arrived, Error> {
    let (done, outcome) = std::sync::mpsc::channel();
    store.append(room, seen, drafts, Done::new(move |outcome| drop(done.send(outcome))));
    outcome.recv().expect("an outcome")
}
