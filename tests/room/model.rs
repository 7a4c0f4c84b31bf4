//! Random interleavings of subscribe, publish, time-out and disconnect, beside a model that is a plain `Vec`
//! of every message.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use comet_chat::clock::Now;
use comet_chat::config::{ROOMS_MAX, TAIL_LIMIT};
use comet_chat::message::{Claim, Cursor, Draft, Epoch, Kind, Mark, Message, Person, Timestamp};
use comet_chat::room::lease::End;
use comet_chat::room::standing::Standing;
use comet_chat::room::state::Room;
use comet_chat::room::tails::Tails;
use comet_chat::room::{After, Delivery, SubscriberId, Subscription, Wake, Wants};
use comet_chat::store::{Appended, Arrived, Keep, Tail};
use fastrand::Rng;

use crate::desk::by_chance;

/// A subscriber in the model: what it asked for, and what it has seen.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Client {
    number: u32,
    wants: Wants,
    /// It has seen all wanted messages up to this sequence.
    seen: u64,
}

struct World {
    rng: Rng,
    epoch: Epoch,
    room: Room<Client>,
    /// Every message; the one at index `i` has the sequence `i + 1`.
    said: Vec<Arc<Message>>,
    waiting: BTreeMap<SubscriberId, Client>,
    clients: u32,
}

#[test]
fn a_follower_sees_every_message_once_and_in_order() {
    by_chance(40, |rng| {
        let mut world = World::new(rng);
        for _ in 0..400 {
            world.step();
        }
        world.close();
    });
}

#[test]
fn a_room_with_a_long_past_sends_late_clients_to_the_store() {
    let mut world = World::new(Rng::with_seed(1));
    while world.said.len() <= TAIL_LIMIT + 10 {
        world.publish();
    }
    let woken = world.subscribe_after(After::Cursor(world.cursor(3)), Wants::EVERYTHING);
    match woken {
        Some(Wake::Stored(missed)) => {
            assert_eq!((missed.after, missed.gap), (Some(world.cursor(3)), false));
        }
        other => panic!("a client far behind got {other:?}"),
    }
}

#[test]
fn a_cursor_of_another_life_is_a_gap_that_is_told_at_once() {
    let mut world = World::new(Rng::with_seed(2));
    let elsewhere = Epoch::from_number(world.epoch.number() ^ 1);
    let elsewhere = Cursor { sequence: 1, ..Cursor::start(elsewhere) };
    let empty = world.subscribe_after(After::Cursor(elsewhere), Wants::ONE_MESSAGE);
    let next = world.cursor(0);
    assert_eq!(empty, Some(Wake::Delivery(Delivery { messages: [].into(), next, gap: true })));
    world.publish();
    let never_was = Cursor { sequence: 1_000_000, ..world.cursor(0) };
    match world.subscribe_after(After::Cursor(never_was), Wants::ONE_MESSAGE) {
        Some(Wake::Delivery(delivery)) => assert!(delivery.gap && delivery.messages[..] == world.said[..]),
        other => panic!("a cursor of a message that never was got {other:?}"),
    }
}

#[test]
fn a_closing_room_keeps_nobody_waiting() {
    let mut world = World::new(Rng::with_seed(3));
    for _ in 0..100 {
        world.subscribe();
    }
    world.close();
    assert!(matches!(world.subscribe_after(After::Latest, Wants::ONE_MESSAGE), Some(Wake::Closing(_))));
}

impl World {
    fn new(rng: Rng) -> World {
        let epoch = Epoch::random();
        let room = Room::new(Tail::empty(epoch), &Arc::default(), Now::read());
        World { rng, epoch, room, said: Vec::new(), waiting: BTreeMap::new(), clients: 0 }
    }

    fn step(&mut self) {
        match self.rng.u8(..10) {
            0..=4 => self.subscribe(),
            5..=7 => self.publish(),
            _ => self.unsubscribe(),
        }
        assert_eq!(self.room.waiting(), self.waiting.len(), "the room holds the waiters, and nobody else");
        assert_eq!(self.room.latest(), self.cursor(self.said.len() as u64));
    }

    fn subscribe(&mut self) {
        let sequence = self.rng.u64(..=self.said.len() as u64);
        let cursor = self.cursor(sequence);
        let after = match self.rng.u8(..6) {
            0 => After::Latest,
            1 => After::Oldest,
            // From a version that gave out cursors without marks.
            2 => After::Cursor(Cursor { mark: Mark::UNKNOWN, ..cursor }),
            // Of another past.
            3 if sequence > 0 => After::Cursor(Cursor { mark: Mark::random(), ..cursor }),
            _ => After::Cursor(cursor),
        };
        let kinds = ["message", "left", "joined,left", "message,joined,left"];
        let kinds = self.rng.choice(&kinds).expect("four").parse().expect("kinds");
        let wants = Wants { kinds, limit: *self.rng.choice(&[1, 2, usize::MAX]).expect("three") };
        let latest = self.said.len() as u64;
        let (from, gap) = match after {
            After::Latest => (latest, false),
            After::Oldest => (0, false),
            After::Cursor(after) if after.mark.matches(cursor.mark) => (sequence, false),
            After::Cursor(_) => (0, true),
        };
        let missed = &self.said[from as usize..];
        let expected = (gap || missed.iter().any(|m| wants.includes(m)))
            .then(|| Wake::Delivery(Delivery { messages: missed.into(), next: self.cursor(latest), gap }));
        assert_eq!(self.subscribe_after(after, wants), expected);
    }

    /// Subscribes a new client. The model remembers it if it has to wait.
    fn subscribe_after(&mut self, after: After, wants: Wants) -> Option<Wake> {
        self.clients += 1;
        let client = Client { number: self.clients, wants, seen: self.said.len() as u64 };
        let id = SubscriberId::fresh();
        match self.room.subscribe(id, Subscription { after, wants, who: None }, client) {
            Some((same, wake)) => {
                assert_eq!(same, client);
                Some(wake)
            }
            None => {
                self.waiting.insert(id, client);
                None
            }
        }
    }

    fn unsubscribe(&mut self) {
        let ids: Vec<SubscriberId> = self.waiting.keys().copied().collect();
        let Some(&id) = self.rng.choice(&ids) else { return };
        let client = self.waiting.remove(&id).expect("it was just there");
        let latest = self.cursor(self.said.len() as u64);
        assert_eq!(
            self.room.unsubscribe(id, End::Answered, Now::read()),
            Some((client, Wake::Expired(latest)))
        );
        assert_eq!(self.room.unsubscribe(id, End::Answered, Now::read()), None, "nobody is answered twice");
        // Between the client's last message and its new cursor there is no message that it wants.
        let unseen = &self.said[client.seen as usize..];
        assert!(!unseen.iter().any(|message| client.wants.includes(message)), "{client:?} missed a message");
    }

    fn publish(&mut self) {
        let first = self.said.len();
        let appended: Vec<Appended> = (0..self.rng.usize(1..4)).map(|_| self.append()).collect();
        let new = self.said[first..].to_vec();
        let latest = self.cursor(self.said.len() as u64);
        let arrived = Arrived { before: Vec::new(), outcomes: appended, latest, present: None, rules: None };
        let (woken, published) = self.room.publish(&arrived, Now::read());

        let mut handed: HashMap<Cursor, usize> = HashMap::new();
        let due: BTreeMap<SubscriberId, Client> =
            self.waiting.extract_if(.., |_, c| new.iter().any(|m| c.wants.includes(m))).collect();
        let told: Vec<u32> = woken.iter().map(|(client, _)| client.number).collect();
        let expected: Vec<u32> = due.values().map(|client| client.number).collect();
        assert_eq!(told, expected, "those who wait for such a message are woken, in the order of coming");
        for (client, wake) in woken {
            let Wake::Delivery(delivery) = wake else { panic!("{client:?} got {wake:?}") };
            assert_eq!(delivery.messages[..], new[..], "messages published in between are not lost");
            assert_eq!((delivery.next, delivery.gap), (self.cursor(self.said.len() as u64), false));
            let wanted = new.iter().filter(|message| client.wants.includes(message));
            let carried = wanted.take(client.wants.limit);
            carried.for_each(|message| *handed.entry(message.id).or_default() += 1);
        }
        for (outcome, published) in arrived.outcomes.iter().zip(published) {
            assert_eq!(published.is_err(), *outcome == Appended::Conflict);
            if let (Appended::Stored(message), Ok(published)) = (outcome, published) {
                assert_eq!(published.id, message.id);
                assert_eq!(published.delivered, handed.get(&message.id).copied().unwrap_or(0));
            }
        }
    }

    /// What a store would answer: mostly a new message, now and then a repeated or a refused one.
    fn append(&mut self) -> Appended {
        if self.rng.u8(..16) == 0 {
            return Appended::Conflict;
        }
        if !self.said.is_empty() && self.rng.u8(..8) == 0 {
            return Appended::Repeated(self.rng.choice(&self.said).expect("something was said").id);
        }
        let kind = *self.rng.choice(&[Kind::Message, Kind::Message, Kind::Joined, Kind::Left]).expect("four");
        let before = self.cursor(self.said.len() as u64);
        let id = Cursor { sequence: before.sequence + 1, mark: Mark::random(), ..before };
        let previous = before.mark;
        let text = if kind == Kind::Message { id.to_string() } else { String::new() };
        let draft = Draft { kind, at: Timestamp(0), ..Draft::said(None, Claim::Nothing, &text, None) };
        let message = Arc::new(draft.numbered(id, previous));
        self.said.push(message.clone());
        Appended::Stored(message)
    }

    fn close(&mut self) {
        let latest = self.cursor(self.said.len() as u64);
        let told: Vec<(Client, Wake)> = self.room.close();
        let expected: Vec<(Client, Wake)> =
            std::mem::take(&mut self.waiting).into_values().map(|c| (c, Wake::Closing(latest))).collect();
        assert_eq!(told, expected);
        assert_eq!(self.room.waiting(), 0);
    }

    fn cursor(&self, sequence: u64) -> Cursor {
        match sequence.checked_sub(1) {
            None => Cursor::start(self.epoch),
            Some(index) => self.said[index as usize].id,
        }
    }
}

/// 64 messages of 64 KiB in each of 990 rooms took four gigabytes within nine seconds: each room kept its own
/// bound, and there was none for all rooms together.
#[test]
fn all_rooms_together_remember_no_more_than_they_may() {
    const MAX: usize = 40 * ROOMS_MAX;
    let tails = Arc::new(Tails::of(MAX));
    let mut rng = Rng::with_seed(4);
    let epoch = Epoch::random();
    let room = || Room::new(Tail::empty(epoch), &tails, Now::read());
    let mut rooms: Vec<(Room<()>, u64)> = std::iter::repeat_with(|| (room(), 0)).take(50).collect();
    let says = |(room, said): &mut (Room<()>, u64), bytes: usize| {
        *said += 1;
        let id = Cursor { sequence: *said, ..Cursor::start(epoch) };
        let draft = Draft { at: Timestamp(0), ..Draft::said(None, Claim::Nothing, &"x".repeat(bytes), None) };
        let message = draft.numbered(id, Mark::UNKNOWN);
        let outcomes = vec![Appended::Stored(Arc::new(message))];
        let (woken, _) = room.publish(
            &Arrived { before: Vec::new(), outcomes, latest: id, present: None, rules: None },
            Now::read(),
        );
        assert!(woken.is_empty());
        assert!(tails.bytes() <= MAX, "{} bytes are held", tails.bytes());
    };
    for _ in 0..2_000 {
        let room = rng.choice(0..rooms.len()).expect("a room");
        says(&mut rooms[room], rng.usize(..5_000));
    }
    assert!(tails.bytes() > MAX / 2, "the rooms hold as much as they may");

    // When each room has looked once at what it holds, there is space for one more.
    let keep = Keep { messages: usize::MAX, files: u64::MAX, age: None };
    rooms.iter_mut().for_each(|(room, _)| room.forget(keep, Timestamp(0)));
    let mut late = (room(), 0);
    says(&mut late, 10);
    let seen = |room: &mut Room<()>, sequence| {
        let after = After::Cursor(Cursor { sequence, ..Cursor::start(epoch) });
        let what = Subscription { after, wants: Wants::ONE_MESSAGE, who: None };
        room.subscribe(SubscriberId::fresh(), what, ()).map(|(_, wake)| wake)
    };
    assert!(matches!(seen(&mut late.0, 0), Some(Wake::Delivery(delivery)) if delivery.messages.len() == 1));
    // A room that has forgotten messages says so: the store has them.
    let (flooded, _) = &mut rooms[0];
    let start = Cursor::start(epoch);
    let Some(Wake::Stored(missed)) = seen(flooded, 0) else { panic!("the first message is held") };
    assert_eq!((missed.after, missed.gap), (Some(start), false));

    drop((rooms, late));
    assert_eq!(tails.bytes(), 0, "a room that ends gives back what it held");
}

#[test]
fn a_wait_under_a_name_keeps_its_person_present() {
    let ann = Person { name: "ann".parse().expect("a name"), claim: Claim::Nothing };
    let start = Now::read();
    let later = |seconds| Now { clock: start.clock + Duration::from_secs(seconds), ..start };
    let mut room: Room<()> = Room::new(Tail::empty(Epoch::random()), &Arc::default(), start);
    let joined = room.people.sees(&ann, start).expect("nobody else is ann").expect("ann joins");
    let id = room.latest();
    room.people.enter(&[Arc::new(joined.numbered(id, Mark::UNKNOWN))]);
    room.people.note(&ann.name, Standing::Held(None));
    let id = SubscriberId::fresh();
    let what = Subscription { after: After::Latest, wants: Wants::EVERYTHING, who: Some(ann) };
    assert!(room.subscribe(id, what, ()).is_none(), "there is nothing to hand to it");
    assert_eq!(room.people.lapse(later(3_600)), [], "a person who waits is present, however long");
    assert!(room.unsubscribe(id, End::Answered, later(3_600)).is_some());
    assert_eq!(room.people.lapse(later(3_601)), [], "the grace time begins at the end of the wait");
    assert_eq!(room.people.lapse(later(7_200)).len(), 1);
}
