//! A search in several rooms: what is found in each becomes one list, newest first in pages.

use std::sync::Arc;

use super::request::Search;
use crate::message::{Cursor, Message, Next, RoomName, Timestamp};
use crate::store::{self, Bound, Error, Found, Start, Store};

/// A message, with its room's place among those that were asked for.
pub type Hit = (usize, Arc<Message>);

/// What one reply of a search tells.
#[derive(Debug)]
pub struct Hits {
    /// The messages, oldest first.
    pub messages: Vec<Hit>,
    /// Where the search goes on; `None` if it has come to the end.
    pub previous: Option<Next>,
    /// Until when back all was looked at; `None` at the end.
    pub since: Option<Timestamp>,
    /// Whether it could not begin where it was asked to, in some room.
    pub gap: bool,
}

/// Searches each of the rooms, and puts together what is found.
pub fn search(store: &dyn Store, asked: &Search) -> Result<Hits, Error> {
    let bound = Bound::shared_by(asked.rooms.len());
    let find = |(room, start): (&RoomName, &Start)| {
        store::find(store, room, &asked.words, *start, asked.limit, bound)
    };
    let found = asked.rooms.iter().zip(&asked.starts).map(find).collect::<Result<Vec<_>, _>>()?;
    Ok(together(asked, &found))
}

/// The newest of all that was found. What is older than the place where the search of some room stopped is left for a
/// later page: something newer may come from there.
fn together(asked: &Search, found: &[Found]) -> Hits {
    let stopped = found.iter().filter(|found| found.has_more).filter_map(|found| found.reached.as_ref());
    let stopped = stopped.map(|oldest| oldest.at).max();
    let all = found.iter().enumerate();
    let mut all: Vec<Hit> = all
        .flat_map(|(room, found)| found.messages.iter().map(move |message| (room, message.clone())))
        .collect();
    all.sort_by_key(|(room, message)| (message.at, *room, message.id.sequence));
    let is_told = |(_, message): &&Hit| stopped.is_none_or(|stopped| message.at >= stopped);
    let told = all.iter().rev().take(asked.limit).take_while(is_told).count();
    let left = all.len() - told;
    let told = all.split_off(left);
    let left = all;
    let has_more = !left.is_empty() || found.iter().any(|found| found.has_more);
    let oldest_told = told.first().filter(|_| !left.is_empty()).map(|(_, message)| message.at);
    let places: Vec<Cursor> =
        (0..).zip(found).map(|(room, found)| place(room, found, &left, &told)).collect();
    // A store that several instances share may have been emptied between two of the rooms.
    let is_one_life = places.windows(2).all(|pair| pair[0].epoch == pair[1].epoch);
    let previous = match found {
        // A message, so that it is a cursor like any other of the room.
        [one] => one.reached.as_ref().map(|oldest| Next::One(oldest.id)),
        _ => is_one_life.then(|| Next::of(asked.rooms.iter().zip(places))),
    };
    Hits {
        messages: told,
        previous: previous.filter(|_| has_more),
        since: oldest_told.max(stopped).filter(|_| has_more),
        gap: !is_one_life || found.iter().any(|found| found.gap),
    }
}

/// With which message the search of a room goes on: with the first that was not told.
fn place(room: usize, found: &Found, left: &[Hit], told: &[Hit]) -> Cursor {
    let oldest = match left.iter().any(|(of, _)| *of == room) {
        true => told.iter().find(|(of, _)| *of == room).map(|(_, message)| message),
        false => found.reached.as_ref(),
    };
    oldest.map_or(found.began, |oldest| oldest.before())
}
