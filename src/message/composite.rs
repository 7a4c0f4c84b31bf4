//! Cursors for several rooms: one text that holds a place in the order of each.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::cursor::{Cursor, Epoch, hex};
use super::invalid::Invalid;
use super::names::RoomName;
use crate::config::ROOMS_ASKED_MAX;

/// Where a client goes on, opaque to it: in one room, or in several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// In one room.
    One(Cursor),
    /// In several rooms.
    Several(CompositeCursor),
}

impl Next {
    /// The places in these rooms, all of one epoch.
    pub fn of<'a>(places: impl IntoIterator<Item = (&'a RoomName, Cursor)>) -> Next {
        let mut places = places.into_iter();
        match (places.next(), places.next()) {
            (Some((_, cursor)), None) => Next::One(cursor),
            (first, second) => {
                Next::Several(CompositeCursor::of(first.into_iter().chain(second).chain(places)))
            }
        }
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Next::One(cursor) => cursor.fmt(f),
            Next::Several(cursor) => cursor.fmt(f),
        }
    }
}

impl FromStr for Next {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Next, Invalid> {
        match text.contains('~') {
            true => text.parse().map(Next::Several),
            false => text.parse().map(Next::One),
        }
    }
}

impl Serialize for Next {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A place in the order of each of several rooms: `epoch~room-sequence-mark~room-sequence-mark`.
///
/// A room stands in it by the hash of its name, and the rooms are sorted by that. So the text does not depend on
/// the order in which a client names the rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeCursor {
    /// Sorted, each room once, all of one epoch.
    places: Vec<(RoomHash, Cursor)>,
}

impl CompositeCursor {
    fn of<'a>(places: impl IntoIterator<Item = (&'a RoomName, Cursor)>) -> CompositeCursor {
        let hashed = |(room, cursor): (&RoomName, Cursor)| (RoomHash::of(room), cursor);
        let mut places: Vec<_> = places.into_iter().map(hashed).collect();
        places.sort_by_key(|(room, _)| *room);
        debug_assert!(places.iter().all(|(_, cursor)| cursor.epoch == places[0].1.epoch), "{places:?}");
        CompositeCursor { places }
    }

    /// The place in a room; `None` if the cursor does not hold this room.
    pub fn place(&self, room: &RoomName) -> Option<Cursor> {
        let at = self.places.binary_search_by_key(&RoomHash::of(room), |(room, _)| *room).ok()?;
        Some(self.places[at].1)
    }
}

impl fmt::Display for CompositeCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (RoomHash(room), cursor)) in self.places.iter().enumerate() {
            if at == 0 {
                write!(f, "{:08x}", cursor.epoch.number())?;
            }
            write!(f, "~{room:08x}-")?;
            cursor.write_place(f)?;
        }
        Ok(())
    }
}

impl FromStr for CompositeCursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<CompositeCursor, Invalid> {
        let parse = || {
            let (epoch, places) = text.split_once('~')?;
            let epoch = Epoch::parse(epoch)?;
            let place = |text: &str| {
                let (room, place) = text.split_once('-')?;
                Some((RoomHash(hex(room)?), Cursor::parse_place(epoch, place)?))
            };
            let places: Vec<(RoomHash, Cursor)> = places.split('~').map(place).collect::<Option<_>>()?;
            let is_sorted = places.is_sorted_by(|(before, _), (after, _)| before < after);
            (is_sorted && places.len() <= ROOMS_ASKED_MAX).then_some(CompositeCursor { places })
        };
        parse().ok_or(Invalid(
            "a cursor of several rooms looks like 0123abcd~76543210-42-89abcdef~...: copy it whole from Chat-Cursor, Link, id or next",
        ))
    }
}

/// A room's name in 32 bits: FNV-1a of it in UTF-8. Clients keep cursors, so this must never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomHash(u32);

impl RoomHash {
    /// The hash of a name.
    pub fn of(room: &RoomName) -> RoomHash {
        let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        RoomHash(room.as_str().bytes().fold(0x811c_9dc5, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(names: &str) -> Vec<RoomName> {
        names.split(',').map(|name| name.parse().expect("a name")).collect()
    }

    /// A cursor that holds a place by chance in each of these rooms.
    fn places(rooms: &[RoomName], epoch: u32, rng: &mut fastrand::Rng) -> Vec<(RoomName, Cursor)> {
        let mut place = || -> Cursor {
            let sequence = rng.u64(1..=i64::MAX as u64);
            let text = match rng.u8(..4) {
                0 => format!("{epoch:08x}-0"),
                // As the version before this one gave it out.
                1 => format!("{epoch:08x}-{sequence}"),
                _ => format!("{epoch:08x}-{sequence}-{:08x}", rng.u32(1..)),
            };
            text.parse().expect("a cursor")
        };
        rooms.iter().map(|room| (room.clone(), place())).collect()
    }

    fn next(places: &[(RoomName, Cursor)]) -> Next {
        Next::of(places.iter().map(|(room, cursor)| (room, *cursor)))
    }

    #[test]
    fn it_is_written_with_its_epoch_once_and_its_rooms_by_their_hashes() {
        let cursor: Cursor = "0123abcd-42-89abcdef".parse().unwrap();
        let start: Cursor = "0123abcd-0".parse().unwrap();
        let rooms = rooms("lunch,workshop");
        let several = Next::of([(&rooms[0], cursor), (&rooms[1], start)]);
        // FNV-1a, as others compute it.
        assert_eq!(several.to_string(), "0123abcd~cf1ef61f-42-89abcdef~d568180c-0");
        assert_eq!(Next::of([(&rooms[0], cursor)]), Next::One(cursor));
    }

    /// Rooms that are added, removed, named in another order or unknown.
    #[test]
    fn it_has_the_place_of_each_of_its_rooms_and_of_no_other() {
        let mut rng = fastrand::Rng::new();
        println!("seed {}", rng.get_seed());
        for _ in 0..500 {
            let count = rng.usize(2..=ROOMS_ASKED_MAX);
            let rooms: Vec<RoomName> = (0..count).map(|n| format!("räum-{n}").parse().unwrap()).collect();
            let mut places = places(&rooms, rng.u32(..), &mut rng);
            let text = next(&places).to_string();
            rng.shuffle(&mut places);
            assert_eq!(next(&places).to_string(), text, "the order of the rooms does not matter");
            let Ok(Next::Several(read)) = text.parse() else { panic!("{text}") };
            assert_eq!(Next::Several(read.clone()).to_string(), text);
            for (room, cursor) in &places {
                assert_eq!(read.place(room), Some(*cursor));
            }
            assert_eq!(read.place(&RoomName::lobby()), None);
            assert_eq!(read.place(&"raum-0".parse().unwrap()), None);
        }
    }

    /// These two have one hash. Who asks for both is refused before there is a cursor.
    #[test]
    fn two_names_may_have_one_hash() {
        let rooms = rooms("costarring,liquid");
        assert_eq!(RoomHash::of(&rooms[0]), RoomHash::of(&rooms[1]));
    }

    #[test]
    fn what_is_malformed_is_refused_and_never_taken_for_another_place() {
        for text in [
            "~",
            "0123abcd~",
            "~b8bb1f96-1",
            "0123abcd~b8bb1f96",
            "0123abcd~b8bb1f96-",
            "0123abcd~b8bb1f9-1",
            "0123abcd~b8bb1f9600-1",
            "0123abcd~+8bb1f96-1",
            "0123abcd~b8bb1f96-1~",
            "0123abcd~b8bb1f96-1-",
            "0123abcd~b8bb1f96-0-89abcdef",
            "0123abcd~b8bb1f96-1-89abcdef-1",
            "0123abcd~b8bb1f96-1-89abcde",
            "0123abcd~~b8bb1f96-1",
            "0123abcd~b8bb1f96--1",
            "0123abcd~b8bb1f96-9223372036854775808",
            "0123abcd~b8bb1f96-1~b8bb1f96-2",
            "0123abcd~d568180c-1~cf1ef61f-2",
            "0123abcd-1~b8bb1f96-1",
            "123abcd~b8bb1f96-1",
            "0123abcd~b8bb1f96-1 ",
            "0123abcd~größe000-1",
        ] {
            assert!(text.parse::<Next>().is_err(), "{text:?} was taken for a cursor");
        }
        let many: String = (0..=ROOMS_ASKED_MAX).map(|n| format!("~{n:08x}-1")).collect();
        assert!(format!("0123abcd{many}").parse::<Next>().is_err(), "more rooms than one wait has");
    }

    /// A text that was cut, or in which a character was changed, is refused or reads as it is written.
    #[test]
    fn a_broken_text_is_refused_or_is_another_cursor() {
        let mut rng = fastrand::Rng::new();
        println!("seed {}", rng.get_seed());
        let rooms = rooms("a,b,c,d");
        for _ in 0..20_000 {
            let mut text = next(&places(&rooms, rng.u32(..), &mut rng)).to_string().into_bytes();
            let at = rng.usize(..text.len());
            match rng.u8(..3) {
                0 => text.truncate(at),
                1 => text[at] = *rng.choice(b"~-0123456789abcdefgz+ ").unwrap(),
                _ => text.insert(at, *rng.choice(b"~-0a").unwrap()),
            }
            let text = String::from_utf8(text).unwrap();
            if let Ok(read) = text.parse::<Next>() {
                assert_eq!(read.to_string().parse(), Ok(read), "{text}");
            }
        }
    }
}
