//! Several instances with one store, beside a plain model of that store: notices are lost, doubled and late,
//! batches fail although they are stored, instances are taken for dead or start anew, and the store goes back to
//! an earlier past or is emptied.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use comet_chat::clock::Now;
use comet_chat::config::{GRACE, LAPSE_BEAT};
use comet_chat::message::{
    Claim, Cursor, Draft, Holder, Kind, Message, Person, PersonName, RoomName, SendId, Timestamp,
};
use comet_chat::room::lease::End;
use comet_chat::room::letter::Letter;
use comet_chat::room::owner::Owner;
use comet_chat::room::state::Room;
use comet_chat::room::{After, Receipt, SubscriberId, Subscription, Unpublished, Wake, Wants};
use comet_chat::store::{self, Error, Heard, Keep};
use fastrand::Rng;

use crate::desk::{Answer, Desk, by_chance, channel};
use crate::shared::{Id, Shared};

/// Who is here: a name, and the number of a key if there is one. Some want the name of another, or one like it.
const PEOPLE: [(&str, Option<u8>); 6] =
    [("ann", Some(1)), ("ann", Some(2)), ("Ann", Some(2)), ("ben", None), ("ben", Some(3)), ("cem", None)];

fn person((name, key): (&str, Option<u8>)) -> Person {
    let claim = key.map_or(Claim::Nothing, |key| Claim::Key(Holder::from_bytes([key; 16])));
    Person { name: name.parse().expect("a name"), claim }
}

/// Whether two names look alike, as plain as that can be.
fn are_alike(one: &PersonName, other: &PersonName) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

/// The one order of a room is seen by every client on every instance: each message once. Who has seen a message
/// that the store has lost is told of a gap, and nobody else. People join and leave once, wherever they wait. Two keys
/// never have one name, nor names that look alike.
#[test]
fn instances_that_share_a_store_are_one_chat() {
    by_chance(60, |mut rng| {
        let instances = rng.usize(2..4);
        let loses = rng.bool();
        let mut world = World::new(rng, instances, loses);
        for _ in 0..400 {
            world.step();
        }
        world.ends();
    });
}

/// One instance's room, and what is on its way to it.
struct Instance {
    id: Id,
    desk: Desk,
    owner: Owner<Desk>,
    /// What was told by others, and has not been heard yet.
    notices: VecDeque<Heard>,
    /// The outcomes that the store has decided and the room has not read.
    late: VecDeque<Letter<Desk>>,
}

/// A client that follows the room by its cursor, on another instance each time.
struct Follower {
    wants: Wants,
    who: Option<Person>,
    /// Whether the name is another's, so that it goes on without one.
    is_refused: bool,
    /// Where it goes on; `None` before it was told of a place.
    next: Option<Cursor>,
    /// What it has seen since the last gap.
    seen: Vec<Arc<Message>>,
    /// Whether its messages begin with the oldest that is kept.
    is_whole: bool,
    /// On which instance, and whether under its name.
    wait: Option<(usize, SubscriberId, Answer<Wake>, bool)>,
}

/// Somebody who sends a message again under its id until it is answered `ok`.
struct Sender {
    text: String,
    who: Option<Person>,
    answer: Option<Answer<Receipt>>,
}

struct World {
    rng: Rng,
    store: Shared,
    instances: Vec<Instance>,
    followers: Vec<Follower>,
    senders: Vec<Sender>,
    /// Whether the store may lose something.
    loses: bool,
    clock: Instant,
    texts: u64,
    gaps: usize,
}

impl World {
    fn new(mut rng: Rng, instances: usize, loses: bool) -> World {
        let (store, clock) = (Shared::default(), Instant::now());
        let now = Now { wall: Timestamp(0), clock };
        let instances = (0..instances).map(|_| Instance::start(&store, now)).collect();
        let follower = |n: usize| Follower {
            wants: if rng.bool() { Wants::EVERYTHING } else { Wants::ONE_MESSAGE },
            who: PEOPLE.get(n).copied().map(person),
            is_refused: false,
            next: None,
            seen: Vec::new(),
            is_whole: false,
            wait: None,
        };
        let followers = (0..8).map(follower).collect();
        World { rng, store, instances, followers, senders: Vec::new(), loses, clock, texts: 0, gaps: 0 }
    }

    fn now(&self) -> Now {
        Now { wall: Timestamp(0), clock: self.clock }
    }

    fn step(&mut self) {
        self.clock += Duration::from_millis(self.rng.u64(..400));
        let at = self.rng.usize(..self.instances.len());
        match self.rng.u8(..40) {
            0..=9 => self.somebody_waits(at),
            10..=11 => self.somebody_waits_no_more(),
            12..=16 => self.somebody_speaks(at),
            17 if self.rng.bool() => self.somebody_leaves(at),
            17 => {
                let kind = if self.rng.u8(..3) == 0 { Kind::Removed } else { Kind::Allowed };
                let name = self.rng.choice(PEOPLE).expect("six").0;
                self.operator_decides(at, kind, name);
            }
            18..=23 => self.decides(at),
            24..=28 => self.learns(at),
            29..=33 => self.hears(at),
            34 => self.is_told_again(at),
            35 => self.beats(at),
            36 if self.rng.u8(..3) == 0 => self.starts_anew(at),
            37 if self.rng.u8(..3) == 0 => self.is_taken_for_dead(at),
            38 if self.loses && self.rng.u8(..3) == 0 => {
                let by = self.rng.usize(1..8);
                self.store.goes_back(by);
            }
            39 if self.loses && self.rng.u8(..10) == 0 => self.store.is_emptied(),
            _ => {}
        }
    }

    fn act(&mut self, at: usize, letters: impl IntoIterator<Item = Letter<Desk>>) {
        let now = self.now();
        self.instances[at].owner.act(letters.into_iter(), now);
        let is_idle = self.instances[at].desk.handed.borrow().is_empty();
        assert!(is_idle || !self.instances[at].owner.is_settled(), "a room with a batch may not sleep");
        self.listen();
    }

    fn somebody_waits(&mut self, at: usize) {
        let who = self.rng.usize(..self.followers.len());
        if self.followers[who].wait.is_none() {
            self.waits(who, at);
        }
    }

    fn waits(&mut self, who: usize, at: usize) {
        let begins = if self.rng.bool() { After::Latest } else { After::Oldest };
        let follower = &mut self.followers[who];
        let (id, (subscriber, wake)) = (SubscriberId::fresh(), channel());
        let after = follower.next.map_or(begins, After::Cursor);
        if follower.next.is_none() {
            (follower.seen, follower.is_whole) = (Vec::new(), begins == After::Oldest);
        }
        let who = follower.who.clone().filter(|_| !std::mem::take(&mut follower.is_refused));
        let what = Subscription { after, wants: follower.wants, who };
        follower.wait = Some((at, id, wake, what.who.is_some()));
        self.act(at, [Letter::Subscribe { id, what, subscriber }]);
    }

    /// The end of a wait is answered at once.
    fn somebody_waits_no_more(&mut self) {
        let who = self.rng.usize(..self.followers.len());
        let end = if self.rng.u8(..4) == 0 { End::Gone } else { End::Answered };
        let follower = &mut self.followers[who];
        let Some((at, id, ..)) = &follower.wait else { return };
        let (at, letter) = (*at, Letter::Unsubscribe(*id, end));
        self.act(at, [letter]);
        assert!(self.followers[who].wait.is_none(), "the end of a wait is answered");
    }

    fn somebody_speaks(&mut self, at: usize) {
        let waits = |sender: &Sender| sender.answer.is_none();
        let again: Vec<usize> = (0..self.senders.len()).filter(|n| waits(&self.senders[*n])).collect();
        let who = match self.rng.choice(again) {
            Some(who) => who,
            None => {
                self.texts += 1;
                let who = self.rng.choice(PEOPLE).filter(|_| self.rng.bool()).map(person);
                self.senders.push(Sender { text: self.texts.to_string(), who, answer: None });
                self.senders.len() - 1
            }
        };
        let (sender, answer) = channel();
        let Sender { text, who, answer: answers } = &mut self.senders[who];
        *answers = Some(answer);
        let id: SendId = text.parse().expect("an id");
        let claim = who.as_ref().map_or(Claim::Nothing, |who| who.claim);
        let name = who.as_ref().map(|who| who.name.clone());
        let draft = Draft { at: Timestamp(0), ..Draft::said(name, claim, text, Some(id)) };
        self.act(at, [Letter::Publish { draft, sender }]);
    }

    /// Somebody leaves, through whichever instance.
    fn somebody_leaves(&mut self, at: usize) {
        let who = person(self.rng.choice(PEOPLE).expect("six"));
        let wait = Duration::from_secs(self.rng.u64(..3));
        let (done, left) = channel();
        self.act(at, [Letter::Leave { who: who.clone(), wait, done }]);
        if !matches!(left.take(), Some(Err(Unpublished::NameTaken(_)))) {
            self.tell(Heard::Leaves(who, wait));
        }
    }

    /// The operator removes somebody from the room, or lets somebody in again.
    fn operator_decides(&mut self, at: usize, kind: Kind, name: &str) {
        let said = Draft::said(name.parse().ok(), Claim::Operator(None), "", None);
        let draft = Draft { at: Timestamp(0), kind, ..said };
        self.act(at, [Letter::Publish { draft, sender: channel().0 }]);
    }

    /// Nobody waits who was removed.
    fn the_removed_are_not_there(&self) {
        let rules = self.store.rules();
        for follower in &self.followers {
            let (Some(who), Some((_, _, _, true))) = (&follower.who, &follower.wait) else { continue };
            let removed = rules.removes(who.claim, &who.name, Timestamp(0));
            assert_eq!(removed, None, "{who:?} was removed, and waits");
        }
    }

    /// The store decides on a batch: it is stored or not, and the room hears that or of an error.
    fn decides(&mut self, at: usize) {
        let (is_stored, is_answered) = (self.rng.u8(..8) > 0, self.rng.u8(..8) > 0);
        self.decides_so(at, is_stored, is_answered);
        if self.rng.bool() {
            self.learns(at);
        }
    }

    fn decides_so(&mut self, at: usize, is_stored: bool, is_answered: bool) {
        let Instance { id, desk, late, .. } = &mut self.instances[at];
        let Some((batch, seen, drafts)) = desk.handed.borrow_mut().pop() else { return };
        let known = self.store.latest();
        let arrived = is_stored.then(|| self.store.store(*id, seen, &drafts));
        if !is_answered {
            self.store.is_in_doubt_about(*id);
        }
        let refused = || Error("planted".into());
        late.push_back(Letter::Arrived(batch, arrived.filter(|_| is_answered).ok_or_else(refused)));
        let latest = self.store.latest();
        if latest != known {
            self.tell(Heard::Latest(latest));
        }
    }

    /// Tells the instances. Some hear it twice, some not at all.
    fn tell(&mut self, heard: Heard) {
        for instance in &mut self.instances {
            let times = [0, 1, 1, 2][self.rng.usize(..4)];
            instance.notices.extend(std::iter::repeat_n(heard.clone(), times));
        }
    }

    fn learns(&mut self, at: usize) {
        while let Some(letter) = self.instances[at].late.pop_front() {
            self.act(at, [letter]);
        }
    }

    /// A room hears a notice, not always the first.
    fn hears(&mut self, at: usize) {
        let notices = &mut self.instances[at].notices;
        let Some(which) = self.rng.choice(0..notices.len()) else { return };
        let heard = notices.remove(which).expect("a notice");
        self.act(at, [Letter::Heard(heard)]);
    }

    /// A room is told now and then where its order ends.
    fn is_told_again(&mut self, at: usize) {
        let mut heard = vec![Letter::Heard(Heard::Ends(self.store.latest()))];
        heard.extend(self.store.has_lapsed(self.instances[at].id).then_some(Letter::Heard(Heard::Lapsed)));
        self.act(at, heard);
    }

    fn beats(&mut self, at: usize) {
        self.clock += LAPSE_BEAT;
        self.act(at, []);
    }

    /// The process ends, and another one starts. Its people are left to the others.
    fn starts_anew(&mut self, at: usize) {
        let dead = self.instances[at].id;
        self.instances[at] = Instance::start(&self.store, self.now());
        self.store.drops(dead);
        self.tell(Heard::Latest(self.store.latest()));
        self.listen();
    }

    /// An instance was stopped for a while. It goes on under another id.
    fn is_taken_for_dead(&mut self, at: usize) {
        let new = self.store.lapses(self.instances[at].id);
        self.instances[at].id = new;
        self.tell(Heard::Latest(self.store.latest()));
    }

    fn listen(&mut self) {
        for sender in &mut self.senders {
            let Some(answer) = &sender.answer else { continue };
            match answer.take() {
                Some(Ok(_)) => sender.text.clear(),
                // Said without a name, it is another message.
                Some(Err(Unpublished::NameTaken(name))) => {
                    assert_eq!(sender.who.as_ref().map(|who| &who.name), Some(&name));
                    (sender.who, sender.answer) = (None, None);
                }
                Some(Err(_)) => sender.answer = None,
                None if answer.is_lost() => sender.answer = None,
                None => {}
            }
        }
        self.senders.retain(|sender| !sender.text.is_empty());
        for follower in &mut self.followers {
            self.gaps += usize::from(follower.listens(&self.store));
        }
    }

    /// The store works, and all notices that are left come.
    fn settles(&mut self) {
        for round in 0.. {
            assert!(round < 100, "the instances ask the store without end");
            let mut is_quiet = true;
            for at in 0..self.instances.len() {
                while !self.instances[at].notices.is_empty() {
                    self.hears(at);
                }
                self.is_told_again(at);
                is_quiet &= self.instances[at].owner.is_settled();
                self.decides_so(at, true, true);
                self.learns(at);
            }
            if is_quiet {
                self.the_removed_are_not_there();
                return;
            }
        }
    }

    /// The store works, and everybody comes back until there is nothing more.
    fn ends(&mut self) {
        self.settles();
        PEOPLE.iter().for_each(|(name, _)| self.operator_decides(0, Kind::Allowed, name));
        self.settles();
        while self.senders.iter().any(|sender| sender.answer.is_none()) {
            self.somebody_speaks(0);
            self.settles();
        }
        assert!(self.senders.is_empty(), "a sender got no answer");
        for at in 0..self.instances.len() {
            self.beats(at);
        }
        self.settles();
        // All names are free, and all come in one moment.
        self.everybody_ends();
        self.followers.iter_mut().for_each(|follower| follower.is_refused = false);
        for round in 0.. {
            assert!(round < 100, "a follower comes to no end");
            let idle: Vec<usize> =
                (0..self.followers.len()).filter(|who| self.followers[*who].wait.is_none()).collect();
            if idle.is_empty() {
                break;
            }
            for who in idle {
                let at = self.rng.usize(..self.instances.len());
                self.waits(who, at);
            }
            self.settles();
        }
        let log = self.store.log();
        for follower in &self.followers {
            follower.has_seen_all_of(&log);
        }
        self.has_one_of_each(&log);
        self.everybody_is_there();
        self.everybody_goes();
    }

    /// Each text is stored once, and people join and leave in turn.
    fn has_one_of_each(&self, log: &[Arc<Message>]) {
        let mut texts: Vec<&str> = log
            .iter()
            .filter(|message| message.kind == Kind::Message)
            .map(|message| &*message.text)
            .collect();
        texts.sort();
        assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "a message is stored twice");
        let mut present: BTreeMap<&PersonName, bool> = BTreeMap::new();
        for message in log.iter().filter(|message| matches!(message.kind, Kind::Joined | Kind::Left)) {
            let joins = message.kind == Kind::Joined;
            let before = present.insert(message.name.as_ref().expect("somebody"), joins);
            assert_ne!(before.unwrap_or(false), joins, "somebody joined or left twice");
        }
    }

    fn everybody_is_there(&self) {
        let present = self.store.present();
        for Instance { owner, .. } in &self.instances {
            assert_eq!(owner.room().people.list(), present, "a room shows who is present");
        }
        let keys = self.store.keys();
        let held = || keys.iter().filter_map(|(name, key)| Some((name, (*key)?)));
        for (name, key) in held() {
            let is_one = held().all(|(other, another)| !are_alike(name, other) || key == another);
            assert!(is_one, "two keys have {name}");
        }
        for follower in &self.followers {
            let (Some(who), Some((_, _, _, true))) = (&follower.who, &follower.wait) else { continue };
            let known = keys.get(&who.name).unwrap_or_else(|| panic!("{who:?} waits and is not present"));
            let is_theirs = who.claim.holder().is_none() || who.claim.holder() == *known;
            assert!(is_theirs, "{who:?} waits, and the name is another's");
        }
    }

    fn everybody_goes(&mut self) {
        assert!(self.followers.iter().all(|follower| follower.wait.is_some()), "everybody waits");
        self.everybody_ends();
        assert_eq!(self.store.present(), [], "a ghost stayed");
        for Instance { owner, .. } in &self.instances {
            assert!(owner.room().people.is_empty() && owner.room().people.count() == 0, "a ghost stayed");
        }
        self.has_one_of_each(&self.store.log());
        self.every_name_is_free();
    }

    /// All waits end, and all leases.
    fn everybody_ends(&mut self) {
        for who in 0..self.followers.len() {
            let Some((at, id, ..)) = &self.followers[who].wait else { continue };
            let (at, letter) = (*at, Letter::Unsubscribe(*id, End::Gone));
            self.act(at, [letter]);
        }
        self.store.sweeps(&self.instances.iter().map(|instance| instance.id).collect::<Vec<_>>());
        // Whom an instance holds without knowing it has the grace time from when it is told.
        for _ in 0..2 {
            self.clock += GRACE;
            for at in 0..self.instances.len() {
                self.act(at, []);
            }
            self.settles();
        }
    }

    /// Nothing is left of those who held a name.
    fn every_name_is_free(&mut self) {
        for at in 0..self.instances.len() {
            for (name, _) in PEOPLE {
                let (asker, answer) = channel();
                self.act(at, [Letter::Admits(person((name, Some(9))), asker)]);
                assert_eq!(answer.take(), Some(Ok(())), "{name} is not free");
            }
        }
    }
}

impl Instance {
    /// A room that is opened, and remembers little.
    fn start(store: &Shared, now: Now) -> Instance {
        let (id, desk) = (store.fresh_id(), Desk::default());
        let room = Room::new(store.tail(id, 3), &Arc::default(), now);
        let keep = Keep { messages: usize::MAX, files: u64::MAX, age: None };
        let owner = Owner::new(desk.clone(), RoomName::lobby(), room, keep, now);
        Instance { id, desk, owner, notices: VecDeque::new(), late: VecDeque::new() }
    }
}

impl Follower {
    /// Reads what has come, as a client does. Says whether it was told of a gap.
    fn listens(&mut self, store: &Shared) -> bool {
        let Some((_, _, answer, _)) = &self.wait else { return false };
        let (messages, gap, next) = match answer.take() {
            Some(Wake::Delivery(delivery)) => (delivery.messages.to_vec(), delivery.gap, Some(delivery.next)),
            Some(Wake::Stored(missed)) => {
                let read = store::since(store, &RoomName::lobby(), missed.after, 3).expect("read");
                let outcome = missed.outcome(read, usize::MAX);
                (outcome.messages().to_vec(), outcome.has_gap(), Some(outcome.next()))
            }
            Some(Wake::Expired(next)) => (Vec::new(), false, Some(next)),
            Some(Wake::Closing(_)) => panic!("nobody closes the room"),
            Some(Wake::Denied(_)) => {
                assert!(self.who.is_some(), "nobody is removed who has no name");
                self.is_refused = true;
                (Vec::new(), false, self.next)
            }
            Some(Wake::Taken(name)) => {
                assert_eq!(self.who.as_ref().map(|who| &who.name), Some(&name));
                self.is_refused = true;
                (Vec::new(), false, self.next)
            }
            None if answer.is_lost() => (Vec::new(), false, self.next),
            None => return false,
        };
        self.wait = None;
        if gap {
            assert!(
                self.next.is_none_or(|next| store.was_lost(next)),
                "a gap was told to one who has seen nothing that is lost: {:?}",
                self.next
            );
            (self.seen, self.is_whole) = (Vec::new(), true);
        }
        self.seen.extend(messages);
        self.next = next;
        gap
    }

    /// Whether it has seen every message that it wants once, in the order, since its last gap.
    fn has_seen_all_of(&self, log: &[Arc<Message>]) {
        let wanted: Vec<_> = log.iter().filter(|message| self.wants.includes(message)).collect();
        let seen: Vec<_> = self.seen.iter().filter(|message| self.wants.includes(message)).collect();
        let begins = wanted.len().checked_sub(seen.len()).expect("nothing is seen that is not there");
        assert_eq!(seen, wanted[begins..], "each message is seen once, in its order");
        assert!(begins == 0 || !self.is_whole, "the oldest messages were not seen");
    }
}
