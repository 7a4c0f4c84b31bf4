//! Random calls of a store beside a model that is plain enough to be right.

use std::sync::Arc;
use std::time::Duration;

use comet_chat::config::SEND_ID_MEMORY_MS;
use comet_chat::message::{
    Claim, Cursor, Draft, Epoch, Holder, Kind, Kinds, Mark, Message, PersonName, RoomName, SentAs, Timestamp,
    Upload,
};
use comet_chat::store::{self, Keep, Order, Part, Read, Store, Tail};
use fastrand::Rng;

use crate::place::{AppendAndWait, Place, listed, on_every_store};
use crate::plain::{Clocks, Model, Room};
use crate::search;

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
    let keep = Keep {
        messages: rng.usize(1..40),
        files: [u64::MAX, 30, 200][rng.usize(..3)],
        age: rng.bool().then(|| Duration::from_secs(rng.u64(1..3000))),
    };
    let mut store = place.open(keep);
    let mut model = Model::new(store.epoch(), keep, place.is_shared());
    for _ in 0..600 * times {
        match rng.u8(..20) {
            0 => {
                store = place.reopen(store, keep);
                model.instance += 1;
            }
            1 => {
                model.clocks.go_on(rng.u64(..SEND_ID_MEMORY_MS));
                store.expire(model.clocks.wall, model.clocks.steady).unwrap();
                model.expire();
            }
            2..=10 => {
                let name = any_room(&mut rng);
                let known = model.rooms.get(&name).cloned().unwrap_or_default();
                let drafts = any_drafts(&mut rng, &mut model.clocks, &known);
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
    // Those whom an instance holds that has ended are looked after by the others, and no room need be awake.
    let peopled = model.summaries().into_iter().filter(|summary| summary.people > 0 && !model.is_shared);
    assert_eq!(store.peopled(9).unwrap(), peopled.map(|summary| summary.room).collect::<Vec<_>>());
    assert_eq!(
        store.newest(&name, limit).unwrap(),
        Tail {
            messages: kept[kept.len().saturating_sub(limit)..].to_vec(),
            latest: room.end(model.epoch),
            present: room.present(model.is_shared.then_some(model.instance)),
            rules: room.rules().into_iter().collect(),
        }
    );
    let is_after = |m: &&Arc<Message>| m.id.sequence > sequence;
    let after: Vec<_> = kept.iter().filter(is_after).take(limit).cloned().collect();
    assert_eq!(store.after(&name, sequence, limit).unwrap(), after);
    assert_eq!(store.before(&name, sequence, limit).unwrap(), room.before(sequence, limit));
    let file = room.file(sequence);
    let length = file.as_ref().map_or(3, Vec::len);
    let beyond = usize::from(rng.u8(..8) == 0);
    let start = rng.usize(..length);
    let part = start..rng.usize(start + 1..=length + beyond);
    assert_eq!(
        store.file(&name, sequence, part.start as u64..part.end as u64).unwrap(),
        file.and_then(|file| file.get(part).map(<[u8]>::to_vec))
    );
    let kinds =
        ["message", "joined", "left,joined", "message,joined,left", "edited", "left,deleted", "topic,slowed"];
    let kinds: Kinds = rng.choice(kinds).unwrap().parse().unwrap();
    let wanted = kept.iter().rev().filter(|message| kinds.includes(message.kind));
    let expected = wanted.map(|message| message.id).nth(limit);
    assert_eq!(store.newest_but(&name, kinds, limit).unwrap(), expected);
    judges(store, &name, &room, rng);
    search::agrees(store, &name, &room, rng);
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
    if sequence <= room.latest() {
        let is_end = is_ours && sequence == room.latest();
        let is_next = is_ours && is_kept(sequence + 1);
        let gap = !is_next && !is_end;
        let is_wanted = |m: &&Arc<Message>| gap || m.id.sequence > sequence;
        let messages: Vec<_> = kept.iter().filter(is_wanted).take(limit).cloned().collect();
        let end = if is_end { cursor } else { room.end(store.epoch()) };
        let next = messages.last().map_or(end, |message| message.id);
        let read = store::since(store, name, Some(cursor), limit).unwrap();
        assert_eq!(read, Read { messages, gap, next });
    }
    // Everything before the kept messages is forgotten, of this past and of any other.
    let tells = sequence == room.latest() || is_kept(sequence + 1);
    let gap = sequence > room.latest() || tells && !is_ours;
    let messages = room.before(if gap { u64::MAX } else { sequence }, limit);
    let latest = room.end(store.epoch());
    let next = if gap { latest } else { messages.last().map_or(cursor, |message| message.id) };
    let read = store::past(store, name, Part::Before(cursor), limit).unwrap();
    assert_eq!(read, Read { messages, gap, next });
    looks(store, name, room, cursor, limit, rng);
}

/// Looks around a message, and from a time on.
fn looks(store: &dyn Store, name: &RoomName, room: &Room, cursor: Cursor, limit: usize, rng: &mut Rng) {
    let kept = room.kept();
    let latest = room.end(store.epoch());
    let around = store::past(store, name, Part::Around(cursor), limit).unwrap();
    let expected = match kept.iter().find(|message| message.id.is_at(cursor)) {
        None => Read { messages: room.before(u64::MAX, limit), gap: true, next: latest },
        Some(there) => {
            let mut messages = room.before(cursor.sequence + 1, limit.div_ceil(2));
            let said = messages.iter().filter(|message| message.kind == Kind::Message).count();
            let (behind, end) = room.ahead(cursor.sequence, limit - said);
            messages.extend(behind);
            Read { messages, gap: false, next: end.unwrap_or(there.id) }
        }
    };
    assert_eq!(around, expected);
    let Some(oldest) = kept.first() else { return };
    let time = match rng.u8(..8) {
        0 => Timestamp(0),
        1 => Timestamp(u64::MAX),
        _ => Timestamp(rng.choice(&kept).unwrap().at.0 + rng.u64(..2)),
    };
    let earlier = kept.iter().rev().find(|message| message.at < time);
    let (messages, end) = room.ahead(earlier.map_or(0, |message| message.id.sequence), limit);
    let gap = earlier.is_none() && oldest.id.sequence > 1;
    let from = store::past(store, name, Part::From(time), limit).unwrap();
    assert_eq!(from, Read { messages, gap, next: end.unwrap_or(latest) });
}

fn any_room(rng: &mut Rng) -> RoomName {
    match rng.u8(..4) {
        0 => RoomName::health(),
        // Of an earlier version, with a character that nobody sees.
        1 => RoomName::accepted_before("größe\u{3164}").unwrap(),
        _ => RoomName::lobby(),
    }
}

/// Few ids, names and texts, so that an id comes again: for the same message, and for another.
fn any_drafts(rng: &mut Rng, clocks: &mut Clocks, room: &Room) -> Vec<Draft> {
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
                rng.bool().then(|| rng.choice(["Zoë 🦀", "zoe 🦀", "a"]).unwrap().parse().unwrap());
            let claim = match rng.u8(..8) {
                0 => Claim::Vouched(None),
                4 => Claim::Vouched(Some(Holder::from_bytes([rng.u8(..2); 16]))),
                5 if rng.bool() => Claim::Operator(rng.bool().then(|| Holder::from_bytes([1; 16]))),
                1..=3 => Claim::Key(Holder::from_bytes([rng.u8(..2); 16])),
                _ => Claim::Nothing,
            };
            let kinds = [Kind::Message, Kind::Message, Kind::Joined, Kind::Left, Kind::Edited, Kind::Deleted];
            let kind = *rng.choice(&kinds).unwrap();
            if rng.u8(..4) == 0 {
                return Draft { sent_as, at: clocks.wall, ..any_rule(rng, claim) };
            }
            let texts = if matches!(kind, Kind::Message | Kind::Edited) { 4 } else { 1 };
            let text = ["", "a\0b", "שלום", "it's\n"][rng.usize(..texts)];
            let of = any_target(rng, room).filter(|_| !matches!(kind, Kind::Joined | Kind::Left));
            let file = (kind == Kind::Message && rng.u8(..3) == 0).then(|| any_file(rng));
            Draft { kind, name, claim, text: text.into(), of, file, sent_as, at: clocks.wall }
        })
        .collect()
}

/// A rule of some kind. Those that end something are more, so that not all is kept from everybody.
fn any_rule(rng: &mut Rng, claim: Claim) -> Draft {
    let name = Some(rng.choice(["Zoë 🦀", "zoe 🦀", "a"]).unwrap().parse().unwrap());
    let operator = Claim::Operator(None);
    let (kind, name, claim, texts) = match rng.u8(..14) {
        0 | 1 => (Kind::Topic, name.filter(|_| rng.bool()), claim, ["", "tea", "at four"]),
        2 | 3 => (Kind::Muted, name, operator, ["", "1", "600"]),
        4 => (Kind::Removed, name, operator, ["", "1", "600"]),
        5 | 6 => (Kind::Slowed, None, operator, ["0", "0", "60"]),
        7 => (Kind::Locked, None, operator, ["", "no", "it's\n"]),
        8..=10 => (Kind::Unlocked, None, operator, [""; 3]),
        _ => (Kind::Allowed, name, operator, [""; 3]),
    };
    Draft { kind, ..Draft::said(name, claim, texts[rng.usize(..3)], None) }
}

/// Few names and contents, so that an id comes again with the same file, and with another.
fn any_file(rng: &mut Rng) -> Upload {
    Upload::new(["a.txt", "größe %"][rng.usize(..2)], &vec![rng.u8(..2); rng.usize(1..3) * 40])
}

/// Some message of the room, perhaps without its mark or with another's; or none that there is.
fn any_target(rng: &mut Rng, room: &Room) -> Option<Cursor> {
    let back = if rng.bool() { rng.u64(..6) } else { rng.u64(..60) };
    let known = room.at(room.latest().saturating_sub(back))?.id;
    Some(match rng.u8(..12) {
        0 => Cursor { mark: Mark::UNKNOWN, ..known },
        1 => Cursor { mark: Mark::random(), ..known },
        2 => Cursor { epoch: Epoch::random(), ..known },
        3 => Cursor { sequence: known.sequence + 70, ..known },
        _ => known,
    })
}
