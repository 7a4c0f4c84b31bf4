//! Who is present, beside what is stored: devices wait, speak, leave and vanish, while the store is late or
//! fails, the room panics, the server restarts and the clock is set.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use comet_chat::clock::Now;
use comet_chat::config::{GRACE, LAPSE_BEAT};
use comet_chat::message::{Claim, Draft, Holder, Kind, Person as Somebody, PersonName, RoomName, Timestamp};
use comet_chat::room::lease::End;
use comet_chat::room::letter::Letter;
use comet_chat::room::owner::Owner;
use comet_chat::room::{After, Receipt, SubscriberId, Subscription, Unpublished, Wake, Wants};
use comet_chat::store::{Keep, MemoryStore, Store};
use fastrand::Rng;

use crate::desk::{Answer, Desk, by_chance, channel, open};

/// Six faults of the same kind, each from another side: one person's two devices; a leave that the store
/// refused and that was answered `ok`; a failed batch after which a person was present without a `joined`, or
/// got a `left` without having joined; a clock that was set back and kept ghosts for an hour. And since the
/// room goes on while a batch is on its way: the same for drafts that were made meanwhile, before the batch
/// was known to be stored.
///
/// Two of the people hold their names by a key. Others who try these names, or names like them, change nothing.
#[test]
fn presence_follows_what_is_stored() {
    by_chance(100, |rng| {
        let mut world = World::new(rng);
        for _ in 0..200 {
            world.step();
        }
        world.everybody_goes();
    });
}

/// What the model knows of a person.
#[derive(Default)]
struct Person {
    /// The waits of this person's devices.
    waits: Vec<(SubscriberId, Answer<Wake>)>,
    /// When a device was last seen.
    seen: Option<Instant>,
    /// When the person will have left, after a leave.
    ends: Option<Instant>,
    /// Leaves that must end the person's presence, unless the person is seen after them.
    leaves: Vec<Answer<Result<(), Unpublished>>>,
    /// Whether the person could have left at some moment since all drafts were settled.
    could_leave: bool,
}

struct World {
    rng: Rng,
    store: MemoryStore,
    desk: Desk,
    owner: Owner<Desk>,
    /// The outcomes that the store has decided and the room has not read.
    late: VecDeque<Letter<Desk>>,
    people: BTreeMap<PersonName, Person>,
    clock: Instant,
    looked: Instant,
    ids: u64,
    /// Those who must be refused at once.
    refused: Vec<Refused>,
}

enum Refused {
    Leave(Answer<Result<(), Unpublished>>),
    Message(Answer<Receipt>),
    Wait(Answer<Wake>),
}

/// What shows that a name is theirs. Ben has no key.
fn claim_of(name: &PersonName) -> Claim {
    match name.as_str() {
        "ann" => Claim::Key(Holder::from_bytes([1; 16])),
        "cem" => Claim::Key(Holder::from_bytes([3; 16])),
        _ => Claim::Nothing,
    }
}

impl World {
    fn new(rng: Rng) -> World {
        let store = MemoryStore::new(Keep { messages: usize::MAX, files: u64::MAX, age: None });
        let clock = Instant::now();
        let desk = Desk::default();
        let owner = open(&desk, &store, Now { wall: Timestamp(0), clock });
        let names = ["ann", "ben", "cem"].map(|name| name.parse().expect("a name"));
        let people = names.into_iter().map(|name| (name, Person::default())).collect();
        let (late, refused) = (VecDeque::new(), Vec::new());
        World { rng, store, desk, owner, late, people, clock, looked: clock, ids: 0, refused }
    }

    /// Some letters, and what becomes of the batch that is on its way.
    fn step(&mut self) {
        self.clock += Duration::from_millis(self.rng.u64(..3_000));
        let now = self.now();
        let mut letters = Vec::new();
        if self.owner.is_settled() {
            self.people.values_mut().for_each(|person| person.could_leave = false);
        }
        for _ in 0..self.rng.usize(..4) {
            let name = self.rng.choice(["ann", "ben", "cem"]).expect("three").parse().expect("a name");
            letters.extend(match self.rng.u8(..7) {
                0 => Some(self.speaks(&name, now)),
                1 | 2 => Some(self.waits(&name, now)),
                3 => Some(self.leaves(&name, now)),
                4 => self.somebody_else_tries(&name, now),
                _ => self.ends_a_wait(&name, now),
            });
        }
        self.act(letters, now);
        match self.rng.u8(..12) {
            0..=3 => self.decides(true),
            4 => self.decides(false),
            5 => self.restarts(now),
            6..=8 => self.learns(now),
            9 => self.settles(now),
            _ => {}
        }
        self.agrees(false);
    }

    /// The clock is set all the time.
    fn now(&mut self) -> Now {
        Now { wall: Timestamp(self.rng.u64(..10_000_000)), clock: self.clock }
    }

    fn act(&mut self, letters: impl IntoIterator<Item = Letter<Desk>>, now: Now) {
        let was_idle = self.desk.handed.borrow().is_empty();
        self.owner.act(letters.into_iter(), now);
        for refused in self.refused.drain(..) {
            let is_told = match refused {
                Refused::Leave(answer) => matches!(answer.take(), Some(Err(Unpublished::NameTaken(_)))),
                Refused::Message(answer) => matches!(answer.take(), Some(Err(Unpublished::NameTaken(_)))),
                Refused::Wait(answer) => matches!(answer.take(), Some(Wake::Taken(_))),
            };
            assert!(is_told, "somebody else has the name");
        }
        self.hears(now);
        if now.clock - self.looked >= LAPSE_BEAT {
            self.looked = now.clock;
            let gone: Vec<_> = self.people.keys().filter(|name| self.has_gone(name)).cloned().collect();
            gone.iter().for_each(|name| self.person(name).could_leave = true);
        }
        let handed = self.desk.handed.borrow();
        let drafts = handed.iter().filter(|_| was_idle).flat_map(|(_, _, drafts)| drafts);
        for name in drafts.filter(|draft| draft.kind == Kind::Left).filter_map(|draft| draft.name.as_ref()) {
            assert!(self.people[name].could_leave, "{name} left too early");
        }
    }

    /// A person who speaks joins first.
    fn speaks(&mut self, name: &PersonName, now: Now) -> Letter<Desk> {
        self.is_seen(name, now);
        self.ids += 1;
        let id = format!("id-{}", self.ids).parse().expect("an id");
        let draft = Draft { at: now.wall, ..Draft::said(Some(name.clone()), claim_of(name), "hi", Some(id)) };
        Letter::Publish { draft, sender: channel().0 }
    }

    fn waits(&mut self, name: &PersonName, now: Now) -> Letter<Desk> {
        self.is_seen(name, now);
        let id = SubscriberId::fresh();
        let wants = if self.rng.bool() { Wants::EVERYTHING } else { Wants::ONE_MESSAGE };
        let who = Some(Somebody { name: name.clone(), claim: claim_of(name) });
        let what = Subscription { after: After::Latest, wants, who };
        let (subscriber, wake) = channel();
        self.person(name).waits.push((id, wake));
        Letter::Subscribe { id, what, subscriber }
    }

    fn is_seen(&mut self, name: &PersonName, now: Now) {
        let person = self.person(name);
        (person.seen, person.ends) = (Some(now.clock), None);
        person.leaves.clear();
    }

    fn leaves(&mut self, name: &PersonName, now: Now) -> Letter<Desk> {
        let wait = Duration::from_secs(self.rng.u64(..4));
        let (done, answer) = channel();
        let person = self.person(name);
        if wait.is_zero() && person.waits.is_empty() {
            person.leaves.push(answer);
            person.could_leave = true;
        } else {
            person.ends = Some(now.clock + wait);
        }
        Letter::Leave { who: Somebody { name: name.clone(), claim: claim_of(name) }, wait, done }
    }

    /// Somebody without the key waits, speaks or leaves under a name that is held for sure, or one like it.
    fn somebody_else_tries(&mut self, name: &PersonName, now: Now) -> Option<Letter<Desk>> {
        let person = &self.people[name];
        let is_present = self.owner.room().people.list().iter().any(|(other, _)| other == name);
        let is_sure = is_present && !person.could_leave && !self.has_gone(name);
        claim_of(name).holder().filter(|_| is_sure && self.late.is_empty())?;
        let claim = self.rng.choice([Claim::Nothing, Claim::Key(Holder::from_bytes([9; 16]))]).expect("two");
        let alike = name.as_str().to_uppercase().parse().expect("a name");
        let written = if self.rng.bool() { name.clone() } else { alike };
        let who = Somebody { name: name.clone(), claim };
        match self.rng.u8(..3) {
            0 => {
                let (done, answer) = channel();
                self.refused.push(Refused::Leave(answer));
                Some(Letter::Leave { who, wait: Duration::ZERO, done })
            }
            1 => {
                let (sender, answer) = channel();
                self.refused.push(Refused::Message(answer));
                let draft = Draft { at: now.wall, ..Draft::said(Some(written), claim, "not mine", None) };
                Some(Letter::Publish { draft, sender })
            }
            _ => {
                let (subscriber, answer) = channel();
                self.refused.push(Refused::Wait(answer));
                let who = Some(Somebody { name: written, claim });
                let what = Subscription { after: After::Latest, wants: Wants::EVERYTHING, who };
                Some(Letter::Subscribe { id: SubscriberId::fresh(), what, subscriber })
            }
        }
    }

    fn ends_a_wait(&mut self, name: &PersonName, now: Now) -> Option<Letter<Desk>> {
        let is_gone = self.rng.bool();
        let (id, _) = self.person(name).waits.pop()?;
        let end = if is_gone { End::Gone } else { End::Answered };
        self.waited(name, end, now);
        Some(Letter::Unsubscribe(id, end))
    }

    fn waited(&mut self, name: &PersonName, end: End, now: Now) {
        let person = self.person(name);
        person.seen = Some(now.clock);
        if end == End::Answered {
            person.ends = None;
        }
    }

    /// The store decides on its batch, and the room reads the outcome later.
    fn decides(&mut self, is_stored: bool) {
        self.late.extend(self.desk.decide(&self.store, is_stored));
    }

    /// The room reads the outcomes.
    fn learns(&mut self, now: Now) {
        let late = std::mem::take(&mut self.late);
        late.into_iter().for_each(|letter| self.act([letter], now));
    }

    /// The store takes everything that is left. What it refused before is published at the next beat.
    fn settles(&mut self, now: Now) {
        self.learns_all(now);
        self.clock += LAPSE_BEAT;
        let now = self.now();
        self.act([], now);
        self.learns_all(now);
        self.agrees(true);
    }

    fn learns_all(&mut self, now: Now) {
        self.learns(now);
        while !self.owner.is_settled() {
            self.decides(true);
            self.learns(now);
        }
    }

    /// The room panics before or after the store had the batch, or the process ends and another one starts.
    /// The room is opened when the store has decided, and may get the outcome afterwards.
    fn restarts(&mut self, now: Now) {
        let is_stored = self.rng.bool();
        self.decides(is_stored);
        self.owner = open(&self.desk, &self.store, now);
        self.looked = now.clock;
        for person in self.people.values_mut() {
            assert!(person.waits.iter().all(|(_, wake)| wake.is_lost()), "the waiters must poll again");
            // A person who is present has the grace time to come back.
            *person = Person { seen: Some(now.clock), ..Person::default() };
        }
    }

    /// What the devices hear.
    fn hears(&mut self, now: Now) {
        let present = self.owner.room().people.list();
        for (name, person) in &mut self.people {
            let before = person.waits.len();
            person.waits.retain(|(_, wake)| match wake.take() {
                Some(Wake::Delivery(_)) => false,
                None => true,
                other => panic!("{name} waited and heard {other:?}"),
            });
            if person.waits.len() < before {
                (person.seen, person.ends) = (Some(now.clock), None);
            }
            let is_present = present.iter().any(|(other, _)| other == name);
            person.leaves.retain(|leave| match leave.take() {
                Some(left) => {
                    assert!(left.is_err() || !is_present, "{name} left");
                    false
                }
                None => true,
            });
        }
    }

    /// Whether the store and the room agree, and neither shows a ghost; and if everything could be published,
    /// whether it was.
    fn agrees(&self, all_is_said: bool) {
        let tail = self.store.newest(&RoomName::lobby(), usize::MAX).expect("the room");
        if self.late.is_empty() {
            assert_eq!(
                self.owner.room().people.list(),
                tail.clone().people(),
                "the room shows what is stored"
            );
        }
        let mut present = Vec::new();
        for message in &tail.messages {
            let name = message.name.as_ref().expect("everybody has a name");
            assert_eq!(message.holder, claim_of(name).holder(), "{name} is who holds the name");
            let is_present = present.contains(&name);
            assert_eq!(is_present, message.kind != Kind::Joined, "{name} {:?} out of order", message.kind);
            match message.kind {
                Kind::Joined => present.push(name),
                Kind::Left => present.retain(|other| *other != name),
                _ => {}
            }
        }
        for (name, person) in self.people.iter().filter(|_| all_is_said) {
            let is_present = present.contains(&name);
            assert!(is_present || person.waits.is_empty(), "{name} waits and was not announced");
            assert!(!is_present || !self.has_gone(name), "{name} has gone without a left");
        }
    }

    /// Whether none of the person's devices waits, and either none was seen for the grace time or the person
    /// has left.
    fn has_gone(&self, name: &PersonName) -> bool {
        let person = &self.people[name];
        let is_silent = person.seen.is_none_or(|seen| self.clock - seen >= GRACE);
        person.waits.is_empty() && (is_silent || person.ends.is_some_and(|ends| ends <= self.clock))
    }

    fn everybody_goes(&mut self) {
        let now = self.now();
        let names: Vec<_> = self.people.keys().cloned().collect();
        for name in names {
            while let Some(letter) = self.ends_a_wait(&name, now) {
                self.act([letter], now);
            }
        }
        self.settles(now);
        self.clock += GRACE;
        let now = self.now();
        self.act([], now);
        self.settles(now);
        assert!(self.owner.room().people.is_empty(), "a ghost stayed");
    }

    fn person(&mut self, name: &PersonName) -> &mut Person {
        self.people.get_mut(name).expect("one of three")
    }
}
