//! An owner beside a plain model: random letters, while the store's outcomes come late, fail, or come after a
//! restart.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comet_chat::clock::Now;
use comet_chat::config::BATCH_LIMIT;
use comet_chat::message::{Claim, Cursor, Draft, Kind, Message, Person, RoomName, Timestamp};
use comet_chat::room::lease::End;
use comet_chat::room::letter::Letter;
use comet_chat::room::owner::Owner;
use comet_chat::room::{After, Receipt, SubscriberId, Subscription, Unpublished, Wake, Wants};
use comet_chat::store::{self, Keep, MemoryStore, Store};
use fastrand::Rng;

use crate::desk::{Answer, Desk, by_chance, channel, open};

/// A room waited for its store, so a slow disk kept people from coming and going. Now it goes on, and still
/// every client sees all messages once and in order: the stored ones, the ones on their way and the ones
/// after them.
#[test]
fn nobody_loses_or_doubles_a_message_whenever_the_store_answers() {
    by_chance(50, |rng| {
        let mut world = World::new(rng);
        for _ in 0..300 {
            world.step();
        }
        world.ends();
    });
}

/// A client that follows the room by its cursor.
struct Follower {
    wants: Wants,
    next: Cursor,
    seen: Vec<Arc<Message>>,
    wait: Option<(SubscriberId, Answer<Wake>)>,
}

struct Sender {
    text: String,
    answer: Answer<Receipt>,
}

struct World {
    rng: Rng,
    store: MemoryStore,
    desk: Desk,
    owner: Owner<Desk>,
    /// The outcomes that the store has decided and the room has not read.
    late: VecDeque<Letter<Desk>>,
    followers: Vec<Follower>,
    senders: Vec<Sender>,
    /// The messages that were answered `ok`, in the order of the answers.
    answered: Vec<(String, Cursor)>,
    /// The messages that were answered with an error, because the store refused them.
    refused: Vec<String>,
    clock: Instant,
    texts: u64,
}

impl World {
    fn new(mut rng: Rng) -> World {
        let store = MemoryStore::new(Keep { messages: usize::MAX, files: u64::MAX, age: None });
        let clock = Instant::now();
        let desk = Desk::default();
        let owner = open(&desk, &store, Now { wall: Timestamp(0), clock });
        let next = owner.room().latest();
        let follower = |wants| Follower { wants, next, seen: Vec::new(), wait: None };
        let wants = [Wants::EVERYTHING, Wants::ONE_MESSAGE];
        let followers = (0..6).map(|_| follower(*rng.choice(&wants).expect("two"))).collect();
        let (late, senders, answered) = (VecDeque::new(), Vec::new(), Vec::new());
        let refused = Vec::new();
        World { rng, store, desk, owner, late, followers, senders, answered, refused, clock, texts: 0 }
    }

    fn step(&mut self) {
        self.clock += Duration::from_millis(self.rng.u64(..400));
        match self.rng.u8(..16) {
            0..=4 => self.somebody_waits(),
            5 => self.somebody_waits_no_more(),
            6..=9 => self.somebody_speaks(),
            10..=12 => self.decides(true),
            13 => self.decides(false),
            14 => self.learns(),
            _ if self.rng.u8(..3) == 0 => self.restarts(),
            _ => self.asks_who_is_there(),
        }
    }

    fn act(&mut self, letters: impl IntoIterator<Item = Letter<Desk>>) {
        let now = Now { wall: Timestamp(0), clock: self.clock };
        self.owner.act(letters.into_iter(), now);
        let is_idle = self.desk.handed.borrow().is_empty();
        assert!(is_idle || !self.owner.is_settled(), "a room with a batch on its way may not sleep");
        self.hears();
    }

    fn somebody_waits(&mut self) {
        let who = self.rng.usize(..self.followers.len());
        let name = self.rng.bool().then(|| self.rng.choice(["ann", "ben"]).expect("two"));
        if self.followers[who].wait.is_none() {
            self.waits(who, name);
        }
    }

    fn waits(&mut self, who: usize, name: Option<&str>) {
        let follower = &mut self.followers[who];
        let (id, (subscriber, wake)) = (SubscriberId::fresh(), channel());
        let what = Subscription {
            after: After::Cursor(follower.next),
            wants: follower.wants,
            who: name.map(|name| Person { name: name.parse().expect("a name"), claim: Claim::Nothing }),
        };
        follower.wait = Some((id, wake));
        self.act([Letter::Subscribe { id, what, subscriber }]);
    }

    /// The end of a wait is answered at once, also while the store hangs.
    fn somebody_waits_no_more(&mut self) {
        let who = self.rng.usize(..self.followers.len());
        let Some((id, _)) = &self.followers[who].wait else { return };
        let letter = Letter::Unsubscribe(*id, End::Answered);
        self.act([letter]);
        assert!(self.followers[who].wait.is_none(), "the end of a wait is answered");
    }

    fn asks_who_is_there(&mut self) {
        let (asker, answer) = channel();
        self.act([Letter::People(asker)]);
        assert!(answer.take().is_some(), "a question is answered at once");
    }

    /// Some letters at once; now and then more than one batch can hold.
    fn somebody_speaks(&mut self) {
        let most = if self.rng.u8(..50) == 0 { BATCH_LIMIT * 2 } else { 4 };
        let mut letters = Vec::new();
        for _ in 0..self.rng.usize(1..most) {
            self.texts += 1;
            let text = self.texts.to_string();
            let name = self.rng.bool().then(|| self.rng.choice(["ann", "ben", "cem"]).expect("three"));
            let draft = Draft {
                kind: Kind::Message,
                name: name.map(|name| name.parse().expect("a name")),
                claim: Claim::Nothing,
                text: (&*text).into(),
                of: None,
                file: None,
                sent_as: None,
                at: Timestamp(0),
            };
            let (sender, answer) = channel();
            self.senders.push(Sender { text, answer });
            letters.push(Letter::Publish { draft, sender });
        }
        self.act(letters);
    }

    fn decides(&mut self, is_stored: bool) {
        self.late.extend(self.desk.decide(&self.store, is_stored));
        if self.rng.bool() {
            self.learns();
        }
    }

    fn learns(&mut self) {
        while let Some(letter) = self.late.pop_front() {
            self.act([letter]);
        }
    }

    /// The room panics. It is opened when the store has decided on its batch, and gets the outcome later.
    fn restarts(&mut self) {
        let is_stored = self.rng.bool();
        self.late.extend(self.desk.decide(&self.store, is_stored));
        let now = Now { wall: Timestamp(0), clock: self.clock };
        self.owner = open(&self.desk, &self.store, now);
        self.hears();
        assert!(self.senders.is_empty(), "the senders must try again");
        assert!(self.followers.iter().all(|follower| follower.wait.is_none()), "the waiter must poll again");
    }

    fn hears(&mut self) {
        for sender in std::mem::take(&mut self.senders) {
            match sender.answer.take() {
                Some(Ok(published)) => self.answered.push((sender.text, published.id)),
                Some(Err(reason)) => {
                    assert_eq!(reason, Unpublished::NotStored);
                    self.refused.push(sender.text);
                }
                None if sender.answer.is_lost() => {}
                None => self.senders.push(sender),
            }
        }
        for follower in &mut self.followers {
            follower.hears(&self.store);
        }
    }

    /// The store takes everything that is left, and everybody looks once more.
    fn ends(&mut self) {
        let late = self.senders.len();
        self.learns();
        while !self.owner.is_settled() {
            self.decides(true);
            self.learns();
        }
        assert!(self.senders.is_empty(), "{late} got no answer");
        for who in 0..self.followers.len() {
            while self.followers[who].wait.is_none() {
                self.waits(who, None);
            }
        }
        let stored = self.store.after(&RoomName::lobby(), 0, usize::MAX).expect("the room");
        let expected = |wants: Wants| stored.iter().filter(move |message| wants.includes(message));
        for follower in &self.followers {
            let rest =
                expected(follower.wants).filter(|message| message.id.sequence > follower.next.sequence);
            assert_eq!(rest.count(), 0, "a wanted message was skipped");
            assert!(follower.seen.iter().eq(expected(follower.wants)), "each is seen once, in order");
        }
        for (text, id) in &self.answered {
            let message = &stored[id.sequence as usize - 1];
            assert_eq!((&*message.text, message.id), (&**text, *id), "an answered message is stored");
        }
        for text in &self.refused {
            assert!(!stored.iter().any(|message| *message.text == **text), "a refused message is stored");
        }
        // Each letter belongs to a batch: answers come in the order of the messages.
        assert!(self.answered.is_sorted_by_key(|(_, id)| id.sequence));
    }
}

impl Follower {
    /// Reads what has come, as a client does, and reads from the store what the room has forgotten.
    fn hears(&mut self, store: &MemoryStore) {
        let Some((_, answer)) = &self.wait else { return };
        let (messages, next) = match answer.take() {
            Some(Wake::Delivery(delivery)) => (delivery.messages.to_vec(), delivery.next),
            Some(Wake::Stored(missed)) => {
                let read = store::since(store, &RoomName::lobby(), missed.after, 100).expect("read");
                let outcome = missed.outcome(read, usize::MAX);
                assert!(!outcome.has_gap(), "nothing is lost");
                (outcome.messages().to_vec(), outcome.next())
            }
            Some(Wake::Expired(next)) => (Vec::new(), next),
            Some(Wake::Closing(_)) => panic!("nobody closes the room"),
            Some(Wake::Taken(_) | Wake::Denied(_)) => panic!("nobody holds a name, or is removed"),
            None if answer.is_lost() => (Vec::new(), self.next),
            None => return,
        };
        self.wait = None;
        if let Some(first) = messages.first() {
            assert!(first.id.sequence <= self.next.sequence + 1 || self.wants == Wants::ONE_MESSAGE);
        }
        let news = messages.into_iter().filter(|message| message.id.sequence > self.next.sequence);
        self.seen.extend(news.filter(|message| self.wants.includes(message)));
        self.next = next;
    }
}
