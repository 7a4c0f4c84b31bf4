//! Putting an archived room into a store.

use std::sync::mpsc::channel;

use super::read::Archived;
use crate::config::ARCHIVE_READ;
use crate::message::{Cursor, Draft, Kind, Timestamp};
use crate::store::{Done, Error, Store};

/// Adds what is missing of a room, in its order and with its times, and answers how many messages that were.
///
/// What is there already must be the beginning of the same, or all of it and more. So an import that was broken off
/// goes on, and a second one does nothing. Anything else is refused, and nothing is changed.
pub fn put(store: &dyn Store, archived: &Archived) -> Result<usize, Error> {
    let Archived { room, said } = archived;
    let mut missing = &said[..];
    let mut at = Timestamp(0);
    let mut last = Cursor::start(store.epoch());
    loop {
        let portion = store.after(room, last.sequence, ARCHIVE_READ)?;
        let Some(newest) = portion.last() else { break };
        let follows = portion.first().is_some_and(|first| first.id.sequence == last.sequence + 1);
        let mut there = portion.iter().filter(|message| message.kind == Kind::Message);
        let is_same = there.all(|there| match missing.split_first() {
            Some((next, rest)) => {
                (missing, at) = (rest, at.max(next.at));
                there.name == next.name && there.text == next.text && there.at == at
            }
            None => true,
        });
        if !follows || !is_same {
            return Err(Error(format!(
                "the room {room} holds other messages already: nothing was imported into it; give it another name by --room"
            )));
        }
        last = newest.id;
    }
    if missing.is_empty() {
        return Ok(0);
    }
    let latest = store.newest(room, 0)?.latest;
    if latest.sequence != last.sequence {
        return Err(Error(format!(
            "the room {room} held messages that are forgotten: give it another name by --room"
        )));
    }
    for some in missing.chunks(ARCHIVE_READ) {
        last = append(store, archived, last, some)?;
    }
    Ok(missing.len())
}

fn append(store: &dyn Store, archived: &Archived, seen: Cursor, drafts: &[Draft]) -> Result<Cursor, Error> {
    let (done, outcome) = channel();
    store.append(&archived.room, seen, drafts.to_vec(), Done::new(move |outcome| drop(done.send(outcome))));
    let broken = |error: Error| {
        Error(format!(
            "the import into {} was broken off, and goes on when it is done again: {error}",
            archived.room
        ))
    };
    let stored = outcome.recv().unwrap_or_else(|_| Err(Error("the store has ended".into())));
    stored.map(|arrived| arrived.latest).map_err(broken)
}
