//! What a client is told of its rooms, and where it goes on.
//!
//! A room's messages are told in its order. Between rooms there is no order: they are told by their time.

use std::collections::VecDeque;

use serde::{Serialize, Serializer};

use crate::config::REPLY_BYTES;
use crate::message::{Cursor, FileFacts, Message, Next, RoomName};
use crate::room::{Outcome, Wants};
use crate::wire::path::file_path;

/// A message as it is told: with its room.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub room: &'a RoomName,
    pub message: &'a Message,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Told { room, message } = *self;
        Whole { room, message, file: message.file.as_ref().map(|file| told_file(room, message, file)) }
            .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    room: &'a RoomName,
    #[serde(flatten)]
    message: &'a Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<ToldFile<'a>>,
}

/// What is told of a file.
#[derive(Serialize)]
struct ToldFile<'a> {
    name: &'a str,
    r#type: &'static str,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Where it is, below the server's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
}

fn told_file<'a>(room: &RoomName, message: &Message, file: &'a FileFacts) -> ToldFile<'a> {
    ToldFile {
        name: file.name.as_str(),
        r#type: file.media.essence(),
        bytes: file.bytes,
        width: file.size.map(|size| size.width),
        height: file.size.map(|size| size.height),
        path: (!file.is_gone).then(|| file_path(room, message.id, file)),
        gone: file.is_gone,
    }
}

/// What one reply tells.
pub(super) struct Part<'a> {
    pub messages: Vec<Told<'a>>,
    /// Where to go on: just behind these messages in each room.
    pub next: Next,
}

/// As much as one reply carries: what the client wants, and at most [`REPLY_BYTES`]. The rooms take turns, so a
/// lively one leaves the others their share. Chance says which begins, as a short reply has no turn for all.
pub(super) fn part<'a>(rooms: &'a [RoomName], wants: Wants, outcomes: &'a [Outcome]) -> Part<'a> {
    match (rooms, outcomes) {
        ([room], [outcome]) => part_of_one(room, wants, outcome),
        _ => part_from(fastrand::usize(..outcomes.len()), rooms, wants, outcomes),
    }
}

/// The same of one room, where nobody takes turns.
fn part_of_one<'a>(room: &'a RoomName, wants: Wants, outcome: &'a Outcome) -> Part<'a> {
    let mut left = wanted(wants, outcome).peekable();
    let (mut messages, mut bytes) = (Vec::new(), 0);
    while messages.len() < wants.limit
        && let Some(message) =
            left.next_if(|next| messages.is_empty() || bytes + next.text.len() <= REPLY_BYTES)
    {
        bytes += message.text.len();
        messages.push(Told { room, message });
    }
    let next = left.peek().map_or(outcome.next(), |message| message.before());
    Part { messages, next: Next::One(next) }
}

fn part_from<'a>(begins: usize, rooms: &'a [RoomName], wants: Wants, outcomes: &'a [Outcome]) -> Part<'a> {
    let mut left: Vec<_> = outcomes.iter().map(|outcome| wanted(wants, outcome).peekable()).collect();
    let mut turns: VecDeque<usize> = (0..rooms.len()).collect();
    turns.rotate_left(begins);
    let (mut taken, mut bytes) = (Vec::new(), 0);
    while taken.len() < wants.limit
        && let Some(room) = turns.pop_front()
    {
        let Some(message) = left[room].peek() else { continue };
        bytes += message.text.len();
        // A single message is sent whatever its size.
        if bytes > REPLY_BYTES && !taken.is_empty() {
            break;
        }
        taken.extend(left[room].next().map(|message| (room, message)));
        turns.push_back(room);
    }
    taken.sort_by_key(|(_, message)| message.at);
    let next = left.iter_mut().zip(outcomes).map(|(left, outcome)| match left.peek() {
        Some(message) => message.before(),
        None => outcome.next(),
    });
    let next = Next::of(rooms.iter().zip(next));
    Part {
        next,
        messages: taken.into_iter().map(|(room, message)| Told { room: &rooms[room], message }).collect(),
    }
}

/// All that came and that the client wants, each message with where a client goes on that has heard so far.
pub(super) fn one_by_one<'a>(
    rooms: &'a [RoomName],
    wants: Wants,
    outcomes: &'a [Outcome],
) -> impl Iterator<Item = (Told<'a>, Next)> {
    let all = outcomes.iter().enumerate();
    let mut all: Vec<(usize, &Message)> =
        all.flat_map(|(room, outcome)| wanted(wants, outcome).map(move |message| (room, message))).collect();
    all.sort_by_key(|(_, message)| message.at);
    let mut places: Vec<Cursor> = outcomes.iter().map(start).collect();
    all.into_iter().map(move |(room, message)| {
        places[room] = message.id;
        (Told { room: &rooms[room], message }, Next::of(rooms.iter().zip(places.iter().copied())))
    })
}

/// Where a client stands that has heard nothing yet of what came.
pub(super) fn before(rooms: &[RoomName], outcomes: &[Outcome]) -> Next {
    Next::of(rooms.iter().zip(outcomes.iter().map(start)))
}

/// The rooms of which something is lost.
pub(super) fn gaps<'a>(rooms: &'a [RoomName], outcomes: &[Outcome]) -> Vec<&'a RoomName> {
    rooms.iter().zip(outcomes).filter(|(_, outcome)| outcome.has_gap()).map(|(room, _)| room).collect()
}

fn wanted(wants: Wants, outcome: &Outcome) -> impl Iterator<Item = &Message> {
    outcome.messages().iter().map(AsRef::as_ref).filter(move |message| wants.includes(message))
}

fn start(outcome: &Outcome) -> Cursor {
    outcome.messages().first().map_or(outcome.next(), |first| first.before())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Timestamp;
    use crate::message::{Epoch, Kind, Kinds, Mark};
    use crate::room::Delivery;

    fn rooms(count: usize) -> Vec<RoomName> {
        (0..count).map(|n| format!("r{n}").parse().expect("a name")).collect()
    }

    fn at_most(limit: usize) -> Wants {
        Wants { limit, ..Wants::EVERYTHING }
    }

    fn next<const N: usize>(rooms: &[RoomName], places: [u64; N]) -> Next {
        Next::of(rooms.iter().zip(places.map(place)))
    }

    fn place(sequence: u64) -> Cursor {
        Cursor { epoch: Epoch::from_number(7), sequence, mark: Mark::from_number(sequence as u32) }
    }

    /// Messages of one room, which come after others, one at each of these times.
    fn came(before: u64, times: &[u64], bytes: usize) -> Outcome {
        let message = |(id, at): (u64, &u64)| {
            let text = "x".repeat(bytes).into();
            let (at, previous) = (Timestamp(*at), place(id - 1).mark);
            Arc::new(Message {
                id: place(id),
                previous,
                kind: Kind::Message,
                name: None,
                holder: None,
                text,
                file: None,
                at,
                of: None,
                change: None,
                is_by_operator: false,
            })
        };
        let messages: Arc<[_]> = (before + 1..).zip(times).map(message).collect();
        Outcome::Delivery(Delivery { next: place(before + times.len() as u64), messages, gap: false })
    }

    fn ids(part: &Part<'_>) -> Vec<(String, u64)> {
        part.messages.iter().map(|told| (told.room.to_string(), told.message.id.sequence)).collect()
    }

    #[test]
    fn rooms_take_turns_and_what_is_left_comes_next() {
        let rooms = rooms(3);
        let outcomes = [came(0, &[1, 2, 3, 4], 1), came(9, &[5], 1), Outcome::Expired(place(4))];
        for begins in 0..3 {
            let part = part_from(begins, &rooms, at_most(3), &outcomes);
            assert_eq!(ids(&part), [("r0".into(), 1), ("r0".into(), 2), ("r1".into(), 10)]);
            assert_eq!(part.next, next(&rooms, [2, 10, 4]));
        }
        // One message has only one turn, and what was not told is just behind where the client goes on.
        let part = part_from(1, &rooms, at_most(1), &outcomes);
        assert_eq!(ids(&part), [("r1".into(), 10)]);
        assert_eq!(part.next, next(&rooms, [0, 10, 4]));
    }

    #[test]
    fn a_reply_has_a_bounded_text_over_all_rooms_but_always_a_message() {
        let rooms = rooms(2);
        let outcomes = [came(0, &[1, 3], REPLY_BYTES / 3), came(0, &[2, 4], REPLY_BYTES / 3)];
        let part = part_from(0, &rooms, at_most(500), &outcomes);
        assert_eq!(ids(&part), [("r0".into(), 1), ("r1".into(), 1), ("r0".into(), 2)]);
        let outcomes = [came(0, &[1], REPLY_BYTES + 1), came(0, &[2], 1)];
        let part = part_from(0, &rooms, at_most(500), &outcomes);
        assert_eq!(ids(&part), [("r0".into(), 1)]);
        assert_eq!(part.next, next(&rooms, [1, 0]));
    }

    #[test]
    fn one_room_is_parted_as_one_among_several() {
        let mut rng = fastrand::Rng::new();
        println!("seed {}", rng.get_seed());
        let rooms = rooms(1);
        for _ in 0..2_000 {
            let times: Vec<u64> = (0..rng.u64(1..6)).collect();
            let bytes = [1, REPLY_BYTES / 3, REPLY_BYTES / 2, REPLY_BYTES, REPLY_BYTES + 1][rng.usize(..5)];
            let outcome = match rng.u8(..4) {
                0 => Outcome::Expired(place(rng.u64(..9))),
                _ => came(rng.u64(..9), &times, bytes),
            };
            let kinds = if rng.u8(..4) == 0 { "joined".parse().unwrap() } else { Kinds::ALL };
            let wants = Wants { limit: rng.usize(1..5), kinds };
            let (alone, among) = (part_of_one(&rooms[0], wants, &outcome), [outcome.clone()]);
            let among = part_from(0, &rooms, wants, &among);
            assert_eq!((ids(&alone), alone.next), (ids(&among), among.next));
        }
    }

    /// Who follows part by part, or one by one with a break anywhere, hears each message once, in each room's
    /// order.
    #[test]
    fn nothing_is_lost_or_doubled_however_it_is_parted() {
        let mut rng = fastrand::Rng::new();
        println!("seed {}", rng.get_seed());
        for _ in 0..300 {
            let rooms = rooms(rng.usize(1..6));
            let all: Vec<Vec<u64>> = (0..rooms.len())
                .map(|_| (1..=rng.u64(..9)).map(|n| n * 10 + rng.u64(..10)).collect())
                .collect();
            let mut seen = vec![0; all.len()];
            while seen.iter().zip(&all).any(|(seen, all)| *seen < all.len()) {
                let rest = |(seen, all): (&usize, &Vec<u64>)| match &all[*seen..] {
                    [] => Outcome::Expired(place(*seen as u64)),
                    rest => came(*seen as u64, rest, 1),
                };
                let outcomes: Vec<Outcome> = seen.iter().zip(&all).map(rest).collect();
                let count = rng.usize(1..5);
                let (told, next) = match rng.bool() {
                    true => {
                        let part = part(&rooms, at_most(count), &outcomes);
                        (part.messages, part.next)
                    }
                    false => {
                        let heard: Vec<_> =
                            one_by_one(&rooms, Wants::EVERYTHING, &outcomes).take(count).collect();
                        let next = heard.last().expect("something is left").1.clone();
                        (heard.into_iter().map(|(told, _)| told).collect(), next)
                    }
                };
                for Told { room, message } in told {
                    let room = rooms.iter().position(|name| name == room).unwrap();
                    seen[room] += 1;
                    assert_eq!(message.id, place(seen[room] as u64));
                }
                let places = seen.iter().map(|seen| place(*seen as u64));
                assert_eq!(next, Next::of(rooms.iter().zip(places)));
            }
        }
    }
}
