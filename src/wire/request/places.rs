//! From where on a client waits, in each of the rooms that it asks for.

use crate::message::{CompositeCursor, Invalid, Next, RoomHash, RoomName};
use crate::room::After;
use crate::wire::refusal::Refusal;

/// Where the wait begins in each of the rooms: in all at `oldest` or `latest`, or in each at its place in a
/// cursor. Without `after` it is from now on.
pub(super) fn places(rooms: &[RoomName], after: Option<&str>) -> Result<Vec<After>, Refusal> {
    if rooms.len() > 1 {
        let mut hashes: Vec<RoomHash> = rooms.iter().map(RoomHash::of).collect();
        hashes.sort();
        if hashes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Refusal::OneHash);
        }
    }
    let cursor = match after {
        None | Some("latest") => return Ok(vec![After::Latest; rooms.len()]),
        Some("oldest") => return Ok(vec![After::Oldest; rooms.len()]),
        Some(cursor) => cursor.parse().map_err(|e: Invalid| Refusal::BadCursor(e.0))?,
    };
    match cursor {
        Next::Several(cursor) => in_composite(rooms, &cursor),
        Next::One(cursor) if rooms.len() == 1 => Ok(vec![After::Cursor(cursor)]),
        Next::One(_) => Err(Refusal::BadCursor(
            "this is the cursor of one room: begin the wait in several with after=oldest or after=latest, then follow next",
        )),
    }
}

/// A room that is new to the cursor starts from now on.
fn in_composite(rooms: &[RoomName], cursor: &CompositeCursor) -> Result<Vec<After>, Refusal> {
    let place = |room| cursor.place(room).map_or(After::Latest, After::Cursor);
    let places: Vec<After> = rooms.iter().map(place).collect();
    if places.iter().all(|after| *after == After::Latest) {
        return Err(Refusal::BadCursor(
            "this cursor holds none of these rooms: begin with after=oldest or after=latest, then follow next",
        ));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Cursor;

    fn asked(names: &str, after: Option<&str>) -> Result<Vec<After>, Refusal> {
        let rooms: Vec<RoomName> = names.split(',').map(|name| name.parse().expect("a name")).collect();
        places(&rooms, after)
    }

    /// A cursor of these rooms, which stands at 1 in the first, 2 in the second and so on.
    fn cursor(names: &str) -> String {
        let rooms: Vec<RoomName> = names.split(',').map(|name| name.parse().unwrap()).collect();
        let place = |n: usize| format!("0123abcd-{n}").parse::<Cursor>().unwrap();
        Next::of(rooms.iter().zip((1..).map(place))).to_string()
    }

    fn at(sequence: u64) -> After {
        After::Cursor(format!("0123abcd-{sequence}").parse().unwrap())
    }

    #[test]
    fn each_room_goes_on_from_its_place_and_a_new_one_from_now_on() {
        let several = cursor("a,b,c");
        assert_eq!(asked("c,a,d", Some(&several)).unwrap(), [at(3), at(1), After::Latest]);
        assert_eq!(asked("b", Some(&several)).unwrap(), [at(2)]);
        assert_eq!(asked("a,b", None).unwrap(), [After::Latest; 2]);
        assert_eq!(asked("a,b", Some("latest")).unwrap(), [After::Latest; 2]);
        assert_eq!(asked("a,b", Some("oldest")).unwrap(), [After::Oldest; 2]);
        assert_eq!(asked("a", Some(&cursor("a"))).unwrap(), [at(1)]);
    }

    #[test]
    fn a_cursor_of_other_rooms_is_refused() {
        for (names, after) in [("d", cursor("a,b")), ("d,e", cursor("a,b")), ("a,b", cursor("a"))] {
            assert!(matches!(asked(names, Some(&after)), Err(Refusal::BadCursor(_))), "{names} {after}");
        }
        assert_eq!(asked("liquid,a,costarring", Some("oldest")), Err(Refusal::OneHash));
    }
}
