//! Random calls of a store beside a model that is plain enough to be right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use comet_chat::config::SEND_ID_MEMORY_MS;
use comet_chat::message::{
    Cursor, Draft, Epoch, Kind, Kinds, Mark, Message, PersonName, RoomName, SentAs, Timestamp,
};
use comet_chat::store::{self, Appended, Keep, Order, Read, RoomSummary, Store, Tail};
use fastrand::Rng;

use crate::place::{AppendAndWait, Place, listed, on_every_store, room};

on_every_store![agrees_with_a_plain_model];

/// `TIMES=100` makes it a hundred times as long.
fn agrees_with_a_plain_model(place: &Place) {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    let times: u32 = std::env::var("TIMES").map_or(1, |times| times.parse().expect("TIMES is a number"));
    println!("repeat this with SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let keep =
        Keep { messages: rng.usize(1..40), age: rng.bool().then(|| Duration::from_secs(rng.u64(1..3000))) };
    let mut store = place.open(keep);
    let mut model = Model::new(store.epoch(), keep);
    for _ in 0..600 * times {
        match rng.u8(..20) {
            0 => store = place.reopen(store, keep),
            1 => {
                model.clocks.go_on(rng.u64(..SEND_ID_MEMORY_MS));
                store.expire(model.clocks.wall, model.clocks.steady).unwrap();
                model.expire();
            }
            2..=10 => {
                let name = any_room(&mut rng);
                let drafts = any_drafts(&mut rng, &mut model.clocks);
                let appended = store.append_and_wait(&name, &drafts).unwrap();
                assert_eq!(appended, model.append(&name, &drafts, &appended));
            }
            _ => compare(&*store, &model, &mut rng),
        }
    }
}

fn compare(store: &dyn Store, model: &Model, rng: &mut Rng) {
    let name = any_room(rng);
    let limit = rng.usize(..12);
    let room = model.rooms.get(&name).cloned().unwrap_or_default();
    let sequence = match rng.u8(..8) {
        0 => i64::MAX as u64,
        _ => rng.u64(..room.latest() + 3),
    };
    let kept = room.kept();

    assert_eq!(store.epoch(), model.epoch);
    assert_eq!(listed(store), model.summaries());
    let order = if rng.bool() { Order::Name } else { Order::Recent };
    let after = rng.bool().then(|| any_room(rng));
    assert_eq!(store.rooms(order, after.as_ref(), limit).unwrap(), model.page(order, after.as_ref(), limit));
    let peopled = model.summaries().into_iter().filter(|summary| summary.people > 0);
    assert_eq!(store.peopled(9).unwrap(), peopled.map(|summary| summary.room).collect::<Vec<_>>());
    assert_eq!(
        store.newest(&name, limit).unwrap(),
        Tail {
            messages: kept[kept.len().saturating_sub(limit)..].to_vec(),
            latest: room.latest(),
            mark: room.mark(),
            present: room.present()
        }
    );
    let is_after = |m: &&Arc<Message>| m.id.sequence > sequence;
    let after: Vec<_> = kept.iter().filter(is_after).take(limit).cloned().collect();
    assert_eq!(store.after(&name, sequence, limit).unwrap(), after);
    assert_eq!(store.before(&name, sequence, limit).unwrap(), room.before(sequence, limit));
    let kinds = ["message", "joined", "left,joined", "message,joined,left"];
    let kinds: Kinds = rng.choice(kinds).unwrap().parse().unwrap();
    let wanted = kept.iter().rev().filter(|message| kinds.includes(message.kind));
    let expected = wanted.map(|message| message.id.sequence).nth(limit);
    assert_eq!(store.newest_but(&name, kinds, limit).unwrap(), expected);
    judges(store, &name, &room, rng);
}

/// Reads by a cursor: of this past, without a mark, or of another past.
fn judges(store: &dyn Store, name: &RoomName, room: &Room, rng: &mut Rng) {
    let (sequence, limit) = (rng.u64(..room.latest() + 3), rng.usize(1..12));
    let start = Cursor::start(store.epoch());
    let known = room.at(sequence).map_or(Cursor { sequence, ..start }, |message| message.id);
    let cursor = match rng.u8(..4) {
        0 => Cursor { mark: Mark::UNKNOWN, ..known },
        1 => Cursor { mark: Mark::random(), ..known },
        _ => known,
    };
    let kept = room.kept();
    let is_kept = |sequence| kept.iter().any(|message| message.id.sequence == sequence);
    let is_ours = cursor.mark.matches(known.mark);
    if sequence < room.latest() {
        let is_next = is_ours && is_kept(sequence + 1);
        let is_wanted = |m: &&Arc<Message>| !is_next || m.id.sequence > sequence;
        let messages = kept.iter().filter(is_wanted).take(limit).cloned().collect();
        let read = store::since(store, name, Some(cursor), limit).unwrap();
        assert_eq!(read, Read { messages, gap: !is_next });
    }
    // Whatever stands before what is kept is forgotten, of this past and any other.
    let tells = sequence == room.latest() || is_kept(sequence + 1);
    let gap = sequence > room.latest() || tells && !is_ours;
    let messages = room.before(if gap { u64::MAX } else { sequence }, limit);
    let latest = Cursor { sequence: room.latest(), mark: room.mark(), ..start };
    let next = if gap { latest } else { messages.last().map_or(cursor, |message| message.id) };
    let read = store::past(store, name, Some(cursor), limit).unwrap();
    assert_eq!(read, (Read { messages, gap }, next));
}

fn any_room(rng: &mut Rng) -> RoomName {
    match rng.u8(..4) {
        0 => RoomName::health(),
        1 => room("größe"),
        _ => RoomName::lobby(),
    }
}

/// Few ids, names and texts, so that an id comes again: for the same message, and for another.
fn any_drafts(rng: &mut Rng, clocks: &mut Clocks) -> Vec<Draft> {
    (0..rng.usize(..6))
        .map(|_| {
            clocks.go_on(match rng.u8(..10) {
                0 => rng.u64(..SEND_ID_MEMORY_MS * 2),
                1 => SEND_ID_MEMORY_MS / 2,
                _ => rng.u64(..3),
            });
            if rng.u8(..20) == 0 {
                clocks.are_set(rng);
            }
            let sent_as = rng.bool().then(|| {
                let id = format!("id-{}", rng.u8(..8)).parse().unwrap();
                SentAs { id, at: clocks.steady }
            });
            let name: Option<PersonName> =
                rng.bool().then(|| rng.choice(["Zoë 🦀", "a"]).unwrap().parse().unwrap());
            Draft {
                kind: *rng.choice(&[Kind::Message, Kind::Joined, Kind::Left]).unwrap(),
                name,
                text: ["", "a\0b", "שלום", "it's"][rng.usize(..4)].into(),
                sent_as,
                at: clocks.wall,
            }
        })
        .collect()
}

/// The time of day, which is set now and then, and the clock that nobody sets.
struct Clocks {
    wall: Timestamp,
    steady: Timestamp,
}

impl Clocks {
    fn go_on(&mut self, by: u64) {
        self.wall.0 += by;
        self.steady.0 += by;
    }

    /// By an hour, or by a year and back.
    fn are_set(&mut self, rng: &mut Rng) {
        const HOUR: u64 = 3_600_000;
        self.wall.0 = match rng.u8(..4) {
            0 => self.wall.0 + HOUR,
            1 => self.wall.0 - HOUR,
            2 => self.wall.0 + 8_760 * HOUR,
            _ => self.steady.0,
        };
    }
}

struct Model {
    epoch: Epoch,
    keep: Keep,
    clocks: Clocks,
    rooms: BTreeMap<RoomName, Room>,
}

/// All messages of a room, and how many of them are forgotten.
#[derive(Default, Clone)]
struct Room {
    said: Vec<(Draft, Arc<Message>)>,
    forgotten: usize,
}

impl Model {
    fn new(epoch: Epoch, keep: Keep) -> Model {
        let now = Timestamp(1_700_000_000_000);
        Model { epoch, keep, clocks: Clocks { wall: now, steady: now }, rooms: BTreeMap::new() }
    }

    /// What becomes of the drafts. The marks are those that the store has drawn.
    fn append(&mut self, name: &RoomName, drafts: &[Draft], drawn: &[Appended]) -> Vec<Appended> {
        let start = Cursor::start(self.epoch);
        if name.is_internal() {
            let number = |(draft, sequence): (&Draft, u64)| {
                let id = Cursor { sequence, ..start };
                Appended::Stored(Arc::new(draft.clone().numbered(id, Mark::UNKNOWN)))
            };
            return drafts.iter().zip(1..).map(number).collect();
        }
        let mut appended = Vec::new();
        for (draft, drawn) in drafts.iter().zip(drawn) {
            let room = self.rooms.entry(name.clone()).or_default();
            let is_known = |sent: &Draft| match (&sent.sent_as, &draft.sent_as) {
                (Some(old), Some(new)) => old.id == new.id && new.at.0 - old.at.0 < SEND_ID_MEMORY_MS,
                _ => false,
            };
            let known = room.said.iter().find(|(sent, _)| is_known(sent));
            if let Some((_, message)) = known {
                let is_same = message.name == draft.name && message.text == draft.text;
                appended.push(if is_same { Appended::Repeated(message.id) } else { Appended::Conflict });
                continue;
            }
            let mark = drawn.stored().map_or(Mark::UNKNOWN, |message| message.id.mark);
            assert_ne!(mark, Mark::UNKNOWN, "a new message has a mark");
            let id = Cursor { sequence: room.latest() + 1, mark, ..start };
            let at = room.said.last().map_or(draft.at, |(_, message)| message.at.max(draft.at));
            let message = Arc::new(Message { at, ..draft.clone().numbered(id, room.mark()) });
            room.said.push((draft.clone(), message.clone()));
            appended.push(Appended::Stored(message));
        }
        if let (Some(room), Some(newest)) = (self.rooms.get_mut(name), drafts.last()) {
            room.trim(self.keep, newest.at);
        }
        appended
    }

    fn expire(&mut self) {
        for room in self.rooms.values_mut() {
            room.trim(self.keep, self.clocks.wall);
        }
    }

    fn summaries(&self) -> Vec<RoomSummary> {
        let shown = |(name, room): (&RoomName, &Room)| {
            let at = room.said.last()?.1.at;
            let people = room.present().len();
            let is_listed = people > 0 || !room.kept().is_empty();
            let latest = room.said.last()?.1.id;
            is_listed.then(|| RoomSummary { room: name.clone(), latest, at, people })
        };
        let rooms = self.rooms.iter().filter(|(name, _)| !name.is_internal());
        rooms.filter_map(shown).collect()
    }
}

impl Model {
    fn page(&self, order: Order, after: Option<&RoomName>, limit: usize) -> Vec<RoomSummary> {
        let mut rooms = self.summaries();
        if order == Order::Name {
            rooms.retain(|summary| after.is_none_or(|after| summary.room > *after));
        } else {
            rooms.sort_by(|a, b| (b.at, &b.room).cmp(&(a.at, &a.room)));
            let room = after.and_then(|after| self.rooms.get(after)?.said.last());
            if let (Some(after), Some((_, message))) = (after, room) {
                rooms.retain(|summary| (summary.at, &summary.room) < (message.at, after));
            }
        }
        rooms.truncate(limit);
        rooms
    }
}

impl Room {
    fn latest(&self) -> u64 {
        self.said.len() as u64
    }

    /// The mark of the newest message.
    fn mark(&self) -> Mark {
        self.at(self.latest()).map_or(Mark::UNKNOWN, |message| message.id.mark)
    }

    /// The message that was given this sequence, whether or not it is kept.
    fn at(&self, sequence: u64) -> Option<&Arc<Message>> {
        let index = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.said.get(index).map(|(_, message)| message)
    }

    /// Who has joined and not left since, by name, whether or not those entries are still kept.
    fn present(&self) -> Vec<(PersonName, Timestamp)> {
        let mut present = BTreeMap::new();
        for (_, message) in &self.said {
            match (message.kind, &message.name) {
                (Kind::Joined, Some(name)) => drop(present.insert(name.clone(), message.at)),
                (Kind::Left, Some(name)) => drop(present.remove(name)),
                _ => {}
            }
        }
        present.into_iter().collect()
    }

    fn kept(&self) -> Vec<Arc<Message>> {
        let kept = &self.said[self.forgotten..];
        kept.iter().map(|(_, message)| message.clone()).collect()
    }

    /// Back from a sequence: so many messages, and the entries of who came and went among the newest hundred.
    fn before(&self, sequence: u64, limit: usize) -> Vec<Arc<Message>> {
        let (mut page, mut left) = (Vec::new(), limit);
        let kept = self.kept();
        let is_before = |message: &&Arc<Message>| message.id.sequence < sequence;
        for (back, message) in kept.iter().filter(is_before).rev().cloned().enumerate() {
            if left == 0 {
                break;
            }
            if message.kind == Kind::Message {
                left -= 1;
                page.push(message);
            } else if back < limit.max(100) {
                page.push(message);
            }
        }
        page.reverse();
        page
    }

    fn trim(&mut self, keep: Keep, now: Timestamp) {
        let is_said = |(draft, _): &(Draft, Arc<Message>)| draft.kind == Kind::Message;
        while self.said[self.forgotten..].iter().filter(|entry| is_said(entry)).count() > keep.messages {
            self.forgotten += 1;
        }
        let entries = 2 * keep.messages + 1_000;
        while self.said.len() - self.forgotten > entries && !is_said(&self.said[self.forgotten]) {
            self.forgotten += 1;
        }
        if let Some(age) = keep.age {
            // The oldest first, up to the first that is young enough. One with a time in the future goes with
            // an old one behind it.
            let mut at = self.forgotten;
            while let Some((draft, _)) = self.said.get(at) {
                at += 1;
                if draft.at.until(now) > age {
                    self.forgotten = at;
                } else if draft.at <= now {
                    break;
                }
            }
        }
    }
}
