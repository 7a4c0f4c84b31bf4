//! Who is present, beside what is stored: devices that wait, speak, leave and vanish, while the store
//! fails, the room panics, the server starts anew and somebody sets the clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comet_chat::clock::Now;
use comet_chat::config::GRACE;
use comet_chat::message::{Draft, Kind, PersonName, RoomName, SentAs, Timestamp};
use comet_chat::presence::End;
use comet_chat::room::{After, Room, SubscriberId, Subscription, Wake, Wants};
use comet_chat::store::{Keep, MemoryStore, Store};
use comet_chat::tails::Tails;
use fastrand::Rng;

/// Six stories of the same kind, each from another side: one person's two devices; a leave that the store
/// refused and that was answered with `ok`; a batch that failed and left somebody present whom nobody had
/// been told of, or had somebody leave who never joined; a clock that was set back and kept ghosts for an
/// hour.
///
/// `TIMES=100` makes it a hundred times as long.
#[test]
fn presence_follows_what_is_stored() {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    let times: u64 = std::env::var("TIMES").map_or(1, |times| times.parse().expect("TIMES is a number"));
    println!("repeat this with SEED={seed}");
    for run in 0..100 * times {
        let mut world = World::new(Rng::with_seed(seed.wrapping_add(run)));
        for _ in 0..200 {
            world.batch();
        }
        world.everybody_goes();
    }
}

/// What is known of a person who is not the room.
#[derive(Default)]
struct Person {
    /// The waits of this person's devices.
    waits: Vec<SubscriberId>,
    /// When one of the devices was last heard of.
    seen: Option<Instant>,
    /// When the person will have left, by its own word.
    ends: Option<Instant>,
    /// Whether this batch has to end the person's presence.
    leaves: bool,
}

struct World {
    rng: Rng,
    store: MemoryStore,
    room: Room<SubscriberId>,
    people: BTreeMap<PersonName, Person>,
    clock: Instant,
    ids: u64,
}

/// What came of a batch.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    Stored,
    Refused,
    /// The room panics before or after the store had it, or the process ends and another begins.
    Restarted {
        is_stored: bool,
    },
}

impl World {
    fn new(rng: Rng) -> World {
        let store = MemoryStore::new(Keep { messages: usize::MAX, age: None });
        let clock = Instant::now();
        let room = open(&store, Now { wall: Timestamp(0), clock });
        let names = ["ann", "ben", "cem"].map(|name| name.parse().expect("a name"));
        let people = names.into_iter().map(|name| (name, Person::default())).collect();
        World { rng, store, room, people, clock, ids: 0 }
    }

    /// Some letters, and what an owner does with them.
    fn batch(&mut self) {
        self.clock += Duration::from_millis(self.rng.u64(..6_000));
        // Somebody sets the clock all the time.
        let now = Now { wall: Timestamp(self.rng.u64(..10_000_000)), clock: self.clock };
        let mut drafts = Vec::new();
        for _ in 0..self.rng.usize(..5) {
            let name = self.rng.choice(["ann", "ben", "cem"]).expect("three").parse().expect("a name");
            match self.rng.u8(..6) {
                0 => self.speaks(&name, now, &mut drafts),
                1 | 2 => self.waits(&name, now, &mut drafts),
                3 => self.leaves(&name, now, &mut drafts),
                _ => self.ends_a_wait(&name, now),
            }
        }
        let beat = self.rng.bool();
        if beat {
            let lapsed = self.room.people.lapse(now);
            for draft in &lapsed {
                let name = draft.name.as_ref().expect("somebody");
                assert!(draft.kind != Kind::Left || self.has_gone(name), "{name} left, and had not gone");
            }
            drafts.extend(lapsed);
        }
        let fate = match self.rng.u8(..12) {
            0 | 1 => Fate::Refused,
            2 => Fate::Restarted { is_stored: self.rng.bool() },
            _ => Fate::Stored,
        };
        self.settles(&drafts, fate, now);
        for (name, person) in &mut self.people {
            let leaves = std::mem::take(&mut person.leaves) && fate == Fate::Stored;
            assert!(
                !leaves || !self.room.people.list().iter().any(|(other, _)| other == name),
                "{name} left"
            );
        }
        self.agrees(fate == Fate::Stored && beat);
    }

    /// Who says something is announced before it is said.
    fn speaks(&mut self, name: &PersonName, now: Now, drafts: &mut Vec<Draft>) {
        drafts.extend(self.is_seen(name, now));
        self.ids += 1;
        let id = format!("id-{}", self.ids).parse().expect("an id");
        drafts.push(Draft {
            kind: Kind::Message,
            name: Some(name.clone()),
            text: "hi".into(),
            sent_as: Some(SentAs { id, at: Timestamp(0) }),
            at: now.wall,
        });
    }

    fn waits(&mut self, name: &PersonName, now: Now, drafts: &mut Vec<Draft>) {
        drafts.extend(self.is_seen(name, now));
        let id = SubscriberId::fresh();
        let wants = if self.rng.bool() { Wants::Everything } else { Wants::Messages };
        let what = Subscription { after: After::Latest, wants, name: Some(name.clone()) };
        assert_eq!(self.room.subscribe(id, what, id), None, "there is nothing to wake it with");
        self.person(name).waits.push(id);
    }

    fn is_seen(&mut self, name: &PersonName, now: Now) -> Option<Draft> {
        let person = self.person(name);
        (person.seen, person.ends, person.leaves) = (Some(now.clock), None, false);
        self.room.people.sees(name, now)
    }

    fn leaves(&mut self, name: &PersonName, now: Now, drafts: &mut Vec<Draft>) {
        let wait = Duration::from_secs(self.rng.u64(..4));
        let left = self.room.people.leaves(name, wait, now);
        let person = self.person(name);
        if wait.is_zero() && person.waits.is_empty() {
            drafts.extend(left);
            person.leaves = true;
        } else {
            assert_eq!(left, None, "{name} waits yet, or is not to leave before {wait:?}");
            person.ends = Some(now.clock + wait);
        }
    }

    fn ends_a_wait(&mut self, name: &PersonName, now: Now) {
        let is_gone = self.rng.bool();
        let Some(id) = self.person(name).waits.pop() else { return };
        let end = if is_gone { End::Gone } else { End::Answered };
        let told = self.room.unsubscribe(id, end, now);
        assert!(matches!(told, Some((same, Wake::Expired(_))) if same == id));
        self.waited(name, end, now);
    }

    fn waited(&mut self, name: &PersonName, end: End, now: Now) {
        let person = self.person(name);
        person.seen = Some(now.clock);
        if end == End::Answered {
            person.ends = None;
        }
    }

    fn settles(&mut self, drafts: &[Draft], fate: Fate, now: Now) {
        if fate == Fate::Stored || fate == (Fate::Restarted { is_stored: true }) {
            let appended = self.store.append(&RoomName::lobby(), drafts).expect("there is place");
            if fate == Fate::Stored {
                let (woken, _) = self.room.publish(&appended, now);
                woken.into_iter().for_each(|(id, _)| self.is_answered(id, now));
                return;
            }
        }
        if fate == Fate::Refused {
            return self.room.people.settle(&[]);
        }
        // All who waited are told to come back, and who is present has the grace time for it.
        self.room = open(&self.store, now);
        for person in self.people.values_mut() {
            *person = Person { seen: Some(now.clock), ..Person::default() };
        }
    }

    fn is_answered(&mut self, id: SubscriberId, now: Now) {
        let waits = |(_, person): &(&PersonName, &Person)| person.waits.contains(&id);
        let name = self.people.iter().find(waits).map(|(name, _)| name.clone()).expect("who waits");
        self.person(&name).waits.retain(|wait| *wait != id);
        self.waited(&name, End::Answered, now);
    }

    /// Whether the store and the room say the same, and neither shows a ghost; and if all could be said,
    /// whether it was.
    fn agrees(&self, all_is_said: bool) {
        let tail = self.store.newest(&RoomName::lobby(), usize::MAX).expect("the room");
        assert_eq!(self.room.people.list(), tail.present, "the room shows what is stored");
        let mut present = Vec::new();
        for message in &tail.messages {
            let name = message.name.as_ref().expect("everybody has a name");
            let is_present = present.contains(&name);
            assert_eq!(is_present, message.kind != Kind::Joined, "{name} {:?} out of order", message.kind);
            match message.kind {
                Kind::Joined => present.push(name),
                Kind::Left => present.retain(|other| *other != name),
                Kind::Message => {}
            }
        }
        for (name, person) in self.people.iter().filter(|_| all_is_said) {
            let is_present = present.contains(&name);
            assert!(is_present || person.waits.is_empty(), "{name} waits, and nobody was told");
            assert!(!is_present || !self.has_gone(name), "{name} has gone, and nobody was told");
        }
    }

    /// Whether no device of the person waits, and none was heard of for long enough, or said good-bye.
    fn has_gone(&self, name: &PersonName) -> bool {
        let person = &self.people[name];
        let is_silent = person.seen.is_none_or(|seen| self.clock - seen >= GRACE);
        person.waits.is_empty() && (is_silent || person.ends.is_some_and(|ends| ends <= self.clock))
    }

    fn everybody_goes(&mut self) {
        let now = Now { wall: Timestamp(0), clock: self.clock };
        let names: Vec<_> = self.people.keys().cloned().collect();
        for name in names {
            while !self.person(&name).waits.is_empty() {
                self.ends_a_wait(&name, now);
            }
        }
        self.clock += GRACE;
        let now = Now { wall: Timestamp(0), clock: self.clock };
        let left = self.room.people.lapse(now);
        self.settles(&left, Fate::Stored, now);
        self.agrees(true);
        assert!(self.room.people.is_empty(), "a ghost stayed");
    }

    fn person(&mut self, name: &PersonName) -> &mut Person {
        self.people.get_mut(name).expect("one of three")
    }
}

fn open(store: &MemoryStore, now: Now) -> Room<SubscriberId> {
    let tail = store.newest(&RoomName::lobby(), 10).expect("a room");
    Room::new(store.epoch(), tail, &Arc::new(Tails::default()), now)
}
