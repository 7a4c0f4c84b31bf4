//! A store that is set back to an older state, and grows another past: what cursors are told of that.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use comet_chat::clock::Now;
use comet_chat::message::{Cursor, Message, RoomName};
use comet_chat::room::state::Room;
use comet_chat::room::{self, After, Delivery, Outcome, SubscriberId, Subscription, Wake, Wants};
use comet_chat::store::{self, Keep, Part, Read, Store};
use fastrand::Rng;
use tempfile::TempDir;

use crate::place::{AppendAndWait, Place, kept, said};

/// After a backup was put back, a client that was ahead of it was told of its loss only until the new past had
/// as many messages as it had seen. Then it silently went on in a room whose past it had never seen.
mod sqlite {
    #[test]
    fn a_cursor_is_told_of_a_gap_exactly_if_something_is_lost() {
        super::a_cursor_is_told_of_a_gap_exactly_if_something_is_lost(crate::place::Place::in_a_file);
    }
}

#[cfg(feature = "redis")]
mod redis {
    #[test]
    fn a_cursor_is_told_of_a_gap_exactly_if_something_is_lost() {
        super::a_cursor_is_told_of_a_gap_exactly_if_something_is_lost(crate::place::Place::in_redis);
    }
}

fn a_cursor_is_told_of_a_gap_exactly_if_something_is_lost(place: fn() -> Place) {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    let times: u64 = std::env::var("TIMES").map_or(1, |times| times.parse().expect("TIMES is a number"));
    println!("repeat this with SEED={seed}");
    let (mut told, mut spared) = (0, 0);
    for run in 0..8 * times {
        let mut world = World::new(Rng::with_seed(seed.wrapping_add(run)), place());
        for _ in 0..80 {
            world.step();
        }
        (told, spared) = (told + world.told, spared + world.spared);
    }
    assert!(told > 20 && spared > 20, "{told} were told of a gap, and {spared} were not");
}

/// A client: its cursor, and all that was said up to there, as it knows it.
struct Client {
    cursor: Cursor,
    seen: Vec<u64>,
}

/// A store as it was.
enum Backup {
    File(TempDir),
    /// What the names of the copied keys begin with.
    #[cfg(feature = "redis")]
    Redis(String),
}

struct World {
    rng: Rng,
    place: Place,
    /// `None` only while a backup is put in its place.
    store: Option<Arc<dyn Store>>,
    keep: Keep,
    /// All messages of the present past. No text comes twice, in any past.
    past: Vec<u64>,
    texts: u64,
    backups: Vec<(Backup, Vec<u64>)>,
    clients: Vec<Client>,
    told: usize,
    spared: usize,
}

impl World {
    fn new(mut rng: Rng, place: Place) -> World {
        let keep = Keep { messages: rng.usize(1..30), files: u64::MAX, age: None };
        // Once closed, the file itself holds the epoch, whatever becomes of the log.
        let store = Some(place.reopen(place.open(keep), keep));
        let (past, backups, clients) = (Vec::new(), Vec::new(), Vec::new());
        World { rng, place, store, keep, past, texts: 0, backups, clients, told: 0, spared: 0 }
    }

    fn step(&mut self) {
        match self.rng.u8(..16) {
            0..=4 => self.somebody_speaks(),
            5 => self.is_copied(),
            6 => self.is_put_back(),
            7 => self.loses_the_end_of_its_log(),
            8..=11 => self.somebody_comes(),
            _ => self.somebody_goes_on(),
        }
        assert_eq!(self.latest().sequence, self.past.len() as u64);
    }

    fn store(&self) -> &dyn Store {
        &**self.store.as_ref().expect("a store")
    }

    fn latest(&self) -> Cursor {
        self.store().newest(&RoomName::lobby(), 0).unwrap().latest
    }

    fn somebody_speaks(&mut self) {
        for _ in 0..self.rng.u64(1..6) {
            self.texts += 1;
            self.past.push(self.texts);
            let draft = said(&self.texts.to_string(), self.texts);
            self.store().append_and_wait(&RoomName::lobby(), &[draft]).unwrap();
        }
    }

    fn is_copied(&mut self) {
        let backup = match &self.place {
            #[cfg(feature = "redis")]
            Place::Redis(prefix, _) => {
                Backup::Redis(crate::shared::copy_keys(prefix, &crate::redis::a_prefix()))
            }
            place => Backup::File(copy(&place.path())),
        };
        self.backups.push((backup, self.past.clone()));
    }

    fn is_put_back(&mut self) {
        let Some(backup) = self.rng.choice(0..self.backups.len()) else { return };
        let (backup, past) = &self.backups[backup];
        self.past = past.clone();
        self.store = None;
        match (backup, &self.place) {
            #[cfg(feature = "redis")]
            (Backup::Redis(copy), Place::Redis(prefix, _)) => drop(crate::shared::copy_keys(copy, prefix)),
            (Backup::File(directory), place) => put(&in_there(directory), &place.path()),
            #[cfg(feature = "redis")]
            _ => panic!("a backup of another place"),
        }
        self.store = Some(self.place.open(self.keep));
    }

    /// As after a crash of a machine whose disk has not written what it had confirmed.
    fn loses_the_end_of_its_log(&mut self) {
        // What Redis writes is its own.
        if self.place.is_shared() {
            return;
        }
        let directory = copy(&self.place.path());
        let log = fs::OpenOptions::new().write(true).open(log_of(&in_there(&directory))).unwrap();
        log.set_len(self.rng.u64(..=log.metadata().unwrap().len())).unwrap();
        self.store = None;
        put(&in_there(&directory), &self.place.path());
        self.store = Some(self.place.open(self.keep));
        self.past.truncate(usize::try_from(self.latest().sequence).unwrap());
    }

    /// Somebody reads up to some place that is kept, or the end.
    fn somebody_comes(&mut self) {
        let messages = self.store().after(&RoomName::lobby(), 0, usize::MAX).unwrap();
        let cursor = self.rng.choice(messages).map_or(self.latest(), |message| message.id);
        let seen = self.past[..usize::try_from(cursor.sequence).unwrap()].to_vec();
        self.clients.push(Client { cursor, seen });
    }

    fn somebody_goes_on(&mut self) {
        let Some(who) = self.rng.choice(0..self.clients.len()) else { return };
        let Client { cursor, seen } = &self.clients[who];
        let lobby = RoomName::lobby();
        let at = seen.len();
        let is_past = self.past.get(..at) == Some(seen);
        let kept = kept(self.store(), &lobby);
        let is_told_by_what_follows = at == self.past.len() || kept.contains(&(at as u64 + 1));
        let is_lost = !is_past || !is_told_by_what_follows;

        let limit = self.rng.usize(..40);
        let tail = self.store().newest(&lobby, limit).unwrap();
        let mut room: Room<()> = Room::new(tail, &Arc::default(), Now::read());
        let what = Subscription { after: After::Cursor(*cursor), wants: Wants::ONE_MESSAGE, who: None };
        let awake = room.subscribe(SubscriberId::fresh(), what, ()).map(|((), wake)| wake);
        let asleep = Some(room::look(self.latest(), After::Cursor(*cursor)));
        for wake in [awake, asleep] {
            let delivery = self.delivery(wake);
            assert_eq!(delivery.gap, is_lost, "{cursor} after {} messages: {delivery:?}", self.past.len());
            let from = if is_lost { self.past.len() - kept.len() } else { at };
            assert_eq!(texts(&delivery.messages), self.past[from..]);
            assert_eq!(delivery.next, self.latest());
        }

        let Read { messages, gap, .. } =
            store::past(self.store(), &lobby, Part::Before(*cursor), 10).unwrap();
        let is_before_all = at < self.past.len() && !is_told_by_what_follows;
        assert_eq!(gap, !is_past && !is_before_all, "before {cursor}");
        if !gap {
            let older = self.past.get(self.past.len() - kept.len()..at.saturating_sub(1)).unwrap_or_default();
            assert_eq!(texts(&messages), older[older.len().saturating_sub(10)..]);
        }
        (self.told, self.spared) = (self.told + usize::from(is_lost), self.spared + usize::from(!is_lost));
    }

    /// What a client gets, wherever it is kept. A client that would wait gets nothing.
    fn delivery(&self, wake: Option<Wake>) -> Delivery {
        match wake {
            Some(Wake::Delivery(delivery)) => delivery,
            Some(Wake::Stored(missed)) => {
                let read = store::since(self.store(), &RoomName::lobby(), missed.after, 1_000).unwrap();
                match missed.outcome(read, usize::MAX) {
                    Outcome::Delivery(delivery) => delivery,
                    other => panic!("a room that has seen all sent its client to the store for {other:?}"),
                }
            }
            None | Some(Wake::Expired(_)) => {
                Delivery { messages: [].into(), next: self.latest(), gap: false }
            }
            Some(Wake::Closing(_) | Wake::Taken(_) | Wake::Denied(_)) => {
                panic!("nobody closes the room, or has a name")
            }
        }
    }
}

fn texts(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|message| message.text.parse().unwrap()).collect()
}

/// The file and its log as they stand.
fn copy(path: &Path) -> TempDir {
    let directory = TempDir::new().unwrap();
    put(path, &in_there(&directory));
    directory
}

fn in_there(directory: &TempDir) -> PathBuf {
    directory.path().join("chat.db")
}

/// Puts a copy in the place of a file.
fn put(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    fs::copy(log_of(from), log_of(to)).unwrap();
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
